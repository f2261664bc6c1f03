//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"storefront/lab/control"
)

// startWithin bounds a start; one that recovers a region with databases takes a few seconds at most.
const startWithin = time.Minute

func (l *lab) up() *cobra.Command {
	return &cobra.Command{
		Use: "up", Short: "Start the lab, or say that it runs", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error { return l.start(c.Context(), c.OutOrStdout()) },
	}
}

func (l *lab) start(ctx context.Context, out io.Writer) error {
	if s, err := control.NewClient(l.dir).Status(ctx); err == nil {
		fmt.Fprintf(out, "lab: already up at %s\n", s.Endpoint)
		return nil
	}
	if err := checkPrograms(); err != nil {
		return err
	}
	if err := l.checkDir(); err != nil {
		return err
	}
	begin := time.Now()
	if err := l.launch(ctx); err != nil {
		return err
	}
	s, err := control.NewClient(l.dir).Status(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "lab: up at %s (%s)\n", s.Endpoint, time.Since(begin).Round(time.Millisecond))
	return nil
}

// launch starts the daemon in a session of its own and waits until it answers. The daemon reports on a pipe: "ready", or why it could not start.
func (l *lab) launch(ctx context.Context) error {
	if err := os.MkdirAll(l.dir, 0o711); err != nil {
		return fmt.Errorf("lab directory: %w; choose another with --dir or LAB_DIR", err)
	}
	log, err := os.OpenFile(l.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("lab directory: %w; choose another with --dir or LAB_DIR", err)
	}
	defer log.Close()
	report, write, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("starting the daemon: %w", err)
	}
	defer report.Close()
	daemon, err := l.daemonProcess(log, write)
	if err != nil {
		return errors.Join(err, write.Close())
	}
	err = daemon.Start()
	_ = write.Close()
	if err != nil {
		return startError(err)
	}
	defer func() { _ = daemon.Process.Release() }()
	return l.await(ctx, daemon.Process, report)
}

// daemonProcess is this program again, as `lab daemon`. Without root it gets a user and mount namespace in which it is root.
func (l *lab) daemonProcess(log, report *os.File) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("starting the daemon: %w", err)
	}
	c := exec.Command(self, "daemon", "--dir", l.dir, "--port", fmt.Sprint(l.port))
	c.Dir, c.Env = "/", append(os.Environ(), "PATH="+searchPath())
	c.Stdout, c.Stderr, c.ExtraFiles = log, log, []*os.File{report}
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if uid := os.Geteuid(); uid != 0 {
		c.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS
		c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
		c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	return c, nil
}

func startError(err error) error {
	if os.Geteuid() != 0 && (errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EINVAL)) {
		return fmt.Errorf("this machine does not let ordinary users make user namespaces (%w): run as root, or `sysctl -w kernel.unprivileged_userns_clone=1 user.max_user_namespaces=10000`", err)
	}
	return fmt.Errorf("starting the daemon: %w", err)
}

func (l *lab) await(ctx context.Context, daemon *os.Process, report *os.File) error {
	if err := report.SetReadDeadline(time.Now().Add(startWithin)); err != nil {
		return fmt.Errorf("waiting for the daemon: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = report.SetReadDeadline(time.Now()) })
	defer stop()
	text, err := io.ReadAll(report)
	message := strings.TrimSpace(string(text))
	switch {
	case message == "ready":
		return nil
	case message != "":
		return errors.New(message)
	case ctx.Err() != nil:
		_ = daemon.Signal(syscall.SIGTERM)
		return ctx.Err()
	case err != nil:
		_ = daemon.Signal(syscall.SIGTERM)
		return fmt.Errorf("the daemon did not start within %s; see %s", startWithin, l.logFile())
	}
	return fmt.Errorf("the daemon ended while starting; see %s", l.logFile())
}

func (l *lab) logFile() string { return filepath.Join(l.dir, "lab.log") }
