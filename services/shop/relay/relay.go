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
	reportEach = time.Minute
)

// Relay moves summaries. While the index is away they wait in the outbox, and orders go on.
type Relay struct {
	Outbox shop.Outbox
	Index  shop.Index
	Log    *slog.Logger
}

// Run moves summaries until ctx ends and the batch under way is done or cut off.
func (r *Relay) Run(ctx context.Context) {
	pause := backoff.Backoff{Min: 250 * time.Millisecond, Max: 5 * time.Second}
	moved, failing, reported := 0, time.Time{}, time.Now()
	for ctx.Err() == nil {
		n, err := r.move(ctx)
		moved += n
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
		case n < batch:
			pause.Reset()
			backoff.Sleep(ctx, pollEach)
		}
		if moved > 0 && time.Since(reported) >= reportEach {
			r.Log.Info("summaries published", "count", moved)
			moved, reported = 0, time.Now()
		}
	}
	r.Log.Info("relay stopped", "unreported", moved)
}

// move publishes one batch. A panic costs the batch a round and not the relay its life.
func (r *Relay) move(ctx context.Context) (n int, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, publishFor)
	defer cancel()
	return r.Outbox.Pending(ctx, batch, r.Index.Put)
}
