package search

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"storefront/lab/search/internal/mapping"
)

// openIndex is an index at work.
type openIndex struct {
	cluster  *Cluster
	name     string
	uuid     string
	groups   []*group
	mapping  atomic.Pointer[mapping.Mapping]
	interval atomic.Int64       // between refreshes, in nanoseconds
	explicit atomic.Bool        // the interval was set, so that no shard goes idle
	changed  chan struct{}      // the interval is another one
	stop     context.CancelFunc // ends the refreshing
}

func (c *Cluster) newIndex(meta *indexMeta) *openIndex {
	x := &openIndex{cluster: c, name: meta.Name, uuid: meta.UUID, changed: make(chan struct{}, 1)}
	x.mapping.Store(meta.Mapping)
	for i := range meta.Shards {
		x.groups = append(x.groups, newGroup(c, x, i))
	}
	ctx, stop := context.WithCancel(context.Background())
	x.stop = stop
	x.setRefresh(meta.Refresh)
	go x.refreshing(ctx)
	return x
}

// refreshing makes writes searchable every interval; never while the interval is negative.
func (x *openIndex) refreshing(ctx context.Context) {
	ticker := time.NewTicker(time.Hour)
	defer ticker.Stop()
	set := func() {
		ticker.Stop()
		if d := time.Duration(x.interval.Load()); d > 0 {
			ticker.Reset(max(d, time.Millisecond))
		}
	}
	set()
	for tick := 1; ; tick++ {
		select {
		case <-ctx.Done():
			return
		case <-x.changed:
			set()
		case <-ticker.C:
			for _, g := range x.groups {
				if g.stale() && (!g.idle() || tick%idleRefreshes == 0) {
					if err := g.refresh(); err != nil {
						x.cluster.config.Log.Error("a refresh failed", "index", x.name, "shard", g.shard, "error", err)
					}
				}
			}
		}
	}
}

// setRefresh takes up index.refresh_interval; "" is the default.
func (x *openIndex) setRefresh(text string) {
	interval := defaultInterval
	if text != "" {
		interval, _ = duration(text) // was checked when it was set
	}
	x.explicit.Store(text != "")
	x.interval.Store(int64(interval))
	select {
	case x.changed <- struct{}{}:
	default: // an earlier change was not taken up yet
	}
}

// duration reads a time as Elasticsearch writes it: 1s, 500ms, 2m; -1 for never.
func duration(text string) (time.Duration, bool) {
	if text == "-1" {
		return -1, true
	}
	if text == "0" {
		return 0, true
	}
	for _, u := range []struct {
		suffix string
		unit   time.Duration
	}{{"nanos", time.Nanosecond}, {"micros", time.Microsecond}, {"ms", time.Millisecond}, {"s", time.Second}, {"m", time.Minute}, {"h", time.Hour}, {"d", 24 * time.Hour}} {
		if n, ok := strings.CutSuffix(text, u.suffix); ok {
			count, err := strconv.Atoi(n)
			if err == nil && count >= 0 && count < 1_000_000 {
				return time.Duration(count) * u.unit, true
			}
		}
	}
	return 0, false
}

// all returns the open indices in order of their names.
func (c *Cluster) all() []*openIndex {
	c.mu.RLock()
	defer c.mu.RUnlock()
	out := make([]*openIndex, 0, len(c.indices))
	for _, x := range c.indices {
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b *openIndex) int { return strings.Compare(a.name, b.name) })
	return out
}

// meta returns a copy of what is decided of an index; the zero value when it was deleted meanwhile.
func (c *Cluster) meta(x *openIndex) indexMeta {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if m := c.catalog.Indices[x.name]; m != nil && m.UUID == x.uuid {
		return *m
	}
	return indexMeta{Mapping: x.mapping.Load()}
}
