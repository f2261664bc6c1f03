package dataplane

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"time"

	"storefront/lab/dns"
	"storefront/lab/ec2"
	"storefront/lab/network"
	"storefront/lab/state"
)

// Network keeps the machine's network at the topology that EC2 declares, with a resolver in every VPC.
type Network struct {
	Store *state.Store
	EC2   *ec2.Service
	Net   *network.Network
	Names dns.Source
	Log   *slog.Logger

	resolvers map[string]*dns.Server // by VPC
	revision  int
}

// applied counts the topologies that were applied. Reconcilers whose sockets live in the network watch it, besides their own service.
var applied = state.NewTable[int](Applied)

// Applied is the table that changes when the network has changed: watch it to learn that a new interface can be used.
const Applied = "dataplane.network"

// settleAfter is how long loop waits before it tries again what failed.
const settleAfter = time.Second

// Run converges until ctx ends.
func (n *Network) Run(ctx context.Context) error {
	n.resolvers = map[string]*dns.Server{}
	return loop(ctx, n.Store.Watch(ctx, "ec2."), n.Log, n.converge)
}

func (n *Network) converge(ctx context.Context) error {
	var topology network.Topology
	err := n.Store.View(func(tx *state.Tx) (err error) {
		topology, err = n.EC2.Topology(tx)
		return err
	})
	if err != nil {
		return err
	}
	if err := n.Net.Apply(ctx, topology); err != nil {
		return err
	}
	if err := n.resolve(ctx, topology); err != nil {
		return err
	}
	n.revision++
	return n.Store.Update(func(tx *state.Tx) error { return applied.Put(tx, "revision", n.revision) })
}

// resolve starts a resolver in each new VPC and ends those of VPCs that are gone.
func (n *Network) resolve(ctx context.Context, t network.Topology) error {
	gone := maps.Clone(n.resolvers)
	var problems []error
	for _, v := range t.VPCs {
		delete(gone, v.ID)
		if n.resolvers[v.ID] != nil {
			continue
		}
		server, err := dns.Serve(n.Net, v.ID, v.Resolver(), n.Names)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		n.resolvers[v.ID] = server
	}
	for id, server := range gone {
		problems = append(problems, server.Close(ctx))
		delete(n.resolvers, id)
	}
	return errors.Join(problems...)
}
