package consumer_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"storefront/services/shop"
	"storefront/services/shop/shoptest"
)

// TestHistories lets several consumers work on one queue while orders are sent twice, contradict each other, and meet a ledger and an inbox that
// fail before and after they act. Whatever happens: each order ends once, and the stock tells the same as the orders.
func TestHistories(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				history(t, rand.New(rand.NewPCG(seed, 1)), locked(rand.New(rand.NewPCG(seed, 2)).Float64))
			})
		})
	}
}

// faulty fails by chance, before or after it did what it was asked for.
type faulty struct {
	chance func() float64
	inner  *ledger
}

func (f *faulty) Apply(ctx context.Context, o shop.Order) (shop.Outcome, error) {
	switch dice := f.chance(); {
	case dice < 0.1:
		return shop.Outcome{}, errAway
	case dice < 0.15:
		panic("a crash before the commit")
	}
	time.Sleep(time.Duration(f.chance() * float64(time.Second)))
	outcome, err := f.inner.Ledger.Apply(ctx, o)
	switch dice := f.chance(); {
	case dice < 0.1:
		return shop.Outcome{}, errAway
	case dice < 0.15:
		panic("a crash after the commit")
	}
	return outcome, err
}

// forgetful is an inbox that loses deletions, some and all of a call: as many messages are delivered again.
type forgetful struct {
	*inbox
	chance func() float64
}

func (f *forgetful) Delete(ctx context.Context, receipts []shop.Receipt) []error {
	errs := make([]error, len(receipts))
	whole := f.chance() < 0.1
	for i, r := range receipts {
		if whole || f.chance() < 0.2 {
			errs[i] = errAway
		} else {
			errs[i] = f.inbox.Delete(ctx, []shop.Receipt{r})[0]
		}
	}
	return errs
}

// history runs one of them: random is the test's own, chance decides the faults.
func history(t *testing.T, random *rand.Rand, chance func() float64) {
	w := start(t)
	w.inbox.MaxReceive = 0 // here nothing may be given up
	w.ledger.apply = (&faulty{chance: chance, inner: w.ledger}).Apply
	others := []*world{{inbox: w.inbox, ledger: w.ledger}, {inbox: w.inbox, ledger: w.ledger}}
	for _, other := range others {
		other.runOn(t, &forgetful{inbox: w.inbox, chance: chance})
	}
	sent := map[string]shop.Order{}
	for i := range 60 {
		o := shoptest.SampleOrder(fmt.Sprint(i%50), int64(1+random.IntN(4)), "kettle") // ten keys are used twice, some for another order
		sent[o.ID] = o
		for range 1 + random.IntN(2) {
			w.send(t, o)
		}
		if random.IntN(20) == 0 {
			others[0].stop()
			others[0].runOn(t, &forgetful{inbox: w.inbox, chance: chance})
		}
		time.Sleep(time.Duration(random.IntN(300)) * time.Millisecond)
	}
	for end := time.Now().Add(24 * time.Hour); w.inbox.Len() > 0 && time.Now().Before(end); {
		time.Sleep(time.Minute)
	}
	if n := w.inbox.Len(); n > 0 {
		t.Errorf("%d messages are left", n)
	}
	check(t, w, sent)
}

// check compares the ledger, its stock and its outbox with the orders sent.
func check(t *testing.T, w *world, sent map[string]shop.Order) {
	t.Helper()
	var sold int64
	for id, o := range sent {
		got, err := w.ledger.Order(t.Context(), id)
		if err != nil {
			t.Errorf("order %s is lost: %v", o.Key, err)
		}
		if got.Status == shop.Accepted {
			sold += o.Items[0].Quantity
		}
	}
	shoptest.WantStock(t, w.ledger, "kettle", 100-sold)
	summaries := map[string]int{}
	_, err := w.ledger.Pending(t.Context(), 1000, func(_ context.Context, all []shop.Summary) []error {
		for _, s := range all {
			summaries[s.ID]++
		}
		return make([]error, len(all))
	})
	if err != nil || len(summaries) != len(sent) {
		t.Errorf("the outbox has %d summaries, %v; want one for each of %d orders", len(summaries), err, len(sent))
	}
	for id, n := range summaries {
		if n != 1 {
			t.Errorf("order %s has %d summaries", id, n)
		}
	}
}
