package cached

import (
	"context"
	"time"

	"storefront/services/shop"
)

// What holds while the cache is away.
const (
	skipFor    = time.Second // how long a failing cache is left alone
	windowFor  = time.Second // for how long this process repeats an answer of the source
	windowSize = 1_000       // answers
	readWait   = time.Second // how long a read of the source waits for its turn
)

// bypass answers l without the cache: out of this process's window, or out of the source.
func (c *Catalog) bypass(ctx context.Context, l lookup) (entry, shop.Origin, error) {
	if e, ok := c.kept(l.key); ok {
		return e, shop.OriginBypass, nil
	}
	return c.share(ctx, "bypass:"+l.key, func(ctx context.Context) (entry, shop.Origin, error) { return c.readPast(ctx, l) })
}

// readPast reads the source into the window, unless a flight that just landed did.
func (c *Catalog) readPast(ctx context.Context, l lookup) (entry, shop.Origin, error) {
	if e, ok := c.kept(l.key); ok {
		return e, shop.OriginBypass, nil
	}
	e, err := c.readSource(ctx, l)
	if err != nil {
		return entry{}, "", err
	}
	c.keep(l.key, e)
	return e, shop.OriginBypass, nil
}

func (c *Catalog) keep(key string, e entry) {
	e.FreshUntil = time.Now().Add(windowFor)
	c.window.Add(key, e)
}

func (c *Catalog) kept(key string) (entry, bool) {
	e, ok := c.window.Get(key)
	return e, ok && e.fresh()
}
