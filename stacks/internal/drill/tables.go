package drill

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"
)

// compareTables compares every table of two databases, row by row.
func (c Config) compareTables(ctx context.Context, source, restored *pgx.Conn) error {
	all := map[string]bool{}
	for _, conn := range []*pgx.Conn{source, restored} {
		names, err := tables(ctx, conn)
		if err != nil {
			return err
		}
		for _, name := range names {
			all[name] = true
		}
	}
	if len(all) == 0 {
		return errors.New("the database has no tables: nothing was proven")
	}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(all)) {
		d, err := compareTable(ctx, source, restored, name)
		if err != nil {
			return fmt.Errorf("comparing the table %s: %w", name, err)
		}
		fmt.Fprintf(c.Out, "drill: table %s: %d rows the same, %d missing, %d that were not there\n", name, d.same, d.missing, d.extra)
		if d.err() != nil {
			problems = append(problems, fmt.Errorf("table %s: %w", name, d.err()))
		}
	}
	return errors.Join(problems...)
}

func tables(ctx context.Context, conn *pgx.Conn) ([]string, error) {
	rows, err := conn.Query(ctx, "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')")
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// compareTable goes through both tables in one order and holds one row of each.
func compareTable(ctx context.Context, source, restored *pgx.Conn, name string) (d difference, err error) {
	var sides [2]pgx.Rows
	for i, conn := range []*pgx.Conn{source, restored} {
		if sides[i], err = conn.Query(ctx, `SELECT t::text FROM `+name+` t ORDER BY t::text COLLATE "C"`); err != nil {
			return d, err
		}
		defer sides[i].Close()
	}
	next := func(rows pgx.Rows) (row string, ok bool) {
		if err == nil && rows.Next() {
			err = rows.Scan(&row)
			return row, err == nil
		}
		err = errors.Join(err, rows.Err())
		return "", false
	}
	a, hasA := next(sides[0])
	b, hasB := next(sides[1])
	for err == nil && (hasA || hasB) {
		switch {
		case hasA && hasB && a == b:
			d.same++
			a, hasA = next(sides[0])
			b, hasB = next(sides[1])
		case hasA && (!hasB || a < b):
			d.missing++
			a, hasA = next(sides[0])
		default:
			d.extra++
			b, hasB = next(sides[1])
		}
	}
	return d, err
}
