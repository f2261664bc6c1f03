package consumer_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"storefront/services/shop"
	"storefront/services/shop/consumer"
	"storefront/services/shop/shoptest"
)

// TestCallsAreFew sends orders in a steady stream: what comes and what is done within a moment is one call of the queue.
func TestCallsAreFew(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		for i := range 100 {
			w.send(t, shoptest.SampleOrder(fmt.Sprint(i), 1, "kettle"))
			time.Sleep(20 * time.Millisecond)
		}
		time.Sleep(time.Second)
		w.wantStats(t, consumer.Stats{Accepted: 100})
		w.wantMessages(t, 0, 0)
		if receives, deletes := w.inbox.receives.Load(), w.inbox.deletes.Load(); receives > 22 || deletes > 22 {
			t.Errorf("received %d times and deleted %d times, want about 20: five orders in each", receives, deletes)
		}
	})
}

// TestBacklog has more in the queue than one receipt holds: while receipts are full the consumer does not pause.
func TestBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := start(t)
		w.stop()
		for i := range 100 {
			w.send(t, shoptest.SampleOrder(fmt.Sprint(i), 1, "kettle"))
		}
		w.run(t)
		time.Sleep(400 * time.Millisecond)
		w.wantStats(t, consumer.Stats{Accepted: 100})
		w.wantMessages(t, 0, 0)
	})
}

// TestSlowOrder has one order of a receipt take long: the others' messages are deleted meanwhile.
func TestSlowOrder(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.ledger.apply = func(ctx context.Context, o shop.Order) (shop.Outcome, error) {
			if o.Items[0].Quantity == 2 {
				time.Sleep(8 * time.Second)
			}
			return w.ledger.Ledger.Apply(ctx, o)
		}
		w.send(t, shoptest.SampleOrder("a", 1, "kettle"), shoptest.SampleOrder("slow", 2, "kettle"), shoptest.SampleOrder("b", 1, "kettle"))
		time.Sleep(200 * time.Millisecond)
		w.wantStats(t, consumer.Stats{Accepted: 2})
		w.wantMessages(t, 1, 0)
		time.Sleep(8 * time.Second)
		w.wantStats(t, consumer.Stats{Accepted: 3})
		w.wantMessages(t, 0, 0)
	})
}

// stubborn is an inbox that deletes only the last message of each call, or panics when it is told to.
type stubborn struct {
	*inbox
	panics atomic.Bool
}

func (s *stubborn) Delete(ctx context.Context, receipts []shop.Receipt) []error {
	if s.panics.Load() {
		panic("bug")
	}
	errs := s.inbox.Delete(ctx, receipts[len(receipts)-1:])
	for range receipts[1:] {
		errs = append([]error{errAway}, errs...)
	}
	return errs
}

// TestPartOfRemovalFails has calls delete some of their messages: the others are delivered again, found applied, and deleted then.
func TestPartOfRemovalFails(t *testing.T) {
	for name, panics := range map[string]bool{"part": false, "panic": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := start(t)
				w.stop()
				in := &stubborn{inbox: w.inbox}
				in.panics.Store(panics)
				w.runOn(t, in)
				const n = 4
				for i := range n {
					w.send(t, shoptest.SampleOrder(fmt.Sprint(i), 1, "kettle"))
				}
				time.Sleep(10 * time.Second)
				if got := w.Stats(); got.Accepted != n || got.Duplicate != 0 {
					t.Errorf("got %+v, want each order accepted once", got)
				}
				if left := w.inbox.Len(); left == 0 || left > n {
					t.Errorf("%d messages are left, want those that were not deleted", left)
				}
				in.panics.Store(false)
				time.Sleep(maxReceive * time.Minute)
				if got := w.Stats(); got.Accepted != n || got.Duplicate == 0 {
					t.Errorf("got %+v, want what was delivered again to be duplicates", got)
				}
				w.wantMessages(t, 0, 0)
				shoptest.WantStock(t, w.ledger, "kettle", 100-n)
			})
		})
	}
}
