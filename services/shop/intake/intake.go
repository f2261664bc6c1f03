// Package intake takes orders: it fixes their prices, sees to it that an idempotency key stands for one order, and sends them to the queue.
package intake

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"storefront/services/shop"
)

// claimFor is how long the cache keeps who used an idempotency key. The ledger keeps it for good.
const claimFor = 24 * time.Hour

// Bounds of what a customer waits for the ledger, whose reader may hang rather than fail.
const (
	lookFor = time.Second     // whether a key was used; an order is taken without it
	readFor = 3 * time.Second // an order that is asked for
)

// Intake is a shop.Intake. Only the queue must answer for an order to be taken: without the catalogue's database it lives on cached prices, without
// the cache on the ledger, and what slips past both meets the claim in the ledger's transaction.
type Intake struct {
	Catalog shop.Catalog // prices; should be cached
	Ledger  shop.Ledger
	Cache   shop.Cache
	Queue   shop.Queue
	Seal    shop.Seal
	Log     *slog.Logger
}

// Take implements shop.Intake.
func (in *Intake) Take(ctx context.Context, key string, lines []shop.Line) (string, error) {
	if err := shop.ValidateKey(key); err != nil {
		return "", err
	}
	if err := shop.ValidateLines(lines); err != nil {
		return "", err
	}
	id := in.Seal.ID(key, lines)
	// The first answer is repeated before prices are looked at: the product may be gone by now, the order is not.
	applied, err := in.applied(ctx, key, id)
	if err != nil || applied {
		return id, err
	}
	items, err := in.price(ctx, lines)
	if err != nil {
		return "", err
	}
	// Claimed after the prices are known, so that an order that cannot be taken does not use up its key.
	if err := in.claim(ctx, key, id); err != nil {
		return "", err
	}
	o := shop.Order{ID: id, Key: key, Items: items, PlacedAt: time.Now().UTC().Truncate(time.Millisecond)}
	body, err := shop.EncodeOrder(o)
	if err != nil {
		return "", err
	}
	// A repetition is sent again: that the first one was claimed does not say that it was sent. The ledger tells them apart.
	if err := in.Queue.Send(ctx, body); err != nil {
		return "", fmt.Errorf("sending order %s: %w", id, err)
	}
	return id, nil
}

// applied reports whether the ledger has the order; a Conflict error says that the key is another order's there.
func (in *Intake) applied(ctx context.Context, key, id string) (bool, error) {
	look, cancel := context.WithTimeout(ctx, lookFor)
	defer cancel()
	claimed, err := in.Ledger.Claimed(look, key)
	switch {
	case err != nil && ctx.Err() == nil && (shop.CodeOf(err) == shop.Unavailable || look.Err() != nil):
		in.Log.WarnContext(ctx, "an order is taken without a look at the ledger", "order", id, "error", err)
		return false, nil
	case err != nil:
		return false, err
	case claimed == "":
		return false, nil
	}
	return true, sameOrder(claimed, id)
}

// claim takes the key for the order in the cache; a Conflict error says that another order has it.
func (in *Intake) claim(ctx context.Context, key, id string) error {
	slot := "idem:" + shop.KeyHash(key)
	stored, err := in.Cache.SetNX(ctx, slot, []byte(id), claimFor)
	if err != nil || stored {
		return in.unlessAway(ctx, id, err)
	}
	claimed, found, err := in.Cache.Get(ctx, slot)
	if err != nil || !found {
		return in.unlessAway(ctx, id, err)
	}
	return sameOrder(string(claimed), id)
}

func (in *Intake) unlessAway(ctx context.Context, id string, err error) error {
	if err != nil {
		in.Log.WarnContext(ctx, "an order is taken without a claim in the cache", "order", id, "error", err)
	}
	return ctx.Err()
}

func sameOrder(claimed, id string) error {
	if claimed == id {
		return nil
	}
	return &shop.Error{Code: shop.Conflict, Field: "Idempotency-Key", Message: "was used for another order; an order of its own needs a key of its own"}
}

// price looks the lines up in the catalogue.
func (in *Intake) price(ctx context.Context, lines []shop.Line) ([]shop.OrderItem, error) {
	items := make([]shop.OrderItem, len(lines))
	for i, l := range lines {
		p, err := in.Catalog.Product(ctx, l.ProductID)
		switch {
		case shop.CodeOf(err) == shop.NotFound:
			return nil, shop.Invalidf(fmt.Sprintf("items[%d].product_id", i), "there is no product %s", l.ProductID)
		case err != nil:
			return nil, fmt.Errorf("pricing %s: %w", l.ProductID, err)
		}
		items[i] = shop.OrderItem{ProductID: p.ID, Quantity: l.Quantity, Name: p.Name, PriceCents: p.PriceCents, Currency: p.Currency}
		if p.Currency != items[0].Currency {
			return nil, shop.Invalidf(fmt.Sprintf("items[%d].product_id", i), "is sold in %s and the first item in %s; order them apart", p.Currency, items[0].Currency)
		}
	}
	return items, nil
}

// Order implements shop.Intake. An order that the ledger does not show is queued if its ID is one that this shop gave out.
func (in *Intake) Order(ctx context.Context, id string) (shop.Order, error) {
	absent := &shop.Error{Code: shop.NotFound, Message: "there is no such order"}
	if !in.Seal.Made(id) {
		return shop.Order{}, absent
	}
	ctx, cancel := context.WithTimeout(ctx, readFor)
	defer cancel()
	o, err := in.Ledger.Order(ctx, id)
	if shop.CodeOf(err) == shop.NotFound {
		return shop.Order{ID: id, Status: shop.Queued}, nil
	}
	return o, err
}
