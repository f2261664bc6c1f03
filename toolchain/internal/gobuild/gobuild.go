// Package gobuild runs the Go tool as a child that a cancelled context really ends.
package gobuild

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// grace is how long the Go tool may take to remove its work directory after an interrupt.
const grace = 10 * time.Second

// shownLines is how much of a failed command's output an error carries: enough for the compiler's message.
const shownLines = 30

// Run runs `go args...` in dir. On failure the error holds the end of what the tool printed.
func Run(ctx context.Context, dir string, args ...string) error {
	var said bytes.Buffer
	err := Stream(ctx, dir, &said, &said, args...)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("%w\n%s", err, tail(said.String()))
	}
	return err
}

// Stream is Run with the tool's output passed on.
func Stream(ctx context.Context, dir string, stdout, stderr io.Writer, args ...string) error {
	c := exec.CommandContext(ctx, "go", args...)
	c.Dir, c.Stdout, c.Stderr = dir, stdout, stderr
	c.Env = append(os.Environ(), "GOWORK=off", "PWD="+dir)
	// Compilers are grandchildren: a group of their own lets one signal reach all of them.
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGINT) }
	c.WaitDelay = grace
	err := c.Run()
	if c.Process != nil && ctx.Err() != nil {
		_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL) // whoever ignored the interrupt; usually nobody is left
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, exec.ErrNotFound):
		return errors.New("the Go tool is not on PATH: install Go 1.26 or newer from https://go.dev/dl")
	default:
		return fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
}

func tail(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-shownLines):], "\n")
}
