package dataplane_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	ec2api "storefront/lab/api/ec2"
	api "storefront/lab/api/elbv2"
	"storefront/lab/balancer"
	"storefront/lab/dataplane"
	"storefront/lab/ec2"
	"storefront/lab/elbv2"
	"storefront/lab/network"
	"storefront/lab/region"
	"storefront/lab/state"
)

// switchboard is a network whose addresses all are ports of 127.0.0.1.
type switchboard struct {
	mu      sync.Mutex
	ports   map[string]string // real address by the region's private address
	private map[string]string // by public address
}

// Listen opens a port in the stead of an address in an interface.
func (s *switchboard) Listen(_ network.Place, _, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		s.connect(address, l.Addr().String())
	}
	return l, err
}

// Dial connects to what stands in for an address.
func (s *switchboard) Dial(ctx context.Context, _ network.Place, _, address string) (net.Conn, error) {
	s.mu.Lock()
	if private, ok := s.private[address]; ok {
		address = private
	}
	real, ok := s.ports[address]
	s.mu.Unlock()
	if !ok {
		return nil, errors.New("nobody at " + address)
	}
	return new(net.Dialer).DialContext(ctx, "tcp", real)
}

func (s *switchboard) connect(address, real string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ports[address] = real
}

// shopRegion is a VPC with a load balancer in two subnets that forwards to a group of addresses.
type shopRegion struct {
	store *state.Store
	elb   *elbv2.Service
	net   *switchboard
	run   *dataplane.Balancers
	arn   string // of the load balancer
	group string
	logs  sync.Map

	requests atomic.Int64 // of the group
}

// Observe implements balancer.Metrics.
func (s *shopRegion) Observe(o balancer.Observation) {
	if o.TargetGroup == s.group {
		s.requests.Add(1)
	}
}

func newShopRegion(t *testing.T) *shopRegion {
	t.Helper()
	store, err := state.Open(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	vpcs := ec2.New(ec2.Config{Store: store, Region: region.Default(), Now: time.Now})
	s := &shopRegion{store: store, net: &switchboard{ports: map[string]string{}, private: map[string]string{}}}
	s.elb = elbv2.New(elbv2.Config{
		Store: store, Region: region.Default(), Now: time.Now, VPCs: vpcs,
		Health: func(g, id string, port int) (elbv2.Health, bool) { return s.run.Health(g, id, port) },
		PutLog: func(_ context.Context, bucket, key string, body []byte) error {
			s.logs.Store(bucket+"/"+key, body)
			return nil
		},
	})
	s.run = &dataplane.Balancers{ELB: s.elb, Net: s.net, Log: slog.New(slog.DiscardHandler), Metrics: s}
	vpc := must(vpcs.CreateVpc(t.Context(), &ec2api.CreateVpcInput{CidrBlock: new("10.0.0.0/16")}))(t).Vpc.VpcId
	gateway := must(vpcs.CreateInternetGateway(t.Context(), &ec2api.CreateInternetGatewayInput{}))(t).InternetGateway.InternetGatewayId
	must(vpcs.AttachInternetGateway(t.Context(), &ec2api.AttachInternetGatewayInput{InternetGatewayId: gateway, VpcId: vpc}))(t)
	var subnets []string
	for i, zone := range []string{"us-east-1a", "us-east-1b"} {
		out := must(vpcs.CreateSubnet(t.Context(), &ec2api.CreateSubnetInput{VpcId: vpc, AvailabilityZone: &zone, CidrBlock: new(fmt.Sprintf("10.0.%d.0/24", i))}))(t)
		subnets = append(subnets, *out.Subnet.SubnetId)
	}
	lb := must(s.elb.CreateLoadBalancer(t.Context(), &api.CreateLoadBalancerInput{Name: new("web"), Subnets: subnets}))(t)
	s.arn = *lb.LoadBalancers[0].LoadBalancerArn
	g := must(s.elb.CreateTargetGroup(t.Context(), &api.CreateTargetGroupInput{
		Name: new("web"), Protocol: new("HTTP"), Port: new(int64(8080)), VpcId: vpc, TargetType: new("ip"), HealthCheckIntervalSeconds: new(int64(5)), HealthCheckTimeoutSeconds: new(int64(2)),
	}))(t)
	s.group = *g.TargetGroups[0].TargetGroupArn
	must(s.elb.CreateListener(t.Context(), &api.CreateListenerInput{
		LoadBalancerArn: &s.arn, Port: new(int64(80)), Protocol: new("HTTP"), DefaultActions: []api.Action{{Type: new("forward"), TargetGroupArn: &s.group}},
	}))(t)
	for _, n := range s.balancer(t).Nodes {
		s.net.private[n.Public.String()+":80"] = n.Address.String() + ":80"
	}
	return s
}

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// start runs the reconciler until the load balancer is active; the function it returns stops it and waits.
func (s *shopRegion) start(t *testing.T) (stop func()) {
	t.Helper()
	stop = s.begin(t)
	eventually(t, "the load balancer is active", func() bool { return s.balancer(t).State == "active" })
	return stop
}

// begin runs the reconciler.
func (s *shopRegion) begin(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.run.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return stop
}

func (s *shopRegion) balancer(t *testing.T) (lb elbv2.LoadBalancer) {
	t.Helper()
	_ = s.store.View(func(tx *state.Tx) error {
		if all := s.elb.LoadBalancers(tx); len(all) > 0 {
			lb = all[0]
		}
		return nil
	})
	return lb
}

// url is the host's way to the listener.
func (s *shopRegion) url(t *testing.T) string {
	t.Helper()
	var port int
	eventually(t, "the listener has a port in the host", func() bool {
		_ = s.store.View(func(tx *state.Tx) error {
			port, _ = s.elb.HostPort(tx, s.arn, 80)
			return nil
		})
		return port != 0
	})
	return fmt.Sprintf("http://127.0.0.1:%d", port)
}

// register puts a server behind an address of the VPC and registers it.
func (s *shopRegion) register(t *testing.T, ip string, handler http.HandlerFunc) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" || r.UserAgent() != "ELB-HealthChecker/2.0" {
			handler(w, r)
		}
	}))
	t.Cleanup(server.Close)
	s.net.connect(ip+":8080", server.Listener.Addr().String())
	must(s.elb.RegisterTargets(t.Context(), &api.RegisterTargetsInput{TargetGroupArn: &s.group, Targets: []api.TargetDescription{{Id: &ip}}}))(t)
	eventually(t, ip+" is healthy", func() bool { return s.health(t)[ip] == "healthy" })
}

func (s *shopRegion) health(t *testing.T) map[string]string {
	t.Helper()
	out := must(s.elb.DescribeTargetHealth(t.Context(), &api.DescribeTargetHealthInput{TargetGroupArn: &s.group}))(t)
	states := map[string]string{}
	for _, d := range out.TargetHealthDescriptions {
		states[*d.Target.Id] = *d.TargetHealth.State
	}
	return states
}

func fetch(t *testing.T, url string) (int, string) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Body.Close() }()
	body, _ := io.ReadAll(r.Body)
	return r.StatusCode, string(body)
}

// eventually polls until ok, for what happens on other goroutines.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within 10 s: %s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestTrafficReachesTargetsFromTheHost(t *testing.T) {
	s := newShopRegion(t)
	s.start(t)
	url := s.url(t)
	if status, _ := fetch(t, url); status != http.StatusServiceUnavailable {
		t.Errorf("without targets: got %d, want 503", status)
	}
	for _, ip := range []string{"10.0.0.100", "10.0.1.100"} {
		s.register(t, ip, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, ip) })
	}
	seen := map[string]int{}
	for range 8 {
		_, body := fetch(t, url)
		seen[body]++
	}
	if len(seen) != 2 {
		t.Errorf("got answers of %v, want both targets", seen)
	}
	if got := s.requests.Load(); got != 9 {
		t.Errorf("observed %d requests for the group, want the 9 that were made", got)
	}
}

// inFlight registers 10.0.0.100 and returns when it has a request, which it answers with "finished" once release is closed. The answer is sent to the channel.
func (s *shopRegion) inFlight(t *testing.T) (answer <-chan string, release chan<- struct{}) {
	t.Helper()
	arrived, hold, got := make(chan struct{}), make(chan struct{}), make(chan string, 1)
	s.register(t, "10.0.0.100", func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-hold
		_, _ = io.WriteString(w, "finished")
	})
	url := s.url(t)
	go func() {
		_, body := fetch(t, url)
		got <- body
	}()
	<-arrived
	return got, hold
}

func TestDeregisteredTargetDrains(t *testing.T) {
	s := newShopRegion(t)
	s.start(t)
	answer, release := s.inFlight(t)
	must(s.elb.DeregisterTargets(t.Context(), &api.DeregisterTargetsInput{TargetGroupArn: &s.group, Targets: []api.TargetDescription{{Id: new("10.0.0.100")}}}))(t)
	if h := s.health(t)["10.0.0.100"]; h != "draining" {
		t.Errorf("got %s, want draining", h)
	}
	close(release)
	if body := <-answer; body != "finished" {
		t.Errorf("the request in flight got %q", body)
	}
	eventually(t, "the target is gone", func() bool { return len(s.health(t)) == 0 })
}

// A target that drains when the last rule that names its group goes is gone after the deregistration delay, and its request in flight may finish.
func TestDrainingTargetOfAnAbandonedGroup(t *testing.T) {
	s := newShopRegion(t)
	s.start(t)
	must(s.elb.ModifyTargetGroupAttributes(t.Context(), &api.ModifyTargetGroupAttributesInput{TargetGroupArn: &s.group,
		Attributes: []api.TargetGroupAttribute{{Key: new("deregistration_delay.timeout_seconds"), Value: new("1")}}}))(t)
	answer, release := s.inFlight(t)
	must(s.elb.DeregisterTargets(t.Context(), &api.DeregisterTargetsInput{TargetGroupArn: &s.group, Targets: []api.TargetDescription{{Id: new("10.0.0.100")}}}))(t)
	listeners := must(s.elb.DescribeListeners(t.Context(), &api.DescribeListenersInput{LoadBalancerArn: &s.arn}))(t)
	must(s.elb.ModifyListener(t.Context(), &api.ModifyListenerInput{ListenerArn: listeners.Listeners[0].ListenerArn, DefaultActions: []api.Action{{
		Type: new("fixed-response"), FixedResponseConfig: &api.FixedResponseActionConfig{StatusCode: new("404")},
	}}}))(t)
	eventually(t, "the target is gone", func() bool { return len(s.health(t)) == 0 })
	close(release)
	if body := <-answer; body != "finished" {
		t.Errorf("the request in flight got %q", body)
	}
}

func TestHostPortOutlivesTheDaemon(t *testing.T) {
	s := newShopRegion(t)
	stop := s.start(t)
	before := s.url(t)
	stop()
	if _, err := http.Get(before); err == nil {
		t.Error("the port is open although nothing runs")
	}
	s.run = &dataplane.Balancers{ELB: s.elb, Net: s.net, Log: slog.New(slog.DiscardHandler)}
	s.start(t)
	eventually(t, "the listener answers at the same port", func() bool {
		r, err := http.Get(before)
		if err != nil {
			return false
		}
		_ = r.Body.Close()
		return r.StatusCode == http.StatusServiceUnavailable
	})
}

func TestDeletedLoadBalancerIsGone(t *testing.T) {
	s := newShopRegion(t)
	must(s.elb.ModifyLoadBalancerAttributes(t.Context(), &api.ModifyLoadBalancerAttributesInput{LoadBalancerArn: &s.arn, Attributes: []api.LoadBalancerAttribute{
		{Key: new("access_logs.s3.enabled"), Value: new("true")}, {Key: new("access_logs.s3.bucket"), Value: new("logs")}, {Key: new("access_logs.s3.prefix"), Value: new("p")},
	}}))(t)
	s.start(t)
	url := s.url(t)
	fetch(t, url)
	logged := func() (n int) {
		s.logs.Range(func(key, _ any) bool {
			if name, _ := key.(string); strings.HasPrefix(name, "logs/p/AWSLogs/000000000000/elasticloadbalancing/") && strings.HasSuffix(name, ".log.gz") {
				n++
			}
			return true
		})
		return n
	}
	must(s.elb.DeleteLoadBalancer(t.Context(), &api.DeleteLoadBalancerInput{LoadBalancerArn: &s.arn}))(t)
	eventually(t, "the port is closed", func() bool {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			return true
		}
		_ = conn.Close()
		return false
	})
	eventually(t, "the access log is delivered", func() bool { return logged() > 0 })
	if _, err := s.elb.DeleteTargetGroup(t.Context(), &api.DeleteTargetGroupInput{TargetGroupArn: &s.group}); err != nil {
		t.Error(err)
	}
}
