package redis_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"

	"storefront/services/shop"
	"storefront/services/shop/cached"
	"storefront/services/shop/memory"
	"storefront/services/shop/redis"
	"storefront/services/shop/shoptest"
)

// counting is a catalogue that counts its reads.
type counting struct {
	memory.Catalog
	reads atomic.Int32
}

func (c *counting) Product(ctx context.Context, id string) (shop.Product, error) {
	c.reads.Add(1)
	return c.Catalog.Product(ctx, id)
}

// TestHerdAfterAFlush lets 1,000 callers in four processes meet at a Redis that was just flushed.
func TestHerdAfterAFlush(t *testing.T) {
	const processes = 4
	s := startServer(t)
	admin := s.admin(t, firstToken)
	source := new(counting)
	shoptest.MustPut(t, source, shoptest.Sample("kettle"))
	var fleet []*cached.Catalog
	for range processes {
		cache := open(t, redis.Config{Address: s.address, TLS: s.tls(), Token: fixed(firstToken), Timeout: patience})
		c := cached.New(cached.Config{Source: source, Cache: cache, Log: slog.New(slog.DiscardHandler)})
		t.Cleanup(c.Close)
		fleet = append(fleet, c)
		if _, err := c.Products(t.Context(), shop.Query{Limit: 1}); err != nil { // connects
			t.Fatal(err)
		}
	}
	for flush := range int32(5) {
		must(t, admin.FlushAll(t.Context()).Err())
		var wg sync.WaitGroup
		for i := range 1_000 {
			wg.Go(func() {
				ctx, origin := shop.WithOrigin(t.Context())
				if _, err := fleet[i%processes].Product(ctx, "kettle"); err != nil || *origin == shop.OriginBypass {
					t.Errorf("%v from %s", err, *origin)
				}
			})
		}
		wg.Wait()
		if got := source.reads.Load(); got != flush+1 {
			t.Fatalf("flush %d: %d reads, want one for each", flush+1, got)
		}
	}
}
