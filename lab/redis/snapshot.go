package redis

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"
)

const (
	dumpFile = "dump.rdb"  // what Redis calls the file that it saves to and loads
	saveTime = time.Minute // for a server to save what it holds, or to load it
)

var snapshotPattern = regexp.MustCompile(`^[a-z][a-z0-9.-]{0,254}$`)

// Snapshot has the server save what it holds, as BGSAVE does, and keeps the file by a name for NodeSpec.Snapshot: of lower-case letters, digits, dots and
// hyphens (ErrName). A file of the same name is replaced whole. It returns the file's size in bytes.
func (n *Node) Snapshot(ctx context.Context, id string) (size int64, err error) {
	target, err := n.engine.snapshotPath(id)
	if err != nil {
		return 0, err
	}
	// A server saves once at a time, and not while it sends all it has to a replica.
	if err := n.poll(ctx, saveTime, func(ctx context.Context) error { return n.do(ctx, "BGSAVE") }); err != nil {
		return 0, err
	}
	var outcome string
	err = n.poll(ctx, saveTime, func(ctx context.Context) error {
		info, err := n.Info(ctx, "persistence")
		if err == nil && info["rdb_bgsave_in_progress"] != "0" {
			err = errors.New("it is still saving")
		}
		outcome = info["rdb_last_bgsave_status"]
		return err
	})
	if err == nil && outcome != "ok" {
		err = fmt.Errorf("saving ended with %q", outcome)
	}
	if err != nil {
		return 0, fmt.Errorf("snapshot %s of node %s: %w", id, n.spec.ID, err)
	}
	dump := filepath.Join(n.engine.data(n.spec.ID), dumpFile)
	info, err := os.Stat(dump)
	if err != nil {
		return 0, err
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return 0, err
	}
	return info.Size(), os.Rename(dump, target)
}

// CopySnapshot keeps a snapshot by another name as well. A file of that name is replaced whole.
func (e *Engine) CopySnapshot(id, as string) error {
	from, err := e.snapshotPath(id)
	if err != nil {
		return err
	}
	to, err := e.snapshotPath(as)
	if err != nil {
		return err
	}
	if err := e.DeleteSnapshot(as); err != nil {
		return err
	}
	return os.Link(from, to) // nobody writes to the file of a snapshot
}

// DeleteSnapshot deletes a snapshot. A missing one is no error.
func (e *Engine) DeleteSnapshot(id string) error {
	path, err := e.snapshotPath(id)
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	_ = os.Remove(filepath.Dir(path)) // with the last one
	return nil
}

func (e *Engine) snapshotPath(id string) (string, error) {
	if !snapshotPattern.MatchString(id) {
		return "", fmt.Errorf("snapshot %q: %w", id, ErrName)
	}
	return filepath.Join(e.config.Dir, ".snapshots", id), nil
}

// prepare makes a node's data directory anew, with the snapshot in it that the server is to load. The server's user owns both, and nobody else enters.
func (e *Engine) prepare(spec NodeSpec) error {
	dir := e.data(spec.ID)
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	if err := e.account.Own(dir); err != nil || spec.Snapshot == "" {
		return err
	}
	path, err := e.snapshotPath(spec.Snapshot)
	if err != nil {
		return err
	}
	dump := filepath.Join(dir, dumpFile)
	if err := os.Link(path, dump); err != nil {
		return fmt.Errorf("loading snapshot %s: %w", spec.Snapshot, err)
	}
	return e.account.Own(dump)
}

// loaded takes away what the server has loaded: the next server of the node begins without data.
func (n *Node) loaded() error {
	if n.spec.Snapshot == "" {
		return nil
	}
	return os.Remove(filepath.Join(n.engine.data(n.spec.ID), dumpFile))
}
