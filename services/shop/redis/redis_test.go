package redis_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"storefront/services/shop"
	"storefront/services/shop/redis"
	"storefront/services/shop/shoptest"
)

func TestMain(m *testing.M) {
	redis.LogTo(slog.New(slog.DiscardHandler))
	m.Run()
}

func open(t *testing.T, c redis.Config) *redis.Cache {
	t.Helper()
	cache, err := redis.Open(c)
	must(t, err)
	t.Cleanup(func() { _ = cache.Close() })
	return cache
}

// patience is the timeout of tests that are not about time, on a machine with other things to do.
const patience = 5 * time.Second

func fixed(token string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) { return token, nil }
}

func TestCache(t *testing.T) {
	s := startServer(t)
	admin := s.admin(t, firstToken)
	shoptest.Cache(t, func(t *testing.T) shop.Cache {
		must(t, admin.FlushAll(t.Context()).Err())
		return open(t, redis.Config{Address: s.address, TLS: s.tls(), Token: fixed(firstToken), Timeout: patience})
	})
}

func TestTokenFollowsRotation(t *testing.T) {
	s := startServer(t)
	admin := s.admin(t, firstToken)
	var token atomic.Pointer[string]
	token.Store(new(firstToken))
	c := open(t, redis.Config{Address: s.address, TLS: s.tls(), Token: func(context.Context) (string, error) { return *token.Load(), nil }, Timeout: patience})
	must(t, c.Set(t.Context(), "k", []byte("v"), time.Minute))
	must(t, admin.ConfigSet(t.Context(), "requirepass", "second-token-of-the-test").Err())
	must(t, admin.Do(t.Context(), "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes").Err())
	if _, _, err := c.Get(t.Context(), "k"); shop.CodeOf(err) != shop.Unavailable {
		t.Errorf("with the old token: got %v, want unavailable", err)
	}
	token.Store(new("second-token-of-the-test"))
	if _, found, err := c.Get(t.Context(), "k"); err != nil || !found {
		t.Errorf("with the new token: %v, %v", found, err)
	}
}

func TestTokenStaysSecret(t *testing.T) {
	s := startServer(t)
	c := open(t, redis.Config{Address: s.address, TLS: s.tls(), Token: fixed("not-the-token")})
	_, _, err := c.Get(t.Context(), "k")
	if shop.CodeOf(err) != shop.Unavailable || strings.Contains(err.Error(), "not-the-token") {
		t.Errorf("got %v, want unavailable without the token", err)
	}
	refused := errors.New("no token to be had")
	c = open(t, redis.Config{Address: s.address, TLS: s.tls(), Token: func(context.Context) (string, error) { return "", refused }})
	if _, _, err := c.Get(t.Context(), "k"); shop.CodeOf(err) != shop.Unavailable || !errors.Is(err, refused) {
		t.Errorf("got %v, want unavailable because of the token", err)
	}
}

func TestFailover(t *testing.T) {
	first, second := startServer(t), startServer(t)
	e := newEndpoint(t, first)
	c := open(t, redis.Config{Address: e.address, TLS: first.tlsAnd(second), Token: fixed(firstToken), Timeout: patience})
	must(t, c.Set(t.Context(), "k", []byte("v"), time.Minute))
	// The old primary lives on as a replica, and connections to it stay open.
	admin := first.admin(t, firstToken)
	must(t, admin.ConfigSet(t.Context(), "masterauth", firstToken).Err())
	must(t, admin.Do(t.Context(), "REPLICAOF", "127.0.0.1", second.port()).Err())
	if err := c.Set(t.Context(), "k", []byte("w"), time.Minute); shop.CodeOf(err) != shop.Unavailable {
		t.Errorf("a write before the endpoint moved: got %v, want unavailable", err)
	}
	e.target.Store(second)
	shoptest.Eventually(t, "writes reach the new primary", func() bool { return c.Set(t.Context(), "k", []byte("w"), time.Minute) == nil })
	if got, err := second.admin(t, firstToken).Get(t.Context(), "k").Result(); err != nil || got != "w" {
		t.Errorf("the new primary holds %q, %v", got, err)
	}
}

func TestRestartCostsNothing(t *testing.T) {
	first, second := startServer(t), startServer(t)
	e := newEndpoint(t, first)
	c := open(t, redis.Config{Address: e.address, TLS: first.tlsAnd(second), Token: fixed(firstToken), Timeout: patience})
	must(t, c.Set(t.Context(), "k", []byte("v"), time.Minute))
	e.target.Store(second)
	first.stop()
	if err := c.Set(t.Context(), "k", []byte("w"), time.Minute); err != nil {
		t.Errorf("the first write after the primary died: %v", err)
	}
}

// TestSilence is about a server that takes connections and says nothing, as behind a network that drops packets.
func TestSilence(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	c := open(t, redis.Config{Address: l.Addr().String(), Token: fixed(firstToken)})
	start := time.Now()
	if _, _, err := c.Get(t.Context(), "k"); shop.CodeOf(err) != shop.Unavailable {
		t.Errorf("got %v, want unavailable", err)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("it took %s to give up", took)
	}
	if err := c.Dependency().Check(t.Context()); err == nil {
		t.Error("a silent cache counts as ready")
	}
}

func TestUnreachable(t *testing.T) {
	c := open(t, redis.Config{Address: "127.0.0.1:1", Token: fixed(firstToken)})
	if err := c.Set(t.Context(), "k", nil, time.Minute); shop.CodeOf(err) != shop.Unavailable {
		t.Errorf("got %v, want unavailable", err)
	}
	if _, err := redis.Open(redis.Config{Address: "nonsense"}); err == nil {
		t.Error("an endpoint without a port was taken")
	}
}

func TestStrangersCertificate(t *testing.T) {
	first, second := startServer(t), startServer(t)
	c := open(t, redis.Config{Address: first.address, TLS: second.tls(), Token: fixed(firstToken)})
	if err := c.Set(t.Context(), "k", nil, time.Minute); shop.CodeOf(err) != shop.Unavailable {
		t.Errorf("got %v, want unavailable: the certificate is not of a known authority", err)
	}
}
