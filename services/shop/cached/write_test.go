package cached_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"storefront/services/shop"
	"storefront/services/shop/cached"
	"storefront/services/shop/memory"
	"storefront/services/shop/shoptest"
)

// late is a cache whose first answer about a product takes its time to arrive.
type late struct {
	*memory.Cache
	by   time.Duration
	once sync.Once
}

func (c *late) Get(ctx context.Context, key string) (value []byte, found bool, err error) {
	value, found, err = c.Cache.Get(ctx, key)
	if key == "product:kettle" {
		c.once.Do(func() { <-time.After(c.by) })
	}
	return value, found, err
}

// TestFillBetweenLookAndLease is about a process that finds nothing, and gets the lease only after another process has filled the entry and given it back.
func TestFillBetweenLookAndLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		shoptest.MustPut(t, &f.Catalog, shoptest.Sample("kettle"))
		slow := cached.New(cached.Config{Source: f.source, Cache: &late{Cache: f.cache, by: time.Second}, Log: slog.New(slog.DiscardHandler)})
		t.Cleanup(slow.Close)
		var wg sync.WaitGroup
		wg.Go(func() {
			ctx, origin := shop.WithOrigin(t.Context())
			if _, err := slow.Product(ctx, "kettle"); err != nil || *origin != shop.OriginShared {
				t.Errorf("the process that came late: %v from %s, want what the other one read", err, *origin)
			}
		})
		synctest.Wait()
		f.herd(t, "kettle")
		wg.Wait()
		f.wantReads(t, "both", 1)
	})
}

func TestWriteIsSeenAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		for _, name := range []string{"one", "two", "three"} {
			shoptest.MustPut(t, f.processes[3], named("kettle", name))
			start := time.Now()
			f.herd(t, "kettle")
			if got, _ := f.name(t, "kettle"); got != name || time.Since(start) > 100*time.Millisecond {
				t.Errorf("got %q after %s, want %q after one read", got, time.Since(start), name)
			}
		}
	})
}

func TestLaggingReaderIsForgottenSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		shoptest.MustPut(t, &f.Catalog, named("kettle", "old"))
		f.herd(t, "kettle")
		f.lag = 3 * time.Second
		shoptest.MustPut(t, f.processes[0], named("kettle", "new"))
		for start := time.Now(); time.Since(start) < f.lag; <-time.After(300 * time.Millisecond) {
			f.herd(t, "kettle") // every one of these fills comes from a reader that does not know better
		}
		<-time.After(1500 * time.Millisecond)
		if got, _ := f.name(t, "kettle"); got != "new" {
			t.Errorf("1.5 s after the reader caught up: %q", got)
		}
	})
}

// TestFillAroundAWrite is about a fill that has read the old product when the new one is written, and stores it afterwards.
func TestFillAroundAWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		f.delay = time.Second
		shoptest.MustPut(t, &f.Catalog, named("kettle", "old"))
		var wg sync.WaitGroup
		wg.Go(func() { f.name(t, "kettle") })
		<-time.After(500 * time.Millisecond)
		shoptest.MustPut(t, f.processes[1], named("kettle", "new"))
		wg.Wait()
		<-time.After(1300 * time.Millisecond)
		if got, _ := f.name(t, "kettle"); got != "new" {
			t.Errorf("1.8 s after the write: %q", got)
		}
	})
}

func TestWriteWhileTheCacheIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		shoptest.MustPut(t, &f.Catalog, named("kettle", "old"))
		f.herd(t, "kettle")
		f.cache.SetDown(true)
		f.name(t, "kettle") // into the window of the first process, which then writes
		shoptest.MustPut(t, f.processes[0], named("kettle", "new"))
		if got, _ := f.name(t, "kettle"); got != "new" {
			t.Errorf("the process that wrote reads %q", got)
		}
		<-time.After(5 * time.Second)
		if got, origin := f.name(t, "kettle"); got != "new" || origin != shop.OriginBypass {
			t.Errorf("while the cache is away: %q from %s", got, origin)
		}
		f.cache.SetDown(false) // with what it held
		<-time.After(2500 * time.Millisecond)
		if got, _ := f.name(t, "kettle"); got != "new" {
			t.Errorf("2.5 s after the cache came back: %q", got)
		}
	})
}

func TestHolderOfTheLeaseDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		shoptest.MustPut(t, &f.Catalog, shoptest.Sample("kettle"))
		if ok, err := f.cache.SetNX(t.Context(), "fill:product:kettle", []byte("x"), 5*time.Second); err != nil || !ok {
			t.Fatal(ok, err)
		}
		start := time.Now()
		f.herd(t, "kettle")
		if took := time.Since(start); took < 2*time.Second || took > 2200*time.Millisecond {
			t.Errorf("the herd waited %s for a holder that is gone, want 2 s", took)
		}
		if got := f.reads.Load(); got > processes {
			t.Errorf("%d reads, want one for each process at most", got)
		}
	})
}

func TestRubbishInTheCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		shoptest.MustPut(t, &f.Catalog, shoptest.Sample("kettle"))
		for i, rubbish := range []string{"", "nonsense", "{}", "null", "[]", `{"value":{},"missing":"both"}`,
			`{"value":[],"fresh_until":"2100-01-01T00:00:00Z"}`, `{"value":{"stock":"many"},"fresh_until":"2100-01-01T00:00:00Z"}`} {
			if err := f.cache.Set(t.Context(), "product:kettle", []byte(rubbish), time.Hour); err != nil {
				t.Fatal(err)
			}
			if _, origin := f.name(t, "kettle"); origin != shop.OriginFill {
				t.Errorf("%q: answered from %s, want a fill", rubbish, origin)
			}
			f.wantReads(t, rubbish, int32(i+1))
		}
	})
}

func FuzzEntry(f *testing.F) {
	for _, s := range []string{"", "null", `{"missing":"x"}`, `{"value":1}`, `{"value":{"id":"kettle"},"fresh_until":"2100-01-01T00:00:00Z"}`, "\xff"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		cache, source := new(memory.Cache), new(memory.Catalog)
		shoptest.MustPut(t, source, shoptest.Sample("kettle"))
		c := cached.New(cached.Config{Source: source, Cache: cache, Log: slog.New(slog.DiscardHandler)})
		defer c.Close()
		if err := cache.Set(t.Context(), "product:kettle", raw, time.Hour); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Product(t.Context(), "kettle"); err != nil && shop.CodeOf(err) != shop.NotFound {
			t.Errorf("%q in the cache: %v", raw, err)
		}
	})
}
