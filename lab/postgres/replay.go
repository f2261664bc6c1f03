package postgres

import (
	"context"
	"fmt"
	"slices"
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
