// Package relay brings summaries from the outbox of the ledger to the index. Any number of relays may work on one outbox.
package relay

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"storefront/services/shop"
	"storefront/services/shop/internal/backoff"
)

const (
	batch      = 200                    // summaries in one call of the index
	pollEach   = 200 * time.Millisecond // when the outbox is empty
	publishFor = 15 * time.Second       // one batch; the outbox holds a transaction open meanwhile
	retryEach  = 5 * time.Minute        // for what the index refused
	reportEach = time.Minute
	countFor   = 5 * time.Second
)

// Relay moves summaries. While the index is away they wait in the outbox, and orders go on. What the index refuses is set aside there, and tried again
// when a relay starts and every few minutes: a refusal ends when somebody changes the index or the program, and nobody needs to tell the relay.
type Relay struct {
	Outbox shop.Outbox
	Index  shop.Index
	Log    *slog.Logger
}

// Run moves summaries until ctx ends and the batch under way is done or cut off.
func (r *Relay) Run(ctx context.Context) {
	pause := backoff.Backoff{Min: 250 * time.Millisecond, Max: 5 * time.Second}
	moved, failing, reported, retried := 0, time.Time{}, time.Now(), time.Time{}
	for ctx.Err() == nil {
		done, err := r.move(ctx, r.Outbox.Pending)
		moved += done.Taken
		switch {
		case err != nil && ctx.Err() == nil:
			if failing.IsZero() {
				failing = time.Now()
			}
			r.Log.Warn("summaries stay in the outbox", "since", time.Since(failing).Round(time.Second).String(), "error", err)
			pause.Wait(ctx)
		case err == nil && !failing.IsZero():
			r.Log.Info("summaries flow again", "after", time.Since(failing).Round(time.Second).String())
			failing = time.Time{}
			pause.Reset()
		case done.Taken+done.Refused < batch:
			pause.Reset()
			backoff.Sleep(ctx, pollEach)
		}
		if err == nil && time.Since(retried) >= retryEach && !r.retry(ctx) {
			retried = time.Now()
		}
		if time.Since(reported) >= reportEach {
			r.report(ctx, moved)
			moved, reported = 0, time.Now()
		}
	}
	r.Log.Info("relay stopped", "unreported", moved)
}

// retry tries a batch of what was refused again, and reports whether that brought any of it into the index, so that the next batch is worth a try too.
func (r *Relay) retry(ctx context.Context) bool {
	done, err := r.move(ctx, r.Outbox.Retry)
	if done.Taken > 0 {
		r.Log.Info("summaries that had been refused are published", "count", done.Taken)
	}
	if err != nil && ctx.Err() == nil {
		r.Log.Warn("summaries that were refused could not be tried again", "error", err)
	}
	return err == nil && done.Taken > 0
}

// report logs how many summaries were moved, and how many wait for somebody: an alarm can be set on the latter.
func (r *Relay) report(ctx context.Context, moved int) {
	if moved > 0 {
		r.Log.Info("summaries published", "count", moved)
	}
	n, err := r.refused(ctx)
	switch {
	case err != nil && ctx.Err() == nil:
		r.Log.Warn("the refused summaries could not be counted", "error", err)
	case n > 0:
		r.Log.Error("summaries are not in the search, which refuses them", "count", n)
	}
}

// move has one batch published that hand hands out. A panic costs the batch a round and not the relay its life.
func (r *Relay) move(ctx context.Context, hand func(context.Context, int, shop.Publish) (shop.Published, error)) (done shop.Published, err error) {
	defer recovered(&err)
	ctx, cancel := context.WithTimeout(ctx, publishFor)
	defer cancel()
	return hand(ctx, batch, r.publish)
}

func (r *Relay) refused(ctx context.Context) (n int, err error) {
	defer recovered(&err)
	ctx, cancel := context.WithTimeout(ctx, countFor)
	defer cancel()
	return r.Outbox.Refused(ctx)
}

// recovered makes an error of a panic.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("panic: %v", p)
	}
}

// publish puts summaries into the index, and tells of the refused ones in one line.
func (r *Relay) publish(ctx context.Context, summaries []shop.Summary) []error {
	answers, refused, first := r.Index.Put(ctx, summaries), 0, 0
	for i, err := range answers {
		if shop.CodeOf(err) == shop.Invalid {
			if refused++; refused == 1 {
				first = i
			}
		}
	}
	if refused > 0 {
		r.Log.Error("the search refuses summaries, which are set aside and tried again", "count", refused, "order", summaries[first].ID, "error", answers[first])
	}
	return answers
}
