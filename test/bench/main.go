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
	part := flag.String("part", "", "measure one part, such as profile, and keep nothing")
	flag.Parse()
	err := measure(ctx, *cold, *soak, *only, *part)
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

func measure(ctx context.Context, cold, soak, only bool, part string) (err error) {
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
	steps := b.steps(part)
	if soak {
		steps = []func(context.Context) error{b.soak}
	} else if cold {
		steps = slices.Insert(steps, 0, b.coldTools)
	}
	if len(steps) == 0 {
		return fmt.Errorf("there is no part %q", part)
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if part != "" {
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
func (b *bench) steps(part string) (steps []func(context.Context) error) {
	for _, s := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"tools", b.tools}, {"lab", b.lab}, {"scaled", b.scaled}, {"profile", b.profile}, {"unscaled", b.unscaled}, {"large", b.large}, {"orders", b.orders},
		{"balancer", b.balancer}, {"queue", b.queue}, {"authorized", b.authorized},
	} {
		if part == "" || part == s.name {
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
