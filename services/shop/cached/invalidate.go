package cached

import (
	"context"
	"sync"
	"time"
)

const (
	guardFor   = 10 * time.Second // longer than a read of the source and the lag of a reader together
	maxMissed  = 1_000            // invalidations that wait for the cache to come back
	retryEvery = time.Second
)

// guardedLife is that of an answer which may come from before a write.
var guardedLife = lifetime{fresh: time.Second, missing: time.Second}

func guardKey(key string) string { return "guard:" + key }

// missed holds the keys whose entries are out of date in a cache that could not be told.
type missed struct {
	mu   sync.Mutex
	keys map[string]time.Time // until when the entry could live
	busy bool                 // a goroutine tells the cache
}

// invalidate takes an entry out of the cache. When the cache is away it is told later: until then this process sees its own window, but others may still
// reach the cache and serve the entry for the rest of its life.
func (c *Catalog) invalidate(ctx context.Context, key string) {
	err := c.drop(ctx, key)
	c.window.Remove(key)
	c.flights.Forget(key) // who asks from now on must not be given what a flight found before
	if err == nil {
		return
	}
	c.log.WarnContext(ctx, "the cache was not told of a write and will be", "key", key, "error", err)
	c.missed.mu.Lock()
	defer c.missed.mu.Unlock()
	if len(c.missed.keys) >= maxMissed {
		return
	}
	if c.missed.keys == nil {
		c.missed.keys = map[string]time.Time{}
	}
	c.missed.keys[key] = time.Now().Add(productLife.fresh*6/5 + productLife.stale)
	if !c.missed.busy {
		c.missed.busy = c.start(c.tellLater)
	}
}

func (c *Catalog) drop(ctx context.Context, key string) error {
	if err := c.cache.Set(ctx, guardKey(key), []byte{1}, guardFor); err != nil {
		return err
	}
	return c.cache.Delete(ctx, key)
}

// tellLater drops the missed keys when the cache is back, and ends when none is left.
func (c *Catalog) tellLater() {
	t := time.NewTicker(retryEvery)
	defer t.Stop()
	for {
		select {
		case <-t.C:
		case <-c.closed:
			return
		}
		if c.dropMissed() {
			return
		}
	}
}

// dropMissed reports whether no key is left.
func (c *Catalog) dropMissed() bool {
	ctx, cancel := context.WithTimeout(context.Background(), loadFor)
	defer cancel()
	c.missed.mu.Lock()
	defer c.missed.mu.Unlock()
	for key, until := range c.missed.keys {
		if time.Now().Before(until) && c.drop(ctx, key) != nil {
			return false
		}
		delete(c.missed.keys, key)
	}
	c.missed.busy = false
	return true
}
