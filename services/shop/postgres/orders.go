package postgres

import (
	"context"
	"errors"
	"time"

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

// Pending implements shop.Outbox on the writer: the rows stay locked while they are published, and others skip them.
func (db *DB) Pending(ctx context.Context, n int, publish func(context.Context, []shop.Summary) error) (int, error) {
	count := 0
	var refused error
	err := db.transact(ctx, func(c *pgx.Conn) error {
		versions, summaries, err := lockPending(ctx, c, n)
		if err != nil || len(versions) == 0 {
			return err
		}
		if refused = publish(ctx, summaries); refused != nil {
			return errRefused
		}
		b := new(pgx.Batch)
		b.Queue(`DELETE FROM outbox WHERE version = ANY ($1)`, versions)
		if err := commit(ctx, c, b); err != nil {
			return err
		}
		count = len(versions)
		return nil
	})
	if refused != nil {
		return 0, refused
	}
	if err != nil {
		return 0, err
	}
	return count, nil
}

// errRefused ends a transaction whose summaries could not be published, without being taken for an error of the database.
var errRefused = errors.New("the summaries were not published")

// lockPending starts the transaction that the rows stay locked in.
func lockPending(ctx context.Context, c *pgx.Conn, n int) (versions []int64, summaries []shop.Summary, err error) {
	b := begin()
	b.Queue(`SELECT outbox.version, o.id, o.status, o.reason, o.items, o.placed_at
		FROM outbox JOIN shop_order o ON o.id = outbox.order_id ORDER BY outbox.version LIMIT $1 FOR UPDATE OF outbox SKIP LOCKED`, n).Query(func(rows pgx.Rows) error {
		var (
			version int64
			id      string
			status  shop.Status
			reason  string
			items   []shop.OrderItem
			placed  time.Time
		)
		_, err := pgx.ForEachRow(rows, []any{&version, &id, &status, &reason, &items, &placed}, func() error {
			versions = append(versions, version)
			summaries = append(summaries, shop.Summarize(shop.Order{ID: id, Status: status, Reason: reason, Items: items, PlacedAt: placed.UTC()}, version))
			items = nil // the next row must not write into this one's
			return nil
		})
		return err
	})
	err = c.SendBatch(ctx, b).Close()
	return versions, summaries, err
}
