// Package progress shows what a long command is doing and how long it has taken.
package progress

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// Log writes one line when a step starts, one per Heartbeat while it runs, and one when it ends.
type Log struct {
	Out       io.Writer
	Heartbeat time.Duration // 0 means 20 s
}

// Step runs f under the name what. Its error is returned as it is: the caller decides how to show it.
func (l *Log) Step(ctx context.Context, what string, f func(context.Context) error) error {
	start := time.Now()
	l.line("%s ...", what)
	beating, stop := context.WithCancel(ctx)
	var beat sync.WaitGroup
	beat.Go(func() { l.beat(beating, what, start) })
	err := f(ctx)
	stop()
	beat.Wait()
	outcome := "done"
	switch {
	case err != nil && ctx.Err() != nil:
		outcome = "interrupted"
	case err != nil:
		outcome = "failed"
	}
	l.line("%s: %s after %s", what, outcome, time.Since(start).Round(100*time.Millisecond))
	return err
}

func (l *Log) beat(ctx context.Context, what string, start time.Time) {
	every := l.Heartbeat
	if every == 0 {
		every = 20 * time.Second
	}
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			l.line("%s ... %s", what, time.Since(start).Round(time.Second))
		}
	}
}

// Note writes a line that belongs to no step.
func (l *Log) Note(format string, args ...any) { l.line(format, args...) }

func (l *Log) line(format string, args ...any) {
	fmt.Fprintf(l.Out, "tools: "+format+"\n", args...)
}
