package dataplane

import (
	"context"
	"net/netip"
	"reflect"
	"slices"
	"time"

	"storefront/lab/network"
	"storefront/lab/postgres"
	"storefront/lab/rds"
	"storefront/lab/state"
)

const (
	checkTime = 3 * time.Second // for a server to answer
	patience  = 8 * time.Second // with a server that does not work
)

// node is a server that runs, or that has died.
type node struct {
	*postgres.Node
	spec        postgres.NodeSpec
	needsReboot bool
	failing     time.Time // since when it does not work; zero while it does
	processor   cpuSample // the last one that was measured
}

// dead tells whether the server has ended.
func (n *node) dead() bool {
	select {
	case <-n.Done():
		return true
	default:
		return false
	}
}

// alive tells whether the server of an instance runs.
func (w *database) alive(i rds.Instance) bool {
	n := w.nodes[i.ResourceID]
	return n != nil && !n.dead()
}

// runInstance takes one instance's server to what is declared. needsReboot tells that a static parameter waits for a reboot.
func (w *database) runInstance(ctx context.Context, c *rds.Cluster, i rds.Instance) (needsReboot bool, err error) {
	n, spec := w.nodes[i.ResourceID], nodeSpec(c, i)
	switch {
	case !i.Running():
		if n != nil {
			err = n.Stop(ctx, postgres.Fast)
			delete(w.nodes, i.ResourceID)
		}
		return false, err
	case n == nil || n.dead() || i.Rebooting():
		return false, w.start(ctx, c, i, spec)
	case reflect.DeepEqual(n.spec, spec):
		return n.needsReboot, nil
	case n.spec.Listen != spec.Listen: // RDS restarts servers when the port changes
		return false, w.start(ctx, c, i, spec)
	}
	if n.needsReboot, err = n.Reload(ctx, spec); err == nil {
		n.spec = spec
	}
	return n.needsReboot, err
}

// nodeSpec is the server of an instance.
func nodeSpec(c *rds.Cluster, i rds.Instance) postgres.NodeSpec {
	return postgres.NodeSpec{
		ID: dataName(i.ResourceID), Place: network.InInterface(i.Interface), Listen: netip.AddrPortFrom(i.Address, uint16(c.Port)),
		Names: append(slices.Clone(c.Names), i.Name), Parameters: i.Parameters,
	}
}

// start starts a server, and makes the cluster's data when it is the first.
func (w *database) start(ctx context.Context, c *rds.Cluster, i rds.Instance, spec postgres.NodeSpec) error {
	master := postgres.Master{User: c.Master.User, Verifier: c.Master.Verifier, Database: c.Database}
	var started *postgres.Node
	var err error
	switch {
	case w.data.Exists():
		started, err = w.data.Start(ctx, spec)
	case i.ID != c.Writer:
		return postgres.ErrNoWriter
	case c.Restore != "" && w.Engine.HasSnapshot(dataName(c.Restore)):
		started, err = w.data.Restore(ctx, spec, dataName(c.Restore), master)
	default:
		started, err = w.data.Create(ctx, spec, master)
	}
	if err != nil {
		return err
	}
	w.nodes[i.ResourceID] = &node{Node: started, spec: spec}
	go func() { // a server that dies wakes the worker
		<-started.Done()
		poke(w.wake)
	}()
	if c.Master.Applied || i.ID != c.Writer {
		return nil
	}
	return w.report(func(tx *state.Tx) error { return w.RDS.Made(tx, c.ID, c.Master.Verifier) })
}

// check ends servers that do not answer, and readers that have lost their writer for good: run starts them anew.
func (w *database) check(ctx context.Context, c *rds.Cluster) error {
	writer, ok := find(c.Instances, c.Writer)
	writing := ok && w.alive(writer)
	for _, i := range c.Instances {
		n := w.nodes[i.ResourceID]
		if n == nil || n.dead() {
			continue
		}
		asked, cancel := context.WithTimeout(ctx, checkTime)
		status, err := n.Check(asked)
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil && (status.Writer || status.Streaming || !writing) {
			n.failing = time.Time{}
			w.measure(c.ID, i.ID, n, status)
			continue
		}
		if n.failing.IsZero() {
			n.failing = time.Now()
		}
		if time.Since(n.failing) < patience {
			continue
		}
		w.log.Warn("a database server does not work and is started anew", "instance", i.ID, "error", err)
		if err := n.Stop(ctx, postgres.Immediate); err != nil {
			return err
		}
	}
	return nil
}

// stopAll stops the servers with the daemon. The writer goes first, so that readers get all that it has written.
func (w *database) stopAll(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, stopTime)
	defer cancel()
	writer := w.data.Writer()
	for _, first := range []bool{true, false} {
		for _, n := range w.nodes {
			if (n.ID() == writer) == first {
				if err := n.Stop(ctx, postgres.Fast); err != nil {
					w.log.Error("stopping a database server", "error", err)
				}
			}
		}
	}
}
