package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"storefront/services/shop"
	"storefront/services/shop/postgres"
	"storefront/services/shop/shoptest"
)

// server is a PostgreSQL of the test's own.
type server struct{ address string }

// startServer runs initdb and postgres until the test ends. PostgreSQL refuses to run as root, so root lends it the system's postgres user.
func startServer(t *testing.T) server {
	t.Helper()
	binaries, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(binaries) == 0 {
		t.Skip("no PostgreSQL server on this machine: apt-get install postgresql")
	}
	bin := filepath.Dir(binaries[len(binaries)-1])
	dir, err := os.MkdirTemp("", "shop-pg")
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	attr := &syscall.SysProcAttr{}
	if os.Geteuid() == 0 {
		u, err := user.Lookup("postgres")
		must(t, err)
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
		must(t, os.Chown(dir, uid, gid))
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "shop", "--auth=trust", "--no-sync", "--locale=C.UTF-8")
	initdb.SysProcAttr, initdb.Dir = attr, dir
	if out, err := initdb.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	port := l.Addr().(*net.TCPAddr).Port
	must(t, l.Close())
	pg := exec.Command(filepath.Join(bin, "postgres"), "-D", data, "-k", dir, "-p", strconv.Itoa(port), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off")
	pg.SysProcAttr, pg.Dir = attr, dir
	must(t, pg.Start())
	t.Cleanup(func() {
		_ = pg.Process.Signal(syscall.SIGQUIT)
		_ = pg.Wait()
	})
	return server{address: fmt.Sprintf("127.0.0.1:%d", port)}
}

// open makes a fresh database and opens it.
func (s server) open(t *testing.T, name string) *postgres.DB {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var admin *pgx.Conn
	var err error
	for ctx.Err() == nil {
		if admin, err = pgx.Connect(ctx, "postgres://shop@"+s.address+"/postgres?sslmode=disable"); err == nil {
			break
		}
	}
	must(t, err)
	defer admin.Close(ctx)
	_, err = admin.Exec(ctx, "CREATE DATABASE "+name)
	must(t, err)
	db, err := postgres.Open(t.Context(), postgres.Config{Writer: s.address, Reader: s.address, Database: name, Login: func(context.Context) (postgres.Login, error) {
		return postgres.Login{User: "shop"}, nil
	}})
	must(t, err)
	t.Cleanup(db.Close)
	return db
}

func TestPostgres(t *testing.T) {
	s := startServer(t)
	t.Run("Catalog", func(t *testing.T) {
		n := 0
		shoptest.Catalog(t, func(t *testing.T) shop.Catalog {
			n++
			db := s.open(t, fmt.Sprintf("catalog%d", n))
			must(t, db.Migrate(t.Context()))
			empty(t, s, fmt.Sprintf("catalog%d", n))
			return db
		})
	})
	t.Run("Ledger", func(t *testing.T) {
		n := 0
		shoptest.Ledger(t, func(t *testing.T) shoptest.Store {
			n++
			db := s.open(t, fmt.Sprintf("ledger%d", n))
			must(t, db.Migrate(t.Context()))
			empty(t, s, fmt.Sprintf("ledger%d", n))
			return db
		})
	})
	t.Run("MigrateAtOnce", func(t *testing.T) {
		db := s.open(t, "migrate")
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if err := db.Migrate(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		page, err := db.Products(t.Context(), shop.Query{Limit: shop.MaxLimit})
		must(t, err)
		if len(page.Items) != 20 {
			t.Errorf("got %d seeded products, want 20", len(page.Items))
		}
		for _, p := range page.Items {
			if err := p.Validate(); err != nil {
				t.Errorf("seeded product %s: %v", p.ID, err)
			}
		}
	})
	t.Run("MigratedFurther", func(t *testing.T) {
		// A rollback starts servers of the version before, whose files end before the schema does.
		db := s.open(t, "further")
		must(t, db.Migrate(t.Context()))
		exec1(t, s, "further", "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)")
		must(t, db.Migrate(t.Context()))
	})
	t.Run("ReadOnly", func(t *testing.T) {
		db := s.open(t, "demoted")
		must(t, db.Migrate(t.Context()))
		exec1(t, s, "postgres", "ALTER DATABASE demoted SET default_transaction_read_only = on")
		other, err := postgres.Open(t.Context(), postgres.Config{Writer: s.address, Reader: s.address, Database: "demoted", Login: func(context.Context) (postgres.Login, error) {
			return postgres.Login{User: "shop"}, nil
		}})
		must(t, err)
		defer other.Close()
		if _, err := other.PutProduct(t.Context(), shoptest.Sample("x")); shop.CodeOf(err) != shop.Unavailable {
			t.Errorf("a write to a read-only server: got %v, want unavailable", err)
		}
		if _, err := other.Apply(t.Context(), shoptest.SampleOrder("key", 1, "x")); shop.CodeOf(err) != shop.Unavailable {
			t.Errorf("an order for a read-only server: got %v, want unavailable", err)
		}
	})
	t.Run("LoginRefused", func(t *testing.T) {
		must(t, s.open(t, "login").Migrate(t.Context()))
		stranger, err := postgres.Open(t.Context(), postgres.Config{Writer: s.address, Reader: s.address, Database: "login", Login: func(context.Context) (postgres.Login, error) {
			return postgres.Login{User: "stranger"}, nil
		}})
		must(t, err)
		defer stranger.Close()
		// An internal error would send an order to the dead letters.
		if _, err := stranger.Apply(t.Context(), shoptest.SampleOrder("key", 1, "x")); shop.CodeOf(err) != shop.Unavailable {
			t.Errorf("an order with a login that is refused: got %v, want unavailable", err)
		}
		if _, err := stranger.Product(t.Context(), "x"); shop.CodeOf(err) != shop.Unavailable {
			t.Errorf("a read with a login that is refused: got %v, want unavailable", err)
		}
	})
	t.Run("Refused", func(t *testing.T) { refused(t, s) })
	t.Run("RefusedBesideOlderVersion", func(t *testing.T) { refusedBesideOlder(t, s) })
	t.Run("ConnectionsLost", func(t *testing.T) { connectionsLost(t, s) })
}

func TestUnreachable(t *testing.T) {
	refused := errors.New("no login to be had")
	db, err := postgres.Open(t.Context(), postgres.Config{Writer: "127.0.0.1:1", Reader: "127.0.0.1:1", Database: "shop", Login: func(context.Context) (postgres.Login, error) {
		return postgres.Login{}, refused
	}})
	must(t, err)
	defer db.Close()
	_, err = db.Product(t.Context(), "x")
	if shop.CodeOf(err) != shop.Unavailable || !errors.Is(err, refused) {
		t.Errorf("got %v, want unavailable because of the login", err)
	}
	if _, err := postgres.Open(t.Context(), postgres.Config{Writer: "nonsense"}); err == nil {
		t.Error("an endpoint without a port was taken")
	}
}

func empty(t *testing.T, s server, database string) {
	t.Helper()
	exec1(t, s, database, "DELETE FROM product")
}

func exec1(t *testing.T, s server, database, statement string) {
	t.Helper()
	c, err := pgx.Connect(t.Context(), "postgres://shop@"+s.address+"/"+database+"?sslmode=disable")
	must(t, err)
	defer c.Close(t.Context())
	_, err = c.Exec(t.Context(), statement)
	must(t, err)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// refused has the database refuse the last statement of an order: nothing of it stays, and its connection goes on.
func refused(t *testing.T, s server) {
	db := s.open(t, "refused")
	must(t, db.Migrate(t.Context()))
	p := shoptest.Sample("refused-kettle")
	shoptest.MustPut(t, db, p)
	for range 30 { // more than the pool has connections
		broken := shoptest.SampleOrder("key", 1, p.ID)
		broken.Items[0].Name = "no text of PostgreSQL: \x00"
		if _, err := db.Apply(t.Context(), broken); shop.CodeOf(err) != shop.Internal {
			t.Fatalf("got %v, want internal", err)
		}
	}
	shoptest.WantStock(t, db, p.ID, p.Stock)
	if id, err := db.Claimed(t.Context(), "key"); err != nil || id != "" {
		t.Errorf("the key is claimed by %q, %v", id, err)
	}
	if n, err := db.Pending(t.Context(), 1, shoptest.Answer(nil)); err != nil || n != (shop.Published{}) {
		t.Errorf("the outbox has %+v summaries, %v", n, err)
	}
	shoptest.MustApply(t, db, shoptest.SampleOrder("key", 1, p.ID), shop.Outcome{Status: shop.Accepted})
}

// connectionsLost cuts the connections of the shop again and again while orders are applied, each until it is known to be: every one counts once.
func connectionsLost(t *testing.T, s server) {
	const orders = 150
	db := s.open(t, "lost")
	must(t, db.Migrate(t.Context()))
	p := shoptest.Sample("lost-kettle")
	p.Stock = orders
	shoptest.MustPut(t, db, p)
	work, done := context.WithCancel(t.Context())
	var cuts, workers sync.WaitGroup
	cut := 0
	cuts.Go(func() {
		c, err := pgx.Connect(t.Context(), "postgres://shop@"+s.address+"/postgres?sslmode=disable")
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close(t.Context())
		for tick := time.NewTicker(20 * time.Millisecond); ; cut++ {
			select {
			case <-work.Done():
				return
			case <-tick.C:
			}
			if _, err := c.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'lost'"); err != nil {
				t.Error(err)
			}
		}
	})
	for w := range 4 {
		workers.Go(func() {
			for i := w; i < orders; i += 4 {
				o := shoptest.SampleOrder(fmt.Sprint(i), 1, p.ID)
				outcome, err := db.Apply(t.Context(), o)
				for shop.CodeOf(err) == shop.Unavailable && t.Context().Err() == nil {
					outcome, err = db.Apply(t.Context(), o)
				}
				if err != nil || outcome.Status != shop.Accepted {
					t.Errorf("order %d: got %+v, %v", i, outcome, err)
				}
			}
		})
	}
	workers.Wait()
	done()
	cuts.Wait()
	shoptest.WantStock(t, db, p.ID, 0)
	n, err := db.Pending(t.Context(), 2*orders, shoptest.Answer(nil))
	if err != nil || n.Taken != orders || cut == 0 {
		t.Errorf("%+v summaries after %d cuts, %v; want %d", n, cut, err, orders)
	}
}
