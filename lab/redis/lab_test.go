package redis_test

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os/exec"
	"testing"
	"time"

	client "github.com/redis/go-redis/v9"

	"storefront/lab/authority"
	"storefront/lab/network"
	"storefront/lab/redis"
)

// plain is the test's own network, whatever the place.
type plain struct{}

func (plain) Start(_ network.Place, cmd *exec.Cmd) error { return cmd.Start() }

func (plain) Listen(_ network.Place, network, address string) (net.Listener, error) {
	return net.Listen(network, address)
}

func (plain) Dial(ctx context.Context, _ network.Place, network, address string) (net.Conn, error) {
	return new(net.Dialer).DialContext(ctx, network, address)
}

const token = "correct-horse-battery-staple"

// lab is an engine with its directory, for one test.
type lab struct {
	*testing.T
	dir       string
	engine    *redis.Engine
	authority *authority.Authority
}

func newLab(t *testing.T) *lab {
	t.Helper()
	ca, err := authority.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{T: t, dir: t.TempDir(), authority: ca}
	l.open()
	t.Cleanup(func() {
		if err := redis.Sweep(l.dir); err != nil {
			t.Error(err)
		}
	})
	return l
}

func (l *lab) open() {
	l.Helper()
	engine, err := redis.Open(redis.Config{Dir: l.dir, Network: plain{}, Issuer: l.authority, Log: slog.New(slog.NewTextHandler(l.Output(), nil))})
	if errors.Is(err, redis.ErrNoServer) {
		l.Skip(err)
	}
	l.must(err)
	l.engine = engine
}

func (l *lab) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

// spec declares a node with TLS and one token, at an address that is free.
func (l *lab) spec(id string) redis.NodeSpec {
	l.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	l.must(err)
	defer free.Close()
	return redis.NodeSpec{
		ID: id, Listen: netip.MustParseAddrPort(free.Addr().String()), TLS: true, Names: []string{id + ".cache.test"}, MaxMemory: 64 << 20,
		Settings: map[string]string{"maxmemory-policy": "volatile-lru", "databases": "16"}, Users: []redis.User{everybody(token)},
	}
}

// everybody is the default user with passwords.
func everybody(passwords ...string) redis.User {
	u := redis.User{Name: "default", Rules: []string{"on", "~*", "&*", "+@all"}}
	for _, p := range passwords {
		u.Rules = append(u.Rules, "#"+redis.Digest(p))
	}
	return u
}

func (l *lab) start(spec redis.NodeSpec) *redis.Node {
	l.Helper()
	n, err := l.engine.Start(l.Context(), spec)
	l.must(err)
	l.Cleanup(func() { l.must(n.Stop()) })
	return n
}

// client is a customer's client of a node.
func (l *lab) client(n *redis.Node, user, password string) *client.Client {
	spec := n.Spec()
	options := &client.Options{Addr: spec.Listen.String(), Username: user, Password: password, MaxRetries: -1, DisableIdentity: true}
	if spec.TLS {
		options.TLSConfig = &tls.Config{RootCAs: l.authority.Pool(), ServerName: spec.Names[0]}
	}
	c := client.NewClient(options)
	l.Cleanup(func() { _ = c.Close() })
	return c
}

func (l *lab) eventually(what string, holds func() bool) {
	l.Helper()
	deadline := time.After(15 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-deadline:
			l.Fatalf("it did not become true within 15 s that %s", what)
		case <-tick.C:
		}
	}
}
