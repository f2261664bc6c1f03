package postgres

import (
	"context"
	"errors"
	"net"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"storefront/services/shop"
)

// SQLSTATE codes that tell that a connection has gone stale, from "PostgreSQL Error Codes".
const (
	readOnly      = "25006" // the session's server was demoted by a failover
	adminShutdown = "57P01"
	crashShutdown = "57P02"
	cannotConnect = "57P03"
)

// transientClasses are classes of SQLSTATE codes that say nothing against the statement: it may succeed later.
var transientClasses = []string{
	"08", // connection exception
	"40", // transaction rollback: deadlock, serialization failure
	"53", // insufficient resources: too many connections, disk full
	"57", // operator intervention: shutdown, statement cancelled
	"58", // system error, outside PostgreSQL itself
}

// onceMore runs f, and again when the first connection turns out to be one from before a failover. f must be idempotent.
func onceMore(ctx context.Context, p *pgxpool.Pool, f func() error) error {
	err := f()
	if !stale(err) || ctx.Err() != nil {
		return wrap(err)
	}
	p.Reset()
	return wrap(f())
}

func stale(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return slices.Contains([]string{readOnly, adminShutdown, crashShutdown, cannotConnect}, pg.Code)
	}
	var network net.Error
	return errors.As(err, &network) || pgconn.SafeToRetry(err)
}

func transient(pg *pgconn.PgError) bool {
	return pg.Code == readOnly || len(pg.Code) == 5 && slices.Contains(transientClasses, pg.Code[:2])
}

// wrap gives err the shop's code: a statement that the database refuses is our fault, what does not reach it or may succeed later is unavailable. So is a
// connection that is refused, as with a password that was just rotated: it says nothing against the order that waits for it.
func wrap(err error) error {
	var known *shop.Error
	var connecting *pgconn.ConnectError
	var pg *pgconn.PgError
	switch {
	case err == nil, errors.As(err, &known):
		return err
	case !errors.As(err, &connecting) && errors.As(err, &pg) && !transient(pg):
		return &shop.Error{Code: shop.Internal, Message: "the database refused a statement", Err: err}
	}
	return &shop.Error{Code: shop.Unavailable, Message: "the database does not answer", Err: err}
}
