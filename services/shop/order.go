package shop

import (
	"fmt"
	"slices"
	"time"
)

// Bounds of an order.
const (
	MaxItems    = 50    // lines in one order
	MaxQuantity = 1_000 // pieces in one line
	MaxKey      = 128   // characters of an idempotency key
)

// Status tells how far an order has come.
type Status string

// The states of an order. Accepted and Rejected are final.
const (
	Queued   Status = "queued"   // taken and durable, not applied yet
	Accepted Status = "accepted" // the stock is reduced and the order stands
	Rejected Status = "rejected" // it cannot be met; Order.Reason tells why
)

// Line is what a customer asks for: some pieces of one product.
type Line struct {
	ProductID string `json:"product_id"`
	Quantity  int64  `json:"quantity"` // 1 to MaxQuantity
}

// OrderItem is a line with the product's name and price at the time when the order was taken.
type OrderItem struct {
	ProductID  string `json:"product_id"`
	Quantity   int64  `json:"quantity"`
	Name       string `json:"name"`
	PriceCents int64  `json:"price_cents"` // of one piece
	Currency   string `json:"currency"`    // the same in every item of an order
}

// Order is an order that the shop has taken.
type Order struct {
	ID       string // see Seal
	Key      string // the customer's idempotency key; only a taken order knows it, the ledger keeps its KeyHash
	Status   Status
	Reason   string // why the order was rejected; "" otherwise
	Items    []OrderItem
	PlacedAt time.Time // UTC, to the millisecond
}

// TotalCents is the price of all items, in hundredths of Currency. The bounds of an order keep it within 5e13.
func (o Order) TotalCents() (total int64) {
	for _, i := range o.Items {
		total += i.Quantity * i.PriceCents
	}
	return total
}

// Currency is the currency of the order, or "" when it has no items.
func (o Order) Currency() string {
	if len(o.Items) == 0 {
		return ""
	}
	return o.Items[0].Currency
}

// Lines returns what was asked for.
func (o Order) Lines() []Line {
	lines := make([]Line, len(o.Items))
	for i, item := range o.Items {
		lines[i] = Line{ProductID: item.ProductID, Quantity: item.Quantity}
	}
	return lines
}

// Validate reports the first rule that o breaks as it goes to the queue, as an Invalid error that names the field.
func (o Order) Validate() error {
	if !wellFormedID(o.ID) {
		return Invalidf("id", "is not the ID of an order")
	}
	if err := ValidateKey(o.Key); err != nil {
		return err
	}
	if err := ValidateLines(o.Lines()); err != nil {
		return err
	}
	for i, item := range o.Items {
		if err := item.validate(o.Currency()); err != nil {
			err.Field = fmt.Sprintf("items[%d].%s", i, err.Field)
			return err
		}
	}
	if y := o.PlacedAt.Year(); y < 2000 || y > 9999 {
		return Invalidf("placed_at", "must be a time from the year 2000 to 9999")
	}
	return nil
}

// validate checks what the intake adds to a line.
func (i OrderItem) validate(wanted string) *Error {
	if i.Name == "" {
		return Invalidf("name", "must not be empty")
	}
	if err := text("name", i.Name, MaxName); err != nil {
		return err
	}
	if i.PriceCents < 0 || i.PriceCents > MaxPriceCents {
		return Invalidf("price_cents", "must be between 0 and %d", MaxPriceCents)
	}
	if !currency.MatchString(i.Currency) || i.Currency != wanted {
		return Invalidf("currency", "must be three capital letters, as in ISO 4217, and the same in every item")
	}
	return nil
}

// ValidateLines reports the first rule that the lines of a new order break, as an Invalid error whose field is "items" or within it.
func ValidateLines(lines []Line) error {
	if len(lines) < 1 || len(lines) > MaxItems {
		return Invalidf("items", "must have 1 to %d entries", MaxItems)
	}
	for i, l := range lines {
		if ValidateProductID(l.ProductID) != nil {
			return Invalidf(fmt.Sprintf("items[%d].product_id", i), "is not the ID of a product")
		}
		if slices.ContainsFunc(lines[:i], func(earlier Line) bool { return earlier.ProductID == l.ProductID }) {
			return Invalidf(fmt.Sprintf("items[%d].product_id", i), "is in an earlier entry as well")
		}
		if l.Quantity < 1 || l.Quantity > MaxQuantity {
			return Invalidf(fmt.Sprintf("items[%d].quantity", i), "must be between 1 and %d", MaxQuantity)
		}
	}
	return nil
}

// ValidateKey reports whether key can be an idempotency key: 1 to MaxKey visible ASCII characters. The field of the error is the name of the
// header that carries it.
func ValidateKey(key string) error {
	if len(key) < 1 || len(key) > MaxKey || slices.ContainsFunc([]byte(key), func(c byte) bool { return c <= ' ' || c > '~' }) {
		return Invalidf("Idempotency-Key", "must be 1 to %d visible ASCII characters", MaxKey)
	}
	return nil
}
