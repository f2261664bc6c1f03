package postgres

import (
	"context"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"storefront/services/shop"
)

// maxReason bounds the reason that is kept of a refusal, in bytes: the search may repeat in it what it was sent.
const maxReason = 1000

// Pending implements shop.Outbox on the writer: the rows stay locked while they are published, and others skip them.
func (db *DB) Pending(ctx context.Context, n int, publish shop.Publish) (shop.Published, error) {
	return db.hand(ctx, pending, n, publish)
}

// Retry implements shop.Outbox as Pending does.
func (db *DB) Retry(ctx context.Context, n int, publish shop.Publish) (shop.Published, error) {
	return db.hand(ctx, setAside, n, publish)
}

// Refused implements shop.Outbox from the writer.
func (db *DB) Refused(ctx context.Context) (n int, err error) {
	err = onceMore(ctx, db.writer, func() error {
		return db.writer.QueryRow(ctx, `SELECT count(*) FROM outbox_refused`).Scan(&n)
	})
	return n, err
}

// shelf is a table of summaries that wait. A refused summary has a table of its own, so that no number of them is in the way of the others, nor of the
// relays of an older version, which would be held up by it for ever.
type shelf struct{ lock, taken, refused string }

var (
	pending = shelf{
		lock: `SELECT w.version, o.id, o.status, o.reason, o.items, o.placed_at
			FROM outbox w JOIN shop_order o ON o.id = w.order_id ORDER BY w.version LIMIT $1 FOR UPDATE OF w SKIP LOCKED`,
		taken: `DELETE FROM outbox WHERE version = ANY ($1)`,
		refused: `WITH gone AS (DELETE FROM outbox WHERE version = ANY ($1) RETURNING version, order_id)
			INSERT INTO outbox_refused (version, order_id, reason)
			SELECT gone.version, gone.order_id, said.reason FROM gone JOIN unnest($1::bigint[], $2::text[]) AS said (version, reason) USING (version)`,
	}
	setAside = shelf{
		lock: `SELECT w.version, o.id, o.status, o.reason, o.items, o.placed_at
			FROM outbox_refused w JOIN shop_order o ON o.id = w.order_id ORDER BY w.refused_at, w.version LIMIT $1 FOR UPDATE OF w SKIP LOCKED`,
		taken: `DELETE FROM outbox_refused WHERE version = ANY ($1)`,
		refused: `UPDATE outbox_refused w SET reason = said.reason, refused_at = now(), refusals = w.refusals + 1
			FROM unnest($1::bigint[], $2::text[]) AS said (version, reason) WHERE w.version = said.version`,
	}
)

// hand has up to n summaries of a shelf published, in two round trips: one that locks them and one that says what became of them.
func (db *DB) hand(ctx context.Context, from shelf, n int, publish shop.Publish) (done shop.Published, err error) {
	var held error
	err = db.transact(ctx, func(c *pgx.Conn) error {
		done, held = shop.Published{}, nil
		summaries, err := lockSummaries(ctx, c, from.lock, n)
		if err != nil || len(summaries) == 0 {
			return err
		}
		v := shop.Judge(summaries, publish(ctx, summaries))
		held = v.Held
		b := new(pgx.Batch)
		if len(v.Taken) > 0 {
			b.Queue(from.taken, v.Taken)
		}
		if len(v.Refused) > 0 {
			b.Queue(from.refused, v.Refused, kept(v.Reasons))
		}
		if b.Len() == 0 {
			return nil // and transact rolls back
		}
		err = commit(ctx, c, b)
		if err == nil {
			done = v.Count()
		}
		return err
	})
	if err == nil {
		err = held
	}
	return done, err
}

// lockSummaries starts the transaction that the rows stay locked in.
func lockSummaries(ctx context.Context, c *pgx.Conn, query string, n int) (summaries []shop.Summary, err error) {
	b := begin()
	b.Queue(query, n).Query(func(rows pgx.Rows) error {
		var (
			version int64
			id      string
			status  shop.Status
			reason  string
			items   []shop.OrderItem
			placed  time.Time
		)
		_, err := pgx.ForEachRow(rows, []any{&version, &id, &status, &reason, &items, &placed}, func() error {
			summaries = append(summaries, shop.Summarize(shop.Order{ID: id, Status: status, Reason: reason, Items: items, PlacedAt: placed.UTC()}, version))
			items = nil // the next row must not write into this one's
			return nil
		})
		return err
	})
	err = c.SendBatch(ctx, b).Close()
	return summaries, err
}

// kept returns reasons as PostgreSQL takes them, which stores no zero byte and nothing but UTF-8: a reason must not be the reason why nothing is stored.
func kept(reasons []string) []string {
	out := make([]string, len(reasons))
	for i, r := range reasons {
		out[i] = strings.ToValidUTF8(strings.ReplaceAll(r, "\x00", ""), "")
		out[i] = strings.ToValidUTF8(out[i][:min(len(out[i]), maxReason)], "")
	}
	return out
}
