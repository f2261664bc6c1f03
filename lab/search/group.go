package search

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/blevesearch/bleve/v2/document"

	"storefront/lab/search/internal/shard"
)

// group is a shard with its copies.
type group struct {
	cluster *Cluster
	index   *openIndex
	shard   int

	joining sync.Mutex // guards next
	next    *batch     // writes that wait for the one that is being done

	mu     sync.Mutex // one write, or one change of the lineup, at a time
	opened map[string]*shard.Copy
	known  uint64                 // sequence number up to which all in-sync copies are alike
	lineup atomic.Pointer[lineup] // is replaced, under mu, never changed

	searched   atomic.Int64 // when it was searched last, in nanoseconds since the epoch
	refreshing sync.Mutex
	waiters    chan struct{} // closed by the end of the refresh that begins next; under refreshing
}

// lineup is who serves a shard: copies that are in sync, by node. Without a primary there are none.
type lineup struct {
	primary string
	term    uint64
	copies  map[string]*shard.Copy
}

func newGroup(c *Cluster, x *openIndex, number int) *group {
	g := &group{cluster: c, index: x, shard: number, next: newBatch(), opened: map[string]*shard.Copy{}, waiters: make(chan struct{})}
	g.lineup.Store(&lineup{})
	g.rouse()
	return g
}

// meta is the group in the catalog; an empty one when the index was deleted. The caller holds the catalog's lock.
func (g *group) meta() *groupMeta {
	if x := g.cluster.catalog.Indices[g.index.name]; x != nil && x.UUID == g.index.uuid {
		return x.Groups[g.shard]
	}
	return &groupMeta{}
}

// mark says in the catalog whether a node's copy is in sync.
func (g *group) mark(node string, inSync bool) error {
	return g.cluster.change(func(*catalog) error {
		if m := g.meta().on(node); m != nil {
			m.InSync = inSync
		}
		return nil
	})
}

func (g *group) dir(node string) string {
	return filepath.Join(g.cluster.config.Dir, "nodes", node, g.index.uuid, strconv.Itoa(g.shard))
}

// open opens the copy on a node. It serves once it is in sync.
func (g *group) open(node string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened[node] != nil {
		return nil
	}
	copy, err := shard.Open(g.dir(node), g.cluster.indexer, func(d *document.Document, r *shard.Record) error {
		return g.index.mapping.Load().Analyze(d, r.Source)
	})
	if err != nil {
		return err
	}
	g.opened[node] = copy
	return nil
}

// settle finds a primary for a group that has none, among its open copies that are in sync, and makes those alike.
func (g *group) settle() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.lineup.Load().primary != "" {
		return nil
	}
	c := g.cluster
	c.mu.RLock()
	primary, replicas := "", []string(nil)
	for _, m := range g.meta().Copies {
		if m.InSync && g.opened[m.Node] != nil {
			replicas = append(replicas, m.Node)
			if primary == "" || m.Node == g.meta().Primary {
				primary = m.Node
			}
		}
	}
	c.mu.RUnlock()
	if primary == "" {
		return nil
	}
	// After a crash they may differ in what was never acknowledged: the primary's history counts.
	l := &lineup{primary: primary, copies: map[string]*shard.Copy{primary: g.opened[primary]}}
	for _, node := range replicas {
		if node == primary {
			continue
		}
		if err := g.copyFrom(g.opened[primary], g.opened[node]); err != nil {
			c.config.Log.Error("a replica cannot follow its primary", "index", g.index.name, "shard", g.shard, "node", node, "error", err)
			continue
		}
		l.copies[node] = g.opened[node]
	}
	if err := g.copyFrom(nil, g.opened[primary]); err != nil {
		return err
	}
	return g.elect(l)
}

// copyFrom makes a copy like the primary, to the last document, and its index like its store. The caller holds the group's lock.
func (g *group) copyFrom(primary, to *shard.Copy) error {
	if primary != nil {
		d, err := to.Begin()
		for more := true; more && err == nil; {
			more, err = to.Step(primary, &d)
		}
		if err == nil {
			err = to.Finish(primary)
		}
		if err != nil {
			return err
		}
	}
	_, err := to.Refresh()
	return err
}

// elect makes a lineup with a new primary count: its term begins, and copies that are not in it fall behind from now on.
func (g *group) elect(l *lineup) error {
	err := g.cluster.change(func(*catalog) error {
		meta := g.meta()
		meta.Term, meta.Primary = meta.Term+1, l.primary
		l.term = meta.Term
		for i := range meta.Copies {
			meta.Copies[i].InSync = l.copies[meta.Copies[i].Node] != nil
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := l.copies[l.primary].View(func(tx *shard.Tx) error { g.known = tx.Sequence(); return nil }); err != nil {
		return err
	}
	g.lineup.Store(l)
	return nil
}

// catchUp brings the open copies that are behind in sync with the primary. Writes go on until the last step.
func (g *group) catchUp() error {
	g.mu.Lock()
	behind := []string{}
	for node := range g.opened {
		if l := g.lineup.Load(); l.primary != "" && l.copies[node] == nil {
			behind = append(behind, node)
		}
	}
	g.mu.Unlock()
	var errs []error
	for _, node := range behind {
		errs = append(errs, g.catchUpNode(node))
	}
	return errors.Join(errs...)
}

func (g *group) catchUpNode(node string) error {
	g.mu.Lock()
	old := g.lineup.Load()
	primary, to := old.copies[old.primary], g.opened[node]
	g.mu.Unlock()
	d, err := to.Begin()
	for more := true; more && err == nil; {
		more, err = to.Step(primary, &d)
	}
	if err != nil {
		return err
	}
	if _, err := to.Refresh(); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for more := true; more && err == nil; {
		more, err = to.Step(primary, &d)
	}
	if err == nil {
		err = to.Finish(primary)
	}
	if err == nil {
		_, err = to.Refresh()
	}
	if err != nil {
		return err
	}
	old = g.lineup.Load()
	l := &lineup{primary: old.primary, term: old.term, copies: maps.Clone(old.copies)}
	l.copies[node] = to
	if err := g.mark(node, true); err != nil {
		return err
	}
	g.lineup.Store(l)
	return nil
}

// lose takes a node's copy out: its node is lost. The last copy that is in sync stays the shard's only hope.
func (g *group) lose(node string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	copy := g.opened[node]
	if copy == nil {
		return nil
	}
	delete(g.opened, node)
	err := g.leave(node)
	return errors.Join(err, copy.Close())
}

// leave goes on without a node's copy. The caller holds the group's lock.
func (g *group) leave(node string) error {
	old := g.lineup.Load()
	if old.copies[node] == nil {
		return nil
	}
	l := &lineup{primary: old.primary, term: old.term, copies: maps.Clone(old.copies)}
	delete(l.copies, node)
	if len(l.copies) == 0 {
		g.lineup.Store(&lineup{})
		return nil
	}
	if l.primary == node {
		l.primary = slices.Sorted(maps.Keys(l.copies))[0]
		return g.elect(l)
	}
	err := g.mark(node, false)
	g.lineup.Store(l)
	return err
}

// retire removes a copy for good. kept tells that it stays, since no other one is in sync.
func (g *group) retire(node string) (kept bool, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	c := g.cluster
	c.mu.RLock()
	meta := g.meta()
	mine := meta.on(node)
	others := false
	for _, m := range meta.Copies {
		others = others || m.InSync && m.Node != node
	}
	kept = mine != nil && mine.InSync && !others
	c.mu.RUnlock()
	if mine == nil || kept {
		return kept, nil
	}
	copy := g.opened[node]
	delete(g.opened, node)
	if err := g.leave(node); err != nil {
		return false, err
	}
	err = c.change(func(*catalog) error { g.meta().remove(node); return nil })
	if copy != nil {
		err = errors.Join(err, copy.Close())
	}
	return false, errors.Join(err, os.RemoveAll(g.dir(node)))
}

// close closes all copies.
func (g *group) close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lineup.Store(&lineup{})
	var errs []error
	for node, copy := range g.opened {
		errs = append(errs, copy.Close())
		delete(g.opened, node)
	}
	return errors.Join(errs...)
}
