package shoptest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"storefront/services/shop"
)

// Store is a ledger with the catalogue that it sells from and the outbox that it fills.
type Store interface {
	shop.Catalog
	shop.Ledger
	shop.Outbox
}

// seal makes the IDs of sample orders.
var seal, _ = shop.NewSeal([]byte("a key that is known to every test"))

// SampleOrder is a taken order of quantity pieces of each product under the key, at the price of Sample.
func SampleOrder(key string, quantity int64, products ...string) shop.Order {
	o := shop.Order{Key: key, Status: shop.Queued, PlacedAt: time.Date(2026, 3, 4, 5, 6, 7, 89e6, time.UTC)}
	for _, id := range products {
		p := Sample(id)
		o.Items = append(o.Items, shop.OrderItem{ProductID: id, Quantity: quantity, Name: p.Name, PriceCents: p.PriceCents, Currency: p.Currency})
	}
	o.ID = seal.ID(key, o.Lines())
	return o
}

// Ledger runs the contract of shop.Ledger and shop.Outbox against stores that open returns, each empty and its own.
func Ledger(t *testing.T, open func(*testing.T) Store) {
	t.Run("Accepted", func(t *testing.T) { accepted(t, open(t)) })
	t.Run("Rejected", func(t *testing.T) { rejected(t, open(t)) })
	t.Run("KeyConflict", func(t *testing.T) { keyConflict(t, open(t)) })
	t.Run("NotFound", func(t *testing.T) {
		l := open(t)
		if _, err := l.Order(t.Context(), SampleOrder("none", 1, "kettle").ID); shop.CodeOf(err) != shop.NotFound {
			t.Errorf("got %v, want a not_found error", err)
		}
		if id, err := l.Claimed(t.Context(), "none"); err != nil || id != "" {
			t.Errorf("a key nobody used: got %q, %v", id, err)
		}
	})
	t.Run("KeyAtOnce", func(t *testing.T) { keyAtOnce(t, open(t)) })
	t.Run("AtOnce", func(t *testing.T) { atOnce(t, open(t)) })
	t.Run("NoDeadlock", func(t *testing.T) { noDeadlock(t, open(t)) })
	t.Run("Outbox", func(t *testing.T) { outbox(t, open(t)) })
	t.Run("OutboxRefused", func(t *testing.T) { outboxRefused(t, open(t)) })
	t.Run("OutboxShared", func(t *testing.T) { outboxShared(t, open(t)) })
}

func accepted(t *testing.T, l Store) {
	MustPut(t, l, Sample("kettle"))
	MustPut(t, l, Sample("mill"))
	o := SampleOrder("first", 2, "mill", "kettle")
	MustApply(t, l, o, shop.Outcome{Status: shop.Accepted})
	for range 3 {
		MustApply(t, l, o, shop.Outcome{Status: shop.Accepted, Duplicate: true})
	}
	WantStock(t, l, "kettle", 5)
	WantStock(t, l, "mill", 5)
	want := o
	want.Key, want.Status = "", shop.Accepted
	if got, err := l.Order(t.Context(), o.ID); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v\nwant %+v", got, err, want)
	}
	if id, err := l.Claimed(t.Context(), "first"); err != nil || id != o.ID {
		t.Errorf("claim: got %q, %v; want %q", id, err, o.ID)
	}
}

func rejected(t *testing.T, l Store) {
	MustPut(t, l, Sample("kettle"))
	dollars := Sample("mill")
	dollars.Currency = "USD"
	MustPut(t, l, dollars)
	for reason, o := range map[string]shop.Order{
		shop.ReasonStock:    SampleOrder("stock", 8, "kettle"),
		shop.ReasonGone:     SampleOrder("gone", 1, "kettle", "nothing"),
		shop.ReasonCurrency: SampleOrder("currency", 1, "kettle", "mill"),
	} {
		MustApply(t, l, o, shop.Outcome{Status: shop.Rejected, Reason: reason})
		MustApply(t, l, o, shop.Outcome{Status: shop.Rejected, Reason: reason, Duplicate: true})
		if got, err := l.Order(t.Context(), o.ID); err != nil || got.Status != shop.Rejected || got.Reason != reason {
			t.Errorf("%s: got %+v, %v", reason, got, err)
		}
	}
	WantStock(t, l, "kettle", 7)
	more := Sample("kettle")
	more.Stock = 100
	MustPut(t, l, more)
	MustApply(t, l, SampleOrder("stock", 8, "kettle"), shop.Outcome{Status: shop.Rejected, Reason: shop.ReasonStock, Duplicate: true})
}

func keyConflict(t *testing.T, l Store) {
	MustPut(t, l, Sample("kettle"))
	first, second := SampleOrder("same", 1, "kettle"), SampleOrder("same", 2, "kettle")
	MustApply(t, l, first, shop.Outcome{Status: shop.Accepted})
	MustApply(t, l, second, shop.Outcome{Status: shop.Rejected, Reason: shop.ReasonKey})
	MustApply(t, l, second, shop.Outcome{Status: shop.Rejected, Reason: shop.ReasonKey, Duplicate: true})
	MustApply(t, l, first, shop.Outcome{Status: shop.Accepted, Duplicate: true})
	WantStock(t, l, "kettle", 6)
	if id, err := l.Claimed(t.Context(), "same"); err != nil || id != first.ID {
		t.Errorf("claim: got %q, %v; want the first order's %q", id, err, first.ID)
	}
}

// keyAtOnce applies pairs of orders that share a key, each several times and all at once: one of each pair is accepted and the other rejected, once.
func keyAtOnce(t *testing.T, l Store) {
	p := Sample("kettle")
	p.Stock = 100
	MustPut(t, l, p)
	var wg sync.WaitGroup
	var mu sync.Mutex
	fresh, sold := map[string][]shop.Outcome{}, int64(0)
	for i := range 60 {
		key, quantity := fmt.Sprint(i%5), int64(1+i%2)
		wg.Go(func() {
			got, err := l.Apply(t.Context(), SampleOrder(key, quantity, "kettle"))
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if got.Duplicate {
				return
			}
			if fresh[key] = append(fresh[key], got); got.Status == shop.Accepted {
				sold += quantity
			}
		})
	}
	wg.Wait()
	for key, got := range fresh {
		slices.SortFunc(got, func(a, b shop.Outcome) int { return strings.Compare(string(a.Status), string(b.Status)) })
		if want := []shop.Outcome{{Status: shop.Accepted}, {Status: shop.Rejected, Reason: shop.ReasonKey}}; !slices.Equal(got, want) {
			t.Errorf("key %s: got %+v, want %+v", key, got, want)
		}
	}
	if len(fresh) != 5 {
		t.Errorf("%d keys were used, want 5", len(fresh))
	}
	WantStock(t, l, "kettle", 100-sold)
}

// atOnce applies orders many times at once, of which each must count once, and more of them than there is stock for.
func atOnce(t *testing.T, l Store) {
	MustPut(t, l, Sample("kettle"))
	var wg sync.WaitGroup
	var mu sync.Mutex
	fresh := map[shop.Status]int{}
	for i := range 40 {
		wg.Go(func() {
			got, err := l.Apply(t.Context(), SampleOrder(fmt.Sprintf("order-%d", i%10), 1, "kettle"))
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			if !got.Duplicate {
				fresh[got.Status]++
			}
		})
	}
	wg.Wait()
	if fresh[shop.Accepted] != 7 || fresh[shop.Rejected] != 3 {
		t.Errorf("got %v, want 7 accepted and 3 rejected", fresh)
	}
	WantStock(t, l, "kettle", 0)
}

// noDeadlock applies orders for the same products in opposite order.
func noDeadlock(t *testing.T, l Store) {
	for _, id := range []string{"a", "b"} {
		p := Sample(id)
		p.Stock = 200
		MustPut(t, l, p)
	}
	var wg sync.WaitGroup
	for i := range 40 {
		products := []string{"a", "b"}
		if i%2 == 1 {
			slices.Reverse(products)
		}
		wg.Go(func() {
			if got, err := l.Apply(t.Context(), SampleOrder(fmt.Sprint(i), 1, products...)); err != nil || got.Status != shop.Accepted {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	wg.Wait()
	WantStock(t, l, "a", 160)
	WantStock(t, l, "b", 160)
}

// MustApply applies o and ends the test unless the outcome is want.
func MustApply(t *testing.T, l shop.Ledger, o shop.Order, want shop.Outcome) {
	t.Helper()
	if got, err := l.Apply(t.Context(), o); err != nil || got != want {
		t.Fatalf("apply %s: got %+v, %v; want %+v", o.Key, got, err, want)
	}
}

// WantStock checks the stock of a product.
func WantStock(t *testing.T, c shop.Catalog, id string, want int64) {
	t.Helper()
	if p, err := c.Product(t.Context(), id); err != nil || p.Stock != want {
		t.Errorf("stock of %s: got %d, %v; want %d", id, p.Stock, err, want)
	}
}

func stored(t *testing.T, l shop.Ledger, id string) shop.Order {
	t.Helper()
	o, err := l.Order(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return o
}
