// Package load puts load on a service: at a rate, however long the answers take, or from so many clients at once, each of which waits for its answers.
package load

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// MaxOpen bounds the requests of At that are under way at once; who has to wait for a place waits with its clock running.
const MaxOpen = 2_000

// Result is what came of a load.
type Result struct {
	Good, Failed int
	Took         time.Duration   // from the first request to the last answer
	Latencies    []time.Duration // of the good answers, sorted
	Example      error           // one of the failures, nil without
}

// Quantile returns the latency that a share of the good answers stayed within; q is between 0 and 1.
func (r Result) Quantile(q float64) time.Duration {
	if len(r.Latencies) == 0 {
		return 0
	}
	return r.Latencies[min(int(q*float64(len(r.Latencies))), len(r.Latencies)-1)]
}

// PerSecond is the throughput of good answers.
func (r Result) PerSecond() float64 { return float64(r.Good) / max(r.Took.Seconds(), 1e-9) }

// At calls do so many times a second for a time, without waiting for earlier calls. A latency counts from when the call was due, so that a service which
// stalls is charged with all who would have come meanwhile.
func At(ctx context.Context, rate int, d time.Duration, do func(ctx context.Context, n int) error) Result {
	var c collector
	var wg sync.WaitGroup
	places := make(chan struct{}, MaxOpen)
	begin := time.Now()
	for n := range int(float64(rate) * d.Seconds()) {
		due := begin.Add(time.Duration(n) * time.Second / time.Duration(rate))
		if !sleep(ctx, time.Until(due)) {
			break
		}
		wg.Go(func() {
			places <- struct{}{}
			err := do(ctx, n)
			<-places
			c.add(time.Since(due), err)
		})
	}
	wg.Wait()
	return c.result(time.Since(begin))
}

// From calls do from so many clients for a time, each again a pause after its last call has returned, give or take half of it. They begin spread over one
// pause. A call that the end of the time cuts off counts for nothing.
func From(ctx context.Context, clients int, d, pause time.Duration, do func(ctx context.Context, client, n int) error) Result {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var c collector
	var wg sync.WaitGroup
	var next atomic.Int64
	begin := time.Now()
	for client := range clients {
		wg.Go(func() {
			for wait := time.Duration(rand.Float64() * float64(pause)); sleep(ctx, wait); wait = time.Duration((0.5 + rand.Float64()) * float64(pause)) {
				started := time.Now()
				if err := do(ctx, client, int(next.Add(1))); err == nil || ctx.Err() == nil {
					c.add(time.Since(started), err)
				}
			}
		})
	}
	wg.Wait()
	return c.result(time.Since(begin))
}

type collector struct {
	mu sync.Mutex
	r  Result
}

func (c *collector) add(latency time.Duration, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.r.Failed++
		c.r.Example = err
		return
	}
	c.r.Good++
	c.r.Latencies = append(c.r.Latencies, latency)
}

func (c *collector) result(took time.Duration) Result {
	c.r.Took = took
	slices.Sort(c.r.Latencies)
	return c.r
}

// sleep waits for d, and reports false when ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
