package postgres

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"storefront/lab/server"
)

// StopMode says how a server takes leave.
type StopMode int

// The ways to stop a server.
const (
	Fast      StopMode = iota // ends sessions, writes everything out, lets readers catch up; after 5 seconds it becomes Immediate
	Immediate                 // as in a crash: the next start recovers
)

// Node is one running server. A stopped one does not run again: Cluster.Start makes another.
type Node struct {
	cluster *Cluster
	spec    NodeSpec
	cmd     *exec.Cmd
	done    chan struct{}
	exit    error // valid once done is closed
	private bool  // nobody but the lab may connect
}

func (c *Cluster) newNode(spec NodeSpec) (*Node, error) {
	if !namePattern.MatchString(spec.ID) {
		return nil, fmt.Errorf("node %q: %w", spec.ID, ErrName)
	}
	return &Node{cluster: c, spec: spec}, nil
}

// ID returns the node's ID.
func (n *Node) ID() string { return n.spec.ID }

// Done is closed when the server has ended, whoever ended it.
func (n *Node) Done() <-chan struct{} { return n.done }

// Err returns why the server ended: nil while it runs and after an orderly stop.
func (n *Node) Err() error {
	if n.alive() {
		return nil
	}
	return n.exit
}

func (n *Node) logPath() string { return n.cluster.LogPath(n.spec.ID) }

func (n *Node) alive() bool {
	select {
	case <-n.done:
		return false
	default:
		return true
	}
}

func (n *Node) dir() string             { return n.cluster.path("nodes", n.spec.ID) }
func (n *Node) data() string            { return filepath.Join(n.dir(), "data") }
func (n *Node) addresses() []netip.Addr { return []netip.Addr{n.spec.Listen.Addr()} }
func (n *Node) isStandby() bool         { return fileExists(filepath.Join(n.dir(), standbyFile)) }

// start starts the server on the data that is there and waits at most limit until it accepts connections. A server that does not is stopped.
func (n *Node) start(ctx context.Context, limit time.Duration) error {
	if err := endProcesses(n.dir()); err != nil {
		return err
	}
	// No server works in the directory, so what a killed one left says nothing; its process ID may be another process by now.
	sockets, _ := filepath.Glob(filepath.Join(n.dir(), ".s.PGSQL.*"))
	for _, stale := range append(sockets, filepath.Join(n.data(), "postmaster.pid")) {
		if err := os.Remove(stale); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if err := n.writeConfiguration(ctx); err != nil {
		return fmt.Errorf("configuring node %s: %w", n.spec.ID, err)
	}
	log, err := n.openLog()
	if err != nil {
		return err
	}
	defer log.Close()
	n.cmd = n.cluster.engine.command(context.WithoutCancel(ctx), "postgres", "-D", n.data()) // it outlives the call
	n.cmd.Stdout, n.cmd.Stderr = log, log
	if err := n.cluster.engine.config.Starter.Start(n.spec.Place, n.cmd); err != nil {
		return fmt.Errorf("starting node %s in %s: %w", n.spec.ID, n.spec.Place, err)
	}
	n.done = make(chan struct{})
	go func() {
		n.exit = n.cmd.Wait()
		close(n.done)
	}()
	if err := n.awaitReady(ctx, limit); err != nil {
		return errors.Join(fmt.Errorf("starting node %s: %w", n.spec.ID, err), n.Stop(ctx, Immediate))
	}
	return nil
}

func (n *Node) awaitReady(ctx context.Context, limit time.Duration) error {
	return n.poll(ctx, limit, func(ctx context.Context) error { return n.exec(ctx, "select 1") })
}

func (n *Node) awaitStreaming(ctx context.Context, limit time.Duration) error {
	return n.poll(ctx, limit, func(ctx context.Context) error {
		status, err := n.Check(ctx)
		if err == nil && !status.Streaming {
			err = errors.New("it does not receive the writer's log")
		}
		return err
	})
}

// poll repeats try until it succeeds, the server ends, or the time is over; then it returns the last error.
func (n *Node) poll(ctx context.Context, limit time.Duration, try func(context.Context) error) error {
	err := server.Await(ctx, limit, n.done, try)
	if errors.Is(err, server.ErrEnded) {
		return fmt.Errorf("%w (%w); its log says: %s", err, n.exit, server.LastLines(n.logPath()))
	}
	return err
}

// Stop stops the server and returns when none of its processes is left. Stopping a stopped server is no error.
func (n *Node) Stop(ctx context.Context, mode StopMode) error {
	if n.done == nil {
		return nil // it was never started
	}
	if n.alive() && mode == Fast {
		_ = n.cmd.Process.Signal(syscall.SIGINT)
		limit := time.NewTimer(fastStop)
		defer limit.Stop()
		select {
		case <-n.done:
		case <-limit.C:
		case <-ctx.Done():
		}
	}
	if n.alive() {
		_ = n.cmd.Process.Signal(syscall.SIGQUIT)
		limit := time.NewTimer(time.Second)
		defer limit.Stop()
		select {
		case <-n.done:
		case <-limit.C:
		}
	}
	if err := endProcesses(n.dir()); err != nil {
		return fmt.Errorf("stopping node %s: %w", n.spec.ID, err)
	}
	<-n.done
	return nil
}

// Reload applies what has changed in the node's specification, certificate names included. restart tells that something waits for the next start
// of the node, for which the caller calls Cluster.Start: a static parameter, or another address or port.
func (n *Node) Reload(ctx context.Context, spec NodeSpec) (restart bool, err error) {
	n.cluster.mu.Lock()
	defer n.cluster.mu.Unlock()
	moved := spec.Listen != n.spec.Listen || spec.Place != n.spec.Place
	n.spec.Parameters, n.spec.Names = spec.Parameters, spec.Names
	if err := n.writeConfiguration(ctx); err != nil {
		return false, fmt.Errorf("configuring node %s: %w", n.spec.ID, err)
	}
	loaded, err := n.reload(ctx)
	if err != nil {
		return false, err
	}
	err = n.poll(ctx, reloadTime, func(ctx context.Context) (err error) {
		restart, err = n.pendingRestart(ctx, loaded)
		return err
	})
	return restart || moved, err
}

func (n *Node) openLog() (*os.File, error) {
	log, err := server.OpenLog(n.logPath())
	if err != nil {
		return nil, err
	}
	return log, n.cluster.engine.account.Own(n.logPath())
}
