package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// A reader that comes back from a crash shows nobody a state older than it showed before: Aurora's readers share the writer's storage and cannot.
func TestACrashedReaderDoesNotGoBackInTime(t *testing.T) {
	l := newLab(t)
	l.create(l.spec(0))
	l.start(l.spec(1))
	w := l.connect(0)
	l.exec(w, "create table orders (id int primary key)")
	l.exec(w, "create table filler as select g, repeat('x', 100) from generate_series(1, 200000) g") // so that there is much to replay
	const rows = 50
	for id := range rows {
		l.exec(w, "insert into orders values ($1)", id)
	}
	l.eventually("the reader follows", func() bool { return tables(t, l) == 2 && l.count(l.connect(1)) == rows })
	for range 3 {
		if err := l.cluster().Crash(t.Context(), l.spec(1).ID); err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		seen := make(chan error, 1)
		go func() { seen <- l.watch(ctx, rows) }()
		l.start(l.spec(1))
		if n := l.count(l.connect(1)); n != rows {
			t.Errorf("after its start the reader shows %d rows of %d", n, rows)
		}
		stop()
		if err := <-seen; err != nil {
			t.Errorf("while it came back: %v", err)
		}
	}
}

// watch connects to the second node again and again, and fails when it shows fewer rows.
func (l *lab) watch(ctx context.Context, rows int) error {
	config, err := pgx.ParseConfig(fmt.Sprintf("host=127.0.0.1 port=%d user=shopkeeper dbname=shop sslmode=require", l.port))
	if err != nil {
		return err
	}
	config.Password = password
	for ctx.Err() == nil {
		n, err := countOnce(ctx, config)
		if err == nil && n != rows {
			return fmt.Errorf("it shows %d rows of %d", n, rows)
		}
		select {
		case <-time.After(time.Millisecond):
		case <-ctx.Done():
		}
	}
	return nil
}

func countOnce(ctx context.Context, config *pgx.ConnConfig) (n int, err error) {
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return 0, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var there bool
	if err := conn.QueryRow(ctx, "select to_regclass('orders') is not null").Scan(&there); err != nil || !there {
		return 0, err
	}
	return n, conn.QueryRow(ctx, "select count(*) from orders").Scan(&n)
}
