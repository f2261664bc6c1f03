//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// site is a lab and the state of a stack, apart from every other on the machine.
type site struct {
	b    *bench
	dir  string
	port int
	env  []string // on top of the caller's
}

// withSite makes a site, and takes everything of it away when f ends, also when ctx was cancelled.
func (b *bench) withSite(ctx context.Context, f func(context.Context, *site) error, env ...string) (err error) {
	dir, err := os.MkdirTemp("", "storefront-bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Chmod(dir, 0o711); err != nil { // PostgreSQL runs under another user, who must reach its data
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	s := &site{b: b, dir: dir, port: port}
	s.env = append(s.env, "LAB_DIR="+s.labDir(), fmt.Sprintf("LAB_PORT=%d", port), "STOREFRONT_STATE="+filepath.Join(dir, "state"),
		"PULUMI_BACKEND_URL=file://"+filepath.Join(dir, "state"), "PULUMI_HOME="+filepath.Join(b.root, ".pulumi"))
	s.env = append(s.env, env...)
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		_, end := b.command(ctx, b.root, s.env, filepath.Join("bin", "lab"), "down", "--forget")
		err = errors.Join(err, end)
	}()
	return f(ctx, s)
}

func (s *site) labDir() string { return filepath.Join(s.dir, "lab") }

// make runs a target of the Makefile, as a user does.
func (s *site) make(ctx context.Context, target string) (out string, took time.Duration, err error) {
	return s.b.timed(ctx, s.b.root, s.env, "make", "-s", target)
}

// timed runs a command, says so, and takes its time.
func (b *bench) timed(ctx context.Context, dir string, env []string, program string, args ...string) (out string, took time.Duration, err error) {
	name := strings.Join(append([]string{filepath.Base(program)}, args...), " ")
	b.say("%s ...", name)
	begin := time.Now()
	alive := time.NewTicker(30 * time.Second)
	done := make(chan struct{})
	go func() {
		defer close(done)
		out, err = b.command(ctx, dir, env, program, args...)
	}()
	for {
		select {
		case <-alive.C:
			b.say("%s: still running", name)
		case <-done:
			alive.Stop()
			took = time.Since(begin)
			if err == nil {
				b.say("%s: %s", name, seconds(took))
			}
			return out, took, err
		}
	}
}

// interruptWithin is how long a command gets to end in order after Ctrl-C: Pulumi ends the steps that it has begun.
const interruptWithin = 90 * time.Second

// command runs a command in a process group of its own, which an interrupt reaches once and as a whole.
func (b *bench) command(ctx context.Context, dir string, env []string, program string, args ...string) (string, error) {
	if !filepath.IsAbs(program) && strings.Contains(program, "/") {
		program = filepath.Join(dir, program)
	}
	c := exec.CommandContext(ctx, program, args...)
	c.Dir, c.Env = dir, append(os.Environ(), "MAKEFLAGS=", "MAKELEVEL=") // the make that started this one is none of its business
	c.Env = append(c.Env, env...)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGINT) }
	c.WaitDelay = interruptWithin
	out, err := c.CombinedOutput()
	if errors.Is(ctx.Err(), context.Canceled) {
		return string(out), fmt.Errorf("interrupted in %s %s", filepath.Base(program), strings.Join(args, " "))
	}
	if err != nil {
		return string(out), fmt.Errorf("%s %s: %w\n%s", filepath.Base(program), strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
