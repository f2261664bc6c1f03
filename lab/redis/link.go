package redis

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"storefront/lab/network"
)

const linkTimeout = 3 * time.Second // for the primary to accept a connection

// link carries a replica's connections to its primary: from a port of the replica's loopback interface into the primary's interface, past the filters of
// the VPC. The port stays the same when the primary changes.
type link struct {
	net.Listener
	network Network

	mu      sync.Mutex
	to      *Node
	carried map[net.Conn]bool
	closed  bool
}

// newLink opens a link in a place. It refuses connections until it is given a primary.
func newLink(n Network, place network.Place) (*link, error) {
	l, err := n.Listen(place, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	k := &link{Listener: l, network: n, carried: map[net.Conn]bool{}}
	go k.serve()
	return k, nil
}

// follow sets the primary, and cuts the connections to an earlier one.
func (k *link) follow(primary *Node) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.to != primary {
		k.to = primary
		k.cut()
	}
}

// close ends the link.
func (k *link) close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	k.cut()
	err := k.Listener.Close()
	if errors.Is(err, net.ErrClosed) { // closed with its place
		return nil
	}
	return err
}

func (k *link) cut() {
	for c := range k.carried {
		_ = c.Close()
	}
	clear(k.carried)
}

func (k *link) serve() {
	for {
		c, err := k.Accept()
		if err != nil {
			return
		}
		go k.carry(c)
	}
}

func (k *link) carry(from net.Conn) {
	defer from.Close()
	k.mu.Lock()
	primary := k.to
	k.mu.Unlock()
	if primary == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), linkTimeout)
	defer cancel()
	to, err := k.network.Dial(ctx, primary.spec.Place, "tcp", primary.spec.Listen.String())
	if err != nil {
		return // the replica tries again
	}
	defer to.Close()
	if !k.add(from, to, primary) {
		return
	}
	defer k.remove(from, to)
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
		go func() {
			_, _ = io.Copy(way[0], way[1])
			done <- struct{}{}
		}()
	}
	<-done
}

// add notes the two ends of a connection, unless the primary has changed meanwhile.
func (k *link) add(from, to net.Conn, primary *Node) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed || k.to != primary {
		return false
	}
	k.carried[from], k.carried[to] = true, true
	return true
}

func (k *link) remove(ends ...net.Conn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range ends {
		delete(k.carried, c)
	}
}
