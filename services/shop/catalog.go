package shop

import "context"

// Bounds of a catalogue query.
const (
	DefaultLimit = 20
	MaxLimit     = 100 // products in one page
	MaxSearch    = 100 // characters of a search
)

// Query asks for one page of products.
type Query struct {
	Limit  int    // 1 to MaxLimit
	After  string // the last ID of the page before, or "" for the first page
	Search string // products whose name or description has all of these words; "" is no condition
}

// Validate reports the first bound that q breaks, as an Invalid error that names the field.
func (q Query) Validate() error {
	if q.Limit < 1 || q.Limit > MaxLimit {
		return Invalidf("limit", "must be between 1 and %d", MaxLimit)
	}
	if q.After != "" && ValidateProductID(q.After) != nil {
		return Invalidf("cursor", "is not one that this service gave out")
	}
	if err := text("q", q.Search, MaxSearch); err != nil {
		return err
	}
	return nil
}

// Page is a part of the catalogue in the order of IDs.
type Page struct {
	Items []Product
	More  bool // further products follow the last item
}

// Catalog keeps the products. Every implementation passes shoptest.Catalog.
type Catalog interface {
	// Products returns the page that a valid q asks for. It may lag behind PutProduct by the replication of the store.
	Products(ctx context.Context, q Query) (Page, error)
	// Product returns one product, or a NotFound error. It may lag like Products.
	Product(ctx context.Context, id string) (Product, error)
	// PutProduct stores a valid product, new or in place of an older one, and reports whether it is new. It sets the stock to what it says,
	// whatever orders took before: who counts the shelf knows better. Orders applied later take from that.
	PutProduct(ctx context.Context, p Product) (created bool, err error)
}

// Dependency is something that the service needs to be ready.
type Dependency struct {
	Name  string
	Check func(context.Context) error // nil when the dependency answers
}
