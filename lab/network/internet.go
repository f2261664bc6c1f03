package network

import (
	"fmt"
	"net/netip"
)

// internet is the namespace outside of all VPCs. It owns the addresses of the AWS services and of the outside client, and leads public
// addresses to the internet gateway of their VPC. It has no other link.
type internet struct {
	*node
	taken map[int]bool // numbers of routers
}

func newInternet(label label) (*internet, error) {
	n, err := newNode(label, true)
	if err != nil {
		return nil, err
	}
	return &internet{node: n, taken: map[int]bool{}}, nil
}

// number is the lowest that no router has.
func (i *internet) number() int {
	for n := 0; ; n++ {
		if !i.taken[n] {
			return n
		}
	}
}

// uplink is the address of a router on the internet side, from 169.254.64.0/18: away from the link-local addresses that AWS uses itself.
func uplink(number int) netip.Addr {
	return netip.AddrFrom4([4]byte{169, 254, byte(64 + number>>8&63), byte(number)})
}

// peerLink names the internet's end of a router's link.
func peerLink(link string, number int) string { return fmt.Sprintf("%s%d", link, number) }

func (i *internet) config(services []Service, routers map[string]*router) config {
	c := newConfig()
	c.addresses[address{"lo", host(internetHop)}] = true
	c.addresses[address{"lo", host(client)}] = true
	for _, s := range services {
		for _, a := range s.Addresses {
			c.addresses[address{"lo", host(a)}] = true
		}
	}
	for _, r := range routers {
		if r.links[endpointLink] {
			c.routes[destination{prefix: host(r.uplink())}] = hop{link: peerLink(endpointLink, r.number), source: client}
		}
		if !r.links[gatewayLink] {
			continue
		}
		for _, public := range r.public {
			c.routes[destination{prefix: host(public)}] = hop{link: peerLink(gatewayLink, r.number), via: r.uplink(), source: client}
		}
	}
	return c
}
