package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"storefront/services/shop"
)

// Apply implements shop.Ledger in one transaction on the writer. It may run again after a failover: if the first one was committed and its answer
// lost, the second finds the order.
func (db *DB) Apply(ctx context.Context, o shop.Order) (outcome shop.Outcome, err error) {
	err = onceMore(ctx, db.writer, func() error {
		return pgx.BeginTxFunc(ctx, db.writer, pgx.TxOptions{IsoLevel: pgx.ReadCommitted}, func(tx pgx.Tx) (err error) {
			outcome, err = apply(ctx, tx, o)
			return err
		})
	})
	if err != nil {
		return shop.Outcome{}, err
	}
	return outcome, nil
}

func apply(ctx context.Context, tx pgx.Tx, o shop.Order) (shop.Outcome, error) {
	first, err := claim(ctx, tx, o)
	if err != nil {
		return shop.Outcome{}, err
	}
	outcome, known, err := outcomeOf(ctx, tx, o.ID)
	switch {
	case err != nil:
		return shop.Outcome{}, err
	case known:
		outcome.Duplicate = true
		return outcome, nil
	case first != o.ID:
		o.Reason = shop.ReasonKey
	default:
		if o.Reason, err = take(ctx, tx, o.Items); err != nil {
			return shop.Outcome{}, err
		}
	}
	o.Status = shop.Accepted
	if o.Reason != "" {
		o.Status = shop.Rejected
	}
	return shop.Outcome{Status: o.Status, Reason: o.Reason}, insert(ctx, tx, o)
}

// claim takes the order's key and returns the ID of the order that has it, which is another one's if that came first. While another transaction
// takes the same key, this one waits for its end: two deliveries of an order never run side by side.
func claim(ctx context.Context, tx pgx.Tx, o shop.Order) (id string, err error) {
	hash := shop.KeyHash(o.Key)
	tag, err := tx.Exec(ctx, `INSERT INTO claim (key_hash, order_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`, hash, o.ID)
	if err != nil {
		return "", fmt.Errorf("claiming the key of order %s: %w", o.ID, err)
	}
	if tag.RowsAffected() == 1 {
		return o.ID, nil
	}
	// The row is locked, for two deliveries of an order that lost its key to another one have no claim of their own to wait for.
	if err := tx.QueryRow(ctx, `SELECT order_id FROM claim WHERE key_hash = $1 FOR UPDATE`, hash).Scan(&id); err != nil {
		return "", fmt.Errorf("reading the claim of order %s: %w", o.ID, err)
	}
	return id, nil
}

func outcomeOf(ctx context.Context, tx pgx.Tx, id string) (outcome shop.Outcome, known bool, err error) {
	err = tx.QueryRow(ctx, `SELECT status, reason FROM shop_order WHERE id = $1`, id).Scan(&outcome.Status, &outcome.Reason)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return shop.Outcome{}, false, nil
	case err != nil:
		return shop.Outcome{}, false, fmt.Errorf("reading order %s: %w", id, err)
	}
	return outcome, true, nil
}

// take reduces the stock of every product, or of none and tells why. It locks the products in the order of IDs, as every order does, so that
// orders wait for each other and never in a circle.
func take(ctx context.Context, tx pgx.Tx, items []shop.OrderItem) (reason string, err error) {
	ids, quantities := make([]string, len(items)), make([]int64, len(items))
	for i, item := range items {
		ids[i], quantities[i] = item.ProductID, item.Quantity
	}
	rows, err := tx.Query(ctx, `SELECT `+columns+` FROM product WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE`, ids)
	if err != nil {
		return "", fmt.Errorf("locking the products: %w", err)
	}
	locked, err := pgx.CollectRows(rows, pgx.RowToStructByPos[shop.Product])
	if err != nil {
		return "", fmt.Errorf("locking the products: %w", err)
	}
	products := make(map[string]shop.Product, len(locked))
	for _, p := range locked {
		products[p.ID] = p
	}
	if reason := shop.Refusal(items, products); reason != "" {
		return reason, nil
	}
	_, err = tx.Exec(ctx, `UPDATE product SET stock = stock - sold.quantity
		FROM unnest($1::text[], $2::bigint[]) AS sold (id, quantity) WHERE product.id = sold.id`, ids, quantities)
	if err != nil {
		return "", fmt.Errorf("reducing the stock: %w", err)
	}
	return "", nil
}

// insert stores the order and puts it into the outbox.
func insert(ctx context.Context, tx pgx.Tx, o shop.Order) error {
	_, err := tx.Exec(ctx, `WITH stored AS (
			INSERT INTO shop_order (id, status, reason, items, placed_at) VALUES ($1, $2, $3, $4, $5) RETURNING id)
		INSERT INTO outbox (order_id) SELECT id FROM stored`, o.ID, o.Status, o.Reason, o.Items, o.PlacedAt)
	if err != nil {
		return fmt.Errorf("storing order %s: %w", o.ID, err)
	}
	return nil
}
