package network_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"storefront/lab/network"
	"storefront/lab/network/networktest"
)

func TestMain(m *testing.M) { networktest.Main(m) }

// patience bounds attempts that are meant to fail: dropped packets answer nothing.
const patience = 150 * time.Millisecond

var (
	all      = network.Traffic{Protocol: "-1", FromPort: -1, ToPort: -1}
	anywhere = netip.MustParsePrefix("0.0.0.0/0")
	s3       = netip.MustParseAddr("203.0.113.10")
)

func tcp(port int) network.Traffic {
	return network.Traffic{Protocol: "tcp", FromPort: port, ToPort: port}
}

func fromAnywhere(t network.Traffic) network.GroupRule {
	return network.GroupRule{Traffic: t, CIDR: anywhere}
}

func fromGroup(t network.Traffic, id string) network.GroupRule {
	return network.GroupRule{Traffic: t, Group: id}
}

func allowAll() []network.ACLEntry {
	return []network.ACLEntry{{Traffic: all, Number: 100, Allow: true, CIDR: anywhere}}
}

// shop is a VPC with a public subnet (NAT gateway, balancer), a private one (two instances) and a data one (a database). prefix tells the
// IDs of several shops apart, host their public addresses.
func shop(prefix string, host int) network.VPC {
	id := func(name string) string { return prefix + name }
	public := func(n int) netip.Addr { return netip.AddrFrom4([4]byte{198, 18, byte(host), byte(n)}) }
	open := []network.GroupRule{fromAnywhere(all)}
	return network.VPC{
		ID:              id("vpc"),
		CIDRs:           []netip.Prefix{netip.MustParsePrefix("10.0.0.0/16")},
		InternetGateway: true,
		Subnets: []network.Subnet{
			{ID: id("public"), CIDR: netip.MustParsePrefix("10.0.0.0/24"), RouteTable: id("rtb-public"), ACL: id("acl")},
			{ID: id("private"), CIDR: netip.MustParsePrefix("10.0.1.0/24"), RouteTable: id("rtb-private"), ACL: id("acl")},
			{ID: id("data"), CIDR: netip.MustParsePrefix("10.0.2.0/24"), RouteTable: id("rtb-data"), ACL: id("acl")},
		},
		RouteTables: []network.RouteTable{
			{ID: id("rtb-public"), Routes: []network.Route{{Destination: anywhere, Kind: network.ToInternetGateway}}},
			{ID: id("rtb-private"), Routes: []network.Route{{Destination: anywhere, Kind: network.ToInterface, Target: id("nat")}}},
			{ID: id("rtb-data")},
		},
		ACLs: []network.ACL{{ID: id("acl"), Ingress: allowAll(), Egress: allowAll()}},
		SecurityGroups: []network.SecurityGroup{
			{ID: id("sg-lb"), Ingress: []network.GroupRule{fromAnywhere(tcp(80))}, Egress: open},
			{ID: id("sg-app"), Ingress: []network.GroupRule{fromGroup(tcp(8080), id("sg-lb"))}, Egress: open},
			{ID: id("sg-db"), Ingress: []network.GroupRule{fromGroup(tcp(5432), id("sg-app"))}},
		},
		Interfaces: []network.Interface{
			{ID: id("nat"), Subnet: id("public"), Address: netip.MustParseAddr("10.0.0.5"), Public: public(5), NAT: true},
			{ID: id("lb"), Subnet: id("public"), Address: netip.MustParseAddr("10.0.0.6"), Public: public(6), SecurityGroups: []string{id("sg-lb")}},
			{ID: id("bare"), Subnet: id("public"), Address: netip.MustParseAddr("10.0.0.7"), SecurityGroups: []string{id("sg-lb")}},
			{ID: id("app1"), Subnet: id("private"), Address: netip.MustParseAddr("10.0.1.5"), SecurityGroups: []string{id("sg-app")}},
			{ID: id("app2"), Subnet: id("private"), Address: netip.MustParseAddr("10.0.1.6"), SecurityGroups: []string{id("sg-app")}},
			{ID: id("db"), Subnet: id("data"), Address: netip.MustParseAddr("10.0.2.5"), SecurityGroups: []string{id("sg-db")}},
		},
	}
}

func region(vpcs ...network.VPC) network.Topology {
	return network.Topology{VPCs: vpcs, Services: []network.Service{{Name: "s3", Addresses: []netip.Addr{s3}}}}
}

func apply(t testing.TB, n *network.Network, vpcs ...network.VPC) {
	t.Helper()
	if err := n.Apply(t.Context(), region(vpcs...)); err != nil {
		t.Fatal(err)
	}
}

// serve answers every connection with the address that it came from and then echoes.
func serve(t testing.TB, n *network.Network, at network.Place, address string) {
	t.Helper()
	l, err := n.Listen(at, "tcp", address)
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
				defer c.Close()
				host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
				if _, err := fmt.Fprintf(c, "%-15s", host); err == nil {
					_, _ = io.Copy(c, c)
				}
			}()
		}
	}()
}

// seen connects and returns the client's address as the server sees it, empty when packets are dropped; otherwise it
// returns who says no: "unreachable" is a router's answer, "refused" the host's.
func seen(t testing.TB, n *network.Network, from network.Place, address string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := n.Dial(ctx, from, "tcp", address)
	switch {
	case errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded):
		return ""
	case errors.Is(err, syscall.ENETUNREACH):
		return "unreachable"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case err != nil:
		t.Fatalf("want a connection or silence: %v", err)
	}
	defer c.Close()
	return hello(t, c)
}

func hello(t testing.TB, c net.Conn) string {
	t.Helper()
	b := make([]byte, 15)
	if _, err := io.ReadFull(c, b); err != nil {
		t.Fatal(err)
	}
	var host string
	fmt.Sscan(string(b), &host)
	return host
}

// echoes reports whether an open connection still carries data both ways.
func echoes(c net.Conn) bool {
	_ = c.SetDeadline(time.Now().Add(patience))
	b := []byte("?")
	if _, err := c.Write(b); err != nil {
		return false
	}
	_, err := io.ReadFull(c, b)
	return err == nil
}

func check(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: the server saw %q, want %q", what, got, want)
	}
}
