package consumer

import (
	"context"
	"sync"
	"time"

	"storefront/services/shop"
)

// gatherFor is how long a message that is done waits for others, so that one call deletes them all. It is short beside the visibility that is left,
// and long beside the differences between the orders of one receipt; a slow order misses the call and is in the next.
const gatherFor = 25 * time.Millisecond

// removal is one call that deletes messages.
type removal struct {
	messages []shop.Message
	full     chan struct{} // closed when no other message fits
	done     chan struct{} // closed after the call
}

// gathering holds the removal that messages can still join. The zero value is ready for use.
type gathering struct {
	mu   sync.Mutex
	open *removal
}

// join adds m to the removal that is open and reports whether m is the first one in it.
func (g *gathering) join(m shop.Message) (r *removal, first bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if first = g.open == nil; first {
		g.open = &removal{full: make(chan struct{}), done: make(chan struct{})}
	}
	r = g.open
	if r.messages = append(r.messages, m); len(r.messages) == maxReceive {
		g.open = nil
		close(r.full)
	}
	return r, first
}

// shut lets no other message join r.
func (g *gathering) shut(r *removal) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open == r {
		g.open = nil
	}
}

// remove deletes m together with what else is done by then, and returns after that. The first one of a removal waits for the others and makes the
// call, with time of its own: also a stopping consumer settles what it has in hand.
func (c *Consumer) remove(m shop.Message) {
	r, first := c.removing.join(m)
	if !first {
		<-r.done
		return
	}
	defer close(r.done)
	select {
	case <-r.full:
	case <-time.After(gatherFor):
		c.removing.shut(r)
	}
	ctx, cancel := context.WithTimeout(context.Background(), settleFor)
	defer cancel()
	receipts := make([]shop.Receipt, len(r.messages))
	for i, m := range r.messages {
		receipts[i] = m.Receipt
	}
	for i, err := range c.Inbox.Delete(ctx, receipts) {
		if err != nil {
			c.notSettled(r.messages[i], "deleting it failed", err)
		}
	}
}
