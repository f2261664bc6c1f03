package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"storefront/services/shop"
)

// Order implements shop.Ledger from the reader.
func (db *DB) Order(ctx context.Context, id string) (o shop.Order, err error) {
	err = onceMore(ctx, db.reader, func() error {
		rows, err := db.reader.Query(ctx, `SELECT id, status, reason, items, placed_at FROM shop_order WHERE id = $1`, id)
		if err != nil {
			return err
		}
		o, err = pgx.CollectExactlyOneRow(rows, scanOrder)
		if errors.Is(err, pgx.ErrNoRows) {
			return &shop.Error{Code: shop.NotFound, Message: "there is no order " + id}
		}
		return err
	})
	return o, err
}

func scanOrder(row pgx.CollectableRow) (o shop.Order, err error) {
	err = row.Scan(&o.ID, &o.Status, &o.Reason, &o.Items, &o.PlacedAt)
	o.PlacedAt = o.PlacedAt.UTC()
	return o, err
}

// Claimed implements shop.Ledger from the reader.
func (db *DB) Claimed(ctx context.Context, key string) (id string, err error) {
	err = onceMore(ctx, db.reader, func() error {
		err := db.reader.QueryRow(ctx, `SELECT order_id FROM claim WHERE key_hash = $1`, shop.KeyHash(key)).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
	return id, err
}
