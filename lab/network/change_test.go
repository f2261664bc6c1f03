package network_test

import (
	"errors"
	"net"
	"net/netip"
	"os/exec"
	"testing"

	"storefront/lab/network"
	"storefront/lab/network/networktest"
)

func dial(t testing.TB, n *network.Network, from network.Place, address string) net.Conn {
	t.Helper()
	c, err := n.Dial(t.Context(), from, "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	hello(t, c)
	return c
}

func TestRuleRemovalRefusesNewConnectionsAndKeepsTrackedOnes(t *testing.T) {
	t.Parallel()
	n := networktest.Open(t)
	v := shop("", 0)
	apply(t, n, v)
	serve(t, n, in("app1"), "10.0.1.5:8080")
	serve(t, n, in("lb"), "10.0.0.6:80")
	tracked, untouched := dial(t, n, in("lb"), "10.0.1.5:8080"), dial(t, n, network.Internet(), "198.18.0.6:80")

	rule := v.SecurityGroups[1].Ingress
	v.SecurityGroups[1].Ingress = nil
	apply(t, n, v)
	check(t, "after the rule's removal", seen(t, n, in("lb"), "10.0.1.5:8080"), "")
	if !echoes(tracked) || !echoes(untouched) {
		t.Error("a tracked connection broke")
	}
	v.SecurityGroups[1].Ingress = rule
	apply(t, n, v)
	check(t, "after its return", seen(t, n, in("lb"), "10.0.1.5:8080"), "10.0.0.6")

	v.Interfaces[1].SecurityGroups = []string{"sg-app"} // the balancer leaves the group that the rule names
	apply(t, n, v)
	check(t, "after the client left the group", seen(t, n, in("lb"), "10.0.1.5:8080"), "")
}

func TestACLIsStatelessAndOnlyBetweenSubnets(t *testing.T) {
	t.Parallel()
	n := networktest.Open(t)
	v := shop("", 0)
	v.SecurityGroups[1].Ingress = []network.GroupRule{fromAnywhere(all)}
	apply(t, n, v)
	serve(t, n, in("app1"), "10.0.1.5:8080")
	open := dial(t, n, in("lb"), "10.0.1.5:8080")

	entry := func(allow bool, traffic network.Traffic, cidr string) network.ACLEntry {
		return network.ACLEntry{Allow: allow, Traffic: traffic, CIDR: netip.MustParsePrefix(cidr)}
	}
	replies := network.Traffic{Protocol: "tcp", FromPort: 1024, ToPort: 65535}
	for _, c := range []struct {
		what              string
		ingress, egress   []network.ACLEntry
		neighbour, across string
	}{
		{"denied by number", []network.ACLEntry{entry(false, tcp(8080), "10.0.0.0/24"), entry(true, all, "0.0.0.0/0")}, allowAll(), "10.0.1.6", ""},
		{"allowed by number", []network.ACLEntry{entry(true, tcp(8080), "10.0.0.6/32"), entry(false, all, "0.0.0.0/0")}, allowAll(), "10.0.1.6", "10.0.0.6"},
		{"default deny", nil, allowAll(), "10.0.1.6", ""},
		{"no way for replies", allowAll(), []network.ACLEntry{entry(true, tcp(443), "0.0.0.0/0")}, "10.0.1.6", ""},
		{"replies only", allowAll(), []network.ACLEntry{entry(true, replies, "10.0.0.0/24")}, "10.0.1.6", "10.0.0.6"},
	} {
		t.Run(c.what, func(t *testing.T) {
			v.Subnets[1].ACL = "acl-private"
			v.ACLs = []network.ACL{v.ACLs[0], {ID: "acl-private", Ingress: c.ingress, Egress: c.egress}}
			apply(t, n, v)
			check(t, "inside the subnet", seen(t, n, in("app2"), "10.0.1.5:8080"), c.neighbour)
			check(t, "from another subnet", seen(t, n, in("lb"), "10.0.1.5:8080"), c.across)
		})
	}
	v.ACLs[1].Ingress = nil
	apply(t, n, v)
	if echoes(open) {
		t.Error("an open connection passed a network ACL that denies it")
	}
}

func TestServiceEndpointAndRoutes(t *testing.T) {
	t.Parallel()
	n := networktest.Open(t)
	v := shop("", 0)
	v.SecurityGroups[2].Egress = []network.GroupRule{fromAnywhere(all)}
	apply(t, n, v)
	serve(t, n, network.Internet(), s3.String()+":443")
	serve(t, n, network.Internet(), "198.51.100.1:443")
	service, elsewhere := s3.String()+":443", "198.51.100.1:443"
	check(t, "data subnet without a route", seen(t, n, in("db"), service), "")

	v.RouteTables[2].Routes = []network.Route{{Kind: network.ToServiceEndpoint, Target: "s3"}}
	apply(t, n, v)
	check(t, "with a gateway endpoint", seen(t, n, in("db"), service), "169.254.64.0")
	check(t, "an endpoint leads to its service only", seen(t, n, in("db"), elsewhere), "")

	v.RouteTables[1].Routes = append(v.RouteTables[1].Routes, v.RouteTables[2].Routes...)
	apply(t, n, v)
	check(t, "an endpoint wins over the NAT gateway", seen(t, n, in("app1"), service), "169.254.64.0")
	check(t, "which serves the rest", seen(t, n, in("app1"), elsewhere), "198.18.0.5")

	v.RouteTables[1].Routes = []network.Route{{Destination: anywhere, Kind: network.Blackhole}}
	v.RouteTables[2].Routes = nil
	apply(t, n, v)
	check(t, "without NAT", seen(t, n, in("app1"), service), "")
	check(t, "without the endpoint", seen(t, n, in("db"), service), "")

	v.InternetGateway = false
	apply(t, n, v)
	check(t, "without an internet gateway", seen(t, n, in("lb"), service), "")
	v.InternetGateway = true
	apply(t, n, v)
	check(t, "with one again", seen(t, n, in("lb"), service), "198.18.0.6")
}

func TestLosingAPublicAddressEndsItsConnections(t *testing.T) {
	t.Parallel()
	n := networktest.Open(t)
	v := shop("", 0)
	apply(t, n, v)
	serve(t, n, in("lb"), "10.0.0.6:80")
	public := dial(t, n, network.Internet(), "198.18.0.6:80")
	v.Interfaces[1].Public = netip.MustParseAddr("198.18.7.7")
	apply(t, n, v)
	if echoes(public) {
		t.Error("a connection outlived its public address")
	}
	check(t, "the new address", seen(t, n, network.Internet(), "198.18.7.7:80"), "198.51.100.1")
	check(t, "the old address", seen(t, n, network.Internet(), "198.18.0.6:80"), "unreachable")
}

func TestTwinVPCsAreStrangers(t *testing.T) {
	t.Parallel()
	n := networktest.Open(t)
	a, b := shop("a-", 1), shop("b-", 2)
	apply(t, n, a, b)
	serve(t, n, in("a-lb"), "10.0.0.6:80")
	check(t, "a twin's private address is one's own VPC's", seen(t, n, in("b-app1"), "10.0.0.6:80"), "refused")
	check(t, "its public address", seen(t, n, in("b-app1"), "198.18.1.6:80"), "198.18.2.5")
	check(t, "at home", seen(t, n, in("a-app1"), "10.0.0.6:80"), "10.0.1.5")
	apply(t, n, a)
	check(t, "after the twin went", seen(t, n, network.Internet(), "198.18.1.6:80"), "198.51.100.1")
	if _, err := n.Listen(in("b-lb"), "tcp", "10.0.0.6:80"); !errors.Is(err, network.ErrNoSuchPlace) {
		t.Errorf("listening in a removed VPC: %v, want ErrNoSuchPlace", err)
	}
}

func TestSourceCheck(t *testing.T) {
	t.Parallel()
	n := networktest.Open(t)
	v := shop("", 0)
	apply(t, n, v)
	serve(t, n, in("lb"), "10.0.0.6:80")
	for _, args := range [][]string{
		{"address", "add", "10.0.1.6/32", "dev", "eth0"}, // its neighbour's
		{"route", "replace", "default", "via", "10.0.1.1", "src", "10.0.1.6"},
	} {
		run(t, n, in("app1"), "ip", args...)
	}
	check(t, "under a neighbour's address", seen(t, n, in("app1"), "10.0.0.6:80"), "")
	run(t, n, in("app1"), "ip", "route", "replace", "default", "via", "10.0.1.1", "src", "10.0.1.5")
	check(t, "under its own address", seen(t, n, in("app1"), "10.0.0.6:80"), "10.0.1.5")
}

func TestRouteToAnInstance(t *testing.T) {
	t.Parallel()
	n := networktest.Open(t)
	v := shop("", 0)
	v.Interfaces[1].NoSourceDestCheck = true // the balancer's machine becomes a NAT instance
	v.SecurityGroups[0].Ingress = []network.GroupRule{fromAnywhere(all)}
	v.RouteTables[1].Routes[0].Target = "lb"
	apply(t, n, v)
	serve(t, n, network.Internet(), s3.String()+":443")
	run(t, n, in("lb"), "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward && nft 'add table ip nat; add chain ip nat out { type nat hook postrouting priority 100; }; add rule ip nat out masquerade'")
	check(t, "through a NAT instance", seen(t, n, in("app1"), s3.String()+":443"), "198.18.0.6")
	v.Interfaces[1].NoSourceDestCheck = false
	apply(t, n, v)
	check(t, "with the source/destination check on", seen(t, n, in("app1"), s3.String()+":443"), "")
}

func TestPartition(t *testing.T) {
	t.Parallel()
	n := networktest.Open(t)
	v := shop("", 0)
	apply(t, n, v)
	serve(t, n, in("db"), "10.0.2.5:5432")
	open := dial(t, n, in("app1"), "10.0.2.5:5432")
	if err := n.Partition(t.Context(), "app1", "db"); err != nil {
		t.Fatal(err)
	}
	apply(t, n, v)
	if echoes(open) {
		t.Error("an open connection crossed the partition")
	}
	check(t, "across", seen(t, n, in("app1"), "10.0.2.5:5432"), "")
	check(t, "beside", seen(t, n, in("app2"), "10.0.2.5:5432"), "10.0.1.6")
	if err := n.Heal(t.Context(), "db", "app1"); err != nil {
		t.Fatal(err)
	}
	check(t, "healed", seen(t, n, in("app1"), "10.0.2.5:5432"), "10.0.1.5")
	if err := n.Partition(t.Context(), "app1", "nobody"); !errors.Is(err, network.ErrNoSuchPlace) {
		t.Errorf("partition with nobody: %v, want ErrNoSuchPlace", err)
	}
}

func run(t testing.TB, n *network.Network, at network.Place, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	if err := n.Start(at, cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %v", cmd, err)
	}
}
