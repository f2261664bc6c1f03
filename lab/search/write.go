package search

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"storefront/lab/search/internal/refusal"
	"storefront/lab/search/internal/shard"
)

// batch is what several writers do in one durable change: they share its syncs to disk.
type batch struct {
	operations []*operation
	copies     int // that have it
	done       bool
	err        error
}

func newBatch() *batch { return &batch{} }

// write does operations on the shard's primary and on every replica that is in sync, and returns when all have them on disk.
// Each operation tells its own outcome. copies is how many have them.
func (g *group) write(operations []*operation) (copies int, err error) {
	g.joining.Lock()
	b := g.next
	b.operations = append(b.operations, operations...)
	g.joining.Unlock()

	g.mu.Lock()
	defer g.mu.Unlock()
	if !b.done { // nobody did it while this writer waited
		g.joining.Lock()
		g.next = newBatch()
		g.joining.Unlock()
		b.copies, b.err = g.commit(b.operations)
		b.done = true
	}
	return b.copies, b.err
}

// commit does operations. The caller holds the group's lock.
func (g *group) commit(operations []*operation) (int, error) {
	l := g.lineup.Load()
	primary := l.copies[l.primary]
	if primary == nil {
		return 0, g.unavailable()
	}
	var records []shard.Record
	err := primary.Update(func(tx *shard.Tx) error {
		seq := tx.Sequence()
		for _, o := range operations {
			old, known, err := tx.Get(o.id)
			if err != nil {
				return err
			}
			o.decide(old, known, seq+1, l.term)
			if o.err != nil {
				continue
			}
			if err := tx.Put(&o.record); err != nil {
				return err
			}
			seq++
			records = append(records, o.record)
		}
		return tx.SetCheckpoint(g.known)
	})
	if err != nil {
		g.cluster.config.Log.Error("a write failed", "index", g.index.name, "shard", g.shard, "error", err)
		return 0, err
	}
	if len(records) == 0 {
		return len(l.copies), nil
	}
	if err := g.replicate(l, records); err != nil {
		return 0, err
	}
	g.known = records[len(records)-1].Seq
	return len(g.lineup.Load().copies), nil
}

// replicate gives the replicas what the primary has. One that fails is taken out before anybody is told of the write.
func (g *group) replicate(l *lineup, records []shard.Record) error {
	var wait sync.WaitGroup
	var mu sync.Mutex
	failed := map[string]error{}
	for node, copy := range l.copies {
		if node == l.primary {
			continue
		}
		wait.Go(func() {
			err := copy.Update(func(tx *shard.Tx) error {
				for i := range records {
					if err := tx.Put(&records[i]); err != nil {
						return err
					}
				}
				return tx.SetCheckpoint(g.known)
			})
			if err != nil {
				mu.Lock()
				failed[node] = err
				mu.Unlock()
			}
		})
	}
	wait.Wait()
	var errs []error
	for node, err := range failed {
		g.cluster.config.Log.Error("a replica failed and is out", "index", g.index.name, "shard", g.shard, "node", node, "error", err)
		errs = append(errs, g.leave(node))
	}
	return errors.Join(errs...)
}

// unavailable is the error of a shard without a primary.
func (g *group) unavailable() error {
	return refusal.New(http.StatusServiceUnavailable, "unavailable_shards_exception", "[%s][%d] primary shard is not active Timeout: [1m]", g.index.name, g.shard)
}

// get returns a document's latest state, whether it was refreshed or not.
func (g *group) get(id string) (shard.Record, bool, error) {
	l := g.lineup.Load()
	primary := l.copies[l.primary]
	if primary == nil {
		return shard.Record{}, false, refusal.New(http.StatusServiceUnavailable, "no_shard_available_action_exception",
			"No shard available for [get [%s][_doc][%s]: routing [null]]", g.index.name, id)
	}
	r, ok, err := primary.Get(id)
	if errors.Is(err, shard.ErrClosed) && g.lineup.Load() != l { // its node was lost this moment
		return g.get(id)
	}
	return r, ok && !r.Deleted, err
}

// refresh makes what was written before searchable, on every copy.
func (g *group) refresh() error {
	g.refreshing.Lock()
	defer g.refreshing.Unlock()
	waiting := g.waiters
	g.waiters = make(chan struct{})
	defer close(waiting)
	var errs []error
	for _, copy := range g.lineup.Load().copies {
		if _, err := copy.Refresh(); err != nil && !errors.Is(err, shard.ErrClosed) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// stale tells whether a refresh would change something.
func (g *group) stale() bool {
	for _, copy := range g.lineup.Load().copies {
		if copy.Stale() {
			return true
		}
	}
	return false
}

// refreshed waits for the end of a refresh that begins after this call, unless there is nothing to wait for.
func (g *group) refreshed(ctx context.Context) error {
	g.refreshing.Lock()
	next, stale := g.waiters, g.stale()
	g.refreshing.Unlock()
	if !stale {
		return nil
	}
	g.rouse()
	select {
	case <-next:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
