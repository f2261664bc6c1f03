package cached_test

import (
	"context"
	"errors"
	"fmt"
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

func TestCatalog(t *testing.T) {
	shoptest.Catalog(t, func(t *testing.T) shop.Catalog {
		c := cached.New(cached.Config{Source: new(memory.Catalog), Cache: new(memory.Cache), Log: slog.New(slog.DiscardHandler)})
		t.Cleanup(c.Close)
		return c
	})
}

func TestHerdCostsOneRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		shoptest.MustPut(t, &f.Catalog, shoptest.Sample("kettle"))
		for flush := range int32(3) {
			f.cache.Flush()
			origins := f.herd(t, "kettle")
			f.wantReads(t, fmt.Sprintf("flush %d", flush+1), flush+1)
			if origins[shop.OriginFill] != 1 || origins[shop.OriginShared]+origins[shop.OriginHit] != 999 {
				t.Errorf("origins %v, want one fill and 999 that shared it", origins)
			}
		}
		if origins := f.herd(t, "kettle"); origins[shop.OriginHit] != 1_000 {
			t.Errorf("origins of a warm cache: %v", origins)
		}
		f.wantReads(t, "warm", 3)
	})
}

// TestHerdOnTheClock does the same with goroutines that really run at once, for the race detector and for orders that the bubble does not show.
func TestHerdOnTheClock(t *testing.T) {
	f := newFleet(t)
	f.delay = time.Millisecond
	shoptest.MustPut(t, &f.Catalog, shoptest.Sample("kettle"))
	for flush := range int32(20) {
		f.cache.Flush()
		f.herd(t, "kettle")
		f.wantReads(t, fmt.Sprintf("flush %d", flush+1), flush+1)
	}
}

func TestUnknownProduct(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		ask := func() error {
			_, err := f.processes[1].Product(t.Context(), "nothing")
			return err
		}
		for range 100 {
			if err := ask(); shop.CodeOf(err) != shop.NotFound || err.Error() != "there is no product nothing" {
				t.Fatalf("got %v, want the source's not_found", err)
			}
		}
		f.wantReads(t, "at once", 1)
		<-time.After(6100 * time.Millisecond)
		_ = ask()
		f.wantReads(t, "after its time", 2)
		shoptest.MustPut(t, f.processes[0], shoptest.Sample("nothing"))
		if err := ask(); err != nil {
			t.Errorf("after it was made: %v", err)
		}
	})
}

func TestLifetimesDiffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		f.delay = 0
		const n = 200
		for i := range n {
			shoptest.MustPut(t, &f.Catalog, shoptest.Sample(fmt.Sprint("p", i)))
		}
		all := func() {
			for i := range n {
				f.name(t, fmt.Sprint("p", i))
			}
			synctest.Wait()
		}
		all()
		f.wantReads(t, "cold", n)
		<-time.After(23 * time.Second)
		all()
		f.wantReads(t, "after 23 s", n)
		<-time.After(7 * time.Second)
		all()
		if got := f.reads.Load() - n; got < n/5 || got > n*4/5 {
			t.Errorf("%d of %d entries of one age were out of date after 30 s, want about half", got, n)
		}
	})
}

func TestStaleIsServedWhileOneRefreshes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		shoptest.MustPut(t, &f.Catalog, named("kettle", "old"))
		f.herd(t, "kettle")
		shoptest.MustPut(t, &f.Catalog, named("kettle", "new")) // past the cache, as a change of stock is
		<-time.After(40 * time.Second)
		start := time.Now()
		if origins := f.herd(t, "kettle"); origins[shop.OriginHit] != 1_000 || time.Since(start) > 0 {
			t.Errorf("origins %v after %s, want hits at once", origins, time.Since(start))
		}
		<-time.After(time.Second)
		f.wantReads(t, "refreshed", 2)
		if got, origin := f.name(t, "kettle"); got != "new" || origin != shop.OriginHit {
			t.Errorf("after the refresh: %q from %s", got, origin)
		}
	})
}

func TestStaleOutlivesTheDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		shoptest.MustPut(t, &f.Catalog, shoptest.Sample("kettle"))
		f.herd(t, "kettle")
		f.failing.Store(&shop.Error{Code: shop.Unavailable, Message: "the database does not answer"})
		<-time.After(40 * time.Second)
		f.herd(t, "kettle")
		<-time.After(30 * time.Second)
		if _, err := f.processes[0].Product(t.Context(), "kettle"); shop.CodeOf(err) != shop.Unavailable {
			t.Errorf("70 s after the fill: got %v, want unavailable", err)
		}
	})
}

func TestPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		shoptest.MustPut(t, &f.Catalog, named("kettle", "Steel kettle"))
		for i, search := range []string{"steel kettle", " kettle   steel ", "kettle steel kettle"} {
			page, err := f.processes[i].Products(t.Context(), shop.Query{Limit: 5, Search: search})
			if err != nil || len(page.Items) != 1 || page.More {
				t.Fatalf("%q: %+v, %v", search, page, err)
			}
		}
		f.wantReads(t, "one question in three spellings", 1)
		for _, q := range []shop.Query{{Limit: 6, Search: "kettle steel"}, {Limit: 5, Search: "kettle"}, {Limit: 5, After: "a", Search: "kettle steel"}, {Limit: 5}} {
			if _, err := f.processes[0].Products(t.Context(), q); err != nil {
				t.Fatal(err)
			}
		}
		f.wantReads(t, "four other questions", 5)
		shoptest.MustPut(t, f.processes[0], named("mug", "Mug"))
		<-time.After(12 * time.Second)
		if page, err := f.processes[0].Products(t.Context(), shop.Query{Limit: 5}); err != nil || len(page.Items) != 2 {
			t.Errorf("a page 12 s after a write: %+v, %v", page, err)
		}
	})
}

func TestReadsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &source{delay: 2 * time.Second}
		c := cached.New(cached.Config{Source: s, Cache: new(memory.Cache), MaxReads: 3, Log: slog.New(slog.DiscardHandler)})
		var wg sync.WaitGroup
		codes := make([]shop.Code, 20)
		for i := range codes {
			wg.Go(func() {
				_, err := c.Product(t.Context(), fmt.Sprint("p", i))
				codes[i] = shop.CodeOf(err)
			})
		}
		wg.Wait()
		count := map[shop.Code]int{}
		for _, code := range codes {
			count[code]++
		}
		if s.most.Load() != 3 || count[shop.NotFound] != 3 || count[shop.Unavailable] != 17 {
			t.Errorf("%d reads at once, answers %v; want 3 reads and 17 sent away", s.most.Load(), count)
		}
	})
}

func TestCallerWhoGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		shoptest.MustPut(t, &f.Catalog, shoptest.Sample("kettle"))
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := f.processes[0].Product(ctx, "kettle"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the first caller got %v, want its own deadline", err)
			}
		})
		synctest.Wait()
		if _, origin := f.name(t, "kettle"); origin != shop.OriginShared {
			t.Errorf("the second caller's answer is a %s, want the one that the first asked for", origin)
		}
		wg.Wait()
		f.wantReads(t, "both", 1)
	})
}

func TestPanicOfTheSource(t *testing.T) {
	f := newFleet(t)
	f.panics.Store(true)
	if _, err := f.processes[0].Product(t.Context(), "kettle"); shop.CodeOf(err) != shop.Internal {
		t.Errorf("got %v, want an internal error", err)
	}
}

// TestPanicOfARefresh has the source panic in the background, where no request is that could be answered with an error.
func TestPanicOfARefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		shoptest.MustPut(t, &f.Catalog, named("kettle", "old"))
		f.name(t, "kettle")
		f.panics.Store(true)
		<-time.After(40 * time.Second)
		if got, origin := f.name(t, "kettle"); got != "old" || origin != shop.OriginHit {
			t.Errorf("got %q from %s, want the stale answer", got, origin)
		}
		synctest.Wait()
		f.wantReads(t, "after the refresh that panicked", 2)
		f.panics.Store(false)
		shoptest.MustPut(t, &f.Catalog, named("kettle", "new"))
		f.name(t, "kettle")
		<-time.After(time.Second)
		if got, _ := f.name(t, "kettle"); got != "new" {
			t.Errorf("after the next refresh: %q, want the new name", got)
		}
	})
}

// TestReadAfterClose has requests go on that a stopping server could not wait for.
func TestReadAfterClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFleet(t)
		shoptest.MustPut(t, &f.Catalog, shoptest.Sample("kettle"))
		f.name(t, "kettle")
		<-time.After(40 * time.Second)
		f.processes[0].Close()
		f.name(t, "kettle")
		synctest.Wait()
		f.wantReads(t, "after Close a stale answer is not refreshed", 1)
		f.cache.SetDown(true)
		shoptest.MustPut(t, f.processes[0], named("kettle", "new")) // nobody is left to tell the cache later
		f.processes[0].Close()
	})
}
