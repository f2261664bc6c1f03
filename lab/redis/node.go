package redis

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"sync"
	"time"

	client "github.com/redis/go-redis/v9"

	"storefront/lab/network"
	"storefront/lab/server"
)

const startTime = 10 * time.Second // for a server to answer

// NodeSpec declares a node.
type NodeSpec struct {
	ID        string            // unique in its engine; see ErrName
	Place     network.Place     // where the server listens
	Listen    netip.AddrPort    // the node's address there
	TLS       bool              // clients and replicas must use it
	Names     []string          // DNS names for the certificate, beside the address
	MaxMemory int64             // bytes of data; 0 for no limit
	Settings  map[string]string // of Redis's configuration
	Users     []User            // without one named "default" nobody can work without saying who he is
	Snapshot  string            // whose data the server starts with; "" for none
}

// Node is one running server, a primary until Follow. A stopped one does not run again: Engine.Start makes another, without data or with a snapshot's.
type Node struct {
	engine *Engine
	spec   NodeSpec
	cmd    *exec.Cmd
	link   *link
	client *client.Client
	done   chan struct{}

	mu sync.Mutex // one configuration at a time
}

// Start starts a node and waits until it answers.
func (e *Engine) Start(ctx context.Context, spec NodeSpec) (*Node, error) {
	if !namePattern.MatchString(spec.ID) {
		return nil, fmt.Errorf("node %q: %w", spec.ID, ErrName)
	}
	n := &Node{engine: e, spec: spec, done: make(chan struct{})}
	if err := Sweep(e.dir(spec.ID)); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(e.dir(spec.ID), 0o711); err != nil {
		return nil, err
	}
	err := e.prepare(spec)
	if err != nil {
		return nil, fmt.Errorf("starting node %s: %w", spec.ID, err)
	}
	if n.link, err = newLink(e.config.Network, spec.Place); err != nil {
		return nil, err
	}
	if err := n.start(); err != nil {
		return nil, errors.Join(fmt.Errorf("starting node %s: %w", spec.ID, err), n.link.close())
	}
	n.client = n.connect()
	limit := startTime
	if spec.Snapshot != "" {
		limit = saveTime
	}
	if err = n.poll(ctx, limit, n.ready); err == nil {
		err = n.loaded()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting node %s: %w", spec.ID, err), n.Stop())
	}
	return n, nil
}

func (n *Node) start() error {
	log, err := server.OpenLog(n.engine.LogPath(n.spec.ID))
	if err != nil {
		return err
	}
	defer log.Close()
	data := n.engine.data(n.spec.ID)
	// The directory on the command line is the server's own, by which Sweep finds it.
	n.cmd = exec.Command(n.engine.program, "-", "--dir", data)
	n.cmd.Args[0] = "redis-server"
	n.cmd.Dir, n.cmd.Env, n.cmd.SysProcAttr = data, []string{"TZ=UTC"}, n.engine.account.Attributes()
	n.cmd.Stdin, n.cmd.Stdout, n.cmd.Stderr = bytes.NewReader(n.configuration()), log, log
	closeAll, err := n.certificate(n.cmd)
	defer closeAll()
	if err != nil {
		return err
	}
	if err := n.engine.config.Network.Start(n.spec.Place, n.cmd); err != nil {
		return err
	}
	go func() {
		_ = n.cmd.Wait()
		close(n.done)
	}()
	return nil
}

// ready tells whether the server answers. The client comes second, as it logs each attempt that fails.
func (n *Node) ready(ctx context.Context) error {
	c, err := n.engine.config.Network.Dial(ctx, n.spec.Place, "tcp", n.spec.Listen.String())
	if err != nil {
		return err
	}
	_ = c.Close()
	return n.client.Ping(ctx).Err()
}

// connect makes the engine's client of the node.
func (n *Node) connect() *client.Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		c, err := n.engine.config.Network.Dial(ctx, n.spec.Place, "tcp", n.spec.Listen.String())
		if err != nil || !n.spec.TLS {
			return c, err
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(n.engine.config.Issuer.CertificatePEM())
		return tls.Client(c, &tls.Config{RootCAs: roots, ServerName: n.spec.Listen.Addr().String(), MinVersion: tls.VersionTLS12}), nil
	}
	return client.NewClient(&client.Options{
		Addr: n.spec.Listen.String(), Dialer: dial, Username: controller, Password: n.engine.control, PoolSize: 2, MaxRetries: -1, DialerRetries: 1, DisableIdentity: true, Protocol: 2,
		DialTimeout: 2 * time.Second, ReadTimeout: 2 * time.Second, WriteTimeout: 2 * time.Second, ContextTimeoutEnabled: true,
	})
}

// Spec returns what the node was last configured with.
func (n *Node) Spec() NodeSpec {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.spec
}

// Done is closed when the server has ended, whoever ended it.
func (n *Node) Done() <-chan struct{} { return n.done }

// Alive tells whether the server runs.
func (n *Node) Alive() bool {
	select {
	case <-n.done:
		return false
	default:
		return true
	}
}

// Stop ends the server and returns when it is gone, and its data with it: what Snapshot has saved stays. Stopping a stopped server is no error.
func (n *Node) Stop() error {
	err := n.link.close()
	if n.client != nil {
		_ = n.client.Close()
	}
	if n.Alive() {
		_ = n.cmd.Process.Kill()
	}
	<-n.done
	return err
}

// poll repeats try until it succeeds, the server ends, or the time is over; then it returns the last error.
func (n *Node) poll(ctx context.Context, limit time.Duration, try func(context.Context) error) error {
	err := server.Await(ctx, limit, n.done, try)
	if errors.Is(err, server.ErrEnded) {
		return fmt.Errorf("%w; its log says: %s", err, server.LastLines(n.engine.LogPath(n.spec.ID)))
	}
	return err
}
