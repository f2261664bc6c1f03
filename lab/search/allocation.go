package search

import (
	"cmp"
	"context"
	"errors"
	"slices"
)

// allocate gives every shard the copies that its index asks for, on nodes that live and stay, and brings copies up to date.
// A copy of a lost node keeps its place: the node is expected back.
func (c *Cluster) allocate(ctx context.Context, leaving []string) error {
	var errs []error
	for _, x := range c.all() {
		for _, g := range x.groups {
			if err := ctx.Err(); err != nil {
				return errors.Join(append(errs, err)...)
			}
			errs = append(errs, c.allocateGroup(g, leaving))
		}
	}
	return errors.Join(errs...)
}

func (c *Cluster) allocateGroup(g *group, leaving []string) error {
	if err := c.prune(g, leaving); err != nil {
		return err
	}
	added, err := c.place(g, leaving)
	if err != nil {
		return err
	}
	for _, id := range added {
		if err := g.open(id); err != nil {
			return err
		}
	}
	if err := g.settle(); err != nil {
		return err
	}
	return g.catchUp()
}

// prune removes copies that are too many, those first that are worth the least.
func (c *Cluster) prune(g *group, leaving []string) error {
	for {
		c.mu.RLock()
		meta := g.meta()
		var staying []copyMeta
		for _, copy := range meta.Copies {
			if !slices.Contains(leaving, copy.Node) {
				staying = append(staying, copy)
			}
		}
		surplus := len(staying) - 1 - c.catalog.Indices[g.index.name].Replicas
		primary := meta.Primary
		c.mu.RUnlock()
		if surplus <= 0 {
			return nil
		}
		worth := func(m copyMeta) int {
			switch {
			case m.Node == primary:
				return 2
			case m.InSync:
				return 1
			}
			return 0
		}
		least := slices.MinFunc(staying, func(a, b copyMeta) int { return worth(a) - worth(b) })
		kept, err := g.retire(least.Node)
		if err != nil || kept {
			return err
		}
	}
}

// place decides on which nodes the missing copies go.
func (c *Cluster) place(g *group, leaving []string) (added []string, err error) {
	err = c.change(func(k *catalog) error {
		meta := g.meta()
		fresh := len(meta.Copies) == 0
		for {
			staying := 0
			for _, copy := range meta.Copies {
				if !slices.Contains(leaving, copy.Node) {
					staying++
				}
			}
			if staying > k.Indices[g.index.name].Replicas {
				return nil
			}
			id := c.best(k, meta, leaving)
			if id == "" {
				return nil
			}
			// The copies of a shard that never was are alike: empty.
			meta.Copies = append(meta.Copies, copyMeta{Node: id, InSync: fresh})
			added = append(added, id)
		}
	})
	return added, err
}

// best is the node for the next copy: in the zone with the fewest copies of the shard, then the one with the fewest copies at all.
func (c *Cluster) best(k *catalog, meta *groupMeta, leaving []string) string {
	zones, load := map[string]int{}, map[string]int{}
	for _, copy := range meta.Copies {
		if n, ok := c.nodes[copy.Node]; ok && !slices.Contains(leaving, copy.Node) {
			zones[n.Zone]++
		}
	}
	for _, x := range k.Indices {
		for _, g := range x.Groups {
			for _, copy := range g.Copies {
				load[copy.Node]++
			}
		}
	}
	var candidates []*member
	for id, n := range c.nodes {
		if n.up && n.Data && meta.on(id) == nil && !slices.Contains(leaving, id) {
			candidates = append(candidates, n)
		}
	}
	if len(candidates) == 0 {
		return ""
	}
	return slices.MinFunc(candidates, func(a, b *member) int {
		return cmp.Or(zones[a.Zone]-zones[b.Zone], load[a.ID]-load[b.ID], cmp.Compare(a.ID, b.ID))
	}).ID
}
