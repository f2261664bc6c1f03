package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// node is a namespace and what was configured in it. Nobody else configures it, so what is recorded here is what is there.
type node struct {
	*namespace
	kernel  *netlink.Handle
	have    config
	sockets sockets
}

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

// newNode makes a namespace for hosts (forwarding is off) or routers.
func newNode(label string, forward bool) (*node, error) {
	ns, err := newNamespace()
	if err != nil {
		return nil, err
	}
	n := &node{namespace: ns, have: newConfig()}
	if err := n.prepare(label, forward); err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

func (n *node) prepare(label string, forward bool) (err error) {
	families := []int{unix.NETLINK_ROUTE}
	settings := []string{
		"ipv4/conf/all/rp_filter=0", "ipv4/conf/default/rp_filter=0", // paths are asymmetric where addresses are translated
		"ipv6/conf/all/disable_ipv6=1", "ipv6/conf/default/disable_ipv6=1",
	}
	if forward {
		families = append(families, unix.NETLINK_NETFILTER)
		settings = append(settings, "ipv4/ip_forward=1", "ipv4/conf/all/send_redirects=0", "ipv4/conf/default/send_redirects=0")
	}
	err = n.run(func() error {
		if n.kernel, err = netlink.NewHandle(families...); err != nil {
			return fmt.Errorf("opening a namespace's netlink socket: %w", err)
		}
		return sysctl(settings)
	})
	if err != nil {
		return err
	}
	lo, err := n.kernel.LinkByName("lo")
	if err != nil {
		return fmt.Errorf("finding lo: %w", err)
	}
	if err := n.kernel.LinkSetAlias(lo, label); err != nil {
		return fmt.Errorf("labelling a namespace: %w", err)
	}
	return n.kernel.LinkSetUp(lo)
}

// sysctl writes "path=value" settings of the calling thread's namespace. A kernel without IPv6 has nothing to switch off.
func sysctl(settings []string) error {
	for _, s := range settings {
		path, value, _ := strings.Cut(s, "=")
		err := os.WriteFile("/proc/sys/net/"+path, []byte(value), 0)
		if err != nil && !(errors.Is(err, os.ErrNotExist) && strings.HasPrefix(path, "ipv6/")) {
			return fmt.Errorf("setting net/%s to %s: %w", path, value, err)
		}
	}
	return nil
}

// close gives up the namespace, its sockets and its links. Connections and processes in it lose the network at once.
func (n *node) close() error {
	n.sockets.close()
	if n.kernel != nil {
		n.kernel.Close()
	}
	return n.namespace.close()
}

// converge makes the namespace's configuration match want. Filters change first, so that nothing is ever open that should not be.
func (n *node) converge(ctx context.Context, want config) error {
	if err := n.filter(ctx, want.ruleset); err != nil {
		return err
	}
	for a := range n.have.addresses {
		if !want.addresses[a] {
			if err := n.address(a, n.kernel.AddrDel); err != nil {
				return err
			}
			delete(n.have.addresses, a)
		}
	}
	for a := range want.addresses {
		if !n.have.addresses[a] {
			if err := n.address(a, n.kernel.AddrReplace); err != nil {
				return err
			}
			n.have.addresses[a] = true
		}
	}
	if err := n.convergeRoutes(ctx, want.routes); err != nil {
		return err
	}
	return n.convergeRules(want.rules)
}

func (n *node) filter(ctx context.Context, ruleset string) error {
	if ruleset == n.have.ruleset {
		return nil
	}
	nft := exec.CommandContext(ctx, "nft", "-f", "-")
	nft.Stdin = strings.NewReader(ruleset)
	var complaint strings.Builder
	nft.Stderr = &complaint
	if err := n.run(nft.Start); err != nil {
		return fmt.Errorf("starting nft (Debian package nftables): %w", err)
	}
	if err := nft.Wait(); err != nil {
		return fmt.Errorf("loading a ruleset: %w: %s", err, strings.TrimSpace(complaint.String()))
	}
	n.have.ruleset = ruleset
	return nil
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

// connect joins two namespaces with a veth pair. Both ends come up with the addresses and routes of the configuration.
func connect(a *node, nameA string, b *node, nameB string, macB net.HardwareAddr) error {
	veth := netlink.NewVeth(netlink.LinkAttrs{Name: nameA})
	veth.PeerName, veth.PeerNamespace, veth.PeerHardwareAddr = nameB, netlink.NsFd(int(b.fd)), macB
	if err := a.kernel.LinkAdd(veth); err != nil {
		return fmt.Errorf("making link %s: %w", nameA, err)
	}
	for _, end := range []struct {
		node *node
		name string
	}{{b, nameB}, {a, nameA}} {
		link, err := end.node.kernel.LinkByName(end.name)
		if err == nil {
			err = end.node.kernel.LinkSetUp(link)
		}
		if err != nil {
			return errors.Join(fmt.Errorf("raising link %s: %w", end.name, err), a.disconnect(nameA))
		}
	}
	return nil
}

// disconnect removes a veth pair by one of its ends, and with it the addresses and routes that used it.
func (n *node) disconnect(name string) error {
	link, err := n.kernel.LinkByName(name)
	if err == nil {
		err = n.kernel.LinkDel(link)
	}
	var missing netlink.LinkNotFoundError
	if err != nil && !errors.As(err, &missing) {
		return fmt.Errorf("removing link %s: %w", name, err)
	}
	n.forget(name)
	return nil
}

// forget drops the record of what went away with a link.
func (n *node) forget(name string) {
	for a := range n.have.addresses {
		if a.link == name {
			delete(n.have.addresses, a)
		}
	}
	for d, h := range n.have.routes {
		if h.link == name {
			delete(n.have.routes, d)
		}
	}
}
