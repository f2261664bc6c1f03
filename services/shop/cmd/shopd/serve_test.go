package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestConnectionsAreKept makes as many calls at once as customers do in a busy moment: the next moment needs no new connection.
func TestConnectionsAreKept(t *testing.T) {
	const calls = 50
	var opened atomic.Int64
	var arrived sync.WaitGroup
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		arrived.Done()
		arrived.Wait() // until all calls of the moment are under way
	}))
	server.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	client := awsClient()
	moment := func() int64 {
		before := opened.Load()
		arrived.Add(calls)
		var done sync.WaitGroup
		for range calls {
			done.Go(func() {
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, nil)
				if err != nil {
					t.Error(err)
					return
				}
				answer, err := client.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				_ = answer.Body.Close()
			})
		}
		done.Wait()
		return opened.Load() - before
	}
	if first, second := moment(), moment(); first < calls || second > 0 {
		t.Errorf("opened %d connections and then %d more, want %d and none", first, second, calls)
	}
}

// TestStartEnds has a start wait for something that fails, hangs, comes at last, or is waited for no longer.
func TestStartEnds(t *testing.T) {
	away := errors.New("away")
	for name, c := range map[string]struct {
		f       func(context.Context, time.Duration) error // told how long the start has lasted
		stop    time.Duration                              // when the service is told to end
		want    error
		atLeast time.Duration
		atMost  time.Duration
	}{
		"fails": {func(context.Context, time.Duration) error { return away }, time.Hour, away, startFor, startFor + 10*time.Second},
		"hangs": {func(ctx context.Context, _ time.Duration) error { <-ctx.Done(); return ctx.Err() }, time.Hour, context.DeadlineExceeded, startFor, startFor},
		"comes": {func(_ context.Context, lasted time.Duration) error {
			if lasted < time.Minute {
				return away
			}
			return nil
		}, time.Hour, nil, time.Minute, time.Minute + 5*time.Second},
		"stopped": {func(context.Context, time.Duration) error { return away }, time.Minute, nil, time.Minute, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), c.stop)
				defer cancel()
				began := time.Now()
				err := until(ctx, slog.New(slog.DiscardHandler), "it", func(ctx context.Context) error { return c.f(ctx, time.Since(began)) })
				if took := time.Since(began); !errors.Is(err, c.want) || took < c.atLeast || took > c.atMost {
					t.Errorf("got %v after %s, want %v after %s to %s", err, took, c.want, c.atLeast, c.atMost)
				}
			})
		})
	}
}
