package shop

import "context"

// Intake is how customers order.
type Intake interface {
	// Take takes an order and returns its ID once it is durable. The same key and lines always give the same ID and one order.
	// Errors: Invalid naming the field, Conflict when the key was used for other lines, Unavailable when the order may not have been taken: the
	// customer repeats the request with the same key.
	Take(ctx context.Context, key string, lines []Line) (id string, err error)
	// Order returns the order with the ID. One that was taken and not applied yet has the status Queued and nothing else beside its ID.
	// An ID that no Take returned is a NotFound error.
	Order(ctx context.Context, id string) (Order, error)
}
