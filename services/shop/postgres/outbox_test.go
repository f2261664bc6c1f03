package postgres_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"storefront/services/shop"
	"storefront/services/shop/postgres"
	"storefront/services/shop/shoptest"
)

// refusedBesideOlder has a summary refused while servers of the version before work on the same outbox: they are not handed it, another server knows
// of it, and the way back to the older schema brings it back to them.
func refusedBesideOlder(t *testing.T, s server) {
	db := s.open(t, "older")
	must(t, db.Migrate(t.Context()))
	p := shoptest.Sample("older-kettle")
	shoptest.MustPut(t, db, p)
	refused, other := shoptest.SampleOrder("refused", 1, p.ID), shoptest.SampleOrder("other", 1, p.ID)
	shoptest.MustApply(t, db, refused, shop.Outcome{Status: shop.Accepted})
	got, err := db.Pending(t.Context(), 10, shoptest.Answer(shop.Invalidf("status", "is no number")))
	if err != nil || got != (shop.Published{Refused: 1}) {
		t.Fatalf("got %+v, %v; want one refused", got, err)
	}
	shoptest.MustApply(t, db, other, shop.Outcome{Status: shop.Accepted})

	// What the version before asks for.
	const older = `SELECT o.id FROM outbox JOIN shop_order o ON o.id = outbox.order_id ORDER BY outbox.version LIMIT 200 FOR UPDATE OF outbox SKIP LOCKED`
	c, err := pgx.Connect(t.Context(), "postgres://shop@"+s.address+"/older?sslmode=disable")
	must(t, err)
	defer c.Close(t.Context())
	handed := func() string {
		rows, err := c.Query(t.Context(), older)
		must(t, err)
		ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
		must(t, err)
		return strings.Join(ids, " ")
	}
	if ids := handed(); ids != other.ID {
		t.Errorf("the version before is handed %q, want %q alone", ids, other.ID)
	}

	started, err := postgres.Open(t.Context(), postgres.Config{Writer: s.address, Reader: s.address, Database: "older", Login: func(context.Context) (postgres.Login, error) {
		return postgres.Login{User: "shop"}, nil
	}})
	must(t, err)
	defer started.Close()
	got, err = started.Retry(t.Context(), 10, shoptest.Answer(shop.Invalidf("status", "is still no number")))
	if err != nil || got != (shop.Published{Refused: 1}) {
		t.Errorf("a server that was started later: got %+v, %v; want the one that was refused", got, err)
	}
	var reason string
	var refusals int
	var later bool
	must(t, c.QueryRow(t.Context(), `SELECT reason, refusals, refused_at > first_refused_at FROM outbox_refused WHERE order_id = $1`, refused.ID).Scan(&reason, &refusals, &later))
	if reason != "status: is still no number" || refusals != 2 || !later {
		t.Errorf("kept is %q after %d refusals (the last one later: %t), want the last reason after 2", reason, refusals, later)
	}

	migration, err := os.ReadFile("migrations/00004_outbox_refused.sql")
	must(t, err)
	_, down, _ := strings.Cut(string(migration), "-- +goose Down")
	_, err = c.Exec(t.Context(), down)
	must(t, err)
	if ids := handed(); ids != refused.ID+" "+other.ID {
		t.Errorf("back at the older schema %q are handed out, want %q first", ids, refused.ID)
	}
}
