package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"storefront/lab/network"
)

// Errors that callers can act on.
var (
	ErrName      = errors.New("not a name of lower-case letters, digits and hyphens with at most 63 characters")
	ErrExists    = errors.New("already exists")
	ErrNoCluster = errors.New("the cluster has no data yet")
	ErrNoWriter  = errors.New("the cluster's writer is not running")
	ErrNotReader = errors.New("the node is not a running reader")
)

const (
	volume      = ".volume"             // the node directory of a cluster that has data but no node
	writerDir   = "../../../writer"     // the writer's directory as seen from any node's data
	halfSuffix  = ".half"               // of a directory that is being made
	standbyFile = "data/standby.signal" // makes a server a standby
	markerFile  = "promoting"           // see the package's documentation
	writerLink  = "writer"

	startTime   = 60 * time.Second // for a server to accept connections, crash recovery included
	reuseTime   = 8 * time.Second  // the same for a reader, which can have a new copy of the writer's data instead
	rejoinTime  = 5 * time.Second  // for a reader with its own data to find its writer
	replayTime  = 30 * time.Second // for a reader to replay what it has missed
	promoteTime = 30 * time.Second // for a reader to replay what is left and become a writer
	reloadTime  = 5 * time.Second  // for a server to read its configuration
	fastStop    = 5 * time.Second  // for clients and readers to take leave of a writer
)

// Cluster is the handle of one cluster. Its operations run one at a time.
type Cluster struct {
	engine *Engine
	id     string

	mu      sync.Mutex
	running map[string]*Node

	pausing sync.Mutex // not held while an operation runs
	paused  []*Node    // by PauseReaders
}

// NodeSpec declares a node.
type NodeSpec struct {
	ID         string            // unique in its cluster; see ErrName
	Place      network.Place     // where the server listens
	Listen     netip.AddrPort    // the port must be the same for all nodes of a cluster
	Names      []string          // DNS names for its certificate, beside the address
	Parameters map[string]string // see Engine.CheckParameter; names of RDS and Aurora other than rds.force_ssl and rds.logical_replication have no effect
}

// Master is the first user of a cluster and its first database.
type Master struct {
	User     string
	Verifier string // of Verifier
	Database string // empty for none beside "postgres"
}

var snapshotPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,254}$`)

var namePattern = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}$`)

// Cluster returns the handle of the cluster id, whether it has data or not. It fails with ErrName.
func (e *Engine) Cluster(id string) (*Cluster, error) {
	if !namePattern.MatchString(id) {
		return nil, fmt.Errorf("cluster %q: %w", id, ErrName)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	c, ok := e.clusters[id]
	if !ok {
		c = &Cluster{engine: e, id: id, running: map[string]*Node{}}
		e.clusters[id] = c
	}
	return c, nil
}

// Writer returns the ID of the node that has the writer's role, running or not. It is empty when the cluster has no data, or data but no node.
func (c *Cluster) Writer() string {
	if w := c.writer(); w != volume {
		return w
	}
	return ""
}

// Exists tells whether the cluster has data.
func (c *Cluster) Exists() bool { return c.writer() != "" }

// LogPath returns the file that a node's log goes to. It is gone with the node.
func (c *Cluster) LogPath(node string) string { return c.path("nodes", node, "postgresql.log") }

func (c *Cluster) writer() string {
	target, err := os.Readlink(c.path(writerLink))
	if err != nil {
		return ""
	}
	return filepath.Base(target)
}

func (c *Cluster) path(elem ...string) string {
	return filepath.Join(append([]string{c.engine.config.Dir, "clusters", c.id}, elem...)...)
}

// Create makes the cluster's data, starts its writer and creates the master user and database. It fails with ErrExists when the cluster has
// data. What an earlier attempt left half-made is made anew.
func (c *Cluster) Create(ctx context.Context, spec NodeSpec, master Master) (*Node, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	template, err := c.engine.templateDir(ctx)
	if err != nil {
		return nil, err
	}
	return c.create(ctx, spec, template, func(n *Node) error { return n.createMaster(ctx, master) })
}

// create starts a writer on a copy of the data in source, and prepares it. Not before that is done the cluster exists.
func (c *Cluster) create(ctx context.Context, spec NodeSpec, source string, prepare func(*Node) error) (*Node, error) {
	if c.Exists() {
		return nil, fmt.Errorf("cluster %s: %w", c.id, ErrExists)
	}
	n, err := c.newNode(spec)
	if err != nil {
		return nil, err
	}
	if err := c.discard(ctx, spec.ID); err != nil {
		return nil, err
	}
	if err := c.makeDirs(n.dir()); err != nil {
		return nil, err
	}
	if err := c.engine.copyTree(ctx, source, n.data()); err != nil {
		return nil, fmt.Errorf("cluster %s: %w", c.id, err)
	}
	if err := n.start(ctx, startTime); err != nil {
		return nil, err
	}
	err = prepare(n)
	if err == nil {
		err = c.setWriter(spec.ID)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cluster %s: %w", c.id, err), n.Stop(ctx, Immediate))
	}
	c.running[spec.ID] = n
	return n, nil
}

// Start starts a node in the role it has: the writer if it is that, else a reader. A node without data becomes a reader with a base backup of the
// writer, which must run; a former writer becomes a reader with its own data. In a cluster that has data but no node, it becomes the writer.
func (c *Cluster) Start(ctx context.Context, spec NodeSpec) (*Node, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n, err := c.newNode(spec)
	if err != nil {
		return nil, err
	}
	if old := c.running[spec.ID]; old != nil {
		if err := old.Stop(ctx, Fast); err != nil {
			return nil, err
		}
	}
	if err := c.settle(); err != nil {
		return nil, err
	}
	switch c.writer() {
	case "":
		return nil, fmt.Errorf("cluster %s: %w", c.id, ErrNoCluster)
	case volume:
		if err := c.adopt(ctx, spec.ID); err != nil {
			return nil, err
		}
		fallthrough
	case spec.ID:
		err = n.start(ctx, startTime)
	default:
		if err = c.startReader(ctx, n); err != nil {
			err = errors.Join(err, n.Stop(ctx, Immediate))
		}
	}
	if err != nil {
		return nil, err
	}
	c.running[spec.ID] = n
	return n, nil
}

func (c *Cluster) startReader(ctx context.Context, n *Node) error {
	if fileExists(n.data()) {
		err := c.engine.account.writeFile(filepath.Join(n.dir(), standbyFile), nil)
		writer := c.running[c.writer()]
		writing := writer != nil && writer.alive()
		if err == nil && writing {
			err = n.catchUp(ctx, writer)
		}
		if err == nil {
			err = n.start(ctx, reuseTime)
		}
		if err == nil && !writing {
			return nil // it streams as soon as there is a writer
		}
		if err == nil {
			err = n.awaitStreaming(ctx, rejoinTime)
		}
		if err == nil || ctx.Err() != nil {
			return err
		}
		c.engine.config.Log.Warn("a reader cannot go on with its own data and gets a new copy", "cluster", c.id, "node", n.spec.ID, "reason", err)
		if err := n.Stop(ctx, Immediate); err != nil {
			return err
		}
	}
	if err := c.backup(ctx, n.spec.ID); err != nil {
		return err
	}
	if err := c.engine.account.writeFile(filepath.Join(n.dir(), standbyFile), nil); err != nil {
		return err
	}
	if err := n.start(ctx, startTime); err != nil {
		return err
	}
	return n.awaitStreaming(ctx, startTime)
}

// Promote makes a running reader the writer. The old writer is stopped if it runs, and its processes are ended; Start makes it a reader. Whatever
// the old writer acknowledged is in the new one. The other readers follow by themselves.
func (c *Cluster) Promote(ctx context.Context, id string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.writer()
	if old == id {
		return nil
	}
	target := c.running[id]
	if target == nil || !target.alive() {
		return fmt.Errorf("promoting %s: %w", id, ErrNotReader)
	}
	if n := c.running[old]; n != nil {
		if err := n.Stop(ctx, Fast); err != nil {
			return err
		}
		delete(c.running, old)
	}
	if err := endProcesses(c.path("nodes", old)); err != nil {
		return err
	}
	if err := c.engine.account.writeFile(c.path(markerFile), []byte(id)); err != nil {
		return err
	}
	if err := target.promote(ctx); err != nil {
		return errors.Join(fmt.Errorf("promoting %s: %w", id, err), c.settle())
	}
	return c.settle()
}

// settle brings a promotion that was interrupted to its end: the server decides by its data whether it took place.
func (c *Cluster) settle() error {
	target, err := os.ReadFile(c.path(markerFile))
	if errors.Is(err, os.ErrNotExist) {
		return c.findVolume()
	}
	if err != nil {
		return err
	}
	id := string(target)
	if namePattern.MatchString(id) && fileExists(c.path("nodes", id, "data")) && !fileExists(c.path("nodes", id, standbyFile)) {
		if err := c.setWriter(id); err != nil {
			return err
		}
	}
	return os.Remove(c.path(markerFile))
}

func (c *Cluster) setWriter(id string) error {
	return c.engine.account.symlink(filepath.Join("nodes", id), c.path(writerLink))
}
