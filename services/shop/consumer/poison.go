package consumer

import "storefront/services/shop"

// poison ends a message that is no order. It is released at once, for waiting makes it no better: after the last receipt that the queue's redrive
// policy allows it lies in the dead-letter queue, where an alarm calls somebody.
func (c *Consumer) poison(m shop.Message, err error) {
	c.counts.poison.Add(1)
	c.Log.Error("a message is no order", "message", m.ID, "received", m.Received, "error", err)
	c.release(m)
}

// unforeseen ends a message that met a fault of this program or an answer of the ledger that nobody foresaw. It stays hidden for the rest of its
// visibility and is then tried again, by another version of the program perhaps; the redrive policy bounds how often.
func (c *Consumer) unforeseen(m shop.Message, err error) {
	c.counts.unforeseen.Add(1)
	c.Log.Error("a message failed in a way that was not foreseen", "message", m.ID, "received", m.Received, "error", err)
}
