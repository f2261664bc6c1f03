// Package redis keeps the shop's shared cache in Redis: the primary endpoint of an ElastiCache replication group, over TLS and with an AUTH token.
package redis

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"storefront/services/shop"
)

// A cache that is slower than the database behind it is worth nothing: whoever asks is better off without it.
const (
	defaultTimeout = 250 * time.Millisecond
	dialTimeouts   = 4 // timeouts of commands that a connection may take: it is encrypted and logged in by several exchanges
	maxConns       = 32
)

// renewEvery is the least time between two renewals of the pool, so that a name that still leads to a demoted primary costs one dial a second and no more.
const renewEvery = time.Second

// Config says where the cache is and how to log in.
type Config struct {
	Address string      // host:port of the primary endpoint
	TLS     *tls.Config // nil connects in the clear; ServerName is the endpoint's host unless it is set
	// Token is the AUTH token, asked for each new connection, so that a rotated one is taken up without a restart. nil logs in nowhere.
	Token   func(context.Context) (string, error)
	Timeout time.Duration // of a command; a connection may take four of them. 0 means 250 ms
}

// Cache is a shop.Cache in Redis. It is safe for concurrent use.
type Cache struct {
	options redis.Options
	client  atomic.Pointer[redis.Client]

	mu      sync.Mutex
	renewed time.Time
}

// Open prepares the pool. It does not connect: the cache may come later than the service, or never.
func Open(c Config) (*Cache, error) {
	host, _, err := net.SplitHostPort(c.Address)
	if err != nil {
		return nil, fmt.Errorf("cache endpoint %q is no host:port: %w", c.Address, err)
	}
	timeout := cmp.Or(c.Timeout, defaultTimeout)
	cache := &Cache{options: redis.Options{
		Addr: c.Address, ClientName: "shopd",
		DialTimeout: dialTimeouts * timeout, DialerRetries: 1, ReadTimeout: timeout, WriteTimeout: timeout, ContextTimeoutEnabled: true,
		PoolSize: maxConns, MaxActiveConns: maxConns, PoolTimeout: timeout,
		// Commands are tried again by onceMore alone, and only where a second try can help.
		MaxRetries: -1,
		// A failover moves the endpoint's name; connections that live on for hours would not notice a name that moved for another reason.
		ConnMaxLifetime: 10 * time.Minute, ConnMaxLifetimeJitter: 2 * time.Minute, ConnMaxIdleTime: time.Minute,
		// ElastiCache 7.0 knows neither of these two; asking costs a round trip and an error for each connection.
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}}
	if c.TLS != nil {
		cache.options.TLSConfig = c.TLS.Clone()
		if cache.options.TLSConfig.ServerName == "" {
			cache.options.TLSConfig.ServerName = host
		}
	}
	if c.Token != nil {
		cache.options.CredentialsProviderContext = func(ctx context.Context) (string, string, error) {
			token, err := c.Token(ctx)
			return "", token, err
		}
	}
	cache.client.Store(cache.newClient())
	return cache, nil
}

// newClient makes a pool. go-redis fills in the options it is given, so each pool gets a copy.
func (c *Cache) newClient() *redis.Client {
	options := c.options
	return redis.NewClient(&options)
}

// LogTo sends what go-redis has to say of its pools to log, as details: every error that matters is returned as well. It holds for the whole process,
// so a program calls it once, before Open.
func LogTo(log *slog.Logger) { redis.SetLogger(logger{log}) }

type logger struct{ *slog.Logger }

func (l logger) Printf(ctx context.Context, format string, args ...any) {
	l.DebugContext(ctx, fmt.Sprintf(format, args...))
}

// Close closes every connection.
func (c *Cache) Close() error { return c.client.Load().Close() }

// Dependency returns the cache as a dependency of the service.
func (c *Cache) Dependency() shop.Dependency {
	return shop.Dependency{Name: "cache", Check: func(ctx context.Context) error { return c.client.Load().Ping(ctx).Err() }}
}

// onceMore runs f, and again on a new pool when the first connection turns out to be one from before a failover. f must be idempotent enough to run twice.
func (c *Cache) onceMore(ctx context.Context, f func(*redis.Client) error) error {
	client := c.client.Load()
	err := f(client)
	if !stale(err) || ctx.Err() != nil {
		return wrap(err)
	}
	c.renew(client)
	return wrap(f(c.client.Load()))
}

// renew replaces the pool that the caller found stale, unless another caller just did.
func (c *Cache) renew(found *redis.Client) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.client.Load() != found || time.Since(c.renewed) < renewEvery {
		return
	}
	c.renewed = time.Now()
	c.client.Store(c.newClient())
	// Commands under way on the old pool may still be answered; none of them takes longer than its timeouts.
	time.AfterFunc(c.options.DialTimeout+2*c.options.ReadTimeout, func() { _ = found.Close() })
}

// stale tells whether err comes from a connection that the server closed, or from a primary that was demoted. A timeout is neither: trying again would
// double the load of a server that is too slow already.
func stale(err error) bool {
	return redis.IsReadOnlyError(err) || errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func wrap(err error) error {
	if err == nil {
		return nil
	}
	return &shop.Error{Code: shop.Unavailable, Message: "the cache does not answer", Err: err}
}
