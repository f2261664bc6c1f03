package dataplane

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"
)

// What failed is tried again, once a second, until it succeeds; then the loop rests.
func TestLoopTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls []time.Duration
		start, wake := time.Now(), make(chan struct{}, 1)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() {
			ended <- loop(ctx, wake, slog.New(slog.DiscardHandler), func(context.Context) error {
				if calls = append(calls, time.Since(start)); len(calls) < 3 {
					return errors.New("not yet")
				}
				return nil
			})
		}()
		wake <- struct{}{}
		time.Sleep(time.Minute)
		synctest.Wait()
		if len(calls) != 3 || calls[0] != 0 || calls[1] != settleAfter || calls[2] != 2*settleAfter {
			t.Errorf("converged at %v, want at 0 s, 1 s and 2 s", calls)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// Wake-ups of both sources arrive; those that come while the loop is busy are one.
func TestMergeCoalesces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		a, b := make(chan struct{}), make(chan struct{})
		calls, busy, ended := 0, make(chan struct{}), make(chan error)
		go func() {
			ended <- loop(ctx, merge(ctx, a, b), slog.New(slog.DiscardHandler), func(context.Context) error {
				calls++
				<-busy
				return nil
			})
		}()
		a <- struct{}{}
		synctest.Wait()
		for range 10 {
			a <- struct{}{}
			b <- struct{}{}
		}
		close(busy)
		synctest.Wait()
		if calls != 2 {
			t.Errorf("converged %d times, want 2", calls)
		}
		b <- struct{}{}
		synctest.Wait()
		if calls != 3 {
			t.Errorf("converged %d times, want 3", calls)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
