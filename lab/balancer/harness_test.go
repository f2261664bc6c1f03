package balancer_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"

	"storefront/lab/balancer"
	"storefront/lab/network"
)

// local is a Network without namespaces.
type local struct{}

func (local) Listen(_ network.Place, protocol, address string) (net.Listener, error) {
	return net.Listen(protocol, address)
}

func (local) Dial(ctx context.Context, _ network.Place, protocol, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, protocol, address)
}

const groupARN = "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/web/1"

var check = balancer.HealthCheck{Path: "/healthz", Codes: "200", Interval: 20 * time.Millisecond, Timeout: time.Second, Healthy: 2, Unhealthy: 2}

// upstream starts a target; health checks succeed without reaching the handler.
func upstream(t testing.TB, handler http.HandlerFunc) (balancer.Target, *httptest.Server) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/healthz" {
			return
		}
		handler(w, r)
	}))
	t.Cleanup(s.Close)
	return target(s.Listener.Addr().String()), s
}

func target(address string) balancer.Target {
	return balancer.Target{ID: address, Address: netip.MustParseAddrPort(address), Zone: "us-east-1a"}
}

func group(targets ...balancer.Target) balancer.TargetGroup {
	return balancer.TargetGroup{ARN: groupARN, HealthCheck: check, Targets: targets}
}

func forward(arn string) balancer.Action {
	return balancer.Action{Forward: &balancer.Forward{Groups: []balancer.WeightedGroup{{ARN: arn, Weight: 1}}}}
}

// config is one node and one HTTP listener that forwards to the group, after the given rules.
func config(g balancer.TargetGroup, rules ...balancer.Rule) balancer.Config {
	return balancer.Config{
		Name:         "app/web/50dc6c495c0c9188",
		Nodes:        []balancer.Node{{Zone: "us-east-1a", Place: network.InInterface("eni-1"), Address: netip.MustParseAddr("127.0.0.1")}},
		Listeners:    []balancer.Listener{{ARN: "listener", Rules: append(rules, balancer.Rule{Action: forward(g.ARN)})}},
		TargetGroups: []balancer.TargetGroup{g},
	}
}

// start applies a configuration and returns the base URL of its listener.
func start(t testing.TB, c balancer.Config, opts balancer.Options) (*balancer.Balancer, string) {
	t.Helper()
	opts.Network = local{}
	b, err := balancer.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	if err := b.Apply(c); err != nil {
		t.Fatal(err)
	}
	scheme := "http://"
	if c.Listeners[0].TLS != nil {
		scheme = "https://"
	}
	return b, scheme + b.Addresses()[0].String()
}

// eventually polls until ok, for things that happen on other goroutines.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within 20 s: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func waitState(t testing.TB, b *balancer.Balancer, target balancer.Target, state string) {
	t.Helper()
	eventually(t, target.ID+" becomes "+state, func() bool {
		h, ok := b.Health(groupARN, target.ID, int(target.Address.Port()))
		return ok && h.State == state
	})
}

// get makes a request on a connection of its own and returns the answer and its body.
func get(t testing.TB, url string, change ...func(*http.Request)) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Close = true
	for _, f := range change {
		f(r)
	}
	response, err := noRedirect.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(body)
}

var noRedirect = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

// freePorts finds ports that nobody listens on.
func freePorts(t testing.TB, n int) []int {
	t.Helper()
	ports := make([]int, n)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		ports[i] = l.Addr().(*net.TCPAddr).Port
	}
	return ports
}
