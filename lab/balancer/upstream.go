package balancer

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"storefront/lab/network"
)

// connectTimeout is how long a target may take to accept a connection, see "HTTP 504: Gateway timeout".
const connectTimeout = 10 * time.Second

var errTargetClosed = errors.New("the target was deregistered before it got the request")

// targetConn is one HTTP/1.1 connection to a target.
type targetConn struct {
	net.Conn
	source *source
	reader *bufio.Reader
	writer *bufio.Writer
	place  network.Place
	reused bool
	idleAt time.Time
	text   []byte  // of the head being read
	fields []field // of the latest head
}

// source is the reader's view of a connection to a target.
type source struct {
	net.Conn
	left     int           // how much of a response's header may still be read, in bytes
	patience time.Duration // how long each read may take; 0 sets no bound
}

// Read implements io.Reader.
func (s *source) Read(b []byte) (int, error) {
	if s.left <= 0 {
		return 0, errHeaderTooLarge
	}
	if s.patience > 0 {
		if err := s.SetReadDeadline(time.Now().Add(s.patience)); err != nil {
			return 0, err
		}
	}
	n, err := s.Conn.Read(b)
	s.left -= n
	return n, err
}

// pool knows the connections to one target, and keeps the idle ones.
type pool struct {
	mu     sync.Mutex
	idle   []*targetConn
	open   map[*targetConn]struct{} // idle and in use
	closed bool
}

// take returns a connection that was dialled from place and has been idle only since oldest, or nil.
// The one used last comes first: it is the least likely to have been closed by the target.
func (p *pool) take(place network.Place, oldest time.Time, mustLive bool) *targetConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.idle) - 1; i >= 0; i-- {
		c := p.idle[i]
		if c.place != place {
			continue
		}
		p.idle = append(p.idle[:i], p.idle[i+1:]...)
		if c.idleAt.Before(oldest) || mustLive && !c.alive() {
			p.drop(c)
			continue
		}
		c.reused = true
		return c
	}
	return nil
}

func (p *pool) add(c *targetConn) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = c.Close()
		return errTargetClosed
	}
	if p.open == nil {
		p.open = map[*targetConn]struct{}{}
	}
	p.open[c] = struct{}{}
	return nil
}

// drop closes a connection for good. The caller holds mu.
func (p *pool) drop(c *targetConn) {
	delete(p.open, c)
	_ = c.Close()
}

// dropIdle closes the idle connections of a target that gets no new requests.
func (p *pool) dropIdle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.idle {
		p.drop(c)
	}
	p.idle = nil
}

func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed, p.idle = true, nil
	for c := range p.open {
		p.drop(c)
	}
}

func (t *target) connect(ctx context.Context, place network.Place, useTLS bool) (*targetConn, error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := t.dial(ctx, place, useTLS)
	if err != nil {
		if t.leaving.Load() { // it need not accept any more
			err = fmt.Errorf("%w: %w", errTargetClosed, err)
		}
		return nil, err
	}
	c := &targetConn{Conn: conn, source: &source{Conn: conn}, place: place, writer: bufio.NewWriter(conn)}
	c.reader = bufio.NewReader(c.source)
	return c, t.conns.add(c)
}

// release takes a connection back: for reuse, or to be closed.
func (t *target) release(c *targetConn, reuse bool) {
	p := &t.conns
	p.mu.Lock()
	defer p.mu.Unlock()
	if !reuse || p.closed || t.leaving.Load() { // with the lock: either this sees that the target leaves, or dropIdle sees the connection
		p.drop(c)
		return
	}
	c.idleAt = time.Now()
	p.idle = append(p.idle, c)
}

func (t *target) dial(ctx context.Context, place network.Place, useTLS bool) (net.Conn, error) {
	conn, err := t.group.network.Dial(ctx, place, "tcp", t.Address.String())
	if err != nil || !useTLS {
		return conn, err
	}
	secure := tls.Client(conn, targetTLS())
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secure, nil
}

// targetTLS is how targets are spoken to: "the load balancer does not validate the certificate".
func targetTLS() *tls.Config {
	return &tls.Config{InsecureSkipVerify: true} //nolint:gosec // AWS's documented behaviour
}

// alive looks, without waiting, whether the target has closed the connection or sent what nobody asked for.
func (c *targetConn) alive() bool {
	_ = c.SetReadDeadline(time.Time{}) // one in the past would be an error here
	conn := c.Conn
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	raw, ok := conn.(syscall.Conn)
	if !ok {
		return true
	}
	rc, err := raw.SyscallConn()
	if err != nil {
		return false
	}
	live := false
	err = rc.Read(func(fd uintptr) bool {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		live = errors.Is(err, syscall.EAGAIN)
		return true
	})
	return live && err == nil
}

// lost reports whether err means that a connection was gone before the target read anything from it.
func lost(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}
