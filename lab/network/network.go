package network

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"

	"golang.org/x/sys/unix"
)

// Network is a region's network on this machine. Its methods can be called at the same time.
type Network struct {
	log   *slog.Logger
	label label
	lock  *os.File

	applying sync.Mutex // held by what changes the network
	internet *internet
	routers  map[string]*router
	cut      map[cut]bool

	mu      sync.RWMutex // guards places and uplinks
	places  map[Place]*node
	uplinks map[netip.Addr]string // IDs of VPCs by the addresses of their routers on the internet side
}

// Open starts an empty network: an internet and nothing else. dir is the lab's directory, which one network at a time may use; processes
// that a killed predecessor left in its namespaces are ended first (see Sweep). It needs CAP_SYS_ADMIN and CAP_NET_ADMIN in the process's
// user namespace, which may be one of its own.
func Open(dir string, log *slog.Logger) (_ *Network, err error) {
	n := &Network{log: log, routers: map[string]*router{}, cut: map[cut]bool{}, places: map[Place]*node{}, uplinks: map[netip.Addr]string{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, n.Close())
		}
	}()
	if n.lock, err = acquire(dir); err != nil {
		return nil, err
	}
	if err := Sweep(dir); err != nil {
		return nil, err
	}
	if n.label, err = newLabel(dir); err != nil {
		return nil, err
	}
	if n.internet, err = newInternet(n.label); err != nil {
		return nil, err
	}
	n.places[Internet()] = n.internet.node
	return n, nil
}

// acquire takes the directory for this process.
func acquire(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "network.lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the network's lock: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another lab runs in %s: %w", dir, err), f.Close())
	}
	return f, nil
}

// Apply makes the machine match the topology and touches only what differs from the last one. After an error it can be called again: what
// was done is kept and the rest is tried anew.
//
// Connections that are tracked when a security group rule goes away live on until they end or idle out, as tracked connections do on AWS
// ("Security group connection tracking"); new ones are refused. Network ACLs are stateless and apply to the next packet. An interface that
// is removed, or loses its public address, loses its connections.
func (n *Network) Apply(ctx context.Context, t Topology) error {
	if err := t.Validate(); err != nil {
		return err
	}
	n.applying.Lock()
	defer n.applying.Unlock()
	if n.internet == nil {
		return fmt.Errorf("applying a topology: %w", os.ErrClosed)
	}
	wanted := map[string]bool{}
	for _, v := range t.VPCs {
		wanted[v.ID] = true
	}
	for id := range n.routers {
		if !wanted[id] {
			if err := n.removeVPC(id); err != nil {
				return err
			}
		}
	}
	services := map[string]Service{}
	for _, s := range t.Services {
		services[s.Name] = s
	}
	for _, v := range t.VPCs {
		if err := n.applyVPC(ctx, v, services); err != nil {
			return fmt.Errorf("network of %s: %w", v.ID, err)
		}
	}
	if err := n.internet.converge(ctx, n.internet.config(t.Services, n.routers)); err != nil {
		return fmt.Errorf("network of the internet: %w", err)
	}
	return nil
}

func (n *Network) applyVPC(ctx context.Context, v VPC, services map[string]Service) error {
	r := n.routers[v.ID]
	if r == nil {
		var err error
		if r, err = newRouter(n.label, n.internet.number()); err != nil {
			return err
		}
		n.internet.taken[r.number] = true
		n.routers[v.ID] = r
		n.register(InVPC(v.ID), r.node)
		n.mu.Lock()
		n.uplinks[r.uplink()] = v.ID
		n.mu.Unlock()
	}
	return r.apply(ctx, n, v, services)
}

func (n *Network) removeVPC(id string) error {
	r := n.routers[id]
	for i := range r.ports {
		if err := r.unplug(n, i); err != nil {
			return err
		}
	}
	for _, link := range []string{gatewayLink, endpointLink} {
		if err := r.leave(n.internet, link); err != nil {
			return err
		}
	}
	n.unregister(InVPC(id))
	n.mu.Lock()
	delete(n.uplinks, r.uplink())
	n.mu.Unlock()
	delete(n.routers, id)
	delete(n.internet.taken, r.number)
	return r.close()
}

// Close removes the network. Processes in it are cut off and left to those who started them.
func (n *Network) Close() error {
	n.applying.Lock()
	defer n.applying.Unlock()
	var errs []error
	for id := range n.routers {
		errs = append(errs, n.removeVPC(id))
	}
	if n.internet != nil {
		n.unregister(Internet())
		errs = append(errs, n.internet.close())
		n.internet = nil
	}
	if n.lock != nil {
		errs = append(errs, n.lock.Close())
		n.lock = nil
	}
	return errors.Join(errs...)
}

func (n *Network) at(p Place) (*node, error) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	if at, ok := n.places[p]; ok {
		return at, nil
	}
	return nil, ErrNoSuchPlace
}

func (n *Network) register(p Place, at *node) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.places[p] = at
}

// Behind returns the VPC whose gateway endpoints an address stands for: that is what services see of who comes through them.
func (n *Network) Behind(a netip.Addr) (vpc string, ok bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	vpc, ok = n.uplinks[a]
	return vpc, ok
}

func (n *Network) unregister(p Place) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.places, p)
}
