package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gruntwork-io/terratest/modules/retry"

	httphelper "github.com/gruntwork-io/terratest/modules/http-helper"
)

// client opens a connection for every request, so that the load balancer chooses anew each time.
func client() *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
}

// page asks for a page and reads all of it. An answer other than 200 is an error.
func page(ctx context.Context, c *http.Client, url string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := c.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %s", resp.Status)
	}
	return resp, nil
}

// servedBy asks for a page and returns the instance that made it.
func servedBy(ctx context.Context, c *http.Client, url string) (instance string, err error) {
	resp, err := page(ctx, c, url)
	if err != nil {
		return "", err
	}
	instance, _, _ = strings.Cut(resp.Header.Get("X-Served-By"), " ")
	return instance, nil
}

// spread asks n times and counts the instances that answered.
func spread(t *testing.T, url string, n int) map[string]int {
	t.Helper()
	c, counts := client(), map[string]int{}
	for range n {
		instance, err := servedBy(t.Context(), c, url)
		if err != nil {
			t.Fatalf("GET %s: %v", url, err)
		}
		counts[instance]++
	}
	return counts
}

// eventually polls until check succeeds, once a half second for as long as within.
func eventually(t *testing.T, what string, within time.Duration, check func() error) {
	t.Helper()
	const pause = 500 * time.Millisecond
	retry.DoWithRetryContext(t, t.Context(), what, int(within/pause), pause, func() (string, error) { return "", check() })
}

// awaitProducts waits until the catalogue is served and returns its first page.
func awaitProducts(t *testing.T, url string) (page struct{ Items []map[string]any }) {
	t.Helper()
	httphelper.HTTPGetWithRetryWithCustomValidationContext(t, t.Context(), url+"/products", nil, 180, 500*time.Millisecond, func(status int, body string) bool {
		return status == http.StatusOK && json.Unmarshal([]byte(body), &page) == nil
	})
	return page
}

// probe asks for a page again and again until stop is called, and returns the longest time for which no answer was good.
func probe(url string) (stop func() (requests int, longest time.Duration)) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	var requests int
	var longest time.Duration
	wg.Go(func() {
		good, c := time.Now(), client()
		for tick := time.NewTicker(50 * time.Millisecond); ctx.Err() == nil; {
			_, err := servedBy(ctx, c, url)
			requests++
			if ctx.Err() == nil {
				longest = max(longest, time.Since(good))
			}
			if err == nil {
				good = time.Now()
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
			}
		}
	})
	return func() (int, time.Duration) {
		cancel()
		wg.Wait()
		return requests, longest
	}
}
