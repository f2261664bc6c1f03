package balancer_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"storefront/lab/balancer"
)

// crowd is clients that ask without a pause until end, over connections that they keep and over new ones, and what went wrong for them.
type crowd struct {
	url      string
	stop     context.CancelFunc
	wg       sync.WaitGroup
	requests atomic.Int64
	mu       sync.Mutex
	wrong    []string
}

func newCrowd(t *testing.T, url string, methods ...string) *crowd {
	ctx, cancel := context.WithCancel(t.Context())
	c := &crowd{url: url, stop: cancel}
	for i := range 8 {
		method := methods[i%len(methods)]
		c.wg.Go(func() {
			transport := &http.Transport{DisableKeepAlives: i < 2, MaxIdleConnsPerHost: 1}
			defer transport.CloseIdleConnections()
			for ctx.Err() == nil {
				err := c.ask(ctx, &http.Client{Transport: transport}, method)
				if c.requests.Add(1); err != nil && ctx.Err() == nil {
					c.mu.Lock()
					c.wrong = append(c.wrong, method+": "+err.Error())
					c.mu.Unlock()
				}
			}
		})
	}
	t.Cleanup(func() { c.end() })
	return c
}

// ask sends one request, with many header fields so that the balancer has work between choosing a target and calling it, and reads the answer in full.
func (c *crowd) ask(ctx context.Context, client *http.Client, method string) error {
	var body io.Reader
	if method == http.MethodPost {
		body = strings.NewReader("order")
	}
	r, err := http.NewRequestWithContext(ctx, method, c.url, body)
	if err != nil {
		return err
	}
	for i := range 50 {
		r.Header.Set(fmt.Sprintf("X-Field-%d", i), "value")
	}
	response, err := client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	switch {
	case err != nil:
		return fmt.Errorf("the answer is cut: %w", err)
	case response.StatusCode != http.StatusOK:
		return fmt.Errorf("status %s", response.Status)
	case !bytes.Equal(answer, large):
		return fmt.Errorf("%d of %d bytes", len(answer), len(large))
	}
	return nil
}

// end ends the clients and returns what went wrong.
func (c *crowd) end() []string {
	c.stop()
	c.wg.Wait()
	return c.wrong
}

// check reports what went wrong, if anything was asked at all.
func (c *crowd) check(t *testing.T) {
	t.Helper()
	wrong := c.end()
	if n := c.requests.Load(); len(wrong) > 0 || n == 0 {
		t.Errorf("%d of %d requests failed: %s", len(wrong), n, strings.Join(wrong[:min(len(wrong), 5)], "; "))
	}
}

// large is an answer of several chunks and reads.
var large = bytes.Repeat([]byte("0123456789abcdef"), 640)

func serveLarge(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	_, _ = w.Write(large[:3000])
	_ = http.NewResponseController(w).Flush()
	_, _ = w.Write(large[3000:])
}

func mustApply(t *testing.T, b *balancer.Balancer, c balancer.Config) {
	t.Helper()
	if err := b.Apply(c); err != nil {
		t.Fatal(err)
	}
}

// TestRollOut: targets come, drain, and are ended without mercy the moment that nothing is in flight, as instances are. No client may notice.
func TestRollOut(t *testing.T) {
	old, server := upstream(t, serveLarge)
	b, url := start(t, config(group(old)), balancer.Options{})
	waitState(t, b, old, "healthy")
	clients := newCrowd(t, url, http.MethodGet, http.MethodPost)
	for range 15 {
		next, nextServer := upstream(t, serveLarge)
		mustApply(t, b, config(group(old, next)))
		waitState(t, b, next, "healthy")
		draining := old
		draining.Draining = true
		mustApply(t, b, config(group(draining, next)))
		eventually(t, "the target has drained", func() bool { return b.InFlight(groupARN, old.ID, int(old.Address.Port())) == 0 })
		server.CloseClientConnections()
		server.Close()
		mustApply(t, b, config(group(next)))
		old, server = next, nextServer
	}
	clients.check(t)
}

// TestDrainedTargetGetsNothing: once Apply has returned and nothing is in flight, no request reaches a draining target, not even one that chose it before.
func TestDrainedTargetGetsNothing(t *testing.T) {
	var drained atomic.Bool
	leaving, _ := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		if drained.Load() {
			t.Error("a drained target got a request")
		}
		serveLarge(w, r)
	})
	staying, _ := upstream(t, serveLarge)
	b, url := start(t, config(group(leaving, staying)), balancer.Options{})
	waitState(t, b, leaving, "healthy")
	waitState(t, b, staying, "healthy")
	clients := newCrowd(t, url, http.MethodGet)
	draining := leaving
	draining.Draining = true
	for range 100 {
		mustApply(t, b, config(group(draining, staying)))
		eventually(t, "the target has drained", func() bool { return b.InFlight(groupARN, leaving.ID, int(leaving.Address.Port())) == 0 })
		drained.Store(true)
		before := clients.requests.Load()
		eventually(t, "a request goes elsewhere", func() bool { return clients.requests.Load() > before })
		drained.Store(false)
		mustApply(t, b, config(group(leaving, staying)))
	}
	clients.check(t)
}

// TestRulesChangeUnderTraffic: a listener goes back and forth between two target groups, of which only the one in use is there.
func TestRulesChangeUnderTraffic(t *testing.T) {
	var groups []balancer.TargetGroup
	for _, name := range []string{"blue", "green"} {
		tg, _ := upstream(t, serveLarge)
		g := group(tg)
		g.ARN += name
		groups = append(groups, g)
	}
	b, url := start(t, config(groups[0]), balancer.Options{})
	clients := newCrowd(t, url, http.MethodGet, http.MethodPost)
	eventually(t, "many requests", func() bool {
		for i := range 10 {
			mustApply(t, b, config(groups[i%2]))
		}
		return clients.requests.Load() > 200
	})
	clients.check(t)
}

// TestRequestInFlightOutlivesItsTargetGroup: no rule names the group any more, and its target may finish.
func TestRequestInFlightOutlivesItsTargetGroup(t *testing.T) {
	started, release := make(chan struct{}), make(chan struct{})
	slow, _ := upstream(t, func(w http.ResponseWriter, _ *http.Request) {
		close(started)
		<-release
		_, _ = io.WriteString(w, "slow")
	})
	b, url := start(t, config(group(slow)), balancer.Options{})
	answer := make(chan string)
	go func() {
		_, body := get(t, url)
		answer <- body
	}()
	<-started
	other := group(named(t, "other"))
	other.ARN += "other"
	mustApply(t, b, config(other))
	if _, body := get(t, url); body != "other" {
		t.Errorf("a new request got %q", body)
	}
	close(release)
	if got := <-answer; got != "slow" {
		t.Errorf("the request in flight got %q", got)
	}
}

// TestTargetClosesIdleConnections: the target closes connections once it has answered, or resets them when the next request arrives, and does not say so.
// Requests that may be repeated must not fail for it.
func TestTargetClosesIdleConnections(t *testing.T) {
	for _, linger := range []int{-1, 0} {
		t.Run(fmt.Sprint("linger ", linger), func(t *testing.T) {
			head := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", len(large))
			l := raw(t, func(c net.Conn) {
				in := bufio.NewReader(c)
				if _, err := http.ReadRequest(in); err == nil {
					_, _ = io.WriteString(c, head+string(large))
				}
				if linger == 0 {
					_, _ = in.Peek(1)
				}
				_ = c.(*net.TCPConn).SetLinger(linger)
			})
			g := group(target(l.Addr().String()))
			g.HealthCheck.Interval = time.Hour
			_, url := start(t, config(g), balancer.Options{})
			clients := newCrowd(t, url, http.MethodGet)
			eventually(t, "many requests", func() bool { return clients.requests.Load() > 200 })
			clients.check(t)
		})
	}
}

// raw starts a server that closes each connection after serve.
func raw(t testing.TB, serve func(net.Conn)) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				serve(c)
				_ = c.Close()
			}()
		}
	}()
	return l
}

// TestFailOpenLeavesNewTargetsAlone: when all targets fail their checks, those that have just come, and do not listen yet, still get nothing.
func TestFailOpenLeavesNewTargetsAlone(t *testing.T) {
	sick := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer sick.Close()
	bad := target(sick.Listener.Addr().String())
	b, url := start(t, config(group(bad)), balancer.Options{})
	waitState(t, b, bad, "unhealthy")
	booting := target(fmt.Sprintf("127.0.0.1:%d", freePorts(t, 1)[0]))
	g := group(bad, booting)
	g.HealthCheck.Unhealthy = 1 << 30
	mustApply(t, b, config(g))
	for range 10 {
		if r, _ := get(t, url); r.StatusCode != http.StatusOK {
			t.Fatalf("got %d from a target that was never healthy", r.StatusCode)
		}
	}
}

// TestGroupAndTargetStickiness: the cookies of both reach the client, beside the target's own.
func TestGroupAndTargetStickiness(t *testing.T) {
	tg, _ := upstream(t, func(w http.ResponseWriter, _ *http.Request) { http.SetCookie(w, &http.Cookie{Name: "own", Value: "1"}) })
	g := group(tg)
	g.Stickiness = balancer.Stickiness{Type: balancer.LBCookie, Duration: time.Hour}
	c := config(g)
	c.Listeners[0].Rules[0].Action.Forward.Stickiness = time.Hour
	_, url := start(t, c, balancer.Options{})
	r, _ := get(t, url)
	var names []string
	for _, cookie := range r.Cookies() {
		names = append(names, cookie.Name)
	}
	if want := []string{"own", "AWSALB", "AWSALBCORS", "AWSALBTG", "AWSALBTGCORS"}; !slices.Equal(names, want) {
		t.Errorf("got %v, want %v", names, want)
	}
}
