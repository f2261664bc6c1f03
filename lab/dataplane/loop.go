package dataplane

import (
	"context"
	"log/slog"
	"time"
)

// loop calls converge on every wake-up, and again after settleAfter when it failed.
func loop(ctx context.Context, wake <-chan struct{}, log *slog.Logger, converge func(context.Context) error) error {
	retry := time.NewTimer(0)
	retry.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-retry.C:
		}
		if err := converge(ctx); err != nil && ctx.Err() == nil {
			log.Error("not converged yet", "error", err)
			retry.Reset(settleAfter)
		}
	}
}

// merge joins two sources of wake-ups.
func merge(ctx context.Context, a, b <-chan struct{}) <-chan struct{} {
	out := make(chan struct{}, 1)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-a:
			case <-b:
			}
			poke(out)
		}
	}()
	return out
}

// ticks sends a value in every interval until ctx ends, and drops it while nobody receives.
func ticks(ctx context.Context, every time.Duration) <-chan struct{} {
	out := make(chan struct{}, 1)
	go func() {
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				poke(out)
			}
		}
	}()
	return out
}

// poke wakes a loop that is not awake already.
func poke(wake chan<- struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}
