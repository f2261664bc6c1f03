package server

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const pollEvery = 10 * time.Millisecond

// ErrEnded says that a server ended while somebody waited for it; its log tells why.
var ErrEnded = errors.New("the server ended")

// Await repeats try until it succeeds, the server ends (ErrEnded), or the time is over: then it returns the last error.
func Await(ctx context.Context, limit time.Duration, ended <-chan struct{}, try func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		err := try(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ended:
			return ErrEnded
		case <-ctx.Done():
			return fmt.Errorf("%w after %s: %w", ctx.Err(), limit, err)
		case <-tick.C:
		}
	}
}
