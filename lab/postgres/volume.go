package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// Remove stops a node and deletes its data. The writer's data stays as the cluster's: the next node that is started takes it over. A cluster whose
// readers shall live on must be given another writer first.
func (c *Cluster) Remove(ctx context.Context, id string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !namePattern.MatchString(id) {
		return fmt.Errorf("node %q: %w", id, ErrName)
	}
	if err := c.stop(ctx, id); err != nil {
		return err
	}
	if err := c.settle(); err != nil {
		return err
	}
	if c.writer() != id {
		return c.discard(ctx, id)
	}
	if err := os.Rename(c.path("nodes", id), c.path("nodes", volume)); err != nil {
		return err
	}
	return c.setWriter(volume)
}

// Delete stops all nodes and deletes the cluster with its snapshots left in place.
func (c *Cluster) Delete(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id := range c.running {
		if err := c.stop(ctx, id); err != nil {
			return err
		}
	}
	if err := endProcesses(c.path()); err != nil {
		return err
	}
	if err := os.Remove(c.path(writerLink)); err != nil && !errors.Is(err, os.ErrNotExist) { // first: from here on the cluster has no data
		return err
	}
	return c.engine.remove(ctx, c.path())
}

// Snapshot makes a physical backup of the running writer, or of the data of a cluster without nodes, which Restore can make a new cluster of.
// It fails with ErrExists, ErrNoWriter or ErrNoCluster.
func (c *Cluster) Snapshot(ctx context.Context, id string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	target, err := c.engine.snapshotPath(id)
	if err != nil {
		return err
	}
	if fileExists(target) {
		return fmt.Errorf("snapshot %s: %w", id, ErrExists)
	}
	if err := c.engine.account.mkdir(filepath.Dir(target)); err != nil {
		return err
	}
	switch c.writer() {
	case "":
		return fmt.Errorf("snapshot %s of cluster %s: %w", id, c.id, ErrNoCluster)
	case volume:
		half := target + halfSuffix
		if err := errors.Join(c.engine.remove(ctx, half), c.engine.copyTree(ctx, c.path("nodes", volume, "data"), half)); err != nil {
			return err
		}
		return os.Rename(half, target)
	default:
		return c.baseBackup(ctx, target)
	}
}

// HasSnapshot tells whether there is a snapshot.
func (e *Engine) HasSnapshot(id string) bool {
	path, err := e.snapshotPath(id)
	return err == nil && fileExists(path)
}

// Restore makes the cluster's data out of a snapshot and starts its writer. The master user's password becomes the given one.
func (c *Cluster) Restore(ctx context.Context, spec NodeSpec, snapshot string, master Master) (*Node, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	source, err := c.engine.snapshotPath(snapshot)
	if err != nil {
		return nil, err
	}
	return c.create(ctx, spec, source, func(n *Node) error {
		if master.Verifier == "" {
			return nil
		}
		return n.setPassword(ctx, master.User, master.Verifier)
	})
}

// DeleteSnapshot deletes a snapshot. A missing one is no error.
func (e *Engine) DeleteSnapshot(ctx context.Context, id string) error {
	path, err := e.snapshotPath(id)
	if err != nil {
		return err
	}
	return e.remove(ctx, path)
}

func (e *Engine) snapshotPath(id string) (string, error) {
	if !snapshotPattern.MatchString(id) {
		return "", fmt.Errorf("snapshot %q: %w", id, ErrName)
	}
	return filepath.Join(e.config.Dir, "clusters", ".snapshots", id), nil
}

// SetPassword changes the password of a user to the one that the verifier was made of.
func (c *Cluster) SetPassword(ctx context.Context, user, verifier string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.running[c.writer()]
	if n == nil || !n.alive() {
		return fmt.Errorf("cluster %s: %w", c.id, ErrNoWriter)
	}
	return n.setPassword(ctx, user, verifier)
}

// adopt gives the data of a cluster without nodes to a node.
func (c *Cluster) adopt(ctx context.Context, id string) error {
	if err := c.discard(ctx, id); err != nil {
		return err
	}
	if err := c.setWriter(id); err != nil {
		return err
	}
	return os.Rename(c.path("nodes", volume), c.path("nodes", id))
}

// findVolume repairs the writer's link after a crash between the two steps of Remove or adopt.
func (c *Cluster) findVolume() error {
	w := c.writer()
	if w == "" || w == volume || fileExists(c.path("nodes", w)) || !fileExists(c.path("nodes", volume)) {
		return nil
	}
	return c.setWriter(volume)
}

// backup gives a node a copy of the running writer's data.
func (c *Cluster) backup(ctx context.Context, id string) error {
	if err := c.discard(ctx, id); err != nil {
		return err
	}
	if err := c.makeDirs(c.path("nodes", id)); err != nil {
		return err
	}
	return c.baseBackup(ctx, c.path("nodes", id, "data"))
}

func (c *Cluster) baseBackup(ctx context.Context, target string) error {
	writer := c.running[c.writer()]
	if writer == nil || !writer.alive() {
		return fmt.Errorf("copying the data of cluster %s: %w", c.id, ErrNoWriter)
	}
	half := target + halfSuffix
	if err := c.engine.remove(ctx, half); err != nil {
		return err
	}
	cmd := c.engine.command(ctx, "pg_basebackup", "--pgdata", half, "--wal-method", "stream", "--checkpoint", "fast", "--no-sync", "--no-manifest",
		"--host", "/proc/self/cwd/writer", "--port", strconv.Itoa(int(writer.spec.Listen.Port())), "--username", superuser, "--no-password")
	cmd.Dir = c.path()
	if err := run(cmd); err != nil {
		return fmt.Errorf("copying the data of cluster %s: %w", c.id, err)
	}
	return os.Rename(half, target)
}

func (c *Cluster) stop(ctx context.Context, id string) error {
	if n := c.running[id]; n != nil {
		if err := n.Stop(ctx, Fast); err != nil {
			return err
		}
		delete(c.running, id)
	}
	return endProcesses(c.path("nodes", id))
}

// discard deletes a node's directory, whose server is not running.
func (c *Cluster) discard(ctx context.Context, id string) error {
	dir := c.path("nodes", id)
	if err := endProcesses(dir); err != nil {
		return err
	}
	return c.engine.remove(ctx, dir)
}

func (c *Cluster) makeDirs(node string) error {
	for _, dir := range []string{c.path(), c.path("nodes"), node} {
		if err := c.engine.account.mkdir(dir); err != nil {
			return err
		}
	}
	return nil
}
