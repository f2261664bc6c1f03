package dns_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	mdns "github.com/miekg/dns"

	"storefront/lab/dns"
	"storefront/lab/network"
	"storefront/lab/network/networktest"
)

func TestMain(m *testing.M) { networktest.Main(m) }

var (
	client   = network.InInterface("eni-client")
	resolver = netip.MustParseAddr("10.0.0.2")
)

// names is the region of these tests.
func names(vpcID, name string, qtype uint16) ([]dns.Record, bool) {
	address := func(s string) dns.Record {
		return dns.Record{TTL: dns.LoadBalancerTTL, Address: netip.MustParseAddr(s)}
	}
	switch name {
	case "lb.us-east-1.elb.amazonaws.com":
		return []dns.Record{address("198.18.0.1"), address("198.18.0.2"), address("198.18.0.3")}, true
	case "shop.cluster-ro-x.us-east-1.rds.amazonaws.com":
		return []dns.Record{{TTL: dns.ClusterTTL, Target: "Reader.us-east-1.rds.amazonaws.com"}}, true
	case "reader.us-east-1.rds.amazonaws.com":
		return []dns.Record{{TTL: dns.ClusterTTL, Address: netip.MustParseAddr("10.0.2.5")}}, true
	case "only." + vpcID:
		return []dns.Record{address("10.0.0.9")}, true
	case "dangling.lab":
		return []dns.Record{{TTL: 1, Target: "gone.lab"}}, true
	case "circle.lab":
		return []dns.Record{{TTL: 1, Target: "circle.lab"}}, true
	case "5.2.0.10.in-addr.arpa":
		return []dns.Record{{TTL: 1, Target: "ip-10-0-2-5.ec2.internal"}}, qtype == mdns.TypePTR
	case "many.lab":
		var many []dns.Record
		for i := range 100 {
			many = append(many, address(fmt.Sprintf("10.9.0.%d", i)))
		}
		return many, true
	}
	return nil, false
}

func start(t testing.TB) *network.Network {
	t.Helper()
	n := networktest.Open(t)
	open := []network.ACLEntry{} // neither groups nor network ACLs filter the resolver
	err := n.Apply(t.Context(), network.Topology{VPCs: []network.VPC{{
		ID: "vpc-1", CIDRs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")},
		RouteTables: []network.RouteTable{{ID: "rtb-1"}}, ACLs: []network.ACL{{ID: "acl-1", Ingress: open, Egress: open}},
		Subnets:    []network.Subnet{{ID: "subnet-1", CIDR: netip.MustParsePrefix("10.0.1.0/24"), RouteTable: "rtb-1", ACL: "acl-1"}},
		Interfaces: []network.Interface{{ID: "eni-client", Subnet: "subnet-1", Address: netip.MustParseAddr("10.0.1.5")}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := dns.Serve(n, "vpc-1", resolver, dns.SourceFunc(names))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := s.Close(ctx); err != nil {
			t.Errorf("closing the resolver: %v", err)
		}
	})
	return n
}

func ask(t testing.TB, n *network.Network, transport string, query *mdns.Msg) *mdns.Msg {
	t.Helper()
	c, err := n.Dial(t.Context(), client, transport, netip.AddrPortFrom(resolver, 53).String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	reply, _, err := (&mdns.Client{Net: transport}).ExchangeWithConn(query, &mdns.Conn{Conn: c})
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

func question(name string, qtype uint16) *mdns.Msg { return new(mdns.Msg).SetQuestion(name, qtype) }

// summary is a reply in one line: its code and its answers without their names.
func summary(m *mdns.Msg) string {
	out := []string{mdns.RcodeToString[m.Rcode]}
	for _, rr := range m.Answer {
		f := strings.Fields(rr.String())
		out = append(out, strings.Join(slices.Delete(f[1:], 1, 2), " "))
	}
	return strings.Join(out, "; ")
}

func TestAnswers(t *testing.T) {
	n := start(t)
	for _, transport := range []string{"udp", "tcp"} {
		for _, c := range []struct {
			name  string
			qtype uint16
			want  string
		}{
			{"reader.us-east-1.rds.amazonaws.com.", mdns.TypeA, "NOERROR; 5 A 10.0.2.5"},
			{"READER.us-east-1.RDS.amazonaws.com.", mdns.TypeA, "NOERROR; 5 A 10.0.2.5"},
			{"shop.cluster-ro-x.us-east-1.rds.amazonaws.com.", mdns.TypeA, "NOERROR; 5 CNAME Reader.us-east-1.rds.amazonaws.com.; 5 A 10.0.2.5"},
			{"shop.cluster-ro-x.us-east-1.rds.amazonaws.com.", mdns.TypeCNAME, "NOERROR; 5 CNAME Reader.us-east-1.rds.amazonaws.com."},
			{"reader.us-east-1.rds.amazonaws.com.", mdns.TypeAAAA, "NOERROR"},
			{"only.vpc-1.", mdns.TypeA, "NOERROR; 60 A 10.0.0.9"},
			{"only.vpc-2.", mdns.TypeA, "NXDOMAIN"},
			{"example.com.", mdns.TypeA, "NXDOMAIN"},
			{".", mdns.TypeNS, "NXDOMAIN"},
			{"dangling.lab.", mdns.TypeA, "NXDOMAIN; 1 CNAME gone.lab."},
			{"5.2.0.10.in-addr.arpa.", mdns.TypePTR, "NOERROR; 1 PTR ip-10-0-2-5.ec2.internal."},
		} {
			reply := ask(t, n, transport, question(c.name, c.qtype))
			if got := summary(reply); got != c.want {
				t.Errorf("%s %s over %s: %s, want %s", mdns.TypeToString[c.qtype], c.name, transport, got, c.want)
			}
			soa := len(reply.Ns) == 1 && reply.Ns[0].Header().Rrtype == mdns.TypeSOA
			if negative := reply.Rcode != mdns.RcodeSuccess || len(reply.Answer) == 0; soa != negative {
				t.Errorf("%s %s over %s: SOA %v, want %v", mdns.TypeToString[c.qtype], c.name, transport, soa, negative)
			}
		}
		if got := ask(t, n, transport, question("circle.lab.", mdns.TypeA)); got.Rcode != mdns.RcodeServerFailure {
			t.Errorf("a circle of aliases over %s: %s", transport, summary(got))
		}
	}
}

func TestRefusals(t *testing.T) {
	n := start(t)
	chaos := question("version.bind.", mdns.TypeTXT)
	chaos.Question[0].Qclass = mdns.ClassCHAOS
	notify := new(mdns.Msg).SetNotify("lab.")
	double := question("only.vpc-1.", mdns.TypeA)
	double.Question = append(double.Question, double.Question[0])
	for want, query := range map[int]*mdns.Msg{
		mdns.RcodeRefused: chaos, mdns.RcodeNotImplemented: notify, mdns.RcodeFormatError: double,
	} {
		if got := ask(t, n, "tcp", query); got.Rcode != want {
			t.Errorf("%v: %s, want %s", query.Question, summary(got), mdns.RcodeToString[want])
		}
	}
}

func TestAddressesRotate(t *testing.T) {
	n := start(t)
	first := map[string]bool{}
	for range 100 {
		reply := ask(t, n, "udp", question("lb.us-east-1.elb.amazonaws.com.", mdns.TypeA))
		if len(reply.Answer) != 3 {
			t.Fatalf("answers: %v", reply.Answer)
		}
		first[reply.Answer[0].(*mdns.A).A.String()] = true
	}
	if len(first) != 3 {
		t.Errorf("only %v ever came first", first)
	}
}

func TestLongAnswersAreTruncatedOverUDP(t *testing.T) {
	n := start(t)
	small := ask(t, n, "udp", question("many.lab.", mdns.TypeA))
	if !small.Truncated || len(small.Answer) == 0 || len(small.Answer) == 100 {
		t.Errorf("plain: truncated %v, %d answers", small.Truncated, len(small.Answer))
	}
	if large := ask(t, n, "udp", question("many.lab.", mdns.TypeA).SetEdns0(4096, false)); large.Truncated || len(large.Answer) != 100 {
		t.Errorf("EDNS: truncated %v, %d answers", large.Truncated, len(large.Answer))
	}
	if stream := ask(t, n, "tcp", question("many.lab.", mdns.TypeA)); stream.Truncated || len(stream.Answer) != 100 {
		t.Errorf("TCP: truncated %v, %d answers", stream.Truncated, len(stream.Answer))
	}
}

// TestGoResolver resolves as a Go program on an instance does.
func TestGoResolver(t *testing.T) {
	n := start(t)
	r := &net.Resolver{PreferGo: true, StrictErrors: true, Dial: func(ctx context.Context, transport, _ string) (net.Conn, error) {
		return n.Dial(ctx, client, transport, netip.AddrPortFrom(resolver, 53).String())
	}}
	got, err := r.LookupHost(t.Context(), "many.lab.") // wants the retry over TCP or EDNS
	if err != nil || len(got) != 100 {
		t.Errorf("many.lab: %d addresses, %v", len(got), err)
	}
	var missing *net.DNSError
	if _, err := r.LookupHost(t.Context(), "example.com."); !errors.As(err, &missing) || !missing.IsNotFound {
		t.Errorf("example.com: %v, want not found", err)
	}
}

func TestResolverEndsWithItsVPC(t *testing.T) {
	n := start(t)
	if err := n.Apply(t.Context(), network.Topology{}); err != nil {
		t.Fatal(err)
	}
	if _, err := dns.Serve(n, "vpc-1", resolver, dns.SourceFunc(names)); !errors.Is(err, network.ErrNoSuchPlace) {
		t.Errorf("serving a removed VPC: %v, want ErrNoSuchPlace", err)
	}
}
