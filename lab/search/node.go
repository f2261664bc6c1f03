package search

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// Node is a member of the cluster.
type Node struct {
	ID     string // letters, digits, dots, dashes and underscores
	Zone   string // copies of a shard go to different zones where there are such
	Data   bool   // holds shards
	Master bool   // may be elected
}

// member is a node of the cluster, living or lost.
type member struct {
	Node
	up bool
}

var nodeID = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)

// SetNodes makes the nodes the members of the cluster. New members start at once; the shards of those that leave are copied to others
// first, and what they stored is removed.
func (c *Cluster) SetNodes(ctx context.Context, nodes []Node) error {
	want := map[string]Node{}
	for _, n := range nodes {
		if !nodeID.MatchString(n.ID) {
			return fmt.Errorf("node ID %q: letters, digits, dots, dashes and underscores", n.ID)
		}
		if _, twice := want[n.ID]; twice {
			return fmt.Errorf("node %q is named twice", n.ID)
		}
		want[n.ID] = n
	}
	return c.settled(func() error {
		added, leaving := c.admit(want)
		for _, id := range added {
			if err := c.sweep(id); err != nil {
				return err
			}
		}
		if err := c.openCopies(added); err != nil {
			return err
		}
		if err := c.allocate(ctx, leaving); err != nil {
			return err
		}
		return c.dismiss(leaving)
	})
}

// admit adds the new members and tells which ones are new and which ones shall leave.
func (c *Cluster) admit(want map[string]Node) (added, leaving []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id, n := range want {
		m, known := c.nodes[id]
		if !known {
			m = &member{up: true}
			c.nodes[id] = m
			added = append(added, id)
		}
		m.Node = n
	}
	for id := range c.nodes {
		if _, stays := want[id]; !stays {
			leaving = append(leaving, id)
		}
	}
	// Nodes of an earlier life of the cluster that are not named any more leave too.
	for _, meta := range c.catalog.Indices {
		for _, g := range meta.Groups {
			for _, copy := range g.Copies {
				if _, known := c.nodes[copy.Node]; !known && !slices.Contains(leaving, copy.Node) {
					leaving = append(leaving, copy.Node)
				}
			}
		}
	}
	slices.Sort(added)
	slices.Sort(leaving)
	return added, leaving
}

// dismiss removes members and what they stored, unless a shard has no other copy.
func (c *Cluster) dismiss(leaving []string) error {
	var errs []error
	for _, id := range leaving {
		last := false
		for _, x := range c.all() {
			for _, g := range x.groups {
				kept, err := g.retire(id)
				errs = append(errs, err)
				if kept {
					last = true
					errs = append(errs, g.lose(id))
				}
			}
		}
		c.mu.Lock()
		delete(c.nodes, id)
		c.mu.Unlock()
		if !last {
			errs = append(errs, os.RemoveAll(filepath.Join(c.config.Dir, "nodes", id)))
		}
	}
	return errors.Join(errs...)
}

// Stop loses a node, as a power cut does: its store stays. Shards whose primary it had go on with an in-sync replica.
func (c *Cluster) Stop(id string) error {
	return c.settled(func() error {
		if !c.setUp(id, false) {
			return fmt.Errorf("stopping node %q: %w", id, ErrUnknownNode)
		}
		var errs []error
		for _, x := range c.all() {
			for _, g := range x.groups {
				errs = append(errs, g.lose(id))
			}
		}
		return errors.Join(errs...)
	})
}

// Start brings a node back. It returns when its shards have caught up.
func (c *Cluster) Start(id string) error {
	return c.settled(func() error {
		if !c.setUp(id, true) {
			return fmt.Errorf("starting node %q: %w", id, ErrUnknownNode)
		}
		if err := c.sweep(id); err != nil {
			return err
		}
		if err := c.openCopies([]string{id}); err != nil {
			return err
		}
		return c.allocate(context.Background(), nil)
	})
}

func (c *Cluster) setUp(id string, up bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	m, ok := c.nodes[id]
	if ok {
		m.up = up
	}
	return ok
}

// lives tells whether a node serves.
func (c *Cluster) lives(id string) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	m, ok := c.nodes[id]
	return ok && m.up && !c.closed
}

// openCopies opens what nodes that came hold, and lets groups that wait for them go on.
func (c *Cluster) openCopies(nodes []string) error {
	var errs []error
	for _, x := range c.all() {
		for _, g := range x.groups {
			for _, id := range nodes {
				if c.holds(g, id) {
					errs = append(errs, g.open(id))
				}
			}
			errs = append(errs, g.settle())
		}
	}
	return errors.Join(errs...)
}

// holds tells whether the catalog has a copy of a group on a node.
func (c *Cluster) holds(g *group, id string) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return g.meta().on(id) != nil
}

// sweep removes what a node stores of shards that it no longer holds: they were removed while it was away.
func (c *Cluster) sweep(id string) error {
	root := filepath.Join(c.config.Dir, "nodes", id)
	known := map[string]bool{}
	for _, x := range c.all() {
		for _, g := range x.groups {
			if c.holds(g, id) {
				known[g.dir(id)] = true
			}
		}
	}
	stored, err := filepath.Glob(filepath.Join(root, "*", "*"))
	if err != nil {
		return err
	}
	for _, dir := range stored {
		if !known[dir] {
			if err := os.RemoveAll(dir); err != nil {
				return err
			}
		}
	}
	return nil
}

// roster returns the nodes in order.
func (c *Cluster) roster() []member {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var out []member
	for _, id := range slices.Sorted(maps.Keys(c.nodes)) {
		out = append(out, *c.nodes[id])
	}
	return out
}
