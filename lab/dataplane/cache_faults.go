package dataplane

import (
	"fmt"
	"maps"
	"slices"
)

// Lose ends the server of a node at once, as when its host fails. A primary's group fails over; the server comes back by itself, empty.
func (c *Caches) Lose(node string) error {
	c.mu.Lock()
	n := c.live[node]
	c.mu.Unlock()
	if n == nil {
		return fmt.Errorf("%s: %w", node, ErrNoCache)
	}
	return n.Stop()
}

// AreDown lists the nodes that Down keeps from running.
func (c *Caches) AreDown() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.down))
}
