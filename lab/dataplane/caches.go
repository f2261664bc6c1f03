package dataplane

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"storefront/lab/elasticache"
	"storefront/lab/redis"
	"storefront/lab/state"
)

// cacheCheckEvery is how often each node is asked how it is: what a failover takes is this and the time that a node may not answer.
const cacheCheckEvery = 500 * time.Millisecond

// ErrNoCache says that there is no replication group or node of a name.
var ErrNoCache = errors.New("there is no such replication group or cache node")

// Caches keeps the machine's Redis servers at what ElastiCache declares. Each replication group has a worker of its own, so that none waits for another.
type Caches struct {
	Store  *state.Store
	Cache  *elasticache.Service
	Engine *redis.Engine
	Log    *slog.Logger

	workers map[string]*cache // by the group's ID
	running sync.WaitGroup

	mu   sync.Mutex
	live map[string]*redis.Node // by node: those that run, for faults and metrics
	down map[string]bool        // nodes that a fault keeps from running
}

// Run converges until ctx ends, and then stops the servers.
func (c *Caches) Run(ctx context.Context) error {
	c.workers = map[string]*cache{}
	wake := merge(ctx, c.Store.Watch(ctx, "elasticache.", Applied), ticks(ctx, cacheCheckEvery))
	err := loop(ctx, wake, c.Log, c.converge)
	c.running.Wait()
	return err
}

// converge wakes the groups' workers, those of new ones included, and copies and deletes snapshots.
func (c *Caches) converge(ctx context.Context) error {
	var declared []elasticache.Group
	if err := c.keepWindows(); err != nil {
		return err
	}
	if err := c.Store.View(func(tx *state.Tx) (err error) { declared, err = c.Cache.Groups(tx); return err }); err != nil {
		return err
	}
	known := map[string]bool{}
	for _, g := range declared {
		known[g.ID] = true
		if c.workers[g.ID] == nil {
			c.newCache(ctx, g.ID)
		}
		poke(c.workers[g.ID].wake)
	}
	for id, w := range c.workers {
		if !known[id] {
			w.end()
			delete(c.workers, id)
		}
	}
	return c.keepSnapshots()
}

// keepWindows does what is due in the windows of groups.
func (c *Caches) keepWindows() error {
	var maintain, save bool
	err := c.Store.View(func(tx *state.Tx) error {
		maintain, save = c.Cache.MaintenanceDue(tx), c.Cache.SnapshotsDue(tx)
		return nil
	})
	if err == nil && maintain {
		err = c.Store.Update(c.Cache.ApplyMaintenance)
	}
	if err == nil && save {
		err = c.Store.Update(c.Cache.ApplySnapshots)
	}
	return err
}

// newCache starts the worker of a group.
func (c *Caches) newCache(ctx context.Context, id string) {
	ctx, end := context.WithCancel(ctx)
	w := &cache{Caches: c, id: id, wake: make(chan struct{}, 1), end: end, nodes: map[string]*cacheNode{}, log: c.Log.With("cache", id)}
	c.workers[id] = w
	c.running.Go(func() {
		_ = loop(ctx, w.wake, w.log, w.converge)
		w.stopAll()
	})
}

// LogPath returns the file that a node's log goes to. ok is false when there is no such node.
func (c *Caches) LogPath(node string) (path string, ok bool) {
	if ids, err := c.nodesOf(node); err != nil || len(ids) != 1 || ids[0] != node {
		return "", false
	}
	return c.Engine.LogPath(node), true
}

// Down ends the servers of a replication group, or of one of its nodes, and keeps them from running until Up. It outlives no restart of the lab.
func (c *Caches) Down(target string) error {
	ids, err := c.nodesOf(target)
	if err != nil {
		return err
	}
	c.mu.Lock()
	if c.down == nil {
		c.down = map[string]bool{}
	}
	var stop []*redis.Node
	for _, id := range ids {
		c.down[id] = true
		if n := c.live[id]; n != nil {
			stop = append(stop, n)
		}
	}
	c.mu.Unlock()
	var problems []error
	for _, n := range stop {
		problems = append(problems, n.Stop())
	}
	return errors.Join(problems...)
}

// Up lets servers that Down ended run again. They come back without data.
func (c *Caches) Up(target string) error {
	ids, err := c.nodesOf(target)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range ids {
		delete(c.down, id)
	}
	return nil
}

// Flush deletes all data of a replication group.
func (c *Caches) Flush(ctx context.Context, group string) error {
	var primary string
	err := c.Store.View(func(tx *state.Tx) error {
		declared, err := c.Cache.Groups(tx)
		for _, g := range declared {
			if g.ID == group {
				primary = g.Primary
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	if primary == "" {
		return fmt.Errorf("%s: %w", group, ErrNoCache)
	}
	c.mu.Lock()
	n := c.live[primary]
	c.mu.Unlock()
	if n == nil {
		return fmt.Errorf("the primary %s does not run", primary)
	}
	return n.Flush(ctx)
}

// nodesOf lists the nodes that a name stands for: of a group, or the node itself.
func (c *Caches) nodesOf(target string) (ids []string, err error) {
	err = c.Store.View(func(tx *state.Tx) error {
		declared, err := c.Cache.Groups(tx)
		for _, g := range declared {
			for _, n := range g.Nodes {
				if g.ID == target || n.ID == target {
					ids = append(ids, n.ID)
				}
			}
		}
		return err
	})
	if err == nil && len(ids) == 0 {
		err = fmt.Errorf("%s: %w", target, ErrNoCache)
	}
	return ids, err
}

// isDown tells whether a fault keeps a node from running.
func (c *Caches) isDown(id string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.down[id]
}

// nodes returns the servers that run, by their nodes.
func (c *Caches) nodes() map[string]*redis.Node {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.live)
}

// setLive notes a node that runs, or with nil that it does not.
func (c *Caches) setLive(id string, n *redis.Node) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.live == nil {
		c.live = map[string]*redis.Node{}
	}
	if n == nil {
		delete(c.live, id)
		return
	}
	c.live[id] = n
}
