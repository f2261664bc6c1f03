package dataplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"storefront/lab/balancer"
	"storefront/lab/network"
	"storefront/lab/state"
)

// forward opens the host's ports of an internet-facing load balancer's listeners, and records them.
func (b *Balancers) forward(d desired, forwarded map[string]bool) error {
	var addresses []netip.Addr
	for _, n := range d.lb.Nodes {
		if n.Public.IsValid() {
			addresses = append(addresses, n.Public)
		}
	}
	if len(addresses) == 0 {
		return nil
	}
	var errs []error
	for _, l := range d.config.Listeners {
		key := d.lb.ARN + "|" + strconv.Itoa(l.Port)
		forwarded[key] = true
		to := make([]netip.AddrPort, len(addresses))
		for i, a := range addresses {
			to[i] = netip.AddrPortFrom(a, uint16(l.Port))
		}
		if f, ok := b.forwarders[key]; ok {
			f.to.Store(&to)
			continue
		}
		f, err := b.openForwarder(d.ports[l.Port], to)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		b.forwarders[key] = f
		if port := f.port(); port != d.ports[l.Port] {
			errs = append(errs, b.ELB.Store.Update(func(tx *state.Tx) error { return b.ELB.SetHostPort(tx, d.lb.ARN, l.Port, port) }))
		}
	}
	return errors.Join(errs...)
}

// openForwarder listens on the port of 127.0.0.1 that was recorded, on another one when that is taken, and on a free one when port is 0.
func (b *Balancers) openForwarder(port int, to []netip.AddrPort) (*forwarder, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if errors.Is(err, syscall.EADDRINUSE) && port != 0 {
		b.Log.Warn("the port of a load balancer is taken by another program; it gets a new one", "port", port)
		listener, err = net.Listen("tcp", "127.0.0.1:0")
	}
	if err != nil {
		return nil, fmt.Errorf("opening the host's port of a load balancer: %w", err)
	}
	return newForwarder(listener, b.Net, to), nil
}

// forwarder passes TCP connections to the host on to public addresses of the region's internet side, in turn.
type forwarder struct {
	listener net.Listener
	network  balancer.Network
	to       atomic.Pointer[[]netip.AddrPort]
	next     atomic.Uint32

	mu    sync.Mutex
	conns map[net.Conn]struct{} // nil once closed
}

func newForwarder(listener net.Listener, n balancer.Network, to []netip.AddrPort) *forwarder {
	f := &forwarder{listener: listener, network: n, conns: map[net.Conn]struct{}{}}
	f.to.Store(&to)
	go f.accept()
	return f
}

func (f *forwarder) port() int {
	if a, ok := f.listener.Addr().(*net.TCPAddr); ok {
		return a.Port
	}
	return 0
}

func (f *forwarder) accept() {
	for {
		conn, err := f.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(50 * time.Millisecond) // out of descriptors: the kernel keeps the queue
			continue
		}
		go f.serve(conn)
	}
}

func (f *forwarder) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	target, err := f.dial()
	if err != nil {
		return
	}
	defer func() { _ = target.Close() }()
	if !f.track(client, target) {
		return
	}
	defer f.untrack(client, target)
	done := make(chan struct{})
	go func() {
		defer close(done)
		pass(target, client)
	}()
	pass(client, target)
	<-done
}

// dial tries each address once, beginning with the one whose turn it is.
func (f *forwarder) dial() (net.Conn, error) {
	to := *f.to.Load()
	turn := int(f.next.Add(1)) % len(to)
	var errs []error
	for _, address := range slices.Concat(to[turn:], to[:turn]) {
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		conn, err := f.network.Dial(ctx, network.Internet(), "tcp", address.String())
		cancel()
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// pass copies one direction, and then ends it for the receiver only.
func pass(to, from net.Conn) {
	_, err := io.Copy(to, from)
	half, ok := to.(interface{ CloseWrite() error })
	if err == nil && ok && half.CloseWrite() == nil {
		return
	}
	_ = to.Close()
	_ = from.Close()
}

func (f *forwarder) track(conns ...net.Conn) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.conns == nil {
		return false
	}
	for _, c := range conns {
		f.conns[c] = struct{}{}
	}
	return true
}

func (f *forwarder) untrack(conns ...net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range conns {
		delete(f.conns, c)
	}
}

func (f *forwarder) close() {
	_ = f.listener.Close()
	f.mu.Lock()
	defer f.mu.Unlock()
	for c := range f.conns {
		_ = c.Close()
	}
	f.conns = nil
}
