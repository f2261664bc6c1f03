package search

import "time"

// A shard that nobody searches is refreshed seldom, and by the search that ends this, as Elasticsearch's index.search.idle.after has it for
// indices whose index.refresh_interval is not set, be it to the default's own second. Here it goes on following its store, in large steps, so that this search has little to wait
// for: what is replaced meanwhile is never indexed.
const (
	idleAfter     = 30 * time.Second
	idleRefreshes = 10 // refreshes, of which an idle shard takes part in one

	defaultInterval = time.Second
)

// idle tells whether the shard was not searched for some time.
func (g *group) idle() bool {
	return !g.index.explicit.Load() && g.cluster.config.Now().UnixNano()-g.searched.Load() > int64(idleAfter)
}

// rouse ends the idleness: the next refresh counts.
func (g *group) rouse() { g.searched.Store(g.cluster.config.Now().UnixNano()) }

// wake ends the idleness before a search, which finds what a shard would have that was refreshed every second.
func (g *group) wake() error {
	if g.idle() {
		if err := g.refresh(); err != nil {
			return err
		}
	}
	g.rouse()
	return nil
}
