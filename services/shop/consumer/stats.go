package consumer

import (
	"context"
	"sync/atomic"

	"storefront/services/shop/internal/backoff"
)

// Stats counts what has become of messages since the consumer was made.
type Stats struct {
	Accepted, Rejected, Duplicate int64 // deleted
	Poison, Unforeseen            int64 // receipts left to the redrive policy
	Held                          int64 // times that a message was held because the ledger did not answer
	Released                      int64 // given back because their time in hand ended
}

type counts struct{ accepted, rejected, duplicate, poison, unforeseen, held, released atomic.Int64 }

// Stats returns the counts of now.
func (c *Consumer) Stats() Stats {
	n := &c.counts
	return Stats{Accepted: n.accepted.Load(), Rejected: n.rejected.Load(), Duplicate: n.duplicate.Load(), Poison: n.poison.Load(),
		Unforeseen: n.unforeseen.Load(), Held: n.held.Load(), Released: n.released.Load()}
}

// report logs the counts each minute in which they changed.
func (c *Consumer) report(ctx context.Context) {
	for last := (Stats{}); backoff.Sleep(ctx, reportEach); {
		if now := c.Stats(); now != last {
			c.Log.Info("orders consumed", "counts", now)
			last = now
		}
	}
}
