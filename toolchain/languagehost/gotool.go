package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

// stopGrace is how long a program may take to end after an interrupt before it is killed.
const stopGrace = 5 * time.Second

// command prepares a child process that is interrupted, not killed, when ctx ends.
func command(ctx context.Context, dir, name string, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = stopGrace
	return c
}

// goOutput runs the Go tool in dir and returns its standard output; an error carries what the tool said.
func goOutput(ctx context.Context, dir string, args ...string) ([]byte, error) {
	var out, said bytes.Buffer
	if err := runGo(ctx, dir, &out, &said, args...); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, strings.TrimSpace(said.String()))
	}
	return out.Bytes(), nil
}

func runGo(ctx context.Context, dir string, stdout, stderr io.Writer, args ...string) error {
	c := command(ctx, dir, "go", args...)
	c.Stdout, c.Stderr = stdout, stderr
	err := c.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return errors.New("the Go tool is not on PATH: install Go 1.26 or newer from https://go.dev/dl")
	case ctx.Err() != nil:
		return fmt.Errorf("go %s: %w", args[0], context.Cause(ctx))
	case err != nil:
		return fmt.Errorf("go %s in %s: %w", strings.Join(args, " "), dir, err)
	}
	return nil
}
