package postgres

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
)

// superuser is the owner of every server, as on AWS.
const superuser = "rdsadmin"

// Status is what a running server says of itself.
type Status struct {
	Writer      bool
	Streaming   bool          // a reader: it is receiving the writer's log
	Lag         time.Duration // a reader: age of the last replayed commit while there is something to replay, else 0
	Connections int           // of clients
}

// Check asks the server how it is. An error means that it does not answer.
func (n *Node) Check(ctx context.Context) (Status, error) {
	var s Status
	var lag float64
	err := n.session(ctx, "postgres", func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, `
			select not pg_is_in_recovery(),
			       exists (select from pg_stat_wal_receiver where status = 'streaming'),
			       case when pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() then 0
			            else coalesce(extract(epoch from clock_timestamp() - pg_last_xact_replay_timestamp()), 0) end::float8,
			       (select count(*) from pg_stat_activity where backend_type = 'client backend' and usename <> $1)::int`, superuser).
			Scan(&s.Writer, &s.Streaming, &lag, &s.Connections)
	})
	s.Lag = time.Duration(lag * float64(time.Second))
	return s, err
}

func (n *Node) promote(ctx context.Context) error {
	return n.session(ctx, "postgres", func(conn *pgx.Conn) error {
		var done bool
		if err := conn.QueryRow(ctx, "select pg_promote(true, $1)", int(promoteTime/time.Second)).Scan(&done); err != nil {
			return err
		}
		if !done {
			return fmt.Errorf("the server did not become a writer within %s", promoteTime)
		}
		// Aurora restarts a reader that it promotes: who is connected to it as to a reader must connect anew, and is then led to a reader.
		_, err := conn.Exec(ctx, "select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()")
		return err
	})
}

// reload asks the server to read its configuration again, and returns when it had read it before.
func (n *Node) reload(ctx context.Context) (before time.Time, err error) {
	err = n.session(ctx, "postgres", func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, "select pg_conf_load_time() from pg_reload_conf()").Scan(&before)
	})
	return before, err
}

// pendingRestart tells whether a parameter waits for the next start. It fails while the server has not read its configuration again.
func (n *Node) pendingRestart(ctx context.Context, before time.Time) (pending bool, err error) {
	var loaded time.Time
	err = n.session(ctx, "postgres", func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, "select pg_conf_load_time(), exists (select from pg_settings where pending_restart)").Scan(&loaded, &pending)
	})
	if err == nil && !loaded.After(before) {
		err = errors.New("the server has not read its configuration yet")
	}
	return pending, err
}

func (n *Node) exec(ctx context.Context, sql string) error {
	return n.session(ctx, "postgres", func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, sql)
		return err
	})
}

// session runs f as the superuser in a database. Its statements are not logged, whatever the parameters say.
func (n *Node) session(ctx context.Context, database string, f func(*pgx.Conn) error) error {
	config, err := pgx.ParseConfig("sslmode=disable connect_timeout=5")
	if err != nil {
		return err
	}
	config.User, config.Database, config.Password = superuser, database, ""
	config.Host, config.Port = "/", n.spec.Listen.Port() // a directory: the dial function below knows which
	config.Fallbacks = nil
	config.DialFunc = n.dial
	config.RuntimeParams = map[string]string{"application_name": "lab", "log_statement": "none", "log_min_duration_statement": "-1", "log_min_error_statement": "panic"}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	return errors.Join(f(conn), conn.Close(context.WithoutCancel(ctx)))
}

// dial connects to the socket in the node's directory, whose path may be longer than the 107 bytes that a socket's name can have.
func (n *Node) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	dir, err := os.Open(n.dir())
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	var d net.Dialer
	return d.DialContext(ctx, "unix", fmt.Sprintf("/proc/self/fd/%d/.s.PGSQL.%d", dir.Fd(), n.spec.Listen.Port()))
}
