package balancer

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"

	"storefront/lab/network"
)

// Network opens sockets at places of the region's network. lab/network implements it.
type Network interface {
	Listen(place network.Place, protocol, address string) (net.Listener, error)
	Dial(ctx context.Context, place network.Place, protocol, address string) (net.Conn, error)
}

// Options are what a Balancer works with. Network is required.
type Options struct {
	Network   Network
	Metrics   Metrics      // nil: none
	Logs      LogSink      // nil: no access logs
	LogName   LogName      // names access log files
	CookieKey []byte       // 32 bytes that seal stickiness cookies; nil: random, so that cookies do not outlive the Balancer
	Logger    *slog.Logger // nil: slog.Default()
}

// Balancer is one load balancer. It is safe for concurrent use.
type Balancer struct {
	opts    Options
	cookies *cookieJar
	routing atomic.Pointer[routing]
	buffers sync.Pool // of *[]byte, for bodies and lines of logs

	mu     sync.Mutex // guards what follows, and serialises Apply
	nodes  map[network.Place]*node
	groups map[string]*group
	closed bool
}

// routing is a compiled Config: what a request needs, never changed once it is published.
type routing struct {
	attributes Attributes
	listeners  map[int]*Listener
	groups     map[string]*group
	firewall   Firewall
}

// New makes a load balancer that does nothing until Apply.
func New(opts Options) (*Balancer, error) {
	if opts.Network == nil {
		return nil, fmt.Errorf("%w: no network", ErrConfig)
	}
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	if opts.CookieKey == nil {
		opts.CookieKey = make([]byte, 32)
		_, _ = rand.Read(opts.CookieKey) // never fails
	}
	jar, err := newCookieJar(opts.CookieKey)
	if err != nil {
		return nil, err
	}
	b := &Balancer{opts: opts, cookies: jar, nodes: map[network.Place]*node{}, groups: map[string]*group{}}
	b.buffers.New = func() any { return new(make([]byte, 32<<10)) }
	return b, nil
}

// Apply makes the load balancer do what config says. Connections and requests that config still allows go on undisturbed; new timeouts hold
// for new connections. A Config that is wrong in itself is refused as a whole with ErrConfig; a socket that cannot be opened is reported
// after everything else was applied, and Apply may be called again. The balancer goes on reading config: it must not be changed afterwards.
func (b *Balancer) Apply(config Config) error {
	if err := config.validate(); err != nil {
		return err
	}
	config.Attributes = config.Attributes.withDefaults()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return fmt.Errorf("%w: the load balancer is closed", ErrConfig)
	}
	next := &routing{attributes: config.Attributes, listeners: map[int]*Listener{}, groups: map[string]*group{}, firewall: config.Firewall}
	for i := range config.Listeners {
		next.listeners[config.Listeners[i].Port] = &config.Listeners[i]
	}
	checkers := b.checkers(config)
	for _, g := range config.TargetGroups {
		current, ok := b.groups[g.ARN]
		if !ok {
			current = newGroup(b.opts.Network)
			b.groups[g.ARN] = current
		}
		next.groups[g.ARN] = current
		current.apply(g, checkers)
	}
	b.routing.Store(next)
	err := b.applyNodes(config)
	for arn, g := range b.groups { // only now, when no new request finds them
		if next.groups[arn] == nil {
			g.retire()
			delete(b.groups, arn)
		}
	}
	return err
}

func (b *Balancer) applyNodes(config Config) error {
	wanted := map[network.Place]bool{}
	var errs []error
	for _, n := range config.Nodes {
		wanted[n.Place] = true
		current, ok := b.nodes[n.Place]
		if ok && current.Node != n {
			current.close()
			ok = false
		}
		if !ok {
			current = newNode(b, n, config.Name)
			b.nodes[n.Place] = current
		}
		errs = append(errs, current.apply(config))
	}
	for place, n := range b.nodes {
		if !wanted[place] {
			n.close()
			delete(b.nodes, place)
		}
	}
	return errors.Join(errs...)
}

// checkers says from where the targets of each zone are checked: from the zone's own node, else from the first one.
func (b *Balancer) checkers(config Config) map[string]network.Place {
	places := map[string]network.Place{}
	for _, n := range config.Nodes {
		if _, ok := places[""]; !ok {
			places[""] = n.Place
		}
		places[n.Zone] = n.Place
	}
	return places
}

// Close stops listening, ends all connections and health checks, and delivers the access logs gathered so far.
func (b *Balancer) Close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for _, n := range b.nodes {
		n.close()
	}
	for _, g := range b.groups {
		g.close()
	}
	b.nodes, b.groups = nil, nil
}

// Addresses returns the addresses that the nodes listen on, by node address and listener port of the Config. Tests that listen on port 0 need it.
func (b *Balancer) Addresses() []net.Addr {
	b.mu.Lock()
	defer b.mu.Unlock()
	var addresses []net.Addr
	for _, n := range b.nodes {
		for _, p := range n.ports {
			addresses = append(addresses, p.listener.Addr())
		}
	}
	return addresses
}

// Health reports the state of a target; ok is false for a target group or target that is not in the Config.
func (b *Balancer) Health(groupARN, targetID string, port int) (health TargetHealth, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	g, ok := b.groups[groupARN]
	if !ok {
		return TargetHealth{}, false
	}
	return g.health(targetID, port)
}

// InFlight counts the requests and upgraded connections that a target is serving.
func (b *Balancer) InFlight(groupARN, targetID string, port int) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if g, ok := b.groups[groupARN]; ok {
		return g.inFlight(targetID, port)
	}
	return 0
}
