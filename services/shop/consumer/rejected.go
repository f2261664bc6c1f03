package consumer

import "storefront/services/shop"

// rejected ends a message whose order cannot be met. The ledger keeps the order with the reason, so the customer learns of it and the message has
// done its work.
func (c *Consumer) rejected(m shop.Message, o shop.Order, reason string) {
	c.counts.rejected.Add(1)
	c.Log.Info("order rejected", "order", o.ID, "reason", reason)
	c.remove(m)
}
