package relay_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"storefront/services/shop"
	"storefront/services/shop/memory"
	"storefront/services/shop/relay"
	"storefront/services/shop/shoptest"
)

// index remembers what was put; a test can make it fail.
type index struct {
	mu   sync.Mutex
	puts map[string]int
	fail func() error
}

func (x *index) Put(_ context.Context, summaries []shop.Summary) error {
	if x.fail != nil {
		if err := x.fail(); err != nil {
			return err
		}
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, s := range summaries {
		x.puts[s.ID]++
	}
	return nil
}

func (x *index) Search(context.Context, shop.SummaryQuery) (shop.SummaryPage, error) {
	return shop.SummaryPage{}, nil
}

func (x *index) want(t *testing.T, n int) {
	t.Helper()
	x.mu.Lock()
	defer x.mu.Unlock()
	if len(x.puts) != n {
		t.Errorf("%d orders are in the index, want %d", len(x.puts), n)
	}
	for id, puts := range x.puts {
		if puts != 1 {
			t.Errorf("order %s was put %d times", id, puts)
		}
	}
}

// fill applies n orders.
func fill(t *testing.T, l *memory.Ledger, name string, n int) {
	t.Helper()
	p := shoptest.Sample("kettle")
	p.Stock = int64(n)
	shoptest.MustPut(t, l, p)
	for i := range n {
		shoptest.MustApply(t, l, shoptest.SampleOrder(fmt.Sprint(name, i), 1, "kettle"), shop.Outcome{Status: shop.Accepted})
	}
}

// start runs two relays on one outbox and returns what stops them.
func start(t *testing.T, l *memory.Ledger, x *index) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() { (&relay.Relay{Outbox: l, Index: x, Log: slog.New(slog.DiscardHandler)}).Run(ctx) })
	}
	stop = func() { cancel(); wg.Wait() }
	t.Cleanup(stop)
	return stop
}

func TestRelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, x := new(memory.Ledger), &index{puts: map[string]int{}}
		fill(t, l, "early", 1000)
		stop := start(t, l, x)
		synctest.Wait()
		x.want(t, 1000) // full batches follow each other without a pause
		fill(t, l, "late", 3)
		time.Sleep(time.Second)
		x.want(t, 1003)
		stop()
	})
}

func TestIndexAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, x := new(memory.Ledger), &index{puts: map[string]int{}}
		back, tries := time.Now().Add(time.Minute), 0
		x.fail = func() error {
			x.mu.Lock()
			defer x.mu.Unlock()
			switch tries++; {
			case tries == 1:
				panic("a bug of the client")
			case time.Now().Before(back):
				return &shop.Error{Code: shop.Unavailable, Message: "away"}
			}
			return nil
		}
		fill(t, l, "any", 10)
		stop := start(t, l, x)
		time.Sleep(time.Minute)
		x.mu.Lock()
		if tries < 10 || tries > 80 {
			t.Errorf("%d tries in a minute, want some with pauses between them", tries)
		}
		x.mu.Unlock()
		time.Sleep(6 * time.Second)
		x.want(t, 10)
		stop()
	})
}
