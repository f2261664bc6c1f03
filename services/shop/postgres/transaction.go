package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// rollbackFor bounds the end of a transaction that failed; a connection that takes longer is closed.
const rollbackFor = time.Second

// transact runs f on a connection of the writer, and again on another one as onceMore does. f starts its transaction with begin and ends it with
// commit, both of which go with other statements in one round trip; a transaction that f leaves open is rolled back.
func (db *DB) transact(ctx context.Context, f func(*pgx.Conn) error) error {
	return onceMore(ctx, db.writer, func() error {
		return db.writer.AcquireFunc(ctx, func(c *pgxpool.Conn) error {
			defer rollback(ctx, c.Conn())
			return f(c.Conn())
		})
	})
}

// begin returns a batch that starts a transaction.
func begin() *pgx.Batch {
	b := new(pgx.Batch)
	b.Queue(`BEGIN ISOLATION LEVEL READ COMMITTED`)
	return b
}

// commit sends the statements of b and commits. After the first statement that fails none of the others runs.
func commit(ctx context.Context, c *pgx.Conn, b *pgx.Batch) error {
	b.Queue(`COMMIT`).Exec(func(tag pgconn.CommandTag) error {
		if tag.String() != "COMMIT" { // PostgreSQL answers ROLLBACK, and no error, when the transaction had failed before
			return pgx.ErrTxCommitRollback
		}
		return nil
	})
	return c.SendBatch(ctx, b).Close()
}

// rollback ends the transaction that c is in. If it fails the pool closes the connection, as it does with every one that is returned within a transaction.
func rollback(ctx context.Context, c *pgx.Conn) {
	if c.IsClosed() || c.PgConn().TxStatus() == 'I' {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), rollbackFor)
	defer cancel()
	_, _ = c.Exec(ctx, `ROLLBACK`)
}
