package dataplane

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"

	"storefront/lab/network"
	"storefront/lab/postgres"
	"storefront/lab/rds"
	"storefront/lab/state"
)

// database is the worker of one cluster.
type database struct {
	*Databases
	id   string // resource ID
	data *postgres.Cluster
	wake chan struct{}
	end  context.CancelFunc
	log  *slog.Logger

	nodes map[string]*node // by the instance's resource ID
}

// converge takes the cluster one round closer to what is declared.
func (w *database) converge(ctx context.Context) error {
	c, ok, err := w.declared()
	if err != nil || !ok {
		return err
	}
	steps := []func(context.Context, *rds.Cluster) error{w.followData, w.check, w.failOver, w.removeInstances, w.run, w.setPassword, w.takeSnapshots}
	if !c.Exists && len(c.Instances) == 0 {
		steps = []func(context.Context, *rds.Cluster) error{w.takeSnapshots, w.delete}
	}
	for _, step := range steps {
		if err := step(ctx, &c); err != nil {
			return err
		}
	}
	if !c.Exists || c.Settled() {
		return nil
	}
	return w.report(func(tx *state.Tx) error { return w.RDS.ClusterSettled(tx, c.ID, c.Status) })
}

// declared reads the cluster's declaration.
func (w *database) declared() (c rds.Cluster, ok bool, err error) {
	err = w.Store.View(func(tx *state.Tx) error {
		list, err := w.RDS.Clusters(tx)
		if i := slices.IndexFunc(list, func(c rds.Cluster) bool { return c.ResourceID == w.id }); i >= 0 {
			c, ok = list[i], true
		}
		return err
	})
	return c, ok, err
}

// report writes back what became true.
func (w *database) report(what func(*state.Tx) error) error { return w.Store.Update(what) }

// followData reports the writer that the data names. It differs from the declared one when the daemon died after a promotion.
func (w *database) followData(_ context.Context, c *rds.Cluster) error {
	named := w.data.Writer()
	i := slices.IndexFunc(c.Instances, func(i rds.Instance) bool { return dataName(i.ResourceID) == named })
	if i < 0 || c.Instances[i].ID == c.Writer {
		return nil
	}
	c.Writer = c.Instances[i].ID
	if c.Target == c.Writer {
		c.Target = ""
	}
	return w.report(func(tx *state.Tx) error { return w.RDS.Promoted(tx, c.ID, c.Writer) })
}

// failOver makes a reader the writer: the declared target, or the first in line when the writer is to go or has died.
func (w *database) failOver(ctx context.Context, c *rds.Cluster) error {
	writer, ok := find(c.Instances, c.Writer)
	if !ok {
		return nil
	}
	target := c.Target
	if n := w.nodes[writer.ResourceID]; target == "" && (writer.Deleting() || n != nil && n.dead()) {
		target = w.successor(c)
	}
	next, ok := find(c.Instances, target)
	if !ok || !w.alive(next) {
		if c.Target == "" || !ok {
			return nil
		}
		return fmt.Errorf("failing over to %s: it does not run yet", c.Target)
	}
	w.log.Info("failing over", "from", c.Writer, "to", next.ID)
	if err := w.data.Promote(ctx, dataName(next.ResourceID)); err != nil {
		return err
	}
	delete(w.nodes, writer.ResourceID) // it was stopped, and comes back as a reader
	c.Writer, c.Target = next.ID, ""
	return w.report(func(tx *state.Tx) error { return w.RDS.Promoted(tx, c.ID, next.ID) })
}

// successor is the running reader of the lowest promotion tier, or "".
func (w *database) successor(c *rds.Cluster) string {
	readers := slices.DeleteFunc(slices.Clone(c.Instances), func(i rds.Instance) bool { return i.ID == c.Writer || !i.Running() || !w.alive(i) })
	if len(readers) == 0 {
		return ""
	}
	return slices.MinFunc(readers, func(a, b rds.Instance) int { return cmp.Compare(a.Tier, b.Tier) }).ID
}

// removeInstances takes away what is to be deleted, the writer last. A writer waits as long as a reader may still become its successor.
func (w *database) removeInstances(ctx context.Context, c *rds.Cluster) error {
	writerFirst(c)
	slices.Reverse(c.Instances)
	defer writerFirst(c)
	for _, i := range slices.Clone(c.Instances) {
		if !i.Deleting() {
			continue
		}
		others := slices.ContainsFunc(c.Instances, func(o rds.Instance) bool { return o.ID != i.ID })
		if i.ID == c.Writer && others && w.data.Exists() {
			continue
		}
		if w.data.Exists() {
			if err := w.data.Remove(ctx, dataName(i.ResourceID)); err != nil {
				return fmt.Errorf("deleting %s: %w", i.ID, err)
			}
		}
		delete(w.nodes, i.ResourceID)
		c.Instances = slices.DeleteFunc(c.Instances, func(o rds.Instance) bool { return o.ID == i.ID })
		if i.ID == c.Writer {
			c.Writer = ""
			if len(c.Instances) > 0 {
				c.Writer = c.Instances[0].ID
			}
		}
		if err := w.report(func(tx *state.Tx) error { return w.RDS.InstanceGone(tx, i.ID, c.Writer) }); err != nil {
			return err
		}
	}
	return nil
}

// run starts, stops and configures the servers, the writer's first.
func (w *database) run(ctx context.Context, c *rds.Cluster) error {
	writerFirst(c)
	var problems []error
	for _, i := range c.Instances {
		if i.Deleting() {
			continue
		}
		needsReboot, err := w.runInstance(ctx, c, i)
		if err == nil && !i.Settled(needsReboot) {
			err = w.report(func(tx *state.Tx) error { return w.RDS.InstanceSettled(tx, i.ID, i.Status, needsReboot) })
		} else if err != nil && !errors.Is(err, network.ErrNoSuchPlace) && !errors.Is(err, postgres.ErrNoWriter) && ctx.Err() == nil { // these two only wait for others
			err = errors.Join(err, w.report(func(tx *state.Tx) error { return w.RDS.InstanceBroken(tx, i.ID, err.Error()) }))
		}
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// setPassword brings a changed master password to the servers.
func (w *database) setPassword(ctx context.Context, c *rds.Cluster) error {
	writer, ok := find(c.Instances, c.Writer)
	if c.Master.Applied || !ok || !w.alive(writer) {
		return nil
	}
	if err := w.data.SetPassword(ctx, c.Master.User, c.Master.Verifier); err != nil {
		return err
	}
	return w.report(func(tx *state.Tx) error { return w.RDS.Made(tx, c.ID, c.Master.Verifier) })
}

// takeSnapshots takes the snapshots of the cluster that are declared. One of a cluster without data is empty, and restores to an empty cluster.
func (w *database) takeSnapshots(ctx context.Context, _ *rds.Cluster) error {
	var declared map[string]string
	if err := w.Store.View(func(tx *state.Tx) error { declared, _ = w.RDS.Snapshots(tx); return nil }); err != nil {
		return err
	}
	for id, of := range declared {
		if of != w.id {
			continue
		}
		err := w.data.Snapshot(ctx, dataName(id))
		if err != nil && !errors.Is(err, postgres.ErrNoCluster) && !errors.Is(err, postgres.ErrExists) {
			return err
		}
		if err := w.report(func(tx *state.Tx) error { return w.RDS.SnapshotTaken(tx, id) }); err != nil {
			return err
		}
	}
	return nil
}

// delete deletes the data of a cluster that has no instances any more.
func (w *database) delete(ctx context.Context, c *rds.Cluster) error {
	if err := w.data.Delete(ctx); err != nil {
		return err
	}
	return w.report(func(tx *state.Tx) error { return w.RDS.ClusterGone(tx, c.ID) })
}

func find(list []rds.Instance, id string) (rds.Instance, bool) {
	i := slices.IndexFunc(list, func(i rds.Instance) bool { return i.ID == id })
	if i < 0 {
		return rds.Instance{}, false
	}
	return list[i], true
}

// writerFirst orders the instances so that readers find their writer running.
func writerFirst(c *rds.Cluster) {
	slices.SortStableFunc(c.Instances, func(a, b rds.Instance) int {
		return cmp.Compare(btoi(a.ID != c.Writer), btoi(b.ID != c.Writer))
	})
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
