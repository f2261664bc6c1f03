package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"storefront/lab/authority"
	"storefront/lab/network"
	"storefront/lab/postgres"
)

const password = "correct horse battery staple"

// templates holds the template of all tests' engines.
var (
	templates  string
	templating sync.Mutex
)

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "pgtemplate")
	if err != nil {
		log.Fatal(err)
	}
	templates = dir
	code := m.Run()
	if err := os.RemoveAll(dir); err != nil {
		log.Fatal(err)
	}
	os.Exit(code)
}

// plain starts commands in the test's own network.
type plain struct{}

func (plain) Start(_ network.Place, cmd *exec.Cmd) error { return cmd.Start() }

// lab is an engine with its directory, for one test.
type lab struct {
	*testing.T
	dir       string
	engine    *postgres.Engine
	authority *authority.Authority
	port      uint16
}

// newLab also lets the test run beside others: most of its time it waits for servers.
func newLab(t *testing.T) *lab {
	t.Helper()
	t.Parallel()
	dir := publicDir(t)
	a, err := authority.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{T: t, dir: filepath.Join(dir, "databases"), authority: a, port: freePort(t)}
	l.reopen()
	l.shareTemplate()
	return l
}

// shareTemplate gives the engine the template that an earlier test's has made, or keeps its own for later tests.
func (l *lab) shareTemplate() {
	l.Helper()
	templating.Lock()
	defer templating.Unlock()
	clusters := filepath.Join(l.dir, "clusters")
	kept, _ := filepath.Glob(filepath.Join(templates, ".template-*"))
	from, to := kept, clusters
	if len(kept) == 0 {
		if err := l.engine.Prepare(l.Context()); err != nil {
			l.Fatal(err)
		}
		from, _ = filepath.Glob(filepath.Join(clusters, ".template-*"))
		to = templates
	}
	if out, err := exec.Command("cp", append([]string{"-a", "-t", to}, from...)...).CombinedOutput(); err != nil {
		l.Fatalf("%v: %s", err, out)
	}
}

// publicDir is a temporary directory that other users of the machine can enter. When the test is over nothing may work in it.
func publicDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pg")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

// reopen does what a new daemon does on the directory of a killed one.
func (l *lab) reopen() {
	l.Helper()
	engine, err := postgres.Open(postgres.Config{Dir: l.dir, Starter: plain{}, Issuer: l.authority, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if errors.Is(err, postgres.ErrNoServer) {
		l.Skip(err)
	}
	if err != nil {
		l.Fatal(err)
	}
	l.engine = engine
}

func (l *lab) cluster() *postgres.Cluster {
	l.Helper()
	c, err := l.engine.Cluster("shop")
	if err != nil {
		l.Fatal(err)
	}
	return c
}

// spec declares node number i, which listens on 127.0.0.<i>.
func (l *lab) spec(i int) postgres.NodeSpec {
	return postgres.NodeSpec{
		ID:     fmt.Sprintf("shop-%d", i),
		Listen: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, byte(i)}), l.port),
		Names:  []string{"shop.cluster-lab.us-east-1.rds.amazonaws.com"},
	}
}

func (l *lab) create(spec postgres.NodeSpec) *postgres.Node {
	l.Helper()
	verifier, err := postgres.Verifier(password)
	if err != nil {
		l.Fatal(err)
	}
	c := l.cluster()
	n, err := c.Create(l.Context(), spec, postgres.Master{User: "shopkeeper", Verifier: verifier, Database: "shop"})
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() {
		if err := l.cluster().Delete(context.Background()); err != nil {
			l.Error(err)
		}
		if left := serversIn(l.T, l.dir); len(left) > 0 {
			l.Errorf("processes left behind: %v", left)
		}
	})
	return n
}

func (l *lab) start(spec postgres.NodeSpec) *postgres.Node {
	l.Helper()
	n, err := l.cluster().Start(l.Context(), spec)
	if err != nil {
		l.Fatal(err)
	}
	return n
}

// connect opens a session of the master user, over TLS that is verified as a careful client does.
func (l *lab) connect(i int) *pgx.Conn {
	l.Helper()
	config, err := pgx.ParseConfig(fmt.Sprintf("host=127.0.0.%d port=%d user=shopkeeper dbname=shop sslmode=require", i, l.port))
	if err != nil {
		l.Fatal(err)
	}
	config.Password = password
	config.TLSConfig.InsecureSkipVerify = false
	config.TLSConfig.RootCAs = l.authority.Pool()
	config.TLSConfig.ServerName = l.spec(i).Names[0]
	conn, err := pgx.ConnectConfig(l.Context(), config)
	if err != nil {
		l.Fatal(err)
	}
	l.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func (l *lab) exec(conn *pgx.Conn, sql string, args ...any) {
	l.Helper()
	if _, err := conn.Exec(l.Context(), sql, args...); err != nil {
		l.Fatalf("%s: %v", sql, err)
	}
}

func (l *lab) count(conn *pgx.Conn) (n int) {
	l.Helper()
	if err := conn.QueryRow(l.Context(), "select count(*) from orders").Scan(&n); err != nil {
		l.Fatal(err)
	}
	return n
}

// eventually polls until holds returns true.
func (l *lab) eventually(what string, holds func() bool) {
	l.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			l.Fatalf("it did not become true within 10 s that %s", what)
		case <-tick.C:
		}
	}
}

func wantState(t *testing.T, err error, state string) {
	t.Helper()
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Code != state {
		t.Errorf("got error %v, want SQLSTATE %s", err, state)
	}
}

// serversIn lists the processes whose working directory is in dir, by their command lines.
func serversIn(t *testing.T, dir string) (found []string) {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if cwd, err := os.Readlink(link); err == nil && strings.HasPrefix(cwd, dir) {
			cmdline, _ := os.ReadFile(filepath.Join(filepath.Dir(link), "cmdline"))
			found = append(found, link+" "+strings.ReplaceAll(string(cmdline), "\x00", " "))
		}
	}
	return found
}

func freePort(t *testing.T) uint16 {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return uint16(listener.Addr().(*net.TCPAddr).Port)
}
