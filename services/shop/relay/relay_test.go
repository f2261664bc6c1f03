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

// index remembers what was put; a test can have it answer something else for a summary than that it is stored.
type index struct {
	mu     sync.Mutex
	puts   map[string]int // summaries that were stored, by order
	calls  int
	answer func(shop.Summary) error
	delay  time.Duration // of a call
}

func (x *index) Put(_ context.Context, summaries []shop.Summary) []error {
	time.Sleep(x.delay)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.calls++
	errs := make([]error, len(summaries))
	for i, s := range summaries {
		if x.answer != nil {
			errs[i] = x.answer(s)
		}
		if errs[i] == nil {
			x.puts[s.ID]++
		}
	}
	return errs
}

func (x *index) Search(context.Context, shop.SummaryQuery) (shop.SummaryPage, error) {
	return shop.SummaryPage{}, nil
}

// set changes what the index answers.
func (x *index) set(answer func(shop.Summary) error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.answer = answer
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
	return startLogged(t, l, x, slog.New(slog.DiscardHandler))
}

func startLogged(t *testing.T, l *memory.Ledger, x *index, log *slog.Logger) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() { (&relay.Relay{Outbox: l, Index: x, Log: log}).Run(ctx) })
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
		back, panicked := time.Now().Add(time.Minute), false
		x.answer = func(shop.Summary) error {
			switch {
			case !panicked:
				panicked = true
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
		if x.calls < 10 || x.calls > 80 {
			t.Errorf("%d tries in a minute, want some with pauses between them", x.calls)
		}
		x.mu.Unlock()
		time.Sleep(6 * time.Second)
		x.want(t, 10)
		stop()
	})
}

// TestRefused has the index refuse three summaries for good: everything else goes on, and they are not forgotten until it takes them.
func TestRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, x, logged := new(memory.Ledger), &index{puts: map[string]int{}}, new(logbook)
		refusals := 0
		refuse := func(s shop.Summary) error {
			if s.Version%1000 == 500 { // the 500th order that was applied, and so on
				refusals++
				return shop.Invalidf("status", "is no number")
			}
			return nil
		}
		x.set(refuse)
		fill(t, l, "early", 2600)
		stop := startLogged(t, l, x, slog.New(logged))
		synctest.Wait()
		x.want(t, 2597)
		wantRefused(t, l, 3)

		time.Sleep(time.Hour)
		fill(t, l, "late", 3)
		time.Sleep(time.Second)
		x.want(t, 2600)
		wantRefused(t, l, 3)
		x.mu.Lock()
		if tries := refusals / 3; tries < 12 || tries > 28 {
			t.Errorf("what is refused was tried %d times in an hour by two relays, want once in five minutes by each", tries)
		}
		x.mu.Unlock()
		if got := logged.count("summaries are not in the search, which refuses them", 3); got < 59 {
			t.Errorf("in an hour %d lines tell the number of refused summaries, want one a minute", got)
		}

		x.set(nil) // somebody has mended the index
		time.Sleep(5*time.Minute + time.Second)
		x.want(t, 2603)
		wantRefused(t, l, 0)
		stop()
	})
}

// TestRefusedOutlivesRelay ends the relay after all was refused, more than a batch; the next one, of a version that the index takes, tries at once.
func TestRefusedOutlivesRelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, x := new(memory.Ledger), &index{puts: map[string]int{}}
		x.set(func(shop.Summary) error { return shop.Invalidf("status", "is no number") })
		fill(t, l, "any", 500)
		stop := start(t, l, x)
		time.Sleep(time.Second)
		stop()
		wantRefused(t, l, 500)
		x.set(nil)
		defer start(t, l, x)()
		time.Sleep(time.Second)
		x.want(t, 500)
		wantRefused(t, l, 0)
	})
}

// TestRetriesHoldNothingUp has the index take what it had refused, all orders of a day: those of the moment do not wait for them.
func TestRetriesHoldNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, x := new(memory.Ledger), &index{puts: map[string]int{}, delay: 100 * time.Millisecond}
		fill(t, l, "refused", 4000)
		for done := (shop.Published{Refused: 1}); done.Refused > 0; {
			var err error
			if done, err = l.Pending(t.Context(), 1000, shoptest.Answer(shop.Invalidf("status", "is no number"))); err != nil {
				t.Fatal(err)
			}
		}
		defer start(t, l, x)()
		time.Sleep(time.Second)
		o := shoptest.SampleOrder("fresh", 1, "kettle")
		shoptest.MustApply(t, l, o, shop.Outcome{Status: shop.Rejected, Reason: shop.ReasonStock})
		time.Sleep(time.Second / 2)
		x.mu.Lock()
		if len(x.puts) >= 4000 || x.puts[o.ID] != 1 {
			t.Errorf("with %d of 4000 retried, an order of half a second ago was published %d times, want once", len(x.puts), x.puts[o.ID])
		}
		x.mu.Unlock()
		time.Sleep(10 * time.Second)
		x.want(t, 4001)
	})
}

func wantRefused(t *testing.T, l *memory.Ledger, want int) {
	t.Helper()
	if n, err := l.Refused(t.Context()); err != nil || n != want {
		t.Errorf("%d summaries are refused, %v; want %d", n, err, want)
	}
}

// logbook counts lines by their message and number.
type logbook struct {
	mu    sync.Mutex
	lines map[string]int
}

func (b *logbook) count(message string, n int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.lines[fmt.Sprint(message, n)]
}

func (b *logbook) Enabled(context.Context, slog.Level) bool { return true }
func (b *logbook) WithAttrs([]slog.Attr) slog.Handler       { return b }
func (b *logbook) WithGroup(string) slog.Handler            { return b }

func (b *logbook) Handle(_ context.Context, r slog.Record) error {
	n := int64(0)
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "count" {
			n = a.Value.Int64()
		}
		return true
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.lines == nil {
		b.lines = map[string]int{}
	}
	b.lines[fmt.Sprint(r.Message, n)]++
	return nil
}

// uncounted is an outbox that does not answer, or panics, when it is asked how much of it is set aside.
type uncounted struct {
	*memory.Ledger
	asked int
}

func (u *uncounted) Refused(ctx context.Context) (int, error) {
	if u.asked++; u.asked%2 == 0 {
		panic("a bug of the outbox")
	}
	<-ctx.Done()
	return 0, ctx.Err()
}

// TestCountIsNoMatter has the count for the log fail in every way: the relay goes on.
func TestCountIsNoMatter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, x := new(memory.Ledger), &index{puts: map[string]int{}}
		u := &uncounted{Ledger: l}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() {
			defer close(done)
			(&relay.Relay{Outbox: u, Index: x, Log: slog.New(slog.DiscardHandler)}).Run(ctx)
		}()
		for i := range 4 {
			time.Sleep(time.Minute + 10*time.Second)
			fill(t, l, fmt.Sprint("round", i), 1)
		}
		time.Sleep(10 * time.Second)
		x.want(t, 4)
		cancel()
		<-done
		if u.asked < 3 {
			t.Errorf("it was counted %d times in five minutes", u.asked)
		}
	})
}
