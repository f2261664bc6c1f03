package intake_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"storefront/services/shop"
	"storefront/services/shop/intake"
	"storefront/services/shop/memory"
	"storefront/services/shop/shoptest"
)

var errAway = &shop.Error{Code: shop.Unavailable, Message: "away"}

// world is an intake and what is around it.
type world struct {
	*intake.Intake
	ledger *memory.Ledger
	queue  *memory.Queue
}

func open(t *testing.T) world {
	t.Helper()
	seal, err := shop.NewSeal([]byte(strings.Repeat("k", shop.MinSealKey)))
	if err != nil {
		t.Fatal(err)
	}
	w := world{ledger: new(memory.Ledger), queue: new(memory.Queue)}
	w.Intake = &intake.Intake{Catalog: w.ledger, Ledger: w.ledger, Cache: new(memory.Cache), Queue: w.queue, Seal: seal, Log: slog.New(slog.DiscardHandler)}
	for _, id := range []string{"kettle", "mill"} {
		shoptest.MustPut(t, w.ledger, shoptest.Sample(id))
	}
	dollars := shoptest.Sample("dollars")
	dollars.Currency = "USD"
	shoptest.MustPut(t, w.ledger, dollars)
	return w
}

func lines(quantity int64, products ...string) (all []shop.Line) {
	for _, id := range products {
		all = append(all, shop.Line{ProductID: id, Quantity: quantity})
	}
	return all
}

// next receives and deletes the one message of the queue.
func (w world) next(t *testing.T) shop.Order {
	t.Helper()
	m, err := w.queue.Receive(t.Context(), 10, 0, time.Minute)
	if err != nil || len(m) != 1 {
		t.Fatalf("the queue gave %d messages, %v; want one", len(m), err)
	}
	if errs := w.queue.Delete(t.Context(), []shop.Receipt{m[0].Receipt}); errs[0] != nil {
		t.Fatal(errs)
	}
	o, err := shop.DecodeOrder(m[0].Body)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestTake(t *testing.T) {
	w := open(t)
	id, err := w.Take(t.Context(), "key", lines(2, "mill", "kettle"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := w.Order(t.Context(), id); err != nil || got.Status != shop.Queued {
		t.Errorf("before it is applied: got %+v, %v; want queued", got, err)
	}
	o := w.next(t)
	if o.ID != id || o.Key != "key" || o.TotalCents() != 5000 || o.Items[0].Name != "Name of mill" || time.Since(o.PlacedAt) > time.Minute {
		t.Errorf("sent %+v", o)
	}
	shoptest.MustApply(t, w.ledger, o, shop.Outcome{Status: shop.Accepted})
	if got, err := w.Order(t.Context(), id); err != nil || got.Status != shop.Accepted {
		t.Errorf("got %+v, %v; want accepted", got, err)
	}
}

func TestRefusals(t *testing.T) {
	w := open(t)
	many := make([]shop.Line, shop.MaxItems+1)
	for i := range many {
		many[i] = shop.Line{ProductID: fmt.Sprintf("p%d", i), Quantity: 1}
	}
	for _, c := range []struct {
		name, key string
		lines     []shop.Line
		field     string
	}{
		{"no key", "", lines(1, "kettle"), "Idempotency-Key"},
		{"long key", strings.Repeat("k", shop.MaxKey+1), lines(1, "kettle"), "Idempotency-Key"},
		{"space in key", "a b", lines(1, "kettle"), "Idempotency-Key"},
		{"key beyond ASCII", "ä", lines(1, "kettle"), "Idempotency-Key"},
		{"no items", "k", nil, "items"},
		{"too many items", "k", many, "items"},
		{"zero pieces", "k", lines(0, "kettle"), "items[0].quantity"},
		{"negative", "k", lines(-1, "kettle"), "items[0].quantity"},
		{"too many pieces", "k", lines(shop.MaxQuantity+1, "kettle"), "items[0].quantity"},
		{"no product ID", "k", lines(1, "kettle", ""), "items[1].product_id"},
		{"twice", "k", lines(1, "kettle", "mill", "kettle"), "items[2].product_id"},
		{"unknown product", "k", lines(1, "kettle", "mill", "nothing"), "items[2].product_id"},
		{"two currencies", "k", lines(1, "kettle", "dollars"), "items[1].product_id"},
	} {
		_, err := w.Take(t.Context(), c.key, c.lines)
		var known *shop.Error
		if !errors.As(err, &known) || known.Code != shop.Invalid || known.Field != c.field {
			t.Errorf("%s: got %v, want an invalid error that names %s", c.name, err, c.field)
		}
	}
	if n := w.queue.Len(); n != 0 {
		t.Errorf("%d refused orders reached the queue", n)
	}
	// What was refused has not used up its key.
	if _, err := w.Take(t.Context(), "k", lines(1, "kettle")); err != nil {
		t.Error(err)
	}
}

func TestRepeated(t *testing.T) {
	w := open(t)
	first, err := w.Take(t.Context(), "key", lines(1, "mill", "kettle"))
	if err != nil {
		t.Fatal(err)
	}
	if again, err := w.Take(t.Context(), "key", lines(1, "kettle", "mill")); err != nil || again != first {
		t.Errorf("the same lines in another order: got %q, %v; want %q", again, err, first)
	}
	if _, err := w.Take(t.Context(), "key", lines(2, "kettle", "mill")); shop.CodeOf(err) != shop.Conflict {
		t.Errorf("other lines: got %v, want a conflict", err)
	}
	if other, err := w.Take(t.Context(), "other", lines(1, "mill", "kettle")); err != nil || other == first {
		t.Errorf("another key: got %q, %v; want an order of its own", other, err)
	}
}

func TestRepeatedAfterTheCacheForgot(t *testing.T) {
	w := open(t)
	id, err := w.Take(t.Context(), "key", lines(1, "kettle"))
	if err != nil {
		t.Fatal(err)
	}
	shoptest.MustApply(t, w.ledger, w.next(t), shop.Outcome{Status: shop.Accepted})
	w.Cache, w.Catalog = new(memory.Cache), new(memory.Catalog) // forgotten, and the product is gone
	if again, err := w.Take(t.Context(), "key", lines(1, "kettle")); err != nil || again != id {
		t.Errorf("got %q, %v; want the first answer %q", again, err, id)
	}
	if n := w.queue.Len(); n != 0 {
		t.Errorf("an order that is applied was sent again")
	}
	if _, err := w.Take(t.Context(), "key", lines(2, "kettle")); shop.CodeOf(err) != shop.Conflict {
		t.Errorf("got %v, want a conflict with the ledger", err)
	}
}

func TestOneKeyAtOnce(t *testing.T) {
	w := open(t)
	var mu sync.Mutex
	var wg sync.WaitGroup
	ids, conflicts := map[string]bool{}, 0
	for i := range 16 {
		wg.Go(func() {
			id, err := w.Take(t.Context(), "key", lines(int64(i%4+1), "kettle"))
			mu.Lock()
			defer mu.Unlock()
			if shop.CodeOf(err) == shop.Conflict {
				conflicts++
			} else if err == nil {
				ids[id] = true
			}
		})
	}
	wg.Wait()
	if len(ids) != 1 || conflicts != 12 {
		t.Errorf("got orders %v and %d conflicts, want one order and 12 conflicts", ids, conflicts)
	}
}

type awayCache struct{ shop.Cache }

func (awayCache) SetNX(context.Context, string, []byte, time.Duration) (bool, error) {
	return false, errAway
}

type awayLedger struct{ shop.Ledger }

func (awayLedger) Claimed(context.Context, string) (string, error) { return "", errAway }

type awayQueue struct{}

func (awayQueue) Send(context.Context, []byte) error { return errAway }

func TestOutages(t *testing.T) {
	w := open(t)
	w.Cache, w.Ledger = awayCache{w.Cache}, awayLedger{w.Ledger}
	for _, quantity := range []int64{1, 2} {
		if _, err := w.Take(t.Context(), "key", lines(quantity, "kettle")); err != nil {
			t.Errorf("without cache and ledger: %v", err)
		}
	}
	m, err := w.queue.Receive(t.Context(), 10, 0, time.Minute)
	if err != nil || len(m) != 2 {
		t.Fatalf("got %d messages, %v; want both orders", len(m), err)
	}
	statuses := map[shop.Status]int{}
	for _, one := range m {
		o, _ := shop.DecodeOrder(one.Body)
		outcome, err := w.ledger.Apply(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		statuses[outcome.Status]++
	}
	if statuses[shop.Accepted] != 1 || statuses[shop.Rejected] != 1 {
		t.Errorf("one key without its claims ended %v, want one accepted and one rejected", statuses)
	}
	w.Queue = awayQueue{}
	if id, err := w.Take(t.Context(), "unsent", lines(1, "kettle")); shop.CodeOf(err) != shop.Unavailable || id != "" {
		t.Errorf("without the queue: got %q, %v; want no acknowledgement", id, err)
	}
}

func TestForeignIDs(t *testing.T) {
	w := open(t)
	seal, _ := shop.NewSeal([]byte(strings.Repeat("x", shop.MinSealKey)))
	foreign := seal.ID("key", lines(1, "kettle"))
	for _, id := range []string{"", "x", foreign, strings.ToUpper(w.Seal.ID("key", lines(1, "kettle")))} {
		if _, err := w.Order(t.Context(), id); shop.CodeOf(err) != shop.NotFound {
			t.Errorf("%q: got %v, want not_found", id, err)
		}
	}
}

type hangingLedger struct{ shop.Ledger }

func (hangingLedger) Claimed(ctx context.Context, _ string) (string, error) {
	<-ctx.Done()
	return "", ctx.Err()
}

func TestReaderHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := open(t)
		w.Ledger = hangingLedger{w.Ledger}
		begun := time.Now()
		if _, err := w.Take(t.Context(), "key", lines(1, "kettle")); err != nil {
			t.Error(err)
		}
		if took := time.Since(begun); took > time.Second {
			t.Errorf("the customer waited %s for a ledger that hangs, want a second", took)
		}
	})
}
