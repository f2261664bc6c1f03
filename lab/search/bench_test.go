package search_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"storefront/lab/search"
)

// benchCluster opens a cluster on two nodes; now is its clock, nil that of the machine.
func benchCluster(b *testing.B, now func() time.Time) *search.Cluster {
	b.Helper()
	c, err := search.Open(search.Config{Dir: b.TempDir(), Name: "bench", Version: "7.10", Now: now})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	if err := c.SetNodes(context.Background(), crashNodes); err != nil {
		b.Fatal(err)
	}
	return c
}

// BenchmarkBulk indexes in bulks of 100 with two copies, each on disk before the answer.
func BenchmarkBulk(b *testing.B) {
	c := benchCluster(b, nil)
	h, n := c.Handler("a"), 0
	for b.Loop() {
		var body strings.Builder
		for range 100 {
			fmt.Fprintf(&body, "{\"index\":{\"_id\":\"%d\",\"version\":1,\"version_type\":\"external\"}}\n{\"title\":\"order number %d of a customer\",\"status\":\"accepted\",\"total\":%d,\"at\":\"2026-01-01T00:00:00Z\",\"items\":[{\"name\":\"wooden chair\",\"quantity\":2}]}\n", n, n, n)
			n++
		}
		req := httptest.NewRequest("POST", "/bench/_bulk", strings.NewReader(body.String()))
		req.Header.Set("Content-Type", "application/x-ndjson")
		res := httptest.NewRecorder()
		if h.ServeHTTP(res, req); res.Code != http.StatusOK || strings.Contains(res.Body.String(), `"errors":true`) {
			b.Fatal(res.Body)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "docs/s")
}

// BenchmarkIdle shows the memory of two nodes with a small index.
func BenchmarkIdle(b *testing.B) {
	c := benchCluster(b, nil)
	h := c.Handler("a")
	for i := range 100 {
		req := httptest.NewRequest("PUT", fmt.Sprintf("/idle/_doc/%d?refresh=true", i), strings.NewReader(`{"title":"some words"}`))
		req.Header.Set("Content-Type", "application/json")
		h.ServeHTTP(httptest.NewRecorder(), req)
	}
	var m runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&m)
	}
	b.ReportMetric(float64(m.HeapInuse+m.StackInuse)/(1<<20), "MB")
	b.ReportMetric(float64(runtime.NumGoroutine()), "goroutines")
}
