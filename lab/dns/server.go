package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/sync/errgroup"

	"storefront/lab/network"
)

// Listener opens sockets in a region's network. *network.Network is one.
type Listener interface {
	Listen(place network.Place, network, address string) (net.Listener, error)
	ListenPacket(place network.Place, network, address string) (net.PacketConn, error)
}

// Server is the resolver of one VPC.
type Server struct {
	servers []*dns.Server
	group   errgroup.Group
}

// Serve starts the resolver of a VPC at the given address (see network.VPC.Resolver), port 53, UDP and TCP. The VPC's network must have
// been applied. It ends with Close, or by itself when the VPC is removed.
func Serve(n Listener, vpcID string, resolver netip.Addr, source Source) (*Server, error) {
	place, address := network.InVPC(vpcID), netip.AddrPortFrom(resolver, 53).String()
	packets, err := n.ListenPacket(place, "udp", address)
	if err != nil {
		return nil, fmt.Errorf("resolver of %s: %w", vpcID, err)
	}
	streams, err := n.Listen(place, "tcp", address)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("resolver of %s: %w", vpcID, err), packets.Close())
	}
	return start(newHandler(vpcID, source), packets, streams), nil
}

func newHandler(vpcID string, source Source) dns.Handler {
	return &resolver{vpc: vpcID, source: source}
}

func start(h dns.Handler, packets net.PacketConn, streams net.Listener) *Server {
	s := &Server{servers: []*dns.Server{
		{PacketConn: packets, Handler: h},
		{Listener: streams, Handler: h, ReadTimeout: 5 * time.Second, WriteTimeout: 5 * time.Second},
	}}
	started := make(chan struct{}, len(s.servers))
	for _, d := range s.servers {
		d.NotifyStartedFunc = func() { started <- struct{}{} }
		s.group.Go(func() error {
			if err := d.ActivateAndServe(); err != nil && !errors.Is(err, net.ErrClosed) {
				started <- struct{}{}
				return err
			}
			return nil
		})
	}
	for range s.servers { // so that Close finds them running
		<-started
	}
	return s
}

// Close stops the resolver after the queries that it is answering, at most for the context's time.
func (s *Server) Close(ctx context.Context) error {
	var errs []error
	for _, d := range s.servers {
		if err := d.ShutdownContext(ctx); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if err := s.group.Wait(); err != nil {
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
