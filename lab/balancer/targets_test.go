package balancer_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"storefront/lab/balancer"
)

// named starts a target that answers with its name.
func named(t *testing.T, name string) balancer.Target {
	tg, _ := upstream(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, name) })
	return tg
}

// tally counts the answers to n requests by body.
func tally(t *testing.T, url string, n int) map[string]int {
	t.Helper()
	counts := map[string]int{}
	for range n {
		_, body := get(t, url)
		counts[body]++
	}
	return counts
}

func TestRoundRobinAmongHealthyTargets(t *testing.T) {
	sick := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }))
	defer sick.Close()
	bad := target(sick.Listener.Addr().String())
	g := group(named(t, "a"), named(t, "b"), bad)
	b, url := start(t, config(g), balancer.Options{})
	waitState(t, b, g.Targets[0], "healthy")
	waitState(t, b, g.Targets[1], "healthy")
	waitState(t, b, bad, "unhealthy")
	if got := tally(t, url, 10); got["a"] != 5 || got["b"] != 5 {
		t.Errorf("got %v, want 5 each", got)
	}
	want := balancer.TargetHealth{State: "unhealthy", Reason: "Target.ResponseCodeMismatch", Description: "Health checks failed with these codes: [500]"}
	if h, _ := b.Health(groupARN, bad.ID, int(bad.Address.Port())); h != want {
		t.Errorf("got %+v, want %+v", h, want)
	}
}

// A target that is still starting is found long before an interval is over, and what failed meanwhile is not held against it.
func TestNewTargetIsLookedAtBetween(t *testing.T) {
	var looks atomic.Int32
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if looks.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer slow.Close()
	g := group(target(slow.Listener.Addr().String()))
	g.HealthCheck.Interval = time.Hour
	b, _ := start(t, config(g), balancer.Options{})
	waitState(t, b, g.Targets[0], "healthy")
	if n := looks.Load(); n != 3 {
		t.Errorf("%d looks, want 3: a healthy target is looked at every interval", n)
	}
}

func TestFailOpen(t *testing.T) {
	g := group(named(t, "a"))
	g.HealthCheck.Codes = "204"
	b, url := start(t, config(g), balancer.Options{})
	waitState(t, b, g.Targets[0], "unhealthy")
	if r, body := get(t, url); r.StatusCode != 200 || body != "a" {
		t.Errorf("got %d %q; with no healthy target all get requests", r.StatusCode, body)
	}
}

func TestRecoveryNeedsTheThreshold(t *testing.T) {
	var status atomic.Int32
	status.Store(500)
	var checks atomic.Int32
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		checks.Add(1)
		w.WriteHeader(int(status.Load()))
	}))
	defer s.Close()
	tg := target(s.Listener.Addr().String())
	g := group(tg)
	g.HealthCheck.Healthy = 4
	b, _ := start(t, config(g), balancer.Options{})
	waitState(t, b, tg, "unhealthy")
	status.Store(200)
	checks.Store(0)
	waitState(t, b, tg, "healthy")
	if n := checks.Load(); n < 4 {
		t.Errorf("healthy after %d checks, want at least 4", n)
	}
}

func TestDraining(t *testing.T) {
	release, started := make(chan struct{}), make(chan struct{})
	slow, _ := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
		close(started)
		<-release
		_, _ = io.WriteString(w, "slow")
	})
	g := group(slow)
	b, url := start(t, config(g), balancer.Options{})
	inFlight := make(chan string)
	go func() {
		_, body := get(t, url)
		inFlight <- body
	}()
	<-started
	g.Targets = append(slices.Clone(g.Targets), named(t, "other")) // the balancer still reads the old ones
	g.Targets[0].Draining = true
	if err := b.Apply(config(g)); err != nil {
		t.Fatal(err)
	}
	if got := tally(t, url, 4); got["other"] != 4 {
		t.Errorf("a draining target got requests: %v", got)
	}
	if h, _ := b.Health(groupARN, slow.ID, int(slow.Address.Port())); h.State != "draining" {
		t.Errorf("got %+v", h)
	}
	close(release)
	if body := <-inFlight; body != "slow" {
		t.Errorf("the request in flight got %q", body)
	}
}

func TestDeregistrationCutsWhatIsLeft(t *testing.T) {
	started, gone := make(chan struct{}), make(chan struct{})
	tg, _ := upstream(t, func(_ http.ResponseWriter, r *http.Request) {
		close(started)
		<-r.Context().Done()
		close(gone)
	})
	b, url := start(t, config(group(tg)), balancer.Options{})
	status := make(chan int)
	go func() {
		r, _ := get(t, url)
		status <- r.StatusCode
	}()
	<-started
	if err := b.Apply(config(group())); err != nil {
		t.Fatal(err)
	}
	if s := <-status; s != http.StatusBadGateway {
		t.Errorf("got %d, want 502", s)
	}
	<-gone
}

func TestApplyKeepsConnections(t *testing.T) {
	c := config(group(named(t, "a")))
	b, url := start(t, c, balancer.Options{})
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}}
	ask := func() string {
		r, err := client.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Body.Close() }()
		body, _ := io.ReadAll(r.Body)
		return string(body)
	}
	if got := ask(); got != "a" {
		t.Fatalf("got %q", got)
	}
	next := config(group(named(t, "b")))
	next.Attributes.IdleTimeout = 2 * time.Minute // replaces the server behind the socket
	if err := b.Apply(next); err != nil {
		t.Fatal(err)
	}
	if got := ask(); got != "b" {
		t.Errorf("got %q on the same connection, want the new target", got)
	}
	client.CloseIdleConnections()
	if got := ask(); got != "b" {
		t.Errorf("got %q on a new connection", got)
	}
}

func TestStickiness(t *testing.T) {
	g := group(named(t, "a"), named(t, "b"), named(t, "c"))
	g.Stickiness = balancer.Stickiness{Type: balancer.LBCookie, Duration: time.Hour}
	b, url := start(t, config(g), balancer.Options{})
	for _, tg := range g.Targets {
		waitState(t, b, tg, "healthy")
	}
	r, first := get(t, url)
	var cookie *http.Cookie
	for _, c := range r.Cookies() {
		if c.Name == "AWSALB" {
			cookie = c
		}
	}
	if cookie == nil || len(r.Cookies()) != 2 || r.Cookies()[1].Name != "AWSALBCORS" {
		t.Fatalf("cookies: %v", r.Cookies())
	}
	for range 6 {
		if _, body := get(t, url, func(r *http.Request) { r.AddCookie(cookie) }); body != first {
			t.Errorf("went to %s, want %s", body, first)
		}
	}
	var rest []balancer.Target
	for i, tg := range g.Targets {
		if i != strings.Index("abc", first) {
			rest = append(rest, tg)
		}
	}
	g.Targets = rest
	if err := b.Apply(config(g)); err != nil {
		t.Fatal(err)
	}
	if _, body := get(t, url, func(r *http.Request) { r.AddCookie(cookie) }); body == first {
		t.Errorf("stuck to a target that is gone")
	}
}

func TestWeightedGroups(t *testing.T) {
	blue, green := group(named(t, "blue")), group(named(t, "green"))
	green.ARN += "-green"
	c := config(blue)
	c.TargetGroups = append(c.TargetGroups, green)
	f := &balancer.Forward{Groups: []balancer.WeightedGroup{{ARN: blue.ARN, Weight: 1}, {ARN: green.ARN, Weight: 1}}}
	c.Listeners[0].Rules[0].Action = balancer.Action{Forward: f}
	b, url := start(t, c, balancer.Options{})
	if got := tally(t, url, 60); got["blue"] < 10 || got["green"] < 10 { // either side fails once in a billion runs
		t.Errorf("got %v, want about 30 each", got)
	}
	f.Groups[0].Weight = 0
	if err := b.Apply(c); err != nil {
		t.Fatal(err)
	}
	if got := tally(t, url, 10); got["green"] != 10 {
		t.Errorf("got %v, want green only", got)
	}
	f.Groups[0].Weight, f.Stickiness = 1, time.Hour
	if err := b.Apply(c); err != nil {
		t.Fatal(err)
	}
	r, first := get(t, url)
	for range 8 {
		_, body := get(t, url, func(request *http.Request) {
			for _, c := range r.Cookies() {
				request.AddCookie(c)
			}
		})
		if body != first {
			t.Errorf("went to %s, want %s", body, first)
		}
	}
}

type files struct {
	mu sync.Mutex
	m  map[string][]byte
}

// Put implements balancer.LogSink.
func (f *files) Put(_ context.Context, key string, gz []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.m[key] = gz
	return nil
}

type observations struct {
	mu  sync.Mutex
	all []balancer.Observation
}

// Observe implements balancer.Metrics.
func (o *observations) Observe(x balancer.Observation) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, x)
}

func TestAccessLogAndMetrics(t *testing.T) {
	logs, seen := &files{m: map[string][]byte{}}, &observations{}
	c := config(group(named(t, "hello")), fixed("x", balancer.Condition{Paths: []string{"/fixed"}}))
	c.Attributes.AccessLogs = true
	b, url := start(t, c, balancer.Options{Logs: logs, LogName: balancer.LogName{Account: "000000000000", Region: "us-east-1"}, Metrics: seen})
	get(t, url+"/a?b=1", func(r *http.Request) { r.Header.Set("User-Agent", `cu"rl`) })
	get(t, url+"/fixed")
	eventually(t, "both requests are observed", func() bool { seen.mu.Lock(); defer seen.mu.Unlock(); return len(seen.all) == 2 })
	b.Close()
	if len(logs.m) != 1 {
		t.Fatalf("%d files, want 1", len(logs.m))
	}
	for key, gz := range logs.m {
		if !regexp.MustCompile(`^AWSLogs/000000000000/elasticloadbalancing/us-east-1/\d{4}/\d\d/\d\d/000000000000_elasticloadbalancing_us-east-1_app\.web\.50dc6c495c0c9188_\d{8}T\d{4}Z_127\.0\.0\.1_[a-z0-9]{8}\.log\.gz$`).MatchString(key) {
			t.Errorf("key %s", key)
		}
		reader, err := gzip.NewReader(bytes.NewReader(gz))
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(reader)
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		want := []string{
			`^http \S+Z app/web/50dc6c495c0c9188 127\.0\.0\.1:\d+ 127\.0\.0\.1:\d+ 0\.000 0\.\d{3} 0\.\d{3} 200 200 0 5 "GET http://127\.0\.0\.1:\d+/a\?b=1 HTTP/1\.1" "cu\\x22rl" - - ` +
				`arn:\S+ "Root=1-\S+" "-" "-" 0 \S+Z "forward" "-" "-" "127\.0\.0\.1:\d+" "200" "-" "-" TID_[0-9a-f]{32}$`,
			` - -1\.000 -1\.000 -1\.000 200 - 0 1 "GET .*/fixed HTTP/1\.1".* 1 \S+Z "fixed-response" `,
		}
		for i, pattern := range want {
			if i >= len(lines) || !regexp.MustCompile(pattern).MatchString(lines[i]) {
				t.Errorf("line %d does not match %s:\n%s", i, pattern, text)
			}
		}
	}
	if first := seen.all[0]; first.LoadBalancer != c.Name || first.Action != "forward" || first.TargetGroup != groupARN || first.TargetStatus != 200 || first.TargetTime <= 0 || first.Sent != 5 {
		t.Errorf("observed %+v", first)
	}
}
