package main

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
)

// config is what the environment says. A role reads only what it needs.
type config struct {
	roles
	listen    string         // SHOP_LISTEN: address to serve on; default ":8080"
	logLevel  slog.Level     // SHOP_LOG_LEVEL: DEBUG, INFO (default), WARN or ERROR
	writer    string         // SHOP_DB_WRITER: host:port of the cluster's writer endpoint
	reader    string         // SHOP_DB_READER: host:port of its reader endpoint; product and order
	database  string         // SHOP_DB_NAME: default "shop"
	secretARN string         // SHOP_DB_SECRET_ARN: secret with the database login
	authority *x509.CertPool // SHOP_DB_CA: PEM file of authorities for the database's certificate; default: the system's

	cache          string // SHOP_CACHE: host:port of the cache's primary endpoint; order, and product unless it is to do without
	cacheSecretARN string // SHOP_CACHE_SECRET_ARN: secret with the cache's token
	queueURL       string // SHOP_QUEUE_URL: URL of the queue of orders; order and summary
	orderSecretARN string // SHOP_ORDER_SECRET_ARN: secret with the key that seals the IDs of orders; order
	search         string // SHOP_SEARCH: https://host of the search domain; summary
}

// environment reads variables and gathers every mistake, so that one run shows them all.
type environment struct {
	getenv   func(string) string
	problems []error
}

func readConfig(r roles, getenv func(string) string) (config, error) {
	e := &environment{getenv: getenv}
	c := config{roles: r, listen: e.hostPort("SHOP_LISTEN", ":8080"), logLevel: e.level("SHOP_LOG_LEVEL"),
		writer: e.hostPort("SHOP_DB_WRITER", ""), database: cmp.Or(getenv("SHOP_DB_NAME"), "shop"),
		secretARN: e.needed("SHOP_DB_SECRET_ARN", "the ARN of the secret with the database login"), authority: e.authority("SHOP_DB_CA")}
	c.reader = c.writer
	if r.product || r.order {
		c.reader = e.hostPort("SHOP_DB_READER", "")
	}
	if r.order || r.product && getenv("SHOP_CACHE") != "" {
		c.cache = e.hostPort("SHOP_CACHE", "")
		c.cacheSecretARN = e.needed("SHOP_CACHE_SECRET_ARN", "the ARN of the secret with the cache's token")
	}
	if r.order || r.summary {
		c.queueURL = e.url("SHOP_QUEUE_URL")
	}
	if r.order {
		c.orderSecretARN = e.needed("SHOP_ORDER_SECRET_ARN", "the ARN of the secret with the key that seals the IDs of orders")
	}
	if r.summary {
		c.search = e.url("SHOP_SEARCH")
	}
	return c, errors.Join(e.problems...)
}

func (e *environment) problem(key, format string, args ...any) {
	e.problems = append(e.problems, fmt.Errorf("%w: %s %w", errUsage, key, fmt.Errorf(format, args...)))
}

func (e *environment) needed(key, what string) string {
	v := e.getenv(key)
	if v == "" {
		e.problem(key, "is empty, want %s", what)
	}
	return v
}

func (e *environment) hostPort(key, fallback string) string {
	v := cmp.Or(e.getenv(key), fallback)
	if _, _, err := net.SplitHostPort(v); err != nil {
		e.problem(key, "is %q, want host:port", v)
	}
	return v
}

func (e *environment) url(key string) string {
	v := e.getenv(key)
	if u, err := url.Parse(v); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		e.problem(key, "is %q, want https://host", v)
	}
	return v
}

func (e *environment) level(key string) (l slog.Level) {
	if err := l.UnmarshalText([]byte(cmp.Or(e.getenv(key), "INFO"))); err != nil {
		e.problem(key, "is %q, want DEBUG, INFO, WARN or ERROR", e.getenv(key))
	}
	return l
}

func (e *environment) authority(key string) *x509.CertPool {
	file := e.getenv(key)
	if file == "" {
		return nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		e.problem(key, "cannot be read: %w", err)
		return nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		e.problem(key, "names %s, which holds no PEM certificate", file)
	}
	return pool
}
