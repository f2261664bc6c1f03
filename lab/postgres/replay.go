package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// PauseReaders stops, on every reader that runs, the replay of what the writer sends, until ResumeReaders. Readers go on answering, and fall behind. A
// reader that is started anew or promoted replays again. It fails with ErrNotReader when no reader runs.
func (c *Cluster) PauseReaders(ctx context.Context) error {
	return c.steerReaders(ctx, "select pg_wal_replay_pause()", true)
}

// ResumeReaders ends what PauseReaders began.
func (c *Cluster) ResumeReaders(ctx context.Context) error {
	return c.steerReaders(ctx, "select pg_wal_replay_resume()", false)
}

func (c *Cluster) steerReaders(ctx context.Context, statement string, pause bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var steered []*Node
	for _, n := range c.running {
		if !n.alive() || !n.isStandby() {
			continue
		}
		if err := n.exec(ctx, statement); err != nil {
			return fmt.Errorf("reader %s: %w", n.ID(), err)
		}
		steered = append(steered, n)
	}
	if len(steered) == 0 {
		return fmt.Errorf("cluster %s: %w", c.id, ErrNotReader)
	}
	if !pause {
		steered = nil
	}
	c.pausing.Lock()
	defer c.pausing.Unlock()
	c.paused = steered
	return nil
}

// catchUp brings a stopped reader to where its writer is, while nobody can connect to it. PostgreSQL lets clients in as soon as a reader's data is consistent,
// which after a crash may be as it was seconds before; readers of Aurora share the writer's storage, and never go back in time.
func (n *Node) catchUp(ctx context.Context, writer *Node) error {
	n.private = true
	defer func() { n.private = false }()
	if err := n.start(ctx, reuseTime); err != nil {
		return err
	}
	err := n.awaitStreaming(ctx, rejoinTime)
	if err == nil {
		err = n.awaitReplay(ctx, writer)
	}
	return errors.Join(err, n.Stop(ctx, Fast)) // an orderly stop notes how far it has come
}

// awaitReplay waits until the reader has replayed what its writer has written by now.
func (n *Node) awaitReplay(ctx context.Context, writer *Node) error {
	var written string
	err := writer.session(ctx, "postgres", func(conn *pgx.Conn) error {
		return conn.QueryRow(ctx, "select pg_current_wal_flush_lsn()::text").Scan(&written)
	})
	if err != nil {
		return err
	}
	return n.poll(ctx, replayTime, func(ctx context.Context) error {
		return n.session(ctx, "postgres", func(conn *pgx.Conn) error {
			var done bool
			if err := conn.QueryRow(ctx, "select pg_last_wal_replay_lsn() >= $1::text::pg_lsn", written).Scan(&done); err != nil || done {
				return err
			}
			return errors.New("it has not replayed what its writer had written")
		})
	})
}

// ReplayPaused tells whether a reader of the cluster is kept from replaying.
func (c *Cluster) ReplayPaused() bool {
	c.pausing.Lock()
	defer c.pausing.Unlock()
	return slices.ContainsFunc(c.paused, func(n *Node) bool { return n.alive() && n.isStandby() })
}

// Crash ends a running node at once, as when its host fails. Crashing one that does not run is no error.
func (c *Cluster) Crash(ctx context.Context, id string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.running[id]
	if n == nil || !n.alive() {
		return nil
	}
	return n.Stop(ctx, Immediate)
}
