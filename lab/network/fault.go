package network

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
)

// cut is a parted pair of interfaces, the lesser ID first.
type cut struct{ a, b string }

func newCut(a, b string) cut {
	if b < a {
		a, b = b, a
	}
	return cut{a, b}
}

// Partition drops every packet between two interfaces of one VPC, also of open connections, until Heal. It outlives Apply.
func (n *Network) Partition(ctx context.Context, a, b string) error {
	return n.fault(ctx, a, b, func(c cut) { n.cut[c] = true })
}

// Heal ends a partition.
func (n *Network) Heal(ctx context.Context, a, b string) error {
	return n.fault(ctx, a, b, func(c cut) { delete(n.cut, c) })
}

func (n *Network) fault(ctx context.Context, a, b string, change func(cut)) error {
	n.applying.Lock()
	defer n.applying.Unlock()
	for _, r := range n.routers {
		if r.ports[a] != nil && r.ports[b] != nil {
			change(newCut(a, b))
			return r.filter(ctx, r.vpc.ruleset(r.uplink(), n.cutIn(r.vpc)))
		}
	}
	return fmt.Errorf("interfaces %s and %s of one VPC: %w", a, b, ErrNoSuchPlace)
}

// Partitions lists the pairs of interfaces that are parted now.
func (n *Network) Partitions() (pairs [][2]string) {
	n.applying.Lock()
	defer n.applying.Unlock()
	for _, r := range n.routers {
		for c := range n.cut {
			if r.ports[c.a] != nil && r.ports[c.b] != nil {
				pairs = append(pairs, [2]string{c.a, c.b})
			}
		}
	}
	slices.SortFunc(pairs, func(x, y [2]string) int { return slices.Compare(x[:], y[:]) })
	return pairs
}

// cutIn lists the parted addresses of a VPC in the order of its interfaces.
func (n *Network) cutIn(v VPC) (parted [][2]netip.Addr) {
	if len(n.cut) == 0 {
		return nil
	}
	for i, a := range v.Interfaces {
		for _, b := range v.Interfaces[i+1:] {
			if n.cut[newCut(a.ID, b.ID)] {
				parted = append(parted, [2]netip.Addr{a.Address, b.Address})
			}
		}
	}
	return parted
}
