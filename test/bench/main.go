//go:build linux

// Command bench measures what docs/design.md promises, on a lab and a stack of its own, and adds them to the
// history of runs, and writes docs/benchmarks.md from it. `make bench` builds what it needs and runs it; COLD=1 measures a cold toolchain as well, which takes several minutes of all cores. `make soak`
// measures nothing but what a lab holds after a hundred deployments.
//
// Exit status: 0 measured (also when a target was missed: the document says so), 1 failed, 130 interrupted. A run that fails writes nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cold := flag.Bool("cold", os.Getenv("COLD") != "", "measure a cold toolchain as well (COLD=1)")
	soak := flag.Bool("soak", false, "deploy and destroy a small stack a hundred times, and measure nothing else")
	only := flag.Bool("document", false, "write docs/benchmarks.md from the history, and measure nothing")
	flag.Parse()
	err := measure(ctx, *cold, *soak, *only)
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "bench:", err)
	if ctx.Err() != nil {
		os.Exit(130)
	}
	os.Exit(1)
}

// bench is one run.
type bench struct {
	root  string // of the clone
	out   io.Writer
	begin time.Time
	run   run
}

func measure(ctx context.Context, cold, soak, only bool) (err error) {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(root, "bin", "stack")); err != nil {
		return errors.New("bin/stack is missing here: run `make bench` in the root of a clone")
	}
	b := &bench{root: root, out: os.Stdout, begin: time.Now()}
	if only {
		return b.document()
	}
	if b.run, err = describe(ctx, root); err != nil {
		return err
	}
	steps := []func(context.Context) error{b.tools, b.lab, b.scaled, b.unscaled, b.orders, b.balancer, b.queue}
	if soak {
		steps = []func(context.Context) error{b.soak}
	} else if cold {
		steps = slices.Insert(steps, 0, b.coldTools)
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	b.run.LoadAfter = loadAverage()
	if err := b.keep(); err != nil {
		return err
	}
	b.say("%s", b.run.table().markdown())
	b.say("wrote docs/benchmarks.md")
	return nil
}

// keep adds the run to the history, and writes the document anew.
func (b *bench) keep() error {
	return errors.Join(appendHistory(b.history(), b.run), b.document())
}

func (b *bench) history() string { return filepath.Join(b.root, "test", "bench", "history.jsonl") }

func (b *bench) document() error {
	runs, err := readHistory(b.history())
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(b.root, "docs", "benchmarks.md"), []byte(document(runs)), 0o644)
}

// say prints a line of progress after the time that the run has taken.
func (b *bench) say(format string, args ...any) {
	fmt.Fprintf(b.out, "[%6.1f s] %s\n", time.Since(b.begin).Seconds(), fmt.Sprintf(format, args...))
}
