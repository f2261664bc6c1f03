// Package consumer takes orders out of the queue and applies them to the ledger. A message ends in one of four ways, each in a file of its own:
//
//   - it is no order: poison, left to the queue's redrive policy;
//   - the ledger is away: transient, held until it is back, with nothing further received;
//   - its order was applied before: duplicate, deleted;
//   - its order cannot be met: rejected in the ledger, deleted.
//
// An order that is met is deleted like the last two. A message is deleted only after the ledger's transaction has ended, so that none is lost; the
// ledger's claims make a second delivery harmless.
package consumer

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"storefront/services/shop"
	"storefront/services/shop/internal/backoff"
)

const (
	maxReceive = 10               // messages in one call of the queue, the most that SQS takes and gives
	longPoll   = 20 * time.Second // the longest that SQS waits
	settleFor  = 5 * time.Second  // for a deletion or a release, also when the worker is stopping
	reportEach = time.Minute
)

// paceFor is the pause after a receipt that took all there was. A long poll ends with the first message that comes, so that a steady stream would
// cost a call for each; what comes in this time is taken with one. Nobody waits longer for it than this, and a backlog is taken without pauses.
const paceFor = 100 * time.Millisecond

// Config is what a Consumer needs. A zero duration or number stands for its default.
type Config struct {
	Inbox      shop.Inbox
	Ledger     shop.Ledger
	Log        *slog.Logger
	Workers    int           // messages in hand at most; 16
	Visibility time.Duration // of a message in hand, extended at each third of it; whole seconds, 60 s
	MaxHold    time.Duration // how long a message is held, then released; 11 h, as SQS allows 12
	Drain      time.Duration // how long a stopping consumer may go on with what it has in hand; 20 s
	Try        time.Duration // how long one call of the ledger may take; 10 s
}

// Consumer works off a queue.
type Consumer struct {
	Config
	outage   gate
	removing gathering
	counts   counts
}

// New returns a consumer that Run starts.
func New(c Config) *Consumer {
	if c.Workers == 0 {
		c.Workers = 16
	}
	for _, d := range []struct {
		set      *time.Duration
		fallback time.Duration
	}{{&c.Visibility, time.Minute}, {&c.MaxHold, 11 * time.Hour}, {&c.Drain, 20 * time.Second}, {&c.Try, 10 * time.Second}} {
		if *d.set == 0 {
			*d.set = d.fallback
		}
	}
	return &Consumer{Config: c}
}

// Run receives and applies orders until ctx ends. It then receives no more, finishes what is in hand within Drain, releases what it could not
// finish, and returns.
func (c *Consumer) Run(ctx context.Context) {
	work, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	defer context.AfterFunc(ctx, func() {
		if backoff.Sleep(work, c.Drain) {
			giveUp()
		}
	})()
	reporting, stopReporting := context.WithCancel(work)
	var report, inHand sync.WaitGroup
	report.Go(func() { c.report(reporting) })
	c.receive(ctx, work, &inHand)
	inHand.Wait()
	stopReporting()
	report.Wait()
	c.Log.Info("consumer stopped", "counts", c.Stats())
}

// receive hands messages to workers until ctx ends. It never has more in hand than there are workers, so what waits, waits in the queue.
func (c *Consumer) receive(ctx, work context.Context, inHand *sync.WaitGroup) {
	places := make(slots, c.Workers)
	pause := backoff.Backoff{Min: 200 * time.Millisecond, Max: 5 * time.Second}
	for c.outage.wait(ctx) {
		free := places.take(ctx, maxReceive)
		if free == 0 {
			return
		}
		messages, err := c.Inbox.Receive(ctx, free, longPoll, c.Visibility)
		places.put(free - len(messages))
		for _, m := range messages {
			inHand.Go(func() {
				defer places.put(1)
				c.handle(work, m)
			})
		}
		if err == nil {
			pause.Reset()
			if n := len(messages); n > 0 && n < free {
				backoff.Sleep(ctx, paceFor)
			}
			continue
		}
		if ctx.Err() == nil {
			c.Log.Warn("the queue does not answer", "error", err)
		}
		if !pause.Wait(ctx) {
			return
		}
	}
}

// slots bounds how many messages are in hand.
type slots chan struct{}

// take waits for a free slot and takes up to n of them; 0 means that ctx has ended.
func (s slots) take(ctx context.Context, n int) int {
	select {
	case <-ctx.Done():
		return 0
	case s <- struct{}{}:
	}
	for taken := 1; taken < n; taken++ {
		select {
		case s <- struct{}{}:
		default:
			return taken
		}
	}
	return n
}

func (s slots) put(n int) {
	for range n {
		<-s
	}
}
