package dataplane

import (
	"context"
	"fmt"

	"storefront/lab/elasticache"
	"storefront/lab/state"
)

// snapshot takes the snapshots of the group that are declared. The primary stands in for a node that does not run; a replica is waited
// for until it has the data.
func (w *cache) snapshot(ctx context.Context, g *elasticache.Group) error {
	for _, declared := range g.Snapshots {
		node := declared.Node
		if w.alive(node) == nil {
			node = g.Primary
		}
		n := w.alive(node)
		if n == nil || n.following != nil && !n.synced {
			continue
		}
		size, err := n.Snapshot(ctx, declared.ID)
		if err == nil {
			err = w.Store.Update(func(tx *state.Tx) error { return w.Cache.SnapshotTaken(tx, declared.ID, node, size) })
		}
		if err != nil {
			return fmt.Errorf("taking the snapshot %s: %w", declared.ID, err)
		}
	}
	return nil
}

// loseSnapshots gives up what has not been taken before the data was lost: a primary that starts anew has none.
func (w *cache) loseSnapshots(g *elasticache.Group) error {
	for _, lost := range g.Snapshots {
		w.log.Warn("a snapshot fails: the data was lost before it was taken", "snapshot", lost.ID)
		if err := w.Store.Update(func(tx *state.Tx) error { return w.Cache.SnapshotFailed(tx, lost.ID) }); err != nil {
			return err
		}
	}
	return nil
}

// keepSnapshots makes the copies of snapshots that are declared, and deletes those that are to be deleted.
func (c *Caches) keepSnapshots() error {
	var copies map[string]string
	var drop []string
	if err := c.Store.View(func(tx *state.Tx) error { copies, drop = c.Cache.Snapshots(tx); return nil }); err != nil {
		return err
	}
	for id, of := range copies {
		if err := c.Engine.CopySnapshot(of, id); err != nil {
			return fmt.Errorf("copying the snapshot %s: %w", of, err)
		}
		if err := c.Store.Update(func(tx *state.Tx) error { return c.Cache.SnapshotCopied(tx, id) }); err != nil {
			return err
		}
	}
	for _, id := range drop {
		if err := c.Engine.DeleteSnapshot(id); err != nil {
			return fmt.Errorf("deleting the snapshot %s: %w", id, err)
		}
		if err := c.Store.Update(func(tx *state.Tx) error { return c.Cache.SnapshotGone(tx, id) }); err != nil {
			return err
		}
	}
	return nil
}
