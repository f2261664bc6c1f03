package dataplane

import (
	"maps"
	"slices"
)

// AreDown lists the nodes that Down keeps from running.
func (c *Caches) AreDown() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.down))
}
