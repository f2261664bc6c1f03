//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"storefront/lab/control"
	"storefront/lab/daemon"
)

const stopWithin = time.Minute

func (l *lab) down() *cobra.Command {
	var forget bool
	c := &cobra.Command{
		Use: "down", Short: "Stop the lab; with --forget also delete everything it holds", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := l.stop(c.Context()); err != nil {
				return err
			}
			if forget {
				return l.forget(c.OutOrStdout())
			}
			fmt.Fprintln(c.OutOrStdout(), "lab: down; its state is kept for the next `lab up`")
			return nil
		},
	}
	c.Flags().BoolVar(&forget, "forget", false, "delete the region's state, so that nothing stays behind")
	return c
}

func (l *lab) reset() *cobra.Command {
	return &cobra.Command{
		Use: "reset", Short: "Delete everything in the region and start with an empty one", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := l.stop(c.Context()); err != nil {
				return err
			}
			if err := l.forget(c.OutOrStdout()); err != nil {
				return err
			}
			return l.start(c.Context(), c.OutOrStdout())
		},
	}
}

// stop ends the daemon and waits for its end, or clears away what a killed daemon left.
func (l *lab) stop(ctx context.Context) error {
	s, err := control.NewClient(l.dir).Status(ctx)
	if errors.Is(err, control.ErrNotRunning) {
		return daemon.Sweep(l.dir)
	}
	if err != nil {
		return err
	}
	if err := syscall.Kill(s.PID, syscall.SIGTERM); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("stopping the daemon (process %d): %w", s.PID, err)
	}
	deadline := time.Now().Add(stopWithin)
	for syscall.Kill(s.PID, 0) == nil {
		if time.Now().After(deadline) {
			return fmt.Errorf("the daemon (process %d) did not stop within %s; see %s", s.PID, stopWithin, l.logFile())
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (l *lab) forget(out io.Writer) error {
	if err := l.checkDir(); err != nil {
		return err
	}
	if err := os.RemoveAll(l.dir); err != nil {
		return fmt.Errorf("deleting the lab's state: %w", err)
	}
	fmt.Fprintln(out, "lab: down, and its state is deleted")
	return nil
}
