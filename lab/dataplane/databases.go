package dataplane

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"storefront/lab/metrics"
	"storefront/lab/postgres"
	"storefront/lab/rds"
	"storefront/lab/state"
)

const (
	checkEvery = 2 * time.Second  // how often each server is asked how it is
	stopTime   = 20 * time.Second // for all servers to stop with the daemon
)

// Databases keeps the machine's PostgreSQL clusters at what RDS declares. Each cluster has a worker of its own, so that none waits for another.
type Databases struct {
	Store  *state.Store
	RDS    *rds.Service
	Engine *postgres.Engine
	Log    *slog.Logger

	Metrics *metrics.Store // told what servers say of themselves; nil: nobody is

	workers map[string]*database // by the cluster's resource ID
	running sync.WaitGroup
}

// Run converges until ctx ends, and then stops the servers.
func (d *Databases) Run(ctx context.Context) error {
	d.workers = map[string]*database{}
	wake := merge(ctx, d.Store.Watch(ctx, "rds.", Applied), ticks(ctx, checkEvery))
	err := loop(ctx, wake, d.Log, d.converge)
	d.running.Wait()
	return err
}

// converge wakes the clusters' workers, those of new ones included, and deletes snapshots.
func (d *Databases) converge(ctx context.Context) error {
	var declared []rds.Cluster
	var drop []string
	err := d.Store.View(func(tx *state.Tx) (err error) {
		declared, err = d.RDS.Clusters(tx)
		_, drop = d.RDS.Snapshots(tx)
		return err
	})
	if err != nil {
		return err
	}
	if err := d.maintain(); err != nil {
		return err
	}
	known := map[string]bool{}
	for _, c := range declared {
		known[c.ResourceID] = true
		w := d.workers[c.ResourceID]
		if w == nil {
			if w, err = d.newDatabase(ctx, c); err != nil {
				return err
			}
		}
		poke(w.wake)
	}
	for id, w := range d.workers {
		if !known[id] {
			w.end()
			delete(d.workers, id)
		}
	}
	for _, id := range drop {
		if err := d.Engine.DeleteSnapshot(ctx, dataName(id)); err != nil {
			return err
		}
		if err := d.Store.Update(func(tx *state.Tx) error { return d.RDS.SnapshotGone(tx, id) }); err != nil {
			return err
		}
	}
	return nil
}

// maintain applies what waited for a maintenance window.
func (d *Databases) maintain() error {
	var due bool
	if err := d.Store.View(func(tx *state.Tx) error { due = d.RDS.MaintenanceDue(tx); return nil }); err != nil || !due {
		return err
	}
	return d.Store.Update(d.RDS.ApplyMaintenance)
}

// LogPath returns the file that a database instance's log goes to. ok is false when there is no such instance.
func (d *Databases) LogPath(instance string) (path string, ok bool) {
	_ = d.Store.View(func(tx *state.Tx) error {
		declared, err := d.RDS.Clusters(tx)
		for _, c := range declared {
			i, found := find(c.Instances, instance)
			if !found {
				continue
			}
			data, err := d.Engine.Cluster(dataName(c.ResourceID))
			if err == nil {
				path, ok = data.LogPath(dataName(i.ResourceID)), true
			}
		}
		return err
	})
	return path, ok
}

// newDatabase starts the worker of a cluster.
func (d *Databases) newDatabase(ctx context.Context, c rds.Cluster) (*database, error) {
	data, err := d.Engine.Cluster(dataName(c.ResourceID))
	if err != nil {
		return nil, fmt.Errorf("cluster %s: %w", c.ID, err)
	}
	ctx, end := context.WithCancel(ctx)
	w := &database{
		Databases: d, id: c.ResourceID, data: data, wake: make(chan struct{}, 1), end: end, nodes: map[string]*node{},
		log: d.Log.With("cluster", c.ID),
	}
	d.workers[c.ResourceID] = w
	d.running.Go(func() {
		_ = loop(ctx, w.wake, w.log, w.converge)
		w.stopAll(context.WithoutCancel(ctx))
	})
	return w, nil
}

// dataName is how a resource ID names data: IDs of RDS are in upper case.
func dataName(resourceID string) string { return strings.ToLower(resourceID) }
