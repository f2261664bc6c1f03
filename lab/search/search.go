// Package search is a search engine that speaks the REST API of Elasticsearch 7.10, clustered: shards with replicas on nodes, each node
// with a store of its own. An acknowledged write is on disk on the primary and on every in-sync replica that lives.
//
// It knows nothing of AWS and asks nobody for credentials: who serves a Handler guards it.
package search

import (
	"cmp"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"storefront/lab/search/internal/shard"
)

// ErrUnknownNode is returned for a node that SetNodes did not name.
var ErrUnknownNode = errors.New("the cluster has no such node")

// ErrClosed is returned by a cluster after Close.
var ErrClosed = errors.New("the cluster is closed")

// Config says what cluster to open. All fields but Log and Now are required.
type Config struct {
	Dir     string           // holds everything; one process at a time opens it
	Name    string           // the cluster's name, as its banner shows it
	Version string           // as AWS names engines: "7.10", or "OpenSearch_1.3"
	Log     *slog.Logger     // nil: no log
	Now     func() time.Time // nil: time.Now
}

// Health is the cluster's state as CloudWatch reports it.
type Health struct {
	Status                         string // green: every copy is there; yellow: every primary is; red: a shard has no primary
	Nodes                          int    // that live
	ActiveShards, UnassignedShards int    // copies
	Documents, Deleted, Bytes      int64  // documents of the primaries, as of the last refresh; bytes of all live copies
}

// Cluster is an open cluster. It is safe for concurrent use.
//
// Locks are taken in this order: topology, a group's, mu.
type Cluster struct {
	config  Config
	indexer *shard.Indexer

	topology sync.Mutex // one change of nodes, indices or replicas at a time

	mu      sync.RWMutex // guards what follows, for moments
	closed  bool
	catalog *catalog
	nodes   map[string]*member
	indices map[string]*openIndex
}

// Open opens the cluster of a directory, or makes it. It serves requests once SetNodes has named its nodes.
func Open(config Config) (*Cluster, error) {
	if config.Dir == "" || config.Name == "" || config.Version == "" {
		return nil, errors.New("opening a search cluster: Dir, Name and Version are required")
	}
	config.Log = cmp.Or(config.Log, slog.New(slog.DiscardHandler))
	if config.Now == nil {
		config.Now = time.Now
	}
	if err := os.MkdirAll(config.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("opening search cluster %s: %w", config.Name, err)
	}
	known, err := loadCatalog(config.Dir)
	if err != nil {
		return nil, fmt.Errorf("opening search cluster %s: %w", config.Name, err)
	}
	c := &Cluster{config: config, catalog: known, nodes: map[string]*member{}, indices: map[string]*openIndex{}}
	if known == nil {
		c.catalog = &catalog{UUID: newUUID(), Indices: map[string]*indexMeta{}, Templates: map[string]*template{}}
		if err := c.catalog.save(config.Dir); err != nil {
			return nil, fmt.Errorf("opening search cluster %s: %w", config.Name, err)
		}
	}
	c.indexer = shard.NewIndexer()
	for name, meta := range c.catalog.Indices {
		c.indices[name] = c.newIndex(meta)
	}
	return c, nil
}

// Close ends the cluster. What was acknowledged is on disk already.
func (c *Cluster) Close() error {
	c.topology.Lock()
	defer c.topology.Unlock()
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	c.mu.Unlock()
	var errs []error
	for _, x := range c.indices {
		x.stop()
		for _, g := range x.groups {
			errs = append(errs, g.close())
		}
	}
	c.indexer.Close()
	return errors.Join(errs...)
}

// Health tells the cluster's state.
func (c *Cluster) Health() Health {
	h := c.health(c.all())
	return h.Health
}

// health is the state of some indices, with the shards that it is made of.
type health struct {
	Health
	primaries, data int
	byIndex         map[string]Health
}

func (c *Cluster) health(indices []*openIndex) health {
	h := health{byIndex: map[string]Health{}}
	c.mu.RLock()
	for _, n := range c.nodes {
		if n.up {
			h.Nodes++
			if n.Data {
				h.data++
			}
		}
	}
	c.mu.RUnlock()
	h.Status = "green"
	for _, x := range indices {
		one := Health{Status: "green"}
		replicas := c.meta(x).Replicas
		for _, g := range x.groups {
			l := g.lineup.Load()
			one.ActiveShards += len(l.copies)
			one.UnassignedShards += max(0, 1+replicas-len(l.copies))
			switch {
			case l.primary == "":
				one.Status = "red"
			case len(l.copies) < 1+replicas && one.Status == "green":
				one.Status = "yellow"
			}
			for node, copy := range l.copies {
				s := copy.Stats()
				one.Bytes += s.Bytes
				if node == l.primary {
					h.primaries++
					one.Documents, one.Deleted = one.Documents+s.Documents, one.Deleted+s.Deleted
				}
			}
		}
		h.byIndex[x.name] = one
		h.Status = worse(h.Status, one.Status)
		h.ActiveShards += one.ActiveShards
		h.UnassignedShards += one.UnassignedShards
		h.Documents, h.Deleted, h.Bytes = h.Documents+one.Documents, h.Deleted+one.Deleted, h.Bytes+one.Bytes
	}
	return h
}

func worse(a, b string) string {
	if a == "red" || b == "red" {
		return "red"
	}
	if a == "yellow" || b == "yellow" {
		return "yellow"
	}
	return "green"
}

// newUUID makes an identifier of the form that Elasticsearch gives indices and clusters.
func newUUID() string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// newDocumentID makes the ID of a document that was sent without one.
func newDocumentID() string {
	b := make([]byte, 15)
	_, _ = rand.Read(b)
	return base64.RawURLEncoding.EncodeToString(b)
}

// settled runs f when no topology change is under way.
func (c *Cluster) settled(f func() error) error {
	c.topology.Lock()
	defer c.topology.Unlock()
	c.mu.RLock()
	closed := c.closed
	c.mu.RUnlock()
	if closed {
		return ErrClosed
	}
	return f()
}
