package cached_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"storefront/services/shop"
	"storefront/services/shop/cached"
	"storefront/services/shop/memory"
	"storefront/services/shop/shoptest"
)

// counting counts the reads of a cache.
type counting struct {
	*memory.Cache
	gets atomic.Int32
}

func (c *counting) Get(ctx context.Context, key string) ([]byte, bool, error) {
	c.gets.Add(1)
	return c.Cache.Get(ctx, key)
}

func TestCacheDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		shoptest.MustPut(t, &f.Catalog, shoptest.Sample("kettle"))
		f.cache.SetDown(true)
		for window := range int32(3) {
			for range 2 {
				if origins := f.herd(t, "kettle"); origins[shop.OriginBypass] != 1_000 {
					t.Errorf("origins %v, want bypass alone", origins)
				}
			}
			f.wantReads(t, fmt.Sprintf("window %d", window+1), (window+1)*processes)
			<-time.After(1100 * time.Millisecond)
		}
		f.cache.SetDown(false)
		<-time.After(1100 * time.Millisecond)
		f.herd(t, "kettle")
		f.wantReads(t, "back again", 3*processes+1)
	})
}

// TestCacheLeftAlone counts what a dead cache is bothered with.
func TestCacheLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead := &counting{Cache: new(memory.Cache)}
		dead.SetDown(true)
		shared := cached.NewBreaker(dead)
		c := cached.New(cached.Config{Source: new(memory.Catalog), Cache: shared, Log: slog.New(slog.DiscardHandler)})
		for range 100 {
			_, _ = c.Product(t.Context(), "kettle")
			if _, _, err := shared.Get(t.Context(), "idem:x"); shop.CodeOf(err) != shop.Unavailable {
				t.Fatalf("another user of the breaker got %v", err)
			}
			<-time.After(50 * time.Millisecond)
		}
		if got := dead.gets.Load(); got < 4 || got > 6 {
			t.Errorf("a dead cache was asked %d times in 5 s, want once a second", got)
		}
	})
}

// full is a cache that takes nothing more, as Redis out of memory or a primary that was demoted: it can still be read.
type full struct{ *memory.Cache }

func (*full) Set(context.Context, string, []byte, time.Duration) error {
	return &shop.Error{Code: shop.Unavailable, Message: "OOM command not allowed"}
}

func (c *full) SetNX(ctx context.Context, key string, value []byte, ttl time.Duration) (bool, error) {
	return false, c.Set(ctx, key, value, ttl)
}

func TestCacheThatTakesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		shoptest.MustPut(t, &f.Catalog, shoptest.Sample("kettle"))
		for i := range f.processes {
			f.processes[i] = cached.New(cached.Config{Source: f.source, Cache: &full{f.cache}, Log: slog.New(slog.DiscardHandler)})
		}
		for window := range int32(3) {
			for range 2 {
				f.herd(t, "kettle")
			}
			f.wantReads(t, fmt.Sprintf("window %d", window+1), (window+1)*processes)
			<-time.After(1100 * time.Millisecond)
		}
	})
}

// TestCacheDiesDuringAFill is about an entry that was read for a cache which is gone when it should be stored.
func TestCacheDiesDuringAFill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		shoptest.MustPut(t, &f.Catalog, shoptest.Sample("kettle"))
		time.AfterFunc(f.delay/2, func() { f.cache.SetDown(true) })
		if _, origin := f.name(t, "kettle"); origin != shop.OriginBypass {
			t.Errorf("the answer of a fill without a cache to fill is a %s", origin)
		}
		for range 10 {
			f.name(t, "kettle")
		}
		f.wantReads(t, "in one window", 1)
	})
}
