package consumer

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"storefront/services/shop"
)

// handle brings one message to its end. ctx ends when the consumer gives up.
func (c *Consumer) handle(ctx context.Context, m shop.Message) {
	held, letGo := c.hold(ctx, m)
	defer letGo()
	defer func() {
		if p := recover(); p != nil {
			c.unforeseen(m, fmt.Errorf("panic: %v\n%s", p, debug.Stack()))
		}
	}()
	o, err := shop.DecodeOrder(m.Body)
	if err != nil {
		letGo()
		c.poison(m, err)
		return
	}
	outcome, err := c.apply(held, m, o)
	letGo()
	switch {
	case errors.Is(err, errGaveUp):
		c.gaveUp(m, o, err)
	case err != nil:
		c.unforeseen(m, err)
	case outcome.Duplicate:
		c.duplicate(m, o)
	case outcome.Status == shop.Rejected:
		c.rejected(m, o, outcome.Reason)
	default:
		c.accepted(m, o)
	}
}

// accepted ends a message whose order stands.
func (c *Consumer) accepted(m shop.Message, o shop.Order) {
	c.counts.accepted.Add(1)
	c.Log.Debug("order accepted", "order", o.ID)
	c.remove(m)
}
