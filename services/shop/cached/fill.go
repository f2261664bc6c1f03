package cached

import (
	"context"
	"encoding/json"
	"time"

	"storefront/services/shop"
	"storefront/services/shop/internal/backoff"
)

// Times of a fill. Each holds back what comes before it: a load is over before its lease is, and a flight before its callers lose patience.
const (
	loadFor   = 3 * time.Second // the longest read of the source
	waitFor   = 2 * time.Second // how long a process waits for another one's fill before it reads the source itself
	leaseFor  = 5 * time.Second // how long a process may take for a fill, its turn to read included; when it dies, the key is free again after that
	flightFor = waitFor + readWait + loadFor
	pollEvery = 20 * time.Millisecond // how often it looks
)

// get returns the entry of key, which may be stale. What is not an entry counts as absent, and is replaced by the next fill.
func (c *Catalog) get(ctx context.Context, key string) (e entry, found bool, err error) {
	raw, found, err := c.cache.Get(ctx, key)
	if err != nil || !found {
		return entry{}, false, err
	}
	if err := json.Unmarshal(raw, &e); err != nil || (e.Missing == "") == (len(e.Value) == 0) {
		c.log.WarnContext(ctx, "not an entry in the cache", "key", key, "error", err)
		return entry{}, false, nil
	}
	return e, true, nil
}

// fill brings an absent entry into the cache, or waits for the process that does.
func (c *Catalog) fill(ctx context.Context, l lookup) (entry, shop.Origin, error) {
	for deadline := time.Now().Add(waitFor); time.Now().Before(deadline); {
		won, err := c.cache.SetNX(ctx, leaseKey(l.key), []byte{1}, leaseFor)
		if err != nil {
			return c.bypass(ctx, l)
		}
		if won {
			return c.fillWithLease(ctx, l, time.Now())
		}
		if !backoff.Sleep(ctx, jitter(pollEvery)) {
			break
		}
		e, found, err := c.get(ctx, l.key)
		if err != nil {
			return c.bypass(ctx, l)
		}
		if found {
			return e, shop.OriginShared, nil
		}
	}
	return c.load(ctx, l)
}

// fillWithLease fills the entry unless somebody did between the caller's look and its lease: the holder of a lease stores the entry before it gives the
// lease back, so this second look is what makes one query out of many askers.
func (c *Catalog) fillWithLease(ctx context.Context, l lookup, since time.Time) (entry, shop.Origin, error) {
	defer func() {
		if time.Since(since) < leaseFor { // otherwise it may be another process's by now
			_ = c.cache.Delete(ctx, leaseKey(l.key)) // it expires all the same
		}
	}()
	if e, found, err := c.get(ctx, l.key); err == nil && found && e.fresh() {
		return e, shop.OriginShared, nil
	}
	return c.load(ctx, l)
}

// refresh fills a stale entry in the background, in one goroutine for each key, unless another process does.
func (c *Catalog) refresh(l lookup) {
	if _, busy := c.refreshing.LoadOrStore(l.key, nil); busy {
		return
	}
	started := c.start(func() {
		defer c.refreshing.Delete(l.key)
		ctx, cancel := context.WithTimeout(context.Background(), flightFor)
		defer cancel()
		if won, err := c.cache.SetNX(ctx, leaseKey(l.key), []byte{1}, leaseFor); err != nil || !won {
			return
		}
		_, _, err := shielded(func() (entry, shop.Origin, error) { return c.fillWithLease(ctx, l, time.Now()) })
		if err != nil {
			c.log.WarnContext(ctx, "refreshing the cache", "key", l.key, "error", err)
		}
	})
	if !started {
		c.refreshing.Delete(l.key)
	}
}

// load reads the source and stores its answer.
func (c *Catalog) load(ctx context.Context, l lookup) (entry, shop.Origin, error) {
	e, err := c.readSource(ctx, l)
	if err != nil {
		return entry{}, "", err
	}
	if err := c.store(ctx, l, &e); err != nil {
		c.keep(l.key, e)
		return e, shop.OriginBypass, nil
	}
	return e, shop.OriginFill, nil
}

// store puts e into the cache. The answer of a reader that lags behind a write must not outlive the lag by a whole lifetime: whoever writes leaves a
// guard and then deletes the entry, so a fill that finds the guard after it has stored may hold the older answer, and gives it a short life.
func (c *Catalog) store(ctx context.Context, l lookup, e *entry) error {
	if err := c.set(ctx, l.key, e, l.life); err != nil {
		return err
	}
	if _, guarded, err := c.cache.Get(ctx, guardKey(l.key)); err != nil || !guarded {
		return err
	}
	return c.set(ctx, l.key, e, guardedLife)
}

func (c *Catalog) set(ctx context.Context, key string, e *entry, life lifetime) error {
	ttl := e.freshen(life)
	raw, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return c.cache.Set(ctx, key, raw, ttl)
}

// readSource asks the source, within the bound on concurrent reads.
func (c *Catalog) readSource(ctx context.Context, l lookup) (entry, error) {
	patience := time.NewTimer(readWait)
	defer patience.Stop()
	select {
	case c.reads <- struct{}{}:
		defer func() { <-c.reads }()
	case <-patience.C:
		return entry{}, &shop.Error{Code: shop.Unavailable, Message: "too many reads of the catalogue are under way"}
	case <-ctx.Done():
		return entry{}, &shop.Error{Code: shop.Unavailable, Message: "too many reads of the catalogue are under way", Err: ctx.Err()}
	}
	ctx, cancel := context.WithTimeout(ctx, loadFor)
	defer cancel()
	fetched := time.Now()
	value, err := l.ask(ctx)
	return newEntry(fetched, value, err)
}

func leaseKey(key string) string { return "fill:" + key }
