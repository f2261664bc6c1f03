package dataplane

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"storefront/lab/elasticsearch"
	"storefront/lab/network"
	"storefront/lab/search"
	"storefront/lab/state"
)

// searchDomain is the worker of one domain.
type searchDomain struct {
	*Domains
	dir     string
	wake    chan struct{}
	end     context.CancelFunc
	log     *slog.Logger
	members []search.Node // of the cluster; the worker's own, as is the next
	counted time.Time     // when the metrics were last taken

	mutex   sync.Mutex // guards what follows
	cluster *search.Cluster
	door    *door                   // with the declaration
	serving map[string]*http.Server // by node
	lost    map[string]time.Time    // since when, by node
	down    bool
}

// declared is what the worker is to make true.
func (w *searchDomain) declared() elasticsearch.Domain {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.door.domain
}

// errStarting says that a node's interface is not there yet.
var errStarting = errors.New("waiting for the network")

// converge takes the domain one round closer to what is declared.
func (w *searchDomain) converge(ctx context.Context) error {
	d := w.declared()
	if !d.Exists {
		w.close()
		if err := os.RemoveAll(w.dir); err != nil {
			return err
		}
		return w.Store.Update(func(tx *state.Tx) error { return w.Search.Gone(tx, d) })
	}
	for _, step := range []func(context.Context, elasticsearch.Domain) error{w.open, w.join, w.replace, w.serve} {
		if err := step(ctx, d); errors.Is(err, errStarting) {
			return nil // Applied wakes us up when it is there
		} else if err != nil {
			return err
		}
	}
	w.measure(d)
	if d.Settled() {
		return nil
	}
	return w.Store.Update(func(tx *state.Tx) error { return w.Search.Settled(tx, d) })
}

// open opens the cluster.
func (w *searchDomain) open(_ context.Context, d elasticsearch.Domain) error {
	if w.cluster != nil {
		return nil
	}
	if err := os.MkdirAll(w.dir, 0o700); err != nil {
		return err
	}
	name := d.ARN[strings.Index(d.ARN, "domain/")+len("domain/"):]
	c, err := search.Open(search.Config{Dir: w.dir, Name: w.Account + ":" + name, Version: strings.TrimPrefix(d.Version, "Elasticsearch_"), Log: w.log, Now: time.Now})
	if err != nil {
		return fmt.Errorf("opening the cluster of %s: %w", d.Name, err)
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.cluster = c
	return nil
}

// join makes the declared nodes the members of the cluster, and lets those go that are to leave.
func (w *searchDomain) join(ctx context.Context, d elasticsearch.Domain) error {
	var members []search.Node
	var leaving []string
	dedicated := slices.ContainsFunc(d.Nodes, func(n elasticsearch.Node) bool { return n.Master && !n.Leaving })
	for _, n := range d.Nodes {
		if n.Leaving {
			leaving = append(leaving, n.ID)
			continue
		}
		members = append(members, search.Node{ID: n.ID, Zone: n.Zone, Data: !n.Master, Master: n.Master || !dedicated})
	}
	if !slices.Equal(members, w.members) {
		if err := w.cluster.SetNodes(ctx, members); err != nil {
			return fmt.Errorf("setting the nodes of %s: %w", d.Name, err)
		}
		w.members = members
	}
	if len(leaving) == 0 {
		return nil
	}
	for _, id := range leaving {
		w.hush(id)
	}
	return w.Store.Update(func(tx *state.Tx) error { return w.Search.NodesGone(tx, d, leaving) })
}

// replace brings lost nodes back when their time has come.
func (w *searchDomain) replace(_ context.Context, d elasticsearch.Domain) error {
	w.mutex.Lock()
	due := []string{}
	for id, since := range w.lost {
		if time.Since(since) >= w.Replacement {
			due = append(due, id)
		}
	}
	w.mutex.Unlock()
	for _, id := range due {
		if err := w.cluster.Start(id); err != nil && !errors.Is(err, search.ErrUnknownNode) {
			return fmt.Errorf("replacing node %s of %s: %w", id, d.Name, err)
		}
		w.log.Info("a lost node was replaced", "node", id)
		w.mutex.Lock()
		delete(w.lost, id)
		w.mutex.Unlock()
	}
	return nil
}

// serve opens the sockets of the data nodes.
func (w *searchDomain) serve(_ context.Context, d elasticsearch.Domain) error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.down {
		return nil
	}
	waiting := false
	for _, n := range d.Nodes {
		_, lost := w.lost[n.ID]
		if n.Master || n.Leaving || lost || w.serving[n.ID] != nil {
			continue
		}
		err := w.listen(d, n)
		if errors.Is(err, network.ErrNoSuchPlace) || errors.Is(err, syscall.EADDRNOTAVAIL) {
			waiting = true
			continue
		}
		if err != nil {
			return fmt.Errorf("serving %s: %w", d.Name, err)
		}
	}
	if waiting {
		return errStarting
	}
	return nil
}

// listen opens the sockets of one node: HTTPS, and HTTP where that is not refused. The network closes them with the node's interface.
func (w *searchDomain) listen(d elasticsearch.Domain, n elasticsearch.Node) error {
	engine := w.cluster.Handler(n.ID)
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(w.log.Handler(), slog.LevelDebug),
		Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			w.mutex.Lock()
			door := w.door
			w.mutex.Unlock()
			if r.TLS == nil && door.domain.HTTPS {
				say(rw, http.StatusForbidden, "This domain accepts HTTPS only.")
				return
			}
			door.serve(rw, r, engine)
		})}
	secure := w.Authority.TLSConfig(func(name string) bool { return name == d.Host })
	if d.OldTLS {
		secure.MinVersion = tls.VersionTLS10
	}
	for _, port := range []uint16{443, 80} {
		l, err := w.Net.Listen(network.InInterface(n.Interface), "tcp", netip.AddrPortFrom(n.Address, port).String())
		if err != nil {
			return errors.Join(err, server.Close())
		}
		if port == 443 {
			l = tls.NewListener(l, secure)
		}
		go func() {
			_ = server.Serve(l)
			w.forget(n.ID, server)
		}()
	}
	w.serving[n.ID] = server
	return nil
}

// forget takes note that a node's sockets are closed, so that the next round opens them again if they are still wanted.
func (w *searchDomain) forget(id string, server *http.Server) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if w.serving[id] != server {
		return
	}
	delete(w.serving, id)
	_ = server.Close() // the node's other socket
	poke(w.wake)
}

// hush closes the sockets of a node and all its connections.
func (w *searchDomain) hush(id string) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if server := w.serving[id]; server != nil {
		delete(w.serving, id)
		_ = server.Close()
	}
}

// live lists the addresses of the nodes that serve.
func (w *searchDomain) live() (addresses []netip.Addr) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for _, n := range w.door.domain.Nodes {
		if w.serving[n.ID] != nil {
			addresses = append(addresses, n.Address)
		}
	}
	return addresses
}

// close ends the domain on this machine. What was acknowledged is on disk.
func (w *searchDomain) close() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for id, server := range w.serving {
		delete(w.serving, id)
		_ = server.Close()
	}
	if w.cluster == nil {
		return
	}
	if err := w.cluster.Close(); err != nil {
		w.log.Error("closing a search cluster", "error", err)
	}
	w.cluster, w.members = nil, nil
}
