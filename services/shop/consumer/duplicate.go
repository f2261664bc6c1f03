package consumer

import "storefront/services/shop"

// duplicate ends a message whose order the ledger had already: it was delivered twice, sent twice, or applied by a consumer that did not live to
// delete it.
func (c *Consumer) duplicate(m shop.Message, o shop.Order) {
	c.counts.duplicate.Add(1)
	c.Log.Debug("order was applied before", "order", o.ID, "received", m.Received)
	c.remove(m)
}
