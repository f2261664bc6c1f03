package search_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// The index of the shop and its rate of orders: each is stored when it is placed, and again a second later when its state has changed.
const (
	ordersIndex = `{"settings":{"number_of_shards":1,"number_of_replicas":1},"mappings":{"dynamic":"strict","properties":{
		"id":{"type":"keyword"},"status":{"type":"keyword"},"total_cents":{"type":"long"},"currency":{"type":"keyword"},"placed_at":{"type":"date"},"words":{"type":"text"},
		"items":{"properties":{"product_id":{"type":"keyword"},"name":{"type":"keyword"},"quantity":{"type":"long"}}}}}}`
	ordersPerSecond = 200
	ordersPerBulk   = 10
)

// BenchmarkLoad stores the orders of one second in each iteration, evenly over the second, and lets the refresh interval do the rest:
// use -benchtime 30x. It reports the CPU time of a document with all that happens to it later, and how late a goroutine is woken meanwhile:
// that is what everything else in the lab's process feels.
func BenchmarkLoad(b *testing.B) {
	b.Run("searched", func(b *testing.B) { benchmarkLoad(b, true) }) // every second
	b.Run("idle", func(b *testing.B) { benchmarkLoad(b, false) })
}

func benchmarkLoad(b *testing.B, searched bool) {
	var ahead atomic.Int64
	now := func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	c := benchCluster(b, now)
	h := c.Handler("a")
	send(b, h, "PUT", "/orders", ordersIndex)
	next, documents := 0, 0
	store := func(from, to, version int) {
		send(b, h, "POST", "/orders/_bulk", orders(max(from, 0), to, version))
		documents += to - max(from, 0)
	}
	for ; next < 50*ordersPerSecond; next += ordersPerSecond { // it has run for a while
		store(next, next+ordersPerSecond, 1)
		send(b, h, "POST", "/orders/_refresh", "")
	}
	documents = 0
	ahead.Store(int64(time.Minute)) // nobody has searched for so long

	latenesses := make(chan []time.Duration)
	ctx, stop := context.WithCancel(b.Context())
	go lateness(ctx, latenesses)
	pace := time.NewTicker(time.Second * ordersPerBulk / ordersPerSecond)
	defer pace.Stop()
	before := cpu(b)
	for b.Loop() {
		if searched {
			send(b, h, "POST", "/orders/_search", `{"size":1,"query":{"match":{"words":"oak"}},"sort":[{"placed_at":"desc"}]}`)
		}
		for range ordersPerSecond / ordersPerBulk {
			<-pace.C
			store(next, next+ordersPerBulk, 1)
			store(next-ordersPerSecond, next-ordersPerSecond+ordersPerBulk, 2)
			next += ordersPerBulk
		}
	}
	used := cpu(b) - before
	stop()
	late := <-latenesses
	slices.Sort(late)
	b.ReportMetric(float64(used.Microseconds())/float64(documents), "cpu-ms/1000docs")
	b.ReportMetric(float64(late[len(late)-1].Microseconds())/1000, "ms-late-max")
	b.ReportMetric(float64(late[len(late)*999/1000].Microseconds())/1000, "ms-late-p99.9")
}

func orders(from, to, version int) string {
	var body strings.Builder
	for i := from; i < to; i++ {
		id := fmt.Sprintf("ord_%x", uint32(i)*2654435761) // spread, as random IDs are
		fmt.Fprintf(&body, "{\"index\":{\"_id\":%q,\"version\":%d,\"version_type\":\"external\"}}\n", id, version)
		fmt.Fprintf(&body, `{"id":%q,"status":"state-%d","total_cents":%d,"currency":"EUR","placed_at":%q,"words":"%s oak chair linen lamp",`, id, version, i,
			time.UnixMilli(int64(i)*5).UTC().Format(time.RFC3339Nano), id)
		fmt.Fprintf(&body, "\"items\":[{\"product_id\":\"chair\",\"name\":\"Oak Chair\",\"quantity\":2},{\"product_id\":\"lamp\",\"name\":\"Linen Lamp\",\"quantity\":1}]}\n")
	}
	return body.String()
}

func send(b *testing.B, h http.Handler, method, path, body string) {
	b.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	res := httptest.NewRecorder()
	if h.ServeHTTP(res, req); res.Code != http.StatusOK || strings.Contains(res.Body.String(), `"errors":true`) {
		b.Fatal(res.Body)
	}
}

// lateness sleeps a millisecond again and again until ctx ends, then tells how much longer each sleep was.
func lateness(ctx context.Context, to chan<- []time.Duration) {
	var all []time.Duration
	timer := time.NewTimer(time.Millisecond)
	defer timer.Stop()
	for ctx.Err() == nil {
		began := time.Now()
		timer.Reset(time.Millisecond)
		<-timer.C
		all = append(all, time.Since(began)-time.Millisecond)
	}
	to <- all
}

// cpu is the CPU time that the process has used.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
