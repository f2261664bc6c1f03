package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// config is what a namespace holds besides its links.
type config struct {
	addresses map[address]bool
	routes    map[destination]hop
	rules     map[rule]bool
	ruleset   string
}

func newConfig() config {
	return config{addresses: map[address]bool{}, routes: map[destination]hop{}, rules: map[rule]bool{}}
}

type address struct {
	link   string
	prefix netip.Prefix
}

// destination and hop are the two sides of a route: a destination has one hop, which can be replaced in place.
type destination struct {
	table  uint32 // 0 is the main table
	prefix netip.Prefix
}

type hop struct {
	link   string // "" drops silently
	via    netip.Addr
	source netip.Addr // preferred source address of local sockets
}

// rule chooses a routing table by the destination or, without one, by the packet's mark.
type rule struct {
	priority int
	to       netip.Prefix
	mark     uint32
	table    uint32
}

func (n *node) address(a address, change func(netlink.Link, *netlink.Addr) error) error {
	link, err := n.kernel.LinkByName(a.link)
	if err != nil {
		return fmt.Errorf("finding link %s: %w", a.link, err)
	}
	addr := &netlink.Addr{IPNet: ipNet(a.prefix), Flags: unix.IFA_F_NOPREFIXROUTE}
	if a.prefix.Addr().IsLinkLocalUnicast() {
		addr.Scope = int(netlink.SCOPE_HOST) // never chosen as the source of other traffic
	}
	if err := change(link, addr); err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) {
		return fmt.Errorf("address %v of link %s: %w", a.prefix, a.link, err)
	}
	return nil
}

func (n *node) convergeRoutes(ctx context.Context, want map[destination]hop) error {
	for d := range n.have.routes {
		if _, ok := want[d]; ok {
			continue
		}
		err := n.kernel.RouteDel(&netlink.Route{Dst: ipNet(d.prefix), Table: int(d.table)})
		if err != nil && !errors.Is(err, unix.ESRCH) {
			return fmt.Errorf("removing the route to %v: %w", d.prefix, err)
		}
		delete(n.have.routes, d)
	}
	for _, pass := range []bool{true, false} { // a next hop must be reachable before it is one
		for d, h := range want {
			if old, ok := n.have.routes[d]; h.via.IsValid() == pass || ok && old == h {
				continue
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := n.route(d, h); err != nil {
				return err
			}
			n.have.routes[d] = h
		}
	}
	return nil
}

func (n *node) route(d destination, h hop) error {
	r := &netlink.Route{Dst: ipNet(d.prefix), Table: int(d.table)}
	switch {
	case h.link == "":
		r.Type = unix.RTN_BLACKHOLE
	default:
		link, err := n.kernel.LinkByName(h.link)
		if err != nil {
			return fmt.Errorf("route to %v: finding link %s: %w", d.prefix, h.link, err)
		}
		r.LinkIndex, r.Scope, r.Src = link.Attrs().Index, netlink.SCOPE_LINK, net.IP(h.source.AsSlice())
		if h.via.IsValid() {
			r.Gw, r.Scope, r.Flags = h.via.AsSlice(), netlink.SCOPE_UNIVERSE, int(netlink.FLAG_ONLINK)
		}
	}
	if err := n.kernel.RouteReplace(r); err != nil {
		return fmt.Errorf("route to %v by %s %v: %w", d.prefix, h.link, h.via, err)
	}
	return nil
}

func (n *node) convergeRules(want map[rule]bool) error {
	for r := range want {
		if !n.have.rules[r] {
			if err := n.kernel.RuleAdd(r.netlink()); err != nil && !errors.Is(err, unix.EEXIST) {
				return fmt.Errorf("routing rule %+v: %w", r, err)
			}
			n.have.rules[r] = true
		}
	}
	for r := range n.have.rules {
		if !want[r] {
			if err := n.kernel.RuleDel(r.netlink()); err != nil && !errors.Is(err, unix.ENOENT) {
				return fmt.Errorf("removing routing rule %+v: %w", r, err)
			}
			delete(n.have.rules, r)
		}
	}
	return nil
}

func (r rule) netlink() *netlink.Rule {
	k := netlink.NewRule()
	k.Family, k.Priority, k.Mark, k.Table = unix.AF_INET, r.priority, r.mark, int(r.table)
	if r.to.IsValid() {
		k.Dst = ipNet(r.to)
	}
	return k
}
