package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os/exec"
	"strings"
	"sync"
)

// ErrNoSuchPlace is wrapped by errors about a place that no applied topology has, or has no more.
var ErrNoSuchPlace = errors.New("no such place in the network")

// Listen opens a stream listener ("tcp") on an address and port inside the place. It is closed when the place is removed.
func (n *Network) Listen(place Place, network, address string) (net.Listener, error) {
	var l *listener
	err := n.open(place, network, address, "listening on", func(at *node) error {
		var c net.ListenConfig
		c.SetMultipathTCP(false)
		inner, err := c.Listen(context.Background(), network, address)
		if err != nil {
			return err
		}
		l = &listener{Listener: inner, of: &at.sockets}
		return at.sockets.add(l)
	})
	if err != nil {
		return nil, err
	}
	return l, nil
}

// ListenPacket opens a datagram socket ("udp") on an address and port inside the place. It is closed when the place is removed.
func (n *Network) ListenPacket(place Place, network, address string) (net.PacketConn, error) {
	var p *packetConn
	err := n.open(place, network, address, "listening on", func(at *node) error {
		inner, err := net.ListenPacket(network, address)
		if err != nil {
			return err
		}
		p = &packetConn{UDPConn: inner.(*net.UDPConn), of: &at.sockets}
		return at.sockets.add(p)
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// Dial connects from inside the place to an address and port. Names are not resolved: the address is a literal one.
func (n *Network) Dial(ctx context.Context, place Place, network, address string) (net.Conn, error) {
	var c net.Conn
	err := n.open(place, network, address, "connecting to", func(*node) (err error) {
		var d net.Dialer
		d.SetMultipathTCP(false)
		c, err = d.DialContext(ctx, network, address)
		return err
	})
	return c, err
}

// Start starts a command whose process lives in the place. The caller waits for it and ends it: removing the place only cuts it off.
func (n *Network) Start(place Place, cmd *exec.Cmd) error {
	at, err := n.at(place)
	if err == nil {
		err = at.run(cmd.Start)
	}
	if err != nil {
		return fmt.Errorf("starting %s in %v: %w", cmd.Path, place, err)
	}
	return nil
}

// Path names the file of the place's network namespace, for setns(2) by this process and those that may inspect it. It is valid until the place is removed.
func (n *Network) Path(place Place) (string, error) {
	at, err := n.at(place)
	if err != nil {
		return "", err
	}
	return at.path(), nil
}

// open runs f inside the place after checking that f will not leave it: looking up a name would.
func (n *Network) open(place Place, network, address, verb string, f func(*node) error) error {
	fail := func(err error) error { return fmt.Errorf("%s %s %s in %v: %w", verb, network, address, place, err) }
	if !strings.HasPrefix(network, "tcp") && !strings.HasPrefix(network, "udp") {
		return fail(net.UnknownNetworkError(network))
	}
	if _, err := netip.ParseAddrPort(address); err != nil {
		return fail(err)
	}
	at, err := n.at(place)
	if err == nil {
		err = at.run(func() error { return f(at) })
	}
	if err != nil {
		return fail(err)
	}
	return nil
}

// sockets are the open listeners of a place.
type sockets struct {
	mu     sync.Mutex
	closed bool
	open   map[interface{ abandon() error }]bool
}

func (s *sockets) add(l interface{ abandon() error }) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.Join(ErrNoSuchPlace, l.abandon())
	}
	if s.open == nil {
		s.open = map[interface{ abandon() error }]bool{}
	}
	s.open[l] = true
	return nil
}

func (s *sockets) remove(l interface{ abandon() error }) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, l)
}

func (s *sockets) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for l := range s.open {
		_ = l.abandon() // a listener that its owner closes at the same time is closed all the same
	}
	s.open = nil
}

type listener struct {
	net.Listener
	of *sockets
}

func (l *listener) abandon() error { return l.Listener.Close() }

// Close stops listening.
func (l *listener) Close() error {
	l.of.remove(l)
	return l.Listener.Close()
}

type packetConn struct {
	*net.UDPConn
	of *sockets
}

func (p *packetConn) abandon() error { return p.UDPConn.Close() }

// Close closes the socket.
func (p *packetConn) Close() error {
	p.of.remove(p)
	return p.UDPConn.Close()
}
