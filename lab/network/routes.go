package network

import (
	"fmt"
	"net/netip"
	"slices"
)

// Priorities of routing rules: the VPC's own ranges always win over route tables (the "local" route).
const (
	localPriority  = 1000
	subnetPriority = 2000
	mainTable      = 254
)

// config is what the VPC's router is configured with, besides the ruleset's names of who is where.
func (r *router) config(v VPC, services map[string]Service) config {
	c := newConfig()
	c.ruleset = r.have.ruleset // loaded already
	c.addresses[address{"lo", host(v.Resolver())}] = true
	c.addresses[address{"lo", host(r.uplink())}] = true
	for _, cidr := range append([]netip.Prefix{linkLocal}, v.CIDRs...) {
		c.rules[rule{priority: localPriority, to: cidr, table: mainTable}] = true
		c.routes[destination{prefix: cidr}] = hop{} // drops what nobody has
	}
	ports := map[string]Interface{}
	for _, i := range v.Interfaces {
		ports[i.ID] = i
		c.routes[destination{prefix: host(i.Address)}] = hop{link: i.port()}
	}
	tables := map[string]RouteTable{}
	for _, t := range v.RouteTables {
		tables[t.ID] = t
	}
	for _, s := range v.Subnets {
		c.addresses[address{"lo", host(s.Gateway())}] = true
		c.rules[rule{priority: subnetPriority, mark: s.mark(), table: s.mark()}] = true
		c.routes[destination{s.mark(), everywhere}] = hop{} // unless the route table says otherwise
		r.subnetRoutes(c, s, tables[s.RouteTable], ports, services)
	}
	return c
}

var (
	everywhere = netip.MustParsePrefix("0.0.0.0/0")
	linkLocal  = netip.MustParsePrefix("169.254.0.0/16") // never routed; AWS gives its link-local services to each instance alone
)

// subnetRoutes renders the subnet's route table. A target that is gone makes a blackhole, as on AWS. The more specific routes of service
// endpoints come last: they win over a route to the very same address.
func (r *router) subnetRoutes(c config, s Subnet, t RouteTable, ports map[string]Interface, services map[string]Service) {
	for _, route := range t.Routes {
		if route.Kind == ToServiceEndpoint {
			continue
		}
		h := hop{}
		switch target, ok := ports[route.Target]; {
		case route.Kind == ToInternetGateway && r.links[gatewayLink]:
			h = hop{link: gatewayLink, via: internetHop}
		case route.Kind == ToInterface && ok:
			h = hop{link: target.port(), via: target.Address}
		}
		c.routes[destination{s.mark(), route.Destination}] = h
	}
	for _, route := range t.Routes {
		if route.Kind != ToServiceEndpoint {
			continue
		}
		for _, a := range services[route.Target].Addresses {
			c.routes[destination{s.mark(), host(a)}] = hop{link: endpointLink, via: internetHop}
		}
	}
}

// hasEndpoint reports whether a route table leads to a gateway endpoint.
func (v VPC) hasEndpoint() bool {
	return slices.ContainsFunc(v.RouteTables, func(t RouteTable) bool {
		return slices.ContainsFunc(t.Routes, func(r Route) bool { return r.Kind == ToServiceEndpoint })
	})
}

// config is what the interface's own namespace is configured with. Neighbours are reached through the router, which filters.
func (i Interface) config(s Subnet) config {
	c := newConfig()
	c.addresses[address{"eth0", netip.PrefixFrom(i.Address, s.CIDR.Bits())}] = true
	for _, a := range i.LinkLocal {
		c.addresses[address{"lo", host(a)}] = true
	}
	c.routes[destination{prefix: host(s.Gateway())}] = hop{link: "eth0"}
	c.routes[destination{prefix: everywhere}] = hop{link: "eth0", via: s.Gateway()}
	if i.NAT {
		c.ruleset = fmt.Sprintf(natRuleset, i.Address)
	}
	return c
}

// natRuleset makes a NAT gateway of an interface's namespace: it translates what it forwards and takes no connection itself.
const natRuleset = `table ip lab
delete table ip lab
table ip lab {
	chain input {
		type filter hook input priority filter; policy drop;
		ct state related accept
	}
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		oifname "eth0" snat to %s
	}
}
`
