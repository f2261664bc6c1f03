package network

import (
	"errors"
	"fmt"
	"net"

	"github.com/vishvananda/netlink"
)

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
