package balancer_test

import (
	"errors"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"storefront/lab/balancer"
)

// guard is a firewall that refuses what holds "attack", and cannot tell about what holds "unknown".
type guard struct{}

func (guard) Inspect(r *http.Request, client netip.Addr, body []byte, more bool) (*balancer.Refusal, error) {
	seen := r.URL.RawQuery + string(body)
	switch {
	case strings.Contains(seen, "unknown"):
		return nil, errors.New("cannot tell")
	case strings.Contains(seen, "custom"):
		return &balancer.Refusal{Status: 429, Header: http.Header{"Retry-After": {"60"}}, ContentType: "text/plain", Body: "slow down"}, nil
	case strings.Contains(seen, "attack") || !client.IsLoopback():
		return &balancer.Refusal{Status: 403}, nil
	}
	if more {
		r.Header.Set("X-Amzn-Waf-Long", "yes")
	}
	return nil, nil
}

func TestFirewall(t *testing.T) {
	u, _ := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Long", r.Header.Get("X-Amzn-Waf-Long"))
		body, _ := io.ReadAll(r.Body)
		_, _ = w.Write(body)
	})
	c := config(group(u))
	c.Firewall = guard{}
	b, url := start(t, c, balancer.Options{})
	long := strings.Repeat("a", 100_000)
	for _, try := range []struct {
		query, body string
		status      int
		answer      string
	}{
		{"", "an order", 200, "an order"},
		{"", long, 200, long},
		{"attack", "", 403, "403 Forbidden"},
		{"", "an attack", 403, "403 Forbidden"},
		{"custom", "", 429, "slow down"},
		{"unknown", "", 500, "500"},
	} {
		answer, err := http.Post(url+"/?"+try.query, "text/plain", strings.NewReader(try.body))
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if answer.StatusCode != try.status || !strings.Contains(string(body), try.answer) || (answer.Header.Get("Long") != "") != (try.body == long) {
			t.Errorf("%q %.20q: %d %.60q, header %q", try.query, try.body, answer.StatusCode, body, answer.Header.Get("Long"))
		}
	}
	c.Attributes.FailOpen = true
	if err := b.Apply(c); err != nil {
		t.Fatal(err)
	}
	answer, err := http.Get(url + "/?unknown")
	if err != nil {
		t.Fatal(err)
	}
	if _ = answer.Body.Close(); answer.StatusCode != 200 {
		t.Errorf("failing open: %d", answer.StatusCode)
	}
}
