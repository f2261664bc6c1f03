package shop

import "context"

// Reasons for which an order is rejected.
const (
	ReasonStock    = "out of stock"                               // of one of its products
	ReasonGone     = "product is gone"                            // one of its products is no longer in the catalogue
	ReasonCurrency = "currency has changed"                       // a product is sold in another currency than when the order was taken
	ReasonKey      = "idempotency key was used for another order" // the claim of the key belongs to an order with another ID
)

// Outcome is what became of an order that was applied.
type Outcome struct {
	Status    Status // Accepted or Rejected
	Reason    string // why it was rejected
	Duplicate bool   // it had been applied before; Status and Reason are those of that time
}

// Ledger keeps the orders. Every implementation passes shoptest.Ledger.
type Ledger interface {
	// Apply brings a valid order into effect exactly once, however often it is called. In one transaction it claims the idempotency key, reduces
	// the stock of every product or rejects the order, stores it, and puts its summary into the outbox. A rejected order changes no stock.
	// After an Unavailable error the order may or may not have been applied: calling again tells.
	Apply(ctx context.Context, o Order) (Outcome, error)
	// Order returns the order with the ID, without its key, or a NotFound error. It may lag behind Apply by the replication of the store.
	Order(ctx context.Context, id string) (Order, error)
	// Claimed returns the ID of the order that has claimed the idempotency key, or "". It may lag like Order.
	Claimed(ctx context.Context, key string) (id string, err error)
}

// Refusal tells why items cannot be taken from the given products, which are those of the items that exist, by ID; or "" when they can.
func Refusal(items []OrderItem, products map[string]Product) (reason string) {
	for _, item := range items {
		p, found := products[item.ProductID]
		switch {
		case !found:
			return ReasonGone
		case p.Currency != item.Currency:
			return ReasonCurrency
		case p.Stock < item.Quantity:
			return ReasonStock
		}
	}
	return ""
}
