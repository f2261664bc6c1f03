package dataplane

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"storefront/lab/ec2"
	"storefront/lab/network"
	"storefront/lab/region"
	"storefront/lab/state"
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

// Service returns the service that a DNS name is an endpoint of: "sqs.us-east-1.amazonaws.com", "iam.amazonaws.com", "bucket.s3.us-east-1.amazonaws.com".
func (e Endpoints) Service(name string) (string, bool) {
	host, ok := strings.CutSuffix(strings.ToLower(name), ".amazonaws.com")
	if !ok {
		return "", false
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
	open map[string]net.Listener // by place and address
}

// Run converges until ctx ends.
func (g *Gate) Run(ctx context.Context) error {
	g.open = map[string]net.Listener{}
	server := &http.Server{Handler: g.Handler, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(g.Log.Handler(), slog.LevelDebug)}
	defer server.Close()
	return loop(ctx, g.Store.Watch(ctx, "ec2.vpc-endpoint", Applied), g.Log, func(context.Context) error { return g.converge(server) })
}

func (g *Gate) converge(server *http.Server) error {
	wanted := map[string]network.Place{} // by address
	for _, s := range g.Endpoints.services {
		for _, a := range s.Addresses {
			wanted[a.String()] = network.Internet()
		}
	}
	if err := g.Store.View(func(tx *state.Tx) error {
		for _, e := range g.EC2.InterfaceEndpoints(tx) {
			for _, id := range e.Interfaces {
				eni, err := g.EC2.Interface(tx, id)
				if err != nil {
					return err
				}
				wanted[eni.Address.String()] = network.InInterface(id)
			}
		}
		return nil
	}); err != nil {
		return err
	}
	var problems []error
	for address, place := range wanted {
		problems = append(problems, g.listen(server, place, net.JoinHostPort(address, "443"), true), g.listen(server, place, net.JoinHostPort(address, "80"), false))
	}
	return errors.Join(problems...)
}

// listen opens a socket unless it is open. A socket whose interface goes away is closed by the network, and forgotten here.
func (g *Gate) listen(server *http.Server, place network.Place, address string, encrypted bool) error {
	key := place.String() + " " + address
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open[key] != nil {
		return nil
	}
	l, err := g.Net.Listen(place, "tcp", address)
	if errors.Is(err, network.ErrNoSuchPlace) {
		return nil // Applied wakes us up when it is there
	}
	if err != nil {
		return err
	}
	g.open[key] = l
	if encrypted {
		l = tls.NewListener(l, g.TLS)
	}
	go func() {
		_ = server.Serve(l)
		g.mu.Lock()
		defer g.mu.Unlock()
		delete(g.open, key)
	}()
	return nil
}
