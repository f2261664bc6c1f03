package load_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"storefront/test/load"
)

// A service that stalls is charged with everybody who came meanwhile.
func TestAtChargesAStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		r := load.At(t.Context(), 100, time.Second, func(context.Context, int) error {
			if since := time.Since(begin); since < 500*time.Millisecond {
				time.Sleep(500*time.Millisecond - since)
			}
			return nil
		})
		if r.Good != 100 || r.Failed != 0 || r.Quantile(1) != 500*time.Millisecond || r.Quantile(0.25) != 0 || r.Quantile(0.75) < 200*time.Millisecond {
			t.Errorf("good %d, failed %d, latencies %v", r.Good, r.Failed, r.Latencies)
		}
	})
}

func TestFromCountsFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		r := load.From(t.Context(), 10, time.Second, 0, func(ctx context.Context, client, n int) error {
			select {
			case <-time.After(99 * time.Millisecond):
			case <-ctx.Done():
				return ctx.Err()
			}
			if client == 0 {
				return broken
			}
			return nil
		})
		if r.Good != 90 || r.Failed != 10 || r.Example != broken || r.Took != time.Second || r.PerSecond() != 90 {
			t.Errorf("good %d, failed %d (%v) in %s, %.1f/s", r.Good, r.Failed, r.Example, r.Took, r.PerSecond())
		}
	})
}

func TestFromPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := load.From(t.Context(), 100, 100*time.Second, time.Second, func(context.Context, int, int) error { return nil })
		if r.Good < 9_000 || r.Good > 11_000 {
			t.Errorf("100 clients that pause for a second made %d calls in 100 s", r.Good)
		}
	})
}

func TestShop(t *testing.T) {
	var asked atomic.Pointer[http.Request]
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r)
		switch r.Method {
		case http.MethodPost:
			w.WriteHeader(http.StatusAccepted)
			_, _ = w.Write([]byte(`{"id":"7","status":"queued"}`))
		case http.MethodPut:
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer s.Close()
	shop := load.NewShop(s.URL, time.Second, 1)
	if id, err := shop.Order(t.Context(), "key", map[string]int64{"cup": 1}); err != nil || id != "7" || asked.Load().Header.Get("Idempotency-Key") != "key" {
		t.Errorf("got %q, %v", id, err)
	}
	var refused *load.Refused
	if err := shop.Put(t.Context(), "cup", "Cup", 1); !errors.As(err, &refused) || refused.Status != 503 {
		t.Errorf("got %v, want a refusal with status 503", err)
	}
	if err := shop.Get(t.Context(), "/products", nil); err != nil {
		t.Error(err)
	}
}
