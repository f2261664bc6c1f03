//go:build linux

// Command bench measures what docs/design.md promises, on a lab and a stack of its own, and adds them to the
// history of runs, and writes docs/benchmarks.md from it. `make bench` builds what it needs and runs it; COLD=1 measures a cold toolchain as well, which takes several minutes of all cores, and SUITE=1 the
// end-to-end suite. `make soak` measures nothing but what a lab holds after a hundred deployments.
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
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var c choice
	flag.BoolVar(&c.cold, "cold", os.Getenv("COLD") != "", "measure a cold toolchain as well (COLD=1)")
	flag.BoolVar(&c.suite, "suite", os.Getenv("SUITE") != "", "measure the end-to-end suite as well (SUITE=1)")
	flag.BoolVar(&c.soak, "soak", false, "deploy and destroy a small stack a hundred times, and measure nothing else")
	flag.BoolVar(&c.document, "document", false, "write docs/benchmarks.md from the history, and measure nothing")
	flag.StringVar(&c.part, "part", "", "measure one part, such as profile, and keep nothing")
	flag.Parse()
	err := measure(ctx, c)
	if err == nil {
		return
	}
	fmt.Fprintln(os.Stderr, "bench:", err)
	if ctx.Err() != nil {
		os.Exit(130)
	}
	os.Exit(1)
}

// choice is what to measure.
type choice struct {
	cold, suite, soak, document bool
	part                        string // "" measures all that is always measured
}

// bench is one run.
type bench struct {
	root  string // of the clone
	out   io.Writer
	begin time.Time
	run   run
}

func measure(ctx context.Context, c choice) (err error) {
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(root, "bin", "stack")); err != nil {
		return errors.New("bin/stack is missing here: run `make bench` in the root of a clone")
	}
	b := &bench{root: root, out: os.Stdout, begin: time.Now()}
	if c.document {
		return b.document()
	}
	if b.run, err = describe(ctx, root); err != nil {
		return err
	}
	steps := b.steps(c)
	if len(steps) == 0 {
		return fmt.Errorf("there is no part %q", c.part)
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if c.part != "" {
		b.say("\n%s", b.run.section())
		return nil
	}
	b.run.LoadAfter = loadAverage()
	if err := b.keep(); err != nil {
		return err
	}
	b.say("%s", b.run.table().markdown())
	b.say("wrote docs/benchmarks.md")
	return nil
}

// steps are those of a whole run, or the one of a name.
func (b *bench) steps(c choice) (steps []func(context.Context) error) {
	if c.soak {
		return append(steps, b.soak)
	}
	for _, s := range []struct {
		name  string
		do    func(context.Context) error
		asked bool // measured by a whole run
	}{
		{"cold", b.coldTools, c.cold}, {"tools", b.tools, true}, {"lab", b.lab, true}, {"scaled", b.scaled, true}, {"profile", b.profile, true}, {"unscaled", b.unscaled, true},
		{"large", b.large, true}, {"orders", b.orders, true}, {"balancer", b.balancer, true}, {"queue", b.queue, true}, {"authorized", b.authorized, true}, {"suite", b.suite, c.suite},
	} {
		if s.name == c.part || c.part == "" && s.asked {
			steps = append(steps, s.do)
		}
	}
	return steps
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
