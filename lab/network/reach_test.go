package network_test

import (
	"testing"

	"storefront/lab/network"
	"storefront/lab/network/networktest"
)

var in = network.InInterface

func TestReachability(t *testing.T) {
	t.Parallel()
	n := networktest.Open(t)
	apply(t, n, shop("", 0))
	serve(t, n, in("lb"), "10.0.0.6:80")
	serve(t, n, in("bare"), "10.0.0.7:80")
	serve(t, n, in("lb"), "10.0.0.6:81")
	serve(t, n, in("app1"), "10.0.1.5:8080")
	serve(t, n, in("app2"), "10.0.1.6:8080")
	serve(t, n, in("db"), "10.0.2.5:5432")
	serve(t, n, in("nat"), "10.0.0.5:80")
	serve(t, n, network.Internet(), s3.String()+":443")
	for _, c := range []struct {
		what     string
		from     network.Place
		to, want string
	}{
		{"internet to the balancer's public address", network.Internet(), "198.18.0.6:80", "198.51.100.1"},
		{"internet to a closed port", network.Internet(), "198.18.0.6:81", ""},
		{"internet to a NAT gateway", network.Internet(), "198.18.0.5:80", ""},
		{"balancer to an instance, by group", in("lb"), "10.0.1.5:8080", "10.0.0.6"},
		{"instance to its neighbour: the group lets in balancers only", in("app1"), "10.0.1.6:8080", ""},
		{"instance to the database", in("app1"), "10.0.2.5:5432", "10.0.1.5"},
		{"public subnet to the database", in("lb"), "10.0.2.5:5432", ""},
		{"database out: no egress rule", in("db"), "10.0.0.6:80", ""},
		{"database to a service: no route, no egress", in("db"), s3.String() + ":443", ""},
		{"neighbours in a subnet", in("bare"), "10.0.0.6:80", "10.0.0.7"},
		{"an address that nobody has", in("lb"), "10.0.9.9:80", ""},
		{"instance to a service through the NAT gateway", in("app1"), s3.String() + ":443", "198.18.0.5"},
		{"public address to a service", in("lb"), s3.String() + ":443", "198.18.0.6"},
		{"no public address, internet gateway only", in("bare"), s3.String() + ":443", ""},
		{"hairpin: instance to the balancer's public address", in("app1"), "198.18.0.6:80", "198.18.0.5"},
		{"hairpin to itself", in("lb"), "198.18.0.6:80", "198.18.0.6"},
		{"a public address that nobody has", in("lb"), "198.18.0.99:80", "unreachable"},
	} {
		t.Run(c.what, func(t *testing.T) { check(t, c.what, seen(t, n, c.from, c.to), c.want) })
	}
}
