package cached_test

import (
	"cmp"
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"storefront/services/shop"
	"storefront/services/shop/cached"
	"storefront/services/shop/memory"
	"storefront/services/shop/shoptest"
)

// source is a catalogue that counts its reads and can be slow, lag behind writes, or fail.
type source struct {
	memory.Catalog
	delay time.Duration // of a read, after the answer is known, as on the way back from the database
	lag   time.Duration // of a write

	reads, underWay, most atomic.Int32
	failing               atomic.Pointer[shop.Error]
	panics                atomic.Bool
}

// wait is the way back from the database, cut short when the reader gives up.
func (s *source) wait(ctx context.Context) error {
	defer s.underWay.Add(-1)
	select {
	case <-time.After(s.delay):
		return nil
	case <-ctx.Done():
		return &shop.Error{Code: shop.Unavailable, Message: "the database does not answer", Err: ctx.Err()}
	}
}

func (s *source) begin() {
	s.reads.Add(1)
	now := s.underWay.Add(1)
	for most := s.most.Load(); now > most && !s.most.CompareAndSwap(most, now); most = s.most.Load() {
	}
}

func (s *source) Product(ctx context.Context, id string) (shop.Product, error) {
	s.begin()
	if s.panics.Load() {
		panic("a bug")
	}
	p, err := s.Catalog.Product(ctx, id)
	if failing := s.failing.Load(); failing != nil {
		err = failing
	}
	return p, cmp.Or(s.wait(ctx), err)
}

func (s *source) Products(ctx context.Context, q shop.Query) (shop.Page, error) {
	s.begin()
	page, err := s.Catalog.Products(ctx, q)
	return page, cmp.Or(s.wait(ctx), err)
}

func (s *source) PutProduct(ctx context.Context, p shop.Product) (bool, error) {
	if s.lag == 0 {
		return s.Catalog.PutProduct(ctx, p)
	}
	time.AfterFunc(s.lag, func() { _, _ = s.Catalog.PutProduct(context.WithoutCancel(ctx), p) })
	return false, nil
}

// fleet is four processes that share a cache.
type fleet struct {
	*source
	cache     *memory.Cache
	processes []*cached.Catalog
}

const processes = 4

func newFleet(t *testing.T) *fleet {
	t.Helper()
	f := &fleet{source: &source{delay: 30 * time.Millisecond}, cache: new(memory.Cache)}
	for range processes {
		c := cached.New(cached.Config{Source: f.source, Cache: f.cache, Log: slog.New(slog.DiscardHandler)})
		t.Cleanup(c.Close)
		f.processes = append(f.processes, c)
	}
	return f
}

// herd lets 1,000 callers ask for a product at once, spread over the fleet, and returns how many answers came from where.
func (f *fleet) herd(t *testing.T, id string) map[shop.Origin]int {
	t.Helper()
	var mu sync.Mutex
	origins := map[shop.Origin]int{}
	var wg sync.WaitGroup
	for i := range 1_000 {
		wg.Go(func() {
			ctx, origin := shop.WithOrigin(t.Context())
			p, err := f.processes[i%processes].Product(ctx, id)
			if err != nil || p.ID != id {
				t.Errorf("got %+v, %v", p, err)
			}
			mu.Lock()
			defer mu.Unlock()
			origins[*origin]++
		})
	}
	wg.Wait()
	return origins
}

func (f *fleet) wantReads(t *testing.T, when string, want int32) {
	t.Helper()
	if got := f.reads.Load(); got != want {
		t.Errorf("%s: the source was read %d times, want %d", when, got, want)
	}
}

// name asks the first process for the name of a product, and where it came from.
func (f *fleet) name(t *testing.T, id string) (string, shop.Origin) {
	t.Helper()
	ctx, origin := shop.WithOrigin(t.Context())
	p, err := f.processes[0].Product(ctx, id)
	if err != nil {
		t.Fatalf("product %s: %v", id, err)
	}
	return p.Name, *origin
}

func named(id, name string) shop.Product {
	p := shoptest.Sample(id)
	p.Name = name
	return p
}
