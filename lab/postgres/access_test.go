package postgres_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"storefront/lab/postgres"
)

func TestTheMasterIsNoSuperuser(t *testing.T) {
	l := newLab(t)
	l.create(l.spec(1))
	conn := l.connect(1)
	var super, createRole, createDB, rds bool
	if err := conn.QueryRow(t.Context(), `select rolsuper, rolcreaterole, rolcreatedb, pg_has_role(rolname, 'rds_superuser', 'member') from pg_roles where rolname = current_user`).
		Scan(&super, &createRole, &createDB, &rds); err != nil {
		t.Fatal(err)
	}
	if super || !createRole || !createDB || !rds {
		t.Errorf("superuser %v, createrole %v, createdb %v, rds_superuser %v", super, createRole, createDB, rds)
	}
	for _, refused := range []string{
		"alter system set work_mem = '1MB'",
		"copy (select 1) to program 'true'",
		"grant pg_execute_server_program to shopkeeper",
		"grant pg_read_server_files to shopkeeper",
		"grant pg_write_server_files to shopkeeper",
		"select pg_read_file('PG_VERSION')",
		"alter role rdsadmin password 'x'",
		"set role rdsadmin",
	} {
		_, err := conn.Exec(t.Context(), refused)
		wantState(t, err, "42501")
	}
	for _, allowed := range []string{
		"create extension pgcrypto", "create extension if not exists pg_stat_statements", "create role clerk login", "create database archive",
		"create schema stock", "select count(*) from pg_stat_activity where query is not null", "drop database archive",
	} {
		l.exec(conn, allowed)
	}
}

func TestForceSSLRefusesPlainConnections(t *testing.T) {
	l := newLab(t)
	spec := l.spec(1)
	node := l.create(spec)
	dial := func() error {
		config, err := pgx.ParseConfig(fmt.Sprintf("host=127.0.0.1 port=%d user=shopkeeper dbname=shop sslmode=disable", l.port))
		if err != nil {
			t.Fatal(err)
		}
		config.Password = password
		conn, err := pgx.ConnectConfig(t.Context(), config)
		if err == nil {
			_ = conn.Close(t.Context())
		}
		return err
	}
	if err := dial(); err != nil {
		t.Errorf("without rds.force_ssl: %v", err)
	}
	spec.Parameters = map[string]string{"rds.force_ssl": "1"}
	if restart, err := node.Reload(t.Context(), spec); err != nil || restart {
		t.Fatalf("got restart %v, %v", restart, err)
	}
	l.eventually("a plain connection is refused", func() bool {
		err := dial()
		return err != nil && strings.Contains(err.Error(), "no encryption")
	})
	l.connect(1)
}

func TestParameters(t *testing.T) {
	l := newLab(t)
	spec := l.spec(1)
	spec.Parameters = map[string]string{"max_connections": "40", "work_mem": "8192", "log_statement": "all", "aurora_replica_read_consistency": "x"}
	node := l.create(spec)
	show := func(i int, name string) (value string) {
		if err := l.connect(i).QueryRow(t.Context(), "select setting from pg_settings where name = $1", name).Scan(&value); err != nil {
			t.Fatal(err)
		}
		return value
	}
	for name, want := range map[string]string{"max_connections": "40", "work_mem": "8192", "TimeZone": "UTC"} {
		if got := show(1, name); got != want {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	spec.Parameters = map[string]string{"max_connections": "60", "work_mem": "4096"}
	if restart, err := node.Reload(t.Context(), spec); err != nil || !restart {
		t.Errorf("max_connections waits for a restart: got %v, %v", restart, err)
	}
	l.eventually("work_mem is changed", func() bool { return show(1, "work_mem") == "4096" })
	if got := show(1, "max_connections"); got != "40" {
		t.Errorf("max_connections is %s before the restart", got)
	}
	l.start(spec)
	if got := show(1, "max_connections"); got != "60" {
		t.Errorf("max_connections is %s after the restart", got)
	}
	reader := l.spec(2)
	reader.Parameters = map[string]string{"max_connections": "20"} // less than the writer's: PostgreSQL would refuse to start
	l.start(reader)
	if got := show(2, "max_connections"); got != "60" {
		t.Errorf("the reader's max_connections is %s, want the writer's", got)
	}
	for name, value := range map[string]string{"max_connections": "many", "work_mem": "-1", "jit": "perhaps", "archive_command": "rm -rf /", "fsync": "on",
		"no_such": "1", "shared_preload_libraries": "no_such_library", "DateStyle": "ISO\narchive_command = 'x'"} {
		if err := l.engine.CheckParameter(name, value); !errors.Is(err, postgres.ErrParameter) {
			t.Errorf("%s = %q: got %v, want ErrParameter", name, value, err)
		}
	}
	if len(l.engine.Parameters()) < 200 {
		t.Errorf("only %d parameters", len(l.engine.Parameters()))
	}
}

func TestPasswordsAreWrittenNowhere(t *testing.T) {
	l := newLab(t)
	spec := l.spec(1)
	spec.Parameters = map[string]string{"log_statement": "all", "log_min_duration_statement": "0"}
	l.create(spec)
	verifier, err := postgres.Verifier("another password, long enough")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.cluster().SetPassword(t.Context(), "shopkeeper", verifier); err != nil {
		t.Fatal(err)
	}
	config := l.spec(1)
	if _, err := pgx.Connect(t.Context(), fmt.Sprintf("host=127.0.0.1 port=%d user=shopkeeper dbname=shop password='another password, long enough' sslmode=require", config.Listen.Port())); err != nil {
		t.Errorf("the new password: %v", err)
	}
	_, err = pgx.Connect(t.Context(), fmt.Sprintf("host=127.0.0.1 port=%d user=shopkeeper dbname=shop password='%s' sslmode=require", config.Listen.Port(), password))
	wantState(t, err, "28P01")
	err = filepath.WalkDir(l.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a temporary file of the server
		}
		for _, secret := range []string{password, "another password, long enough"} {
			if strings.Contains(string(data), secret) {
				t.Errorf("%s contains a password", path)
			}
		}
		if filepath.Ext(path) == ".log" && strings.Contains(string(data), "SCRAM-SHA-256$") {
			t.Errorf("%s contains a verifier", path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestNames(t *testing.T) {
	l := newLab(t)
	for _, id := range []string{"", "../up", "a/b", "UPPER", ".volume", strings.Repeat("x", 64)} {
		if _, err := l.engine.Cluster(id); !errors.Is(err, postgres.ErrName) {
			t.Errorf("cluster %q: got %v, want ErrName", id, err)
		}
		if _, err := l.cluster().Start(t.Context(), postgres.NodeSpec{ID: id}); !errors.Is(err, postgres.ErrName) {
			t.Errorf("node %q: got %v, want ErrName", id, err)
		}
	}
}
