package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"storefront/services/shop"
)

// Apply implements shop.Ledger in one transaction on the writer. It may run again after a failover: if the first one was committed and its answer
// lost, the second finds the order.
func (db *DB) Apply(ctx context.Context, o shop.Order) (outcome shop.Outcome, err error) {
	err = db.transact(ctx, func(c *pgx.Conn) (err error) {
		outcome, err = apply(ctx, c, o)
		return err
	})
	if err != nil {
		return shop.Outcome{}, err
	}
	return outcome, nil
}

// apply takes two round trips for an order that is new: one to lock what it needs, and one to store it.
func apply(ctx context.Context, c *pgx.Conn, o shop.Order) (shop.Outcome, error) {
	fresh, products, err := claim(ctx, c, o)
	if err != nil {
		return shop.Outcome{}, fmt.Errorf("claiming the key of order %s and locking its products: %w", o.ID, err)
	}
	owner := o.ID
	if !fresh { // claims live as long as orders, so that one which is new has no order with its ID
		var outcome shop.Outcome
		if owner, outcome, err = earlier(ctx, c, o); err != nil || outcome.Duplicate {
			return outcome, err
		}
	}
	if o.Reason = shop.ReasonKey; owner == o.ID {
		o.Reason = shop.Refusal(o.Items, products)
	}
	o.Status = shop.Accepted
	if o.Reason != "" {
		o.Status = shop.Rejected
	}
	if err := store(ctx, c, o); err != nil {
		return shop.Outcome{}, fmt.Errorf("storing order %s: %w", o.ID, err)
	}
	return shop.Outcome{Status: o.Status, Reason: o.Reason}, nil
}

// claim starts the transaction, claims the order's key and locks its products, in this order and the products in that of their IDs, as every order does:
// orders wait for each other and never in a circle. fresh tells that nobody had the claim. While another transaction takes the same key, this one
// waits for its end: two deliveries of an order never run side by side.
func claim(ctx context.Context, c *pgx.Conn, o shop.Order) (fresh bool, products map[string]shop.Product, err error) {
	b, products := begin(), make(map[string]shop.Product, len(o.Items))
	b.Queue(`INSERT INTO claim (key_hash, order_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`, shop.KeyHash(o.Key), o.ID).Exec(func(tag pgconn.CommandTag) error {
		fresh = tag.RowsAffected() == 1
		return nil
	})
	ids, _ := columnsOf(o.Items)
	b.Queue(`SELECT id, currency, stock FROM product WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE`, ids).Query(func(rows pgx.Rows) error {
		var p shop.Product
		_, err := pgx.ForEachRow(rows, []any{&p.ID, &p.Currency, &p.Stock}, func() error {
			products[p.ID] = p
			return nil
		})
		return err
	})
	err = c.SendBatch(ctx, b).Close()
	return fresh, products, err
}

// earlier returns which order has the claim of the order's key, and what became of the order if it was applied before. The row of the claim is locked,
// for two deliveries of an order that lost its key to another one have no claim of their own to wait for.
func earlier(ctx context.Context, c *pgx.Conn, o shop.Order) (owner string, outcome shop.Outcome, err error) {
	if err := c.QueryRow(ctx, `SELECT order_id FROM claim WHERE key_hash = $1 FOR UPDATE`, shop.KeyHash(o.Key)).Scan(&owner); err != nil {
		return "", shop.Outcome{}, fmt.Errorf("reading the claim of order %s: %w", o.ID, err)
	}
	err = c.QueryRow(ctx, `SELECT status, reason FROM shop_order WHERE id = $1`, o.ID).Scan(&outcome.Status, &outcome.Reason)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return owner, shop.Outcome{}, nil
	case err != nil:
		return "", shop.Outcome{}, fmt.Errorf("reading order %s: %w", o.ID, err)
	}
	outcome.Duplicate = true
	return owner, outcome, nil
}

// store reduces the stock if the order is accepted, stores the order, puts it into the outbox, and commits.
func store(ctx context.Context, c *pgx.Conn, o shop.Order) error {
	var sold []shop.OrderItem
	if o.Status == shop.Accepted {
		sold = o.Items
	}
	ids, quantities := columnsOf(sold)
	b := new(pgx.Batch)
	b.Queue(`WITH sold AS (
			UPDATE product SET stock = stock - line.quantity FROM unnest($6::text[], $7::bigint[]) AS line (id, quantity) WHERE product.id = line.id),
		stored AS (
			INSERT INTO shop_order (id, status, reason, items, placed_at) VALUES ($1, $2, $3, $4, $5) RETURNING id)
		INSERT INTO outbox (order_id) SELECT id FROM stored`, o.ID, o.Status, o.Reason, o.Items, o.PlacedAt, ids, quantities)
	return commit(ctx, c, b)
}

// columnsOf returns the products and quantities of items as unnest takes them.
func columnsOf(items []shop.OrderItem) (ids []string, quantities []int64) {
	ids, quantities = make([]string, len(items)), make([]int64, len(items))
	for i, item := range items {
		ids[i], quantities[i] = item.ProductID, item.Quantity
	}
	return ids, quantities
}
