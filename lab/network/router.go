package network

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// router is a VPC's namespace: every interface's veth and the links to the internet end in it.
type router struct {
	*node
	number int
	vpc    VPC
	links  map[string]bool           // of gatewayLink and endpointLink
	ports  map[string]*port          // by interface ID
	public map[netip.Addr]netip.Addr // public addresses by private ones
}

// port is the router's view of an interface.
type port struct {
	*node
	name string
	kind portKind
}

// portKind is what cannot change while an interface lives.
type portKind struct {
	address netip.Addr
	subnet  netip.Prefix
	nat     bool
}

func newRouter(label label, number int) (*router, error) {
	n, err := newNode(label, true)
	if err != nil {
		return nil, err
	}
	return &router{node: n, number: number, links: map[string]bool{}, ports: map[string]*port{}, public: map[netip.Addr]netip.Addr{}}, nil
}

func (r *router) uplink() netip.Addr { return uplink(r.number) }

// apply converges the VPC. Filters come first, then what goes, then what comes.
func (r *router) apply(ctx context.Context, n *Network, v VPC, services map[string]Service) error {
	if err := r.filter(ctx, v.ruleset(r.uplink(), n.cutIn(v))); err != nil {
		return err
	}
	r.vpc = v
	subnets := map[string]Subnet{}
	for _, s := range v.Subnets {
		subnets[s.ID] = s
	}
	kinds := map[string]portKind{}
	for _, i := range v.Interfaces {
		kinds[i.ID] = portKind{i.Address, subnets[i.Subnet].CIDR, i.NAT}
	}
	for id, p := range r.ports {
		if kinds[id] != p.kind {
			if err := r.unplug(n, id); err != nil {
				return err
			}
		}
	}
	if err := r.uplinks(n.internet, v); err != nil {
		return err
	}
	for _, i := range v.Interfaces {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := r.plug(ctx, n, i, subnets[i.Subnet]); err != nil {
			return fmt.Errorf("interface %s: %w", i.ID, err)
		}
	}
	if err := r.converge(ctx, r.config(v, services)); err != nil {
		return err
	}
	return r.publish(v)
}

// uplinks joins the router with the internet as far as the VPC has gateways.
func (r *router) uplinks(to *internet, v VPC) error {
	want := map[string]bool{gatewayLink: v.InternetGateway, endpointLink: v.hasEndpoint()}
	for link, wanted := range want {
		switch {
		case wanted && !r.links[link]:
			if err := connect(r.node, link, to.node, peerLink(link, r.number), nil); err != nil {
				return err
			}
			r.links[link] = true
		case !wanted:
			if err := r.leave(to, link); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *router) leave(from *internet, link string) error {
	if !r.links[link] {
		return nil
	}
	if err := r.disconnect(link); err != nil {
		return err
	}
	from.forget(peerLink(link, r.number))
	delete(r.links, link)
	return nil
}

// plug makes the namespace of an interface, or updates it.
func (r *router) plug(ctx context.Context, n *Network, i Interface, s Subnet) error {
	p := r.ports[i.ID]
	if p == nil {
		host, err := newNode(n.label, i.NAT)
		if err != nil {
			return err
		}
		if err := connect(r.node, i.port(), host, "eth0", HardwareAddr(i.Address)); err != nil {
			return errors.Join(err, host.close())
		}
		p = &port{node: host, name: i.port(), kind: portKind{i.Address, s.CIDR, i.NAT}}
		r.ports[i.ID] = p
		n.log.Debug("interface attached", "interface", i.ID, "address", i.Address, "subnet", s.ID)
	}
	if err := p.converge(ctx, i.config(s)); err != nil {
		return err
	}
	n.register(InInterface(i.ID), p.node)
	return nil
}

// unplug removes an interface.
func (r *router) unplug(n *Network, id string) error {
	p := r.ports[id]
	n.unregister(InInterface(id))
	if err := r.disconnect(p.name); err != nil {
		return err
	}
	delete(r.ports, id)
	n.log.Debug("interface detached", "interface", id, "address", p.kind.address)
	return errors.Join(p.close(), r.forgetFlows(p.kind.address))
}

// publish records the VPC's public addresses and ends the connections of those that changed hands.
func (r *router) publish(v VPC) error {
	public := map[netip.Addr]netip.Addr{}
	for _, i := range v.Interfaces {
		if i.Public.IsValid() {
			public[i.Address] = i.Public
		}
	}
	for private, old := range r.public {
		if public[private] != old {
			if err := r.forgetFlows(private); err != nil {
				return err
			}
		}
	}
	r.public = maps.Clone(public)
	return nil
}

// forgetFlows drops what the router tracks of a private address.
func (r *router) forgetFlows(a netip.Addr) error {
	source, reply := &netlink.ConntrackFilter{}, &netlink.ConntrackFilter{}
	if err := errors.Join(source.AddIP(netlink.ConntrackOrigSrcIP, a.AsSlice()), reply.AddIP(netlink.ConntrackReplyAnyIP, a.AsSlice())); err != nil {
		return err
	}
	if _, err := r.kernel.ConntrackDeleteFilters(netlink.ConntrackTable, unix.AF_INET, source, reply); err != nil {
		return fmt.Errorf("forgetting the connections of %v: %w", a, err)
	}
	return nil
}
