package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"storefront/services/shop"
)

const columns = `id, name, description, price_cents, currency, stock`

// Products implements shop.Catalog from the reader.
func (db *DB) Products(ctx context.Context, q shop.Query) (shop.Page, error) {
	const query = `SELECT ` + columns + ` FROM product
		WHERE id > $1 AND (numnode(plainto_tsquery('simple', $2)) = 0 OR search @@ plainto_tsquery('simple', $2))
		ORDER BY id LIMIT $3`
	var page shop.Page
	err := onceMore(ctx, db.reader, func() error {
		rows, err := db.reader.Query(ctx, query, q.After, q.Search, q.Limit+1)
		if err != nil {
			return err
		}
		page.Items, err = pgx.CollectRows(rows, pgx.RowToStructByPos[shop.Product])
		return err
	})
	if err != nil {
		return shop.Page{}, err
	}
	if len(page.Items) > q.Limit {
		page.Items, page.More = page.Items[:q.Limit], true
	}
	return page, nil
}

// Product implements shop.Catalog from the reader.
func (db *DB) Product(ctx context.Context, id string) (p shop.Product, err error) {
	err = onceMore(ctx, db.reader, func() error {
		rows, err := db.reader.Query(ctx, `SELECT `+columns+` FROM product WHERE id = $1`, id)
		if err != nil {
			return err
		}
		p, err = pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[shop.Product])
		if errors.Is(err, pgx.ErrNoRows) {
			return &shop.Error{Code: shop.NotFound, Message: "there is no product " + id}
		}
		return err
	})
	return p, err
}

// PutProduct implements shop.Catalog on the writer. The statement is idempotent, so it may run again after a failover.
func (db *DB) PutProduct(ctx context.Context, p shop.Product) (created bool, err error) {
	// xmax is 0 in a row version that no transaction has replaced, that is in a row just inserted.
	const query = `INSERT INTO product (` + columns + `) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description,
			price_cents = excluded.price_cents, currency = excluded.currency, stock = excluded.stock
		RETURNING xmax = 0`
	err = onceMore(ctx, db.writer, func() error {
		return db.writer.QueryRow(ctx, query, p.ID, p.Name, p.Description, p.PriceCents, p.Currency, p.Stock).Scan(&created)
	})
	return created, err
}
