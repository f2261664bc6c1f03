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
	if e, ok := c.window.Get(l.key); ok && e.fresh() {
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
