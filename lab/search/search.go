// Package search is a search engine that speaks the REST API of Elasticsearch 7.10, clustered: shards with replicas on nodes, each node
// with a store of its own. An acknowledged write is on disk on the primary and on every in-sync replica that lives.
//
// It knows nothing of AWS and asks nobody for credentials: who serves a Handler guards it.
package search

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"
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

// Node is a member of the cluster.
type Node struct {
	ID     string // letters, digits, dots, dashes and underscores
	Zone   string // copies of a shard go to different zones where there are such
	Data   bool   // holds shards
	Master bool   // may be elected
}

// Health is the cluster's state as CloudWatch reports it.
type Health struct {
	Status                         string // green: every copy is there; yellow: every primary is; red: a shard has no copy
	Nodes                          int    // that live
	ActiveShards, UnassignedShards int    // copies
	Documents, Deleted, Bytes      int64  // of the primaries, as of the last refresh; bytes of all live copies
}

// Cluster is an open cluster. It is safe for concurrent use.
type Cluster struct{}

// Open opens the cluster of a directory, or makes it. It serves requests once SetNodes has named its nodes.
func Open(Config) (*Cluster, error) { return nil, errors.ErrUnsupported }

// SetNodes makes the nodes the members of the cluster. Members that are new start; shards of those that leave move first.
func (c *Cluster) SetNodes(context.Context, []Node) error { return errors.ErrUnsupported }

// Handler is the REST API as a node serves it. While the node is stopped its connections break.
func (c *Cluster) Handler(nodeID string) http.Handler { return http.NotFoundHandler() }

// Stop loses a node, as a power cut does: its store stays.
func (c *Cluster) Stop(nodeID string) error { return errors.ErrUnsupported }

// Start brings a node back. It returns when its shards have caught up.
func (c *Cluster) Start(nodeID string) error { return errors.ErrUnsupported }

// Health tells the cluster's state.
func (c *Cluster) Health() Health { return Health{} }

// Close ends the cluster. What was acknowledged is on disk already.
func (c *Cluster) Close() error { return errors.ErrUnsupported }
