package consumer

import (
	"context"
	"sync"
	"time"

	"storefront/services/shop"
)

// hold keeps m hidden from other consumers by extending its visibility at each third of it. The context it returns ends with ctx or once m was
// held for MaxHold. The function it returns ends the hold; after it, no extension is under way.
func (c *Consumer) hold(ctx context.Context, m shop.Message) (context.Context, func()) {
	ctx, cancel := context.WithTimeout(ctx, c.MaxHold)
	var beat sync.WaitGroup
	beat.Go(func() {
		tick := time.NewTicker(c.Visibility / 3)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if err := c.Inbox.Extend(ctx, m.Receipt, c.Visibility); err != nil && ctx.Err() == nil {
				c.Log.Warn("a message may be delivered again while it is in hand", "message", m.ID, "error", err)
			}
		}
	})
	return ctx, sync.OnceFunc(func() {
		cancel()
		beat.Wait()
	})
}

// release gives m back with time of its own: also a stopping consumer settles what it has in hand.
func (c *Consumer) release(m shop.Message) {
	ctx, cancel := context.WithTimeout(context.Background(), settleFor)
	defer cancel()
	if err := c.Inbox.Release(ctx, m.Receipt); err != nil {
		c.notSettled(m, "releasing it failed", err)
	}
}

func (c *Consumer) notSettled(m shop.Message, because string, err error) {
	c.Log.Warn("a message will be delivered again", "message", m.ID, "because", because, "error", err)
}
