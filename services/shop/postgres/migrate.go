package postgres

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the schema to the newest version, through the writer. Any number of instances may call it at once: a PostgreSQL advisory
// lock lets one work while the others wait, and who comes later finds nothing to do.
func (db *DB) Migrate(ctx context.Context) error {
	// Every second for five minutes: every five, as by default, a server that comes second fails its first health checks, and a deployment takes 12 s longer.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return fmt.Errorf("preparing the migration lock: %w", err)
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("reading the migrations: %w", err)
	}
	sql := stdlib.OpenDBFromPool(db.writer)
	defer sql.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, sql, files, goose.WithSessionLocker(locker))
	if err != nil {
		return fmt.Errorf("reading the migrations: %w", err)
	}
	done, err := provider.Up(ctx)
	if err != nil {
		return fmt.Errorf("migrating the schema: %w", err)
	}
	for _, m := range done {
		slog.InfoContext(ctx, "migrated", "file", m.Source.Path, "duration", m.Duration)
	}
	return nil
}
