package consumer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"storefront/services/shop"
	"storefront/services/shop/internal/backoff"
)

// errGaveUp says that a message was not applied because its time in hand ended.
var errGaveUp = errors.New("the order was not applied in time")

// apply brings the order into effect, as often as it takes. While the ledger is away the message stays in hand and the consumer receives nothing:
// if it gave its messages back and took them again, an outage would use up the receipts that the redrive policy allows, and send good orders to
// the dead-letter queue. The error is errGaveUp when ctx ends first, and otherwise one that trying again does not mend.
func (c *Consumer) apply(ctx context.Context, m shop.Message, o shop.Order) (shop.Outcome, error) {
	outcome, err := c.try(ctx, o)
	if !transient(err) {
		return outcome, err
	}
	open, first := c.outage.close()
	defer open()
	if first {
		c.Log.Warn("the ledger does not answer: receiving stops until it does", "message", m.ID, "error", err)
	}
	c.counts.held.Add(1)
	for pause := (backoff.Backoff{Min: 100 * time.Millisecond, Max: 5 * time.Second}); pause.Wait(ctx); {
		if outcome, err = c.try(ctx, o); !transient(err) {
			return outcome, err
		}
	}
	return shop.Outcome{}, fmt.Errorf("%w: %w", errGaveUp, err)
}

func (c *Consumer) try(ctx context.Context, o shop.Order) (shop.Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, c.Try)
	defer cancel()
	return c.Ledger.Apply(ctx, o)
}

func transient(err error) bool {
	return shop.CodeOf(err) == shop.Unavailable || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled)
}

// gaveUp ends a message that could not be applied: another consumer may have it at once.
func (c *Consumer) gaveUp(m shop.Message, o shop.Order, err error) {
	c.counts.released.Add(1)
	c.Log.Warn("order released", "order", o.ID, "message", m.ID, "error", err)
	c.release(m)
}
