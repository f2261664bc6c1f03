package consumer_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"storefront/services/shop"
	"storefront/services/shop/consumer"
	"storefront/services/shop/memory"
	"storefront/services/shop/shoptest"
)

const maxReceive = 5

var errAway = &shop.Error{Code: shop.Unavailable, Message: "the database does not answer"}

// ledger is one whose Apply a test can replace.
type ledger struct {
	*memory.Ledger
	apply func(context.Context, shop.Order) (shop.Outcome, error)
}

func (l *ledger) Apply(ctx context.Context, o shop.Order) (shop.Outcome, error) {
	if l.apply != nil {
		return l.apply(ctx, o)
	}
	return l.Ledger.Apply(ctx, o)
}

// inbox counts what a consumer does to a queue.
type inbox struct {
	*memory.Queue
	receives, extends, deletes atomic.Int64
}

func (i *inbox) Receive(ctx context.Context, limit int, wait, visibility time.Duration) ([]shop.Message, error) {
	i.receives.Add(1)
	return i.Queue.Receive(ctx, limit, wait, visibility)
}

func (i *inbox) Extend(ctx context.Context, r shop.Receipt, visibility time.Duration) error {
	i.extends.Add(1)
	return i.Queue.Extend(ctx, r, visibility)
}

func (i *inbox) Delete(ctx context.Context, receipts []shop.Receipt) []error {
	i.deletes.Add(1)
	return i.Queue.Delete(ctx, receipts)
}

// world is a consumer in a bubble of synctest with what is around it.
type world struct {
	*consumer.Consumer
	inbox  *inbox
	ledger *ledger
	stop   func() // ends the consumer and waits for it
}

func start(t *testing.T) *world {
	t.Helper()
	w := &world{inbox: &inbox{Queue: &memory.Queue{MaxReceive: maxReceive}}, ledger: &ledger{Ledger: new(memory.Ledger)}}
	p := shoptest.Sample("kettle")
	p.Stock = 100
	shoptest.MustPut(t, w.ledger, p)
	w.run(t)
	return w
}

func (w *world) run(t *testing.T) { w.runOn(t, w.inbox) }

// runOn starts a consumer that sees the queue through the given inbox.
func (w *world) runOn(t *testing.T, in shop.Inbox) {
	w.Consumer = consumer.New(consumer.Config{Inbox: in, Ledger: w.ledger, Log: slog.New(slog.DiscardHandler), Workers: 12})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { w.Run(ctx); close(done) }()
	w.stop = func() { cancel(); <-done }
	t.Cleanup(w.stop)
}

func (w *world) send(t *testing.T, orders ...shop.Order) {
	t.Helper()
	for _, o := range orders {
		body, err := shop.EncodeOrder(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.inbox.Send(t.Context(), body); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *world) wantStats(t *testing.T, want consumer.Stats) {
	t.Helper()
	if got := w.Stats(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func (w *world) wantMessages(t *testing.T, waiting, dead int) {
	t.Helper()
	if n, d := w.inbox.Len(), len(w.inbox.Dead()); n != waiting || d != dead {
		t.Errorf("%d messages wait and %d are dead letters, want %d and %d", n, d, waiting, dead)
	}
}

// locked makes f safe for several goroutines.
func locked(f func() float64) func() float64 {
	var mu sync.Mutex
	return func() float64 {
		mu.Lock()
		defer mu.Unlock()
		return f()
	}
}

// bubble runs a test on a clock that moves when all of its goroutines wait.
func bubble(t *testing.T, test func(*testing.T, *world)) {
	synctest.Test(t, func(t *testing.T) { test(t, start(t)) })
}

func TestAccepted(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		for i := range 30 {
			w.send(t, shoptest.SampleOrder(fmt.Sprint(i), 2, "kettle"))
		}
		time.Sleep(time.Second)
		w.wantStats(t, consumer.Stats{Accepted: 30})
		w.wantMessages(t, 0, 0)
		shoptest.WantStock(t, w.ledger, "kettle", 40)
	})
}

func TestDuplicate(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		o := shoptest.SampleOrder("key", 3, "kettle")
		w.send(t, o, o, o)
		time.Sleep(time.Second)
		w.wantStats(t, consumer.Stats{Accepted: 1, Duplicate: 2})
		w.wantMessages(t, 0, 0)
		shoptest.WantStock(t, w.ledger, "kettle", 97)
	})
}

func TestRejected(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		o := shoptest.SampleOrder("key", 101, "kettle")
		w.send(t, o)
		time.Sleep(time.Second)
		w.wantStats(t, consumer.Stats{Rejected: 1})
		w.wantMessages(t, 0, 0)
		if got, err := w.ledger.Order(t.Context(), o.ID); err != nil || got.Reason != shop.ReasonStock {
			t.Errorf("got %+v, %v; want the order with its reason", got, err)
		}
	})
}

func TestPoison(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		if err := w.inbox.Send(t.Context(), []byte(`{"id":"no order"}`)); err != nil {
			t.Fatal(err)
		}
		w.send(t, shoptest.SampleOrder("good", 1, "kettle"))
		time.Sleep(time.Second)
		w.wantStats(t, consumer.Stats{Accepted: 1, Poison: maxReceive})
		w.wantMessages(t, 0, 1)
	})
}

// TestOutage has the ledger away for three hours, which is 36 times what the receipts of a message would last.
func TestOutage(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		back := time.Now().Add(3 * time.Hour)
		w.ledger.apply = func(ctx context.Context, o shop.Order) (shop.Outcome, error) {
			if time.Now().Before(back) {
				return shop.Outcome{}, errAway
			}
			return w.ledger.Ledger.Apply(ctx, o)
		}
		for i := range 40 {
			w.send(t, shoptest.SampleOrder(fmt.Sprint(i), 1, "kettle"))
		}
		time.Sleep(time.Hour)
		before := w.inbox.receives.Load()
		time.Sleep(time.Hour)
		if n := w.inbox.receives.Load() - before; n != 0 {
			t.Errorf("received %d times during the outage", n)
		}
		if n := w.inbox.extends.Load(); n == 0 {
			t.Error("no visibility was extended")
		}
		w.wantMessages(t, 40, 0)
		time.Sleep(time.Hour + 10*time.Second)
		if got := w.Stats(); got.Accepted != 40 || got.Duplicate != 0 || got.Released != 0 {
			t.Errorf("got %+v, want 40 orders accepted, each from one receipt", got)
		}
		w.wantMessages(t, 0, 0)
	})
}

// TestLostAnswer has the ledger apply an order whose answer is lost: the next try finds it applied.
func TestLostAnswer(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		lost := false
		w.ledger.apply = func(ctx context.Context, o shop.Order) (shop.Outcome, error) {
			outcome, err := w.ledger.Ledger.Apply(ctx, o)
			if !lost {
				lost = true
				return shop.Outcome{}, errAway
			}
			return outcome, err
		}
		w.send(t, shoptest.SampleOrder("key", 1, "kettle"))
		time.Sleep(time.Second)
		w.wantStats(t, consumer.Stats{Duplicate: 1, Held: 1})
		shoptest.WantStock(t, w.ledger, "kettle", 99)
	})
}

// TestUnforeseen has the ledger panic and answer what nobody foresaw: the message comes back when its visibility ends, and ends as a dead letter.
func TestUnforeseen(t *testing.T) {
	for name, apply := range map[string]func(context.Context, shop.Order) (shop.Outcome, error){
		"panic": func(context.Context, shop.Order) (shop.Outcome, error) { panic("bug") },
		"error": func(context.Context, shop.Order) (shop.Outcome, error) {
			return shop.Outcome{}, errors.New("no such column")
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, w *world) {
				w.ledger.apply = apply
				w.send(t, shoptest.SampleOrder("key", 1, "kettle"))
				time.Sleep(maxReceive*time.Minute + time.Second)
				w.wantStats(t, consumer.Stats{Unforeseen: maxReceive})
				w.wantMessages(t, 0, 1)
			})
		})
	}
}

// TestHeartbeat has the ledger take longer for one order than the visibility lasts, in tries that each end in time.
func TestHeartbeat(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		begun := time.Now()
		w.ledger.apply = func(ctx context.Context, o shop.Order) (shop.Outcome, error) {
			if time.Since(begun) < 5*time.Minute {
				<-ctx.Done()
				return shop.Outcome{}, ctx.Err()
			}
			return w.ledger.Ledger.Apply(ctx, o)
		}
		w.send(t, shoptest.SampleOrder("key", 1, "kettle"))
		time.Sleep(6 * time.Minute)
		w.wantStats(t, consumer.Stats{Accepted: 1, Held: 1})
		w.wantMessages(t, 0, 0)
	})
}

// TestStop ends a consumer whose ledger is away: it holds on for the drain, then another one has the messages at once.
func TestStop(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		// The ledger says that it is away once both messages are in hand: a consumer that hears it earlier leaves the second one in the queue.
		var calls atomic.Int64
		bothInHand := make(chan struct{})
		w.ledger.apply = func(context.Context, shop.Order) (shop.Outcome, error) {
			if calls.Add(1) == 2 {
				close(bothInHand)
			}
			<-bothInHand
			return shop.Outcome{}, errAway
		}
		w.send(t, shoptest.SampleOrder("a", 1, "kettle"), shoptest.SampleOrder("b", 1, "kettle"))
		time.Sleep(10 * time.Minute)
		begun := time.Now()
		w.stop()
		if took := time.Since(begun); took > 21*time.Second {
			t.Errorf("stopping took %s, want at most the drain of 20 s", took)
		}
		if got := w.Stats(); got.Released != 2 {
			t.Errorf("got %+v, want two messages released", got)
		}
		m, err := w.inbox.Queue.Receive(t.Context(), 10, 0, time.Minute)
		if err != nil || len(m) != 2 || m[0].Received != 2 {
			t.Errorf("received %+v, %v; want both messages at once", m, err)
		}
	})
}

// TestStopFinishes ends a consumer while the ledger works: the order is finished and nothing new received.
func TestStopFinishes(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		w.ledger.apply = func(ctx context.Context, o shop.Order) (shop.Outcome, error) {
			time.Sleep(5 * time.Second)
			return w.ledger.Ledger.Apply(ctx, o)
		}
		w.send(t, shoptest.SampleOrder("a", 1, "kettle"))
		synctest.Wait()
		begun := time.Now()
		w.stop()
		if took := time.Since(begun); took < 5*time.Second || took > 5*time.Second+100*time.Millisecond {
			t.Errorf("stopping took %s, want the 5 s that the order needs and no more than the call that deletes its message", took)
		}
		w.wantStats(t, consumer.Stats{Accepted: 1})
		w.send(t, shoptest.SampleOrder("b", 1, "kettle"))
		w.wantMessages(t, 1, 0)
	})
}

// TestBounded never has more in hand than there are workers.
func TestBounded(t *testing.T) {
	bubble(t, func(t *testing.T, w *world) {
		var mu sync.Mutex
		inHand, most := 0, 0
		w.ledger.apply = func(ctx context.Context, o shop.Order) (shop.Outcome, error) {
			mu.Lock()
			inHand++
			most = max(most, inHand)
			mu.Unlock()
			time.Sleep(time.Second)
			mu.Lock()
			inHand--
			mu.Unlock()
			return w.ledger.Ledger.Apply(ctx, o)
		}
		for i := range 50 {
			w.send(t, shoptest.SampleOrder(fmt.Sprint(i), 1, "kettle"))
		}
		time.Sleep(time.Minute)
		w.wantStats(t, consumer.Stats{Accepted: 50})
		if most != 12 {
			t.Errorf("at most %d messages were in hand, want the 12 workers busy and no more", most)
		}
	})
}
