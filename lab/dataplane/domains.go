package dataplane

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"time"

	"storefront/lab/access"
	"storefront/lab/authority"
	"storefront/lab/authorization"
	"storefront/lab/elasticsearch"
	"storefront/lab/metrics"
	"storefront/lab/network"
	"storefront/lab/search"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// DefaultReplacement is how long a lost node of a search domain stays away, as if AWS had to find another machine for it.
const DefaultReplacement = 20 * time.Second

// Domains keeps the machine's search clusters at what the domains of Amazon OpenSearch Service declare. Each has a worker of its own, so that none waits for another.
type Domains struct {
	Store        *state.Store
	Search       *elasticsearch.Service
	Net          *network.Network
	Authority    *authority.Authority
	Authenticate func(r *http.Request, service string, body []byte) (wire.Identity, error) // see wire.Server.Authenticate
	// Judge decides about a request to a domain by the domain's access policy, nil for none, and by the policies of who asks. Role is the ARN of a session's role.
	Judge       func(ctx context.Context, id wire.Identity, ask authorization.Ask, policy *access.Document) (d access.Decision, role string, err error)
	Metrics     *metrics.Store
	Account     string
	Dir         string        // holds a directory for each domain
	Replacement time.Duration // how long a lost node stays away
	Log         *slog.Logger

	mu      sync.Mutex
	workers map[string]*searchDomain // by the name of the domain's data
	running sync.WaitGroup
}

// Run converges until ctx ends, and then closes the clusters.
func (d *Domains) Run(ctx context.Context) error {
	d.mu.Lock()
	d.workers = map[string]*searchDomain{}
	d.mu.Unlock()
	wake := merge(ctx, d.Store.Watch(ctx, "es.", Applied), ticks(ctx, checkEvery))
	err := loop(ctx, wake, d.Log, d.converge)
	d.running.Wait()
	return err
}

// converge hands each domain's declaration to its worker, those of new ones included.
func (d *Domains) converge(ctx context.Context) error {
	var declared []elasticsearch.Domain
	if err := d.Store.View(func(tx *state.Tx) error { declared = d.Search.Domains(tx); return nil }); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	known := map[string]bool{}
	for _, c := range declared {
		known[c.Data] = true
		w := d.workers[c.Data]
		if w == nil {
			w = d.start(ctx, c)
		}
		if err := w.declare(c); err != nil {
			return err
		}
		poke(w.wake)
	}
	for id, w := range d.workers {
		if !known[id] {
			w.end()
			delete(d.workers, id)
		}
	}
	return nil
}

// start starts the worker of a domain.
func (d *Domains) start(ctx context.Context, c elasticsearch.Domain) *searchDomain {
	ctx, end := context.WithCancel(ctx)
	w := &searchDomain{Domains: d, dir: filepath.Join(d.Dir, c.Data), wake: make(chan struct{}, 1), end: end, log: d.Log.With("domain", c.Name),
		serving: map[string]*http.Server{}, lost: map[string]time.Time{}}
	d.workers[c.Data] = w
	d.running.Go(func() {
		defer end()
		_ = loop(ctx, w.wake, w.log, w.converge) // it ends with ctx
		w.close()
	})
	return w
}

// declare changes what the worker is to make true.
func (w *searchDomain) declare(c elasticsearch.Domain) error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.door != nil && reflect.DeepEqual(w.door.domain, c) {
		return nil
	}
	next, err := newDoor(w.Domains, c)
	if err != nil {
		return fmt.Errorf("the access policy of %s: %w", c.Name, err)
	}
	w.door = next
	return nil
}

// worker returns the worker of a domain by the domain's name.
func (d *Domains) worker(name string) (*searchDomain, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range d.workers {
		if c := w.declared(); c.Name == name && c.Exists {
			return w, nil
		}
	}
	return nil, fmt.Errorf("there is no search domain %q; `lab status` lists them", name)
}

// Health tells the state of a domain's cluster. ok is false as long as there is none.
func (d *Domains) Health(name string) (h search.Health, ok bool) {
	w, err := d.worker(name)
	if err != nil {
		return h, false
	}
	w.mutex.Lock()
	cluster := w.cluster
	w.mutex.Unlock()
	if cluster == nil {
		return h, false
	}
	return cluster.Health(), true
}

// Resolve returns the addresses of the nodes behind a domain's endpoint: those that live, as long as one does.
func (d *Domains) Resolve(tx *state.Tx, name string) (addresses []netip.Addr, found bool) {
	if addresses, found = d.Search.Resolve(tx, name); !found {
		return nil, false
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range d.workers {
		if w.declared().Host != name {
			continue
		}
		live := w.live()
		if rest := slices.DeleteFunc(slices.Clone(addresses), func(a netip.Addr) bool { return !slices.Contains(live, a) }); len(rest) > 0 {
			return rest, true
		}
	}
	return addresses, true
}
