// Package postgres keeps the catalogue and the orders in PostgreSQL: reads go to the reader endpoint of the cluster, writes to the writer.
package postgres

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"storefront/services/shop"
)

// Login is a user and password of the database.
type Login struct{ User, Password string }

// Config says where the database is and how to log in.
type Config struct {
	Writer, Reader string // host:port of the cluster's endpoints
	Database       string
	TLS            *tls.Config // nil connects in the clear; ServerName is set per endpoint
	// Login is asked for each new connection, so that a rotated password is taken up without a restart.
	Login func(context.Context) (Login, error)
	// MaxConns bounds the connections to each endpoint; 0 means 10.
	MaxConns int32
}

// DB is the database behind the shop. It is safe for concurrent use.
type DB struct{ writer, reader *pgxpool.Pool }

// Open prepares the pools. It does not connect: the database may come later than the service.
func Open(ctx context.Context, c Config) (*DB, error) {
	writer, err := pool(ctx, c, c.Writer)
	if err != nil {
		return nil, fmt.Errorf("writer endpoint: %w", err)
	}
	reader, err := pool(ctx, c, c.Reader)
	if err != nil {
		writer.Close()
		return nil, fmt.Errorf("reader endpoint: %w", err)
	}
	return &DB{writer: writer, reader: reader}, nil
}

func pool(ctx context.Context, c Config, endpoint string) (*pgxpool.Pool, error) {
	host, _, err := net.SplitHostPort(endpoint)
	if err != nil {
		return nil, fmt.Errorf("%q is no host:port: %w", endpoint, err)
	}
	conf, err := pgxpool.ParseConfig("postgres://" + endpoint + "/" + c.Database + "?sslmode=disable")
	if err != nil {
		return nil, fmt.Errorf("endpoint %q, database %q: %w", endpoint, c.Database, err)
	}
	conf.MaxConns = max(c.MaxConns, 0)
	if conf.MaxConns == 0 {
		conf.MaxConns = 10
	}
	// Aurora's endpoints move with a failover, within their DNS time to live of 5 s: short-lived connections follow the name.
	conf.MaxConnLifetime = 5 * time.Minute
	conf.MaxConnLifetimeJitter = time.Minute
	conf.HealthCheckPeriod = 5 * time.Second
	conf.ConnConfig.ConnectTimeout = 3 * time.Second
	conf.ConnConfig.RuntimeParams["application_name"] = "shopd"
	if c.TLS != nil {
		conf.ConnConfig.TLSConfig = c.TLS.Clone()
		conf.ConnConfig.TLSConfig.ServerName = host
	}
	conf.BeforeConnect = func(ctx context.Context, cc *pgx.ConnConfig) error {
		login, err := c.Login(ctx)
		cc.User, cc.Password = login.User, login.Password
		return err
	}
	return pgxpool.NewWithConfig(ctx, conf)
}

// Close closes every connection.
func (db *DB) Close() {
	db.writer.Close()
	db.reader.Close()
}

// Dependencies returns the two endpoints as dependencies of the service.
func (db *DB) Dependencies() []shop.Dependency {
	return []shop.Dependency{{Name: "database reader", Check: db.reader.Ping}, {Name: "database writer", Check: db.writer.Ping}}
}
