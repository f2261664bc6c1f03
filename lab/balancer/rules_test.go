package balancer_test

import (
	"errors"
	"net/http"
	"net/netip"
	"testing"

	"storefront/lab/balancer"
)

// fixed is a rule whose answer is the name.
func fixed(name string, conditions ...balancer.Condition) balancer.Rule {
	return balancer.Rule{Priority: 1, Conditions: conditions, Action: balancer.Action{Fixed: &balancer.FixedResponse{Status: 200, Body: name}}}
}

func TestConditions(t *testing.T) {
	_, url := start(t, config(group(),
		fixed("host", balancer.Condition{Hosts: []string{"*.Example.com"}}),
		fixed("path", balancer.Condition{Paths: []string{"/img/*.p?g"}}),
		fixed("header", balancer.Condition{HeaderName: "X-Env", HeaderValues: []string{"BLUE*", `a\*`}}),
		fixed("method", balancer.Condition{Methods: []string{"DELETE"}}),
		fixed("query", balancer.Condition{Query: []balancer.QueryPair{{Key: "version", Value: "v1*"}, {Value: "any"}}}),
		fixed("both", balancer.Condition{Paths: []string{"/both"}}, balancer.Condition{Sources: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}),
		fixed("never", balancer.Condition{Paths: []string{"/never"}}, balancer.Condition{Sources: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}),
		fixed("rest", balancer.Condition{Paths: []string{"*"}}),
	), balancer.Options{})
	header := func(k, v string) func(*http.Request) { return func(r *http.Request) { r.Header.Set(k, v) } }
	host := func(h string) func(*http.Request) { return func(r *http.Request) { r.Host = h } }
	none := func(*http.Request) {}
	for _, c := range []struct {
		path   string
		change func(*http.Request)
		want   string
	}{
		{"/", host("WWW.example.com:8080"), "host"},
		{"/", host("example.com"), "rest"},
		{"/img/a.png", none, "path"},
		{"/img/a/b.pXg", none, "path"},
		{"/IMG/a.png", none, "rest"},
		{"/", header("X-Env", "blue-green"), "header"},
		{"/", header("X-Env", "a*"), "header"},
		{"/", header("X-Env", "ab"), "rest"},
		{"/", func(r *http.Request) { r.Method = "DELETE" }, "method"},
		{"/?VERSION=V12", none, "query"},
		{"/?x=any", none, "query"},
		{"/?version=v2", none, "rest"},
		{"/both", none, "both"},
		{"/never", none, "rest"},
	} {
		if _, body := get(t, url+c.path, c.change); body != c.want {
			t.Errorf("%s: rule %q answered, want %q", c.path, body, c.want)
		}
	}
}

func TestRedirect(t *testing.T) {
	rule := func(path string, r balancer.Redirect) balancer.Rule {
		return balancer.Rule{Conditions: []balancer.Condition{{Paths: []string{path}}}, Action: balancer.Action{Redirect: &r}}
	}
	_, url := start(t, config(group(),
		rule("/all/*", balancer.Redirect{Protocol: "HTTPS", Port: "443", Host: "#{host}", Path: "/#{path}", Query: "#{query}", Status: 301}),
		rule("/new", balancer.Redirect{Protocol: "HTTPS", Port: "8443", Host: "new.#{host}", Path: "/v2/#{path}", Query: "from=#{protocol}&#{query}", Status: 302}),
	), balancer.Options{})
	for _, c := range []struct {
		path, want string
		status     int
	}{
		{"/all/a%20b?x=1&y=2", "https://shop.test:443/all/a%20b?x=1&y=2", 301},
		{"/all/", "https://shop.test:443/all/", 301},
		{"/new?x=1", "https://new.shop.test:8443/v2/new?from=http&x=1", 302},
	} {
		r, _ := get(t, url+c.path, func(r *http.Request) { r.Host = "shop.test" })
		if got := r.Header.Get("Location"); got != c.want || r.StatusCode != c.status {
			t.Errorf("%s: got %d to %s, want %d to %s", c.path, r.StatusCode, got, c.status, c.want)
		}
	}
}

func TestApplyRefusesBadConfig(t *testing.T) {
	b, _ := start(t, config(group()), balancer.Options{})
	for name, spoil := range map[string]func(*balancer.Config){
		"no default rule":      func(c *balancer.Config) { c.Listeners[0].Rules = nil },
		"unknown target group": func(c *balancer.Config) { c.TargetGroups = nil },
		"bad matcher":          func(c *balancer.Config) { c.TargetGroups[0].HealthCheck.Codes = "200-" },
		"no interval":          func(c *balancer.Config) { c.TargetGroups[0].HealthCheck.Interval = 0 },
		"no certificate":       func(c *balancer.Config) { c.Listeners[0].TLS = &balancer.TLS{} },
		"no action":            func(c *balancer.Config) { c.Listeners[0].Rules[0].Action = balancer.Action{} },
	} {
		c := config(group())
		spoil(&c)
		if err := b.Apply(c); !errors.Is(err, balancer.ErrConfig) {
			t.Errorf("%s: got %v, want ErrConfig", name, err)
		}
	}
}
