//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
)

const cyclesFigure = "SQS: send, receive, delete; 16 clients, 2 processors"

// leastCycles is how many messages a second have to be sent, received and deleted, durably, from 16 clients on two processors.
const leastCycles = 3_000

// queue runs the benchmark of SQS.
func (b *bench) queue(ctx context.Context) error {
	out, _, err := b.timed(ctx, b.root, nil, "go", "test", "-run", "^$", "-bench", "^BenchmarkCycle$", "-benchtime", "5s", "-cpu", "2", "-count", "1", "./lab/sqs")
	if err != nil {
		return err
	}
	cycles := metrics(out)["cycles/s"]
	if cycles <= 0 {
		return errors.New("the benchmark of SQS does not report cycles/s")
	}
	b.add(figure{What: cyclesFigure, Measured: fmt.Sprintf("%.0f cycles/s", cycles),
		Target: fmt.Sprintf("≥ %d cycles/s", leastCycles), Met: cycles >= leastCycles})
	return nil
}
