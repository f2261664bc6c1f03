package postgres

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"
)

// roles are RDS's own. A user with createrole may hand out membership in any role but a superuser's, and three predefined roles lead to the
// machine's files and programs. RDS closes that way with a patched server; here these roles count as superusers, which nobody can log in as.
const roles = `
create role rds_superuser nologin;
create role rds_replication nologin;
create role rds_password nologin;
create role rds_iam nologin;
grant pg_monitor, pg_signal_backend, rds_replication, rds_password to rds_superuser with admin option;
grant pg_checkpoint to rds_superuser;
update pg_authid set rolsuper = true where rolname in ('pg_execute_server_program', 'pg_read_server_files', 'pg_write_server_files');`

// createMaster makes a new server's roles, its master user and the first database.
func (n *Node) createMaster(ctx context.Context, m Master) error {
	user := pgx.Identifier{m.User}.Sanitize()
	err := n.session(ctx, "postgres", func(conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, roles+"create role "+user+" login createdb createrole in role rds_superuser valid until 'infinity' password "+quote(m.Verifier)+
			"; alter database postgres owner to "+user)
		return err
	})
	if err != nil {
		return err
	}
	if n.cluster.engine.hasLibrary(statistics) { // only a superuser can create it, and on RDS the master can: so it is there already
		for _, database := range []string{"template1", "postgres"} {
			err := n.session(ctx, database, func(conn *pgx.Conn) error {
				_, err := conn.Exec(ctx, "create extension if not exists "+statistics)
				return err
			})
			if err != nil {
				return err
			}
		}
	}
	if m.Database == "" || m.Database == "postgres" {
		return nil
	}
	return n.exec(ctx, "create database "+pgx.Identifier{m.Database}.Sanitize()+" owner "+user)
}

func (n *Node) setPassword(ctx context.Context, user, verifier string) error {
	return n.exec(ctx, "alter role "+pgx.Identifier{user}.Sanitize()+" password "+quote(verifier))
}

func quote(literal string) string { return "'" + strings.ReplaceAll(literal, "'", "''") + "'" }
