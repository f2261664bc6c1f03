package dataplane

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"

	"storefront/lab/ec2"
	"storefront/lab/network"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Endpoints are the AWS services on the internet side, each at an address of its own.
type Endpoints struct {
	region   region.Region
	services []network.Service
}

// NewEndpoints gives an address to each service, named as its endpoint is: "s3", "secretsmanager". Addresses come from 203.0.113.0/24 (RFC 5737).
func NewEndpoints(r region.Region, names []string) Endpoints {
	e := Endpoints{region: r}
	address := netip.MustParseAddr("203.0.113.10")
	for _, name := range names {
		e.services = append(e.services, network.Service{Name: name, Addresses: []netip.Addr{address}})
		address = address.Next()
	}
	return e
}

// Services returns the services as the network declares them.
func (e Endpoints) Services() []network.Service { return e.services }

// Service returns the service that a DNS name is an endpoint of: "sqs.us-east-1.amazonaws.com", "iam.amazonaws.com", "bucket.s3.us-east-1.amazonaws.com",
// "vpce-0123456789abcdef0.sqs.us-east-1.vpce.amazonaws.com".
func (e Endpoints) Service(name string) (string, bool) {
	host, ok := strings.CutSuffix(strings.ToLower(name), ".amazonaws.com")
	if !ok {
		return "", false
	}
	if own, ok := strings.CutSuffix(host, "."+e.region.Name+".vpce"); ok {
		_, host, _ = strings.Cut(own, ".")
	}
	host = strings.TrimSuffix(host, "."+e.region.Name)
	service := host[strings.LastIndexByte(host, '.')+1:]
	for _, s := range e.services {
		if s.Name == service && (host == service || service == "s3") {
			return service, true
		}
	}
	return "", false
}

// Addresses returns the public addresses of a service.
func (e Endpoints) Addresses(service string) []netip.Addr {
	for _, s := range e.services {
		if s.Name == service {
			return s.Addresses
		}
	}
	return nil
}

// Gate serves the AWS API inside the region's network: at the services' public addresses, and at the interface endpoints of VPCs.
type Gate struct {
	Store     *state.Store
	EC2       *ec2.Service
	Net       *network.Network
	Endpoints Endpoints
	Handler   http.Handler
	TLS       *tls.Config
	Log       *slog.Logger

	mu   sync.Mutex
	open map[socket]bool
	wake chan struct{} // a socket was closed
}

// socket is where the gate listens: at a public address of a service, or at an interface of an endpoint.
type socket struct {
	place    network.Place
	address  netip.Addr
	port     uint16
	service  string
	endpoint wire.Endpoint
}

// Run converges until ctx ends.
func (g *Gate) Run(ctx context.Context) error {
	g.open, g.wake = map[socket]bool{}, make(chan struct{}, 1)
	server := &http.Server{Handler: g.Handler, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(g.Log.Handler(), slog.LevelDebug),
		BaseContext: entered, ConnContext: g.through}
	defer server.Close()
	wake := merge(ctx, g.Store.Watch(ctx, "ec2.vpc-endpoint", Applied), g.wake)
	return loop(ctx, wake, g.Log, func(context.Context) error { return g.converge(server) })
}

func (g *Gate) converge(server *http.Server) error {
	wanted, err := g.wanted()
	if err != nil {
		return err
	}
	var problems []error
	for _, s := range wanted {
		problems = append(problems, g.listen(server, s))
	}
	return errors.Join(problems...)
}

// wanted returns the sockets of all services and interface endpoints. VPCs may use the same addresses, so a place is a part of each.
func (g *Gate) wanted() (all []socket, err error) {
	add := func(s socket) {
		for _, s.port = range []uint16{443, 80} {
			all = append(all, s)
		}
	}
	for _, s := range g.Endpoints.services {
		for _, a := range s.Addresses {
			add(socket{place: network.Internet(), address: a, service: s.Name})
		}
	}
	err = g.Store.View(func(tx *state.Tx) error {
		for _, e := range g.EC2.InterfaceEndpoints(tx) {
			for _, id := range e.Interfaces {
				eni, err := g.EC2.Interface(tx, id)
				if err != nil {
					return err
				}
				add(socket{place: network.InInterface(id), address: eni.Address, endpoint: wire.Endpoint{ID: e.ID, VPC: e.VPC}})
			}
		}
		return nil
	})
	return all, err
}

// listen opens a socket unless it is open. The network closes it with its interface; the gate then forgets it, and looks whether it is wanted again.
func (g *Gate) listen(server *http.Server, s socket) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open[s] {
		return nil
	}
	l, err := g.Net.Listen(s.place, "tcp", netip.AddrPortFrom(s.address, s.port).String())
	if errors.Is(err, network.ErrNoSuchPlace) || errors.Is(err, syscall.EADDRNOTAVAIL) {
		return nil // Applied wakes us up when it is there
	}
	if err != nil {
		return err
	}
	g.open[s] = true
	if s.port == 443 {
		l = tls.NewListener(l, g.TLS)
	}
	go func() {
		_ = server.Serve(entrance{l, s})
		g.mu.Lock()
		delete(g.open, s)
		g.mu.Unlock()
		poke(g.wake)
	}()
	return nil
}
