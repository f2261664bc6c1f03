package balancer

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// node is the load balancer in one subnet.
type node struct {
	Node
	name  string // of the load balancer
	b     *Balancer
	logs  *accessLog
	ports map[int]*port
}

// port is one listening socket of a node. Its server is replaced, and the socket kept, when timeouts change.
type port struct {
	node     *node
	number   int // of the Listener
	secure   bool
	listener net.Listener
	fields   portFields
	tls      atomic.Pointer[presented]
	closed   atomic.Bool

	mu       sync.Mutex
	settings serverSettings
	intake   *intake
	servers  []*http.Server // the last takes new connections, the others finish theirs
}

// portFields are the values of the header fields that are the same for every request to a port: X-Forwarded-Proto and X-Forwarded-Port.
type portFields struct{ proto, port []string }

// serverSettings are the attributes that net/http fixes for the life of a server.
type serverSettings struct {
	idle  time.Duration
	http2 bool
}

// Limits of an Application Load Balancer on what clients send, see "Quotas for your Application Load Balancers".
const (
	maxRequestLine    = 16 << 10
	maxHeaderField    = 16 << 10
	maxRequestHeader  = 64 << 10
	maxForwardedFor   = 30
	maxResponseHeader = 32 << 10
)

func newNode(b *Balancer, n Node, name string) *node {
	created := &node{Node: n, name: name, b: b, ports: map[int]*port{}}
	if b.opts.Logs != nil {
		created.logs = newAccessLog(b.opts.Logs, b.opts.LogName, name, n.Address, b.opts.Logger)
	}
	return created
}

func (n *node) apply(config Config) error {
	settings := serverSettings{idle: config.Attributes.IdleTimeout, http2: !config.Attributes.DisableHTTP2}
	wanted := map[int]bool{}
	var errs []error
	for _, l := range config.Listeners {
		wanted[l.Port] = true
		p, ok := n.ports[l.Port]
		if ok && p.secure != (l.TLS != nil) {
			p.close()
			delete(n.ports, l.Port)
			ok = false
		}
		if !ok {
			socket, err := n.b.opts.Network.Listen(n.Place, "tcp", net.JoinHostPort(n.Address.String(), strconv.Itoa(l.Port)))
			if err != nil {
				errs = append(errs, fmt.Errorf("listening in %v: %w", n.Place, err))
				continue
			}
			p = &port{node: n, number: l.Port, secure: l.TLS != nil, listener: socket}
			p.fields = portFields{proto: []string{p.scheme()}, port: []string{strconv.Itoa(p.publicPort())}}
			n.ports[l.Port] = p
		}
		if l.TLS != nil {
			p.tls.Store(newPresented(l.TLS, settings.http2))
		}
		p.serve(settings)
		if !ok {
			go p.accept()
		}
	}
	for number, p := range n.ports {
		if !wanted[number] {
			p.close()
			delete(n.ports, number)
		}
	}
	return errors.Join(errs...)
}

func (n *node) close() {
	for _, p := range n.ports {
		p.close()
	}
	clear(n.ports)
	if n.logs != nil {
		n.logs.close()
	}
}

// serve starts a server with the settings for connections to come, unless the current one has them already.
func (p *port) serve(settings serverSettings) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.intake != nil && p.settings == settings {
		return
	}
	previous := p.intake
	p.settings, p.intake = settings, newIntake(p.listener.Addr())
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(p.secure && settings.http2)
	server := &http.Server{
		Handler:           p,
		ReadHeaderTimeout: settings.idle,
		IdleTimeout:       settings.idle,
		MaxHeaderBytes:    2 * maxRequestHeader, // the handler answers what lies between as AWS does
		Protocols:         &protocols,
		ErrorLog:          slog.NewLogLogger(p.node.b.opts.Logger.Handler(), slog.LevelDebug), // mostly clients' broken handshakes
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, clientKey{}, newClient(conn))
		},
	}
	p.servers = append(p.servers, server)
	in := p.intake
	if p.secure {
		server.TLSConfig = &tls.Config{
			MinVersion:         tls.VersionTLS10, // the policy decides
			GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) { return p.tls.Load().choose(hello), nil },
			GetCertificate:     func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, errors.New("no certificate") },
		}
		go func() { _ = server.ServeTLS(in, "", "") }()
	} else {
		go func() { _ = server.Serve(in) }()
	}
	if previous != nil {
		_ = previous.Close()
	}
}

// accept hands new connections to the current server until the socket is closed.
func (p *port) accept() {
	for {
		conn, err := p.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // out of descriptors: the kernel keeps the queue
			p.node.b.opts.Logger.Warn("load balancer cannot accept", "address", p.listener.Addr().String(), "error", err)
			time.Sleep(50 * time.Millisecond)
			continue
		}
		for !p.current().put(conn) { // its server was just replaced
			if p.closed.Load() {
				_ = conn.Close()
				return
			}
		}
	}
}

func (p *port) current() *intake {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.intake
}

// idle is the idle timeout, which bounds the wait for clients and targets alike.
func (p *port) idle() time.Duration { return p.node.b.routing.Load().attributes.IdleTimeout }

func (p *port) close() {
	p.closed.Store(true)
	_ = p.listener.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = p.intake.Close()
	for _, s := range p.servers {
		_ = s.Close()
	}
}

// intake is the net.Listener of one server: connections are put into it.
type intake struct {
	addr  net.Addr
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func newIntake(addr net.Addr) *intake {
	return &intake{addr: addr, conns: make(chan net.Conn), done: make(chan struct{})}
}

func (i *intake) put(conn net.Conn) bool {
	select {
	case i.conns <- conn:
		return true
	case <-i.done:
		return false
	}
}

// Accept implements net.Listener.
func (i *intake) Accept() (net.Conn, error) {
	select {
	case conn := <-i.conns:
		return conn, nil
	case <-i.done:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (i *intake) Close() error {
	i.once.Do(func() { close(i.done) })
	return nil
}

// Addr implements net.Listener.
func (i *intake) Addr() net.Addr { return i.addr }

// client is one client connection.
type client struct {
	address   netip.AddrPort
	forwarded []string // the value of X-Forwarded-For
	since     time.Time
	trace     sync.Once
	id        string

	certificate string // ARN of the one that the client was shown
}

type clientKey struct{}

func newClient(conn net.Conn) *client {
	address := addrPort(conn.RemoteAddr())
	return &client{address: address, forwarded: []string{address.Addr().String()}, since: time.Now()}
}

// traceID names the connection in access logs.
func (c *client) traceID() string {
	c.trace.Do(func() {
		var random [16]byte
		_, _ = rand.Read(random[:]) // never fails
		c.id = "TID_" + hex.EncodeToString(random[:])
	})
	return c.id
}

// addrPort is the address of a TCP connection; the zero AddrPort for another kind.
func addrPort(a net.Addr) netip.AddrPort {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := tcp.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
