package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"storefront/lab/postgres"
)

func TestReadersReplayTheWriterAndRefuseWrites(t *testing.T) {
	l := newLab(t)
	l.create(l.spec(1))
	second, third := l.start(l.spec(2)), l.start(l.spec(3))
	writer := l.connect(1)
	l.exec(writer, "create table orders (id int primary key)")
	l.exec(writer, "insert into orders select generate_series(1, 1000)")
	for i := 2; i <= 3; i++ {
		reader := l.connect(i)
		l.eventually(fmt.Sprintf("reader %d has the writer's rows", i), func() bool {
			var there bool
			return reader.QueryRow(t.Context(), "select to_regclass('orders') is not null").Scan(&there) == nil && there && l.count(reader) == 1000
		})
		_, err := reader.Exec(t.Context(), "insert into orders values (0)")
		wantState(t, err, "25006")
	}
	for _, n := range []*postgres.Node{second, third} {
		if s, err := n.Check(t.Context()); err != nil || s.Writer || !s.Streaming || s.Lag > 10*time.Second || s.Connections != 1 {
			t.Errorf("%s: got %+v, %v; want a streaming reader with one client", n.ID(), s, err)
		}
	}
}

func TestFailoverAndRejoin(t *testing.T) {
	l := newLab(t)
	l.create(l.spec(1))
	l.start(l.spec(2))
	l.start(l.spec(3))
	writer := l.connect(1)
	l.exec(writer, "create table orders (id int primary key)")
	l.exec(writer, "insert into orders values (1)")

	began := time.Now()
	if err := l.cluster().Promote(t.Context(), "shop-3"); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the failover took %s", took)
	}
	if w := l.cluster().Writer(); w != "shop-3" {
		t.Errorf("the writer is %q, want shop-3", w)
	}
	writer = l.connect(3)
	l.exec(writer, "insert into orders values (2)")
	l.start(l.spec(1))
	for i := 1; i <= 2; i++ {
		reader := l.connect(i)
		l.eventually(fmt.Sprintf("node %d follows the new writer", i), func() bool { return l.count(reader) == 2 })
		_, err := reader.Exec(t.Context(), "insert into orders values (0)")
		wantState(t, err, "25006")
	}
	if err := l.cluster().Promote(t.Context(), "shop-9"); !errors.Is(err, postgres.ErrNotReader) {
		t.Errorf("promoting a node that does not exist: got %v", err)
	}
}

// A writer that is killed while a reader is cut off from it has acknowledged what the reader never received.
func TestFailoverLosesNothingThatWasAcknowledged(t *testing.T) {
	l := newLab(t)
	first := l.create(l.spec(1))
	l.start(l.spec(2))
	writer := l.connect(1)
	l.exec(writer, "create table orders (id int primary key)")
	receiver := processTitled(t, l.dir, "walreceiver")
	if err := syscall.Kill(receiver, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(receiver, syscall.SIGCONT) })
	acknowledged := 0
	for i := range 2000 {
		l.exec(writer, "insert into orders values ($1)", i)
		acknowledged++
	}
	if err := syscall.Kill(postmaster(t, l.dir, "shop-1"), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-first.Done()
	if first.Err() == nil {
		t.Error("a killed server is reported as one that stopped in order")
	}
	if err := syscall.Kill(receiver, syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if err := l.cluster().Promote(t.Context(), "shop-2"); err != nil {
		t.Fatal(err)
	}
	if got := l.count(l.connect(2)); got != acknowledged {
		t.Errorf("the new writer has %d rows, acknowledged were %d", got, acknowledged)
	}
	l.start(l.spec(1))
	if got := l.count(l.connect(1)); got != acknowledged {
		t.Errorf("the old writer rejoined with %d rows, want %d", got, acknowledged)
	}
}

func TestADeadDaemonsServersAreEndedAndTheirDataRecovered(t *testing.T) {
	l := newLab(t)
	l.create(l.spec(1))
	l.start(l.spec(2))
	writer := l.connect(1)
	l.exec(writer, "create table orders (id int primary key)")
	l.exec(writer, "insert into orders values (1)")
	busy := l.connect(1)
	go func() { _, _ = busy.Exec(context.WithoutCancel(t.Context()), "select pg_sleep(60)") }()

	l.reopen() // the old engine knows nothing of it, as if killed
	if left := serversIn(t, l.dir); len(left) > 0 {
		t.Errorf("left after the new start: %v", left)
	}
	if _, err := l.cluster().Start(t.Context(), l.spec(3)); !errors.Is(err, postgres.ErrNoWriter) {
		t.Errorf("a new reader without a writer: got %v, want ErrNoWriter", err)
	}
	l.start(l.spec(2)) // a reader may come up before its writer
	l.start(l.spec(1))
	for i := 1; i <= 2; i++ {
		if got := l.count(l.connect(i)); got != 1 {
			t.Errorf("node %d has %d rows, want 1", i, got)
		}
	}
}

func TestAnInterruptedPromotionIsFinished(t *testing.T) {
	l := newLab(t)
	l.create(l.spec(1))
	l.start(l.spec(2))
	cluster := filepath.Join(l.dir, "clusters", "shop")
	if err := l.cluster().Promote(t.Context(), "shop-2"); err != nil {
		t.Fatal(err)
	}
	// As if the daemon had died between the server's promotion and the change of the link.
	if err := errors.Join(os.Remove(filepath.Join(cluster, "writer")), os.Symlink("nodes/shop-1", filepath.Join(cluster, "writer")),
		os.WriteFile(filepath.Join(cluster, "promoting"), []byte("shop-2"), 0o600)); err != nil {
		t.Fatal(err)
	}
	l.reopen()
	l.start(l.spec(2))
	if w := l.cluster().Writer(); w != "shop-2" {
		t.Errorf("the writer is %q, want shop-2", w)
	}
	l.exec(l.connect(2), "create table orders (id int primary key)")
	l.start(l.spec(1))
	l.eventually("the old writer follows", func() bool {
		var there bool
		err := l.connect(1).QueryRow(t.Context(), "select to_regclass('orders') is not null").Scan(&there)
		return err == nil && there
	})
}

// A reader whose data cannot lead on to the writer's gets a new copy.
func TestAReaderThatDivergedIsRebuilt(t *testing.T) {
	l := newLab(t)
	l.create(l.spec(1))
	l.start(l.spec(2))
	l.exec(l.connect(1), "create table orders (id int primary key)")
	if err := l.cluster().Remove(t.Context(), "shop-2"); err != nil {
		t.Fatal(err)
	}
	other, err := l.engine.Cluster("other")
	if err != nil {
		t.Fatal(err)
	}
	stranger := l.spec(4)
	verifier, _ := postgres.Verifier(password)
	if _, err := other.Create(t.Context(), stranger, postgres.Master{User: "shopkeeper", Verifier: verifier, Database: "shop"}); err != nil {
		t.Fatal(err)
	}
	config := l.connect(4).Config()
	conn, err := pgx.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	l.exec(conn, "create table strange as select generate_series(1, 100000)")
	_ = conn.Close(t.Context())
	clusters := filepath.Join(l.dir, "clusters")
	if err := other.Remove(t.Context(), "shop-4"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(filepath.Join(clusters, "other/nodes/.volume"), filepath.Join(clusters, "shop/nodes/shop-2")); err != nil {
		t.Fatal(err)
	}
	l.start(l.spec(2))
	if got := l.count(l.connect(2)); got != 0 {
		t.Errorf("got %d rows, want an empty table", got)
	}
	if err := other.Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestTheDataOutlivesTheLastNode(t *testing.T) {
	l := newLab(t)
	l.create(l.spec(1))
	conn := l.connect(1)
	l.exec(conn, "create table orders (id int primary key)")
	l.exec(conn, "insert into orders values (1)")
	if err := l.cluster().Remove(t.Context(), "shop-1"); err != nil {
		t.Fatal(err)
	}
	if l.cluster().Writer() != "" || !l.cluster().Exists() {
		t.Error("want a cluster with data and without a writer")
	}
	if err := l.cluster().Snapshot(t.Context(), "resting"); err != nil || !l.engine.HasSnapshot("resting") {
		t.Errorf("a snapshot of the data at rest: %v", err)
	}
	l.start(l.spec(2))
	if got := l.count(l.connect(2)); got != 1 {
		t.Errorf("the new node has %d rows, want 1", got)
	}
}

func TestSnapshotAndRestore(t *testing.T) {
	l := newLab(t)
	l.create(l.spec(1))
	conn := l.connect(1)
	l.exec(conn, "create table orders (id int primary key)")
	l.exec(conn, "insert into orders values (1)")
	if err := l.cluster().Snapshot(t.Context(), "before"); err != nil {
		t.Fatal(err)
	}
	if err := l.cluster().Snapshot(t.Context(), "before"); !errors.Is(err, postgres.ErrExists) {
		t.Errorf("a second snapshot of the same name: got %v, want ErrExists", err)
	}
	l.exec(conn, "insert into orders values (2)")
	restored, err := l.engine.Cluster("restored")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := restored.Restore(t.Context(), l.spec(5), "before", postgres.Master{}); err != nil {
		t.Fatal(err)
	}
	if got := l.count(l.connect(5)); got != 1 {
		t.Errorf("the restored cluster has %d rows, want the snapshot's 1", got)
	}
	if err := errors.Join(restored.Delete(t.Context()), l.engine.DeleteSnapshot(t.Context(), "before")); err != nil {
		t.Fatal(err)
	}
}

// What a daemon that died in the middle of Create left behind is no cluster, and does not hinder the next attempt.
func TestCreateAfterAnInterruptedCreate(t *testing.T) {
	l := newLab(t)
	half := filepath.Join(l.dir, "clusters/shop/nodes/shop-1/data")
	if err := os.MkdirAll(half, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(half, "PG_VERSION"), []byte("15"), 0o600); err != nil {
		t.Fatal(err)
	}
	owner, err := os.Stat(filepath.Join(l.dir, "clusters"))
	if err != nil {
		t.Fatal(err)
	}
	as := owner.Sys().(*syscall.Stat_t)
	for dir := half; dir != filepath.Join(l.dir, "clusters"); dir = filepath.Dir(dir) {
		if err := os.Chown(dir, int(as.Uid), int(as.Gid)); err != nil {
			t.Fatal(err)
		}
	}
	if l.cluster().Exists() {
		t.Error("half a cluster exists")
	}
	l.create(l.spec(1))
	l.connect(1)
	if _, err := l.cluster().Create(t.Context(), l.spec(1), postgres.Master{}); !errors.Is(err, postgres.ErrExists) {
		t.Errorf("creating it again: got %v, want ErrExists", err)
	}
}

func TestDeleteLeavesNothing(t *testing.T) {
	l := newLab(t)
	l.create(l.spec(1))
	l.start(l.spec(2))
	if err := l.cluster().Delete(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left := serversIn(t, l.dir); len(left) > 0 {
		t.Errorf("processes left: %v", left)
	}
	if _, err := os.Stat(filepath.Join(l.dir, "clusters", "shop")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the data is still there (%v)", err)
	}
	if _, err := l.cluster().Start(t.Context(), l.spec(1)); !errors.Is(err, postgres.ErrNoCluster) {
		t.Errorf("got %v, want ErrNoCluster", err)
	}
}

// PostgreSQL's own client agrees with ours on what a careful connection is.
func TestPsql(t *testing.T) {
	l := newLab(t)
	l.create(l.spec(1))
	root := filepath.Join(t.TempDir(), "root.pem")
	if err := os.WriteFile(root, l.authority.CertificatePEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	psql := exec.Command("psql", "-XAtc", "select ssl, version from pg_stat_ssl where pid = pg_backend_pid()")
	psql.Env = append(os.Environ(), "PGHOST="+l.spec(1).Names[0], "PGHOSTADDR=127.0.0.1", fmt.Sprintf("PGPORT=%d", l.port), "PGUSER=shopkeeper",
		"PGPASSWORD="+password, "PGDATABASE=shop", "PGSSLMODE=verify-full", "PGSSLROOTCERT="+root)
	out, err := psql.CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != "t|TLSv1.3" {
		t.Errorf("got %q, %v", out, err)
	}
}

// postmaster returns the process ID that a node recorded.
func postmaster(t *testing.T, dir, node string) (pid int) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "clusters/shop/nodes", node, "data/postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(string(data), &pid); err != nil {
		t.Fatal(err)
	}
	return pid
}

// processTitled returns the one process in dir whose title contains word.
func processTitled(t *testing.T, dir, word string) (pid int) {
	t.Helper()
	for _, p := range serversIn(t, dir) {
		if strings.Contains(p, word) {
			if _, err := fmt.Sscanf(p, "/proc/%d/cwd", &pid); err != nil {
				t.Fatal(err)
			}
			return pid
		}
	}
	t.Fatalf("no process %q in %s", word, dir)
	return 0
}
