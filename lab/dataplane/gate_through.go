package dataplane

import (
	"context"
	"net"
	"net/netip"

	"storefront/lab/state"
	"storefront/lab/wire"
)

// entrance is a listener that knows its socket.
type entrance struct {
	net.Listener
	socket
}

type entranceKey struct{}

// entered keeps the socket of a listener for its connections.
func entered(l net.Listener) context.Context {
	return context.WithValue(context.Background(), entranceKey{}, l.(entrance).socket)
}

// through tells by which VPC endpoint a connection came. What comes through a gateway endpoint has the address of its VPC's router.
func (g *Gate) through(ctx context.Context, c net.Conn) context.Context {
	s, _ := ctx.Value(entranceKey{}).(socket)
	if s.endpoint.ID != "" {
		return wire.WithEndpoint(ctx, s.endpoint)
	}
	from, err := netip.ParseAddrPort(c.RemoteAddr().String())
	if err != nil {
		return ctx
	}
	vpc, ok := g.Net.Behind(from.Addr().Unmap())
	if !ok {
		return ctx
	}
	err = g.Store.View(func(tx *state.Tx) error {
		if e, ok := g.EC2.GatewayEndpoint(tx, vpc, s.service); ok {
			ctx = wire.WithEndpoint(ctx, wire.Endpoint{ID: e.ID, VPC: vpc})
		}
		return nil
	})
	if err != nil {
		g.Log.Error("finding a gateway endpoint", "vpc", vpc, "error", err)
	}
	return ctx
}
