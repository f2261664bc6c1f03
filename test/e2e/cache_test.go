package e2e

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"time"
)

// view is one look at a product's page.
type view struct {
	product string
	at      time.Time
	status  int    // 0 without an answer
	origin  string // X-Cache: fill means that this request read the database
}

// crowd looks at the pages of a few popular products all the time.
type crowd struct {
	stop context.CancelFunc
	wg   sync.WaitGroup
	mu   sync.Mutex
	seen []view
}

// gather sends a crowd of so many to each of the products.
func gather(url string, products []string, each int) *crowd {
	ctx, cancel := context.WithCancel(context.Background())
	c := &crowd{stop: cancel}
	for _, product := range products {
		for range each {
			c.wg.Go(func() {
				client := &http.Client{Timeout: 5 * time.Second}
				defer client.CloseIdleConnections()
				for ctx.Err() == nil {
					v := look(ctx, client, url, product)
					if ctx.Err() != nil {
						return
					}
					c.mu.Lock()
					c.seen = append(c.seen, v)
					c.mu.Unlock()
					select {
					case <-time.After(20 * time.Millisecond):
					case <-ctx.Done():
					}
				}
			})
		}
	}
	return c
}

func look(ctx context.Context, c *http.Client, url, product string) (v view) {
	v = view{product: product, at: time.Now()}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/products/"+product, nil)
	if err != nil {
		return v
	}
	resp, err := c.Do(r)
	if err != nil {
		return v
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err == nil {
		v.status, v.origin = resp.StatusCode, resp.Header.Get("X-Cache")
	}
	return v
}

// leave ends the crowd and returns what it saw. It may be called again.
func (c *crowd) leave() []view {
	c.stop()
	c.wg.Wait()
	return c.seen
}

// lifetimeOfProduct is the least time that a product is served from the cache: docs/shop.md.
const lifetimeOfProduct = 24 * time.Second

// loseCache takes the cache away, gives it back and empties it, while a crowd looks at the products that are ordered. However many ask, the database is
// asked at most once per product and window: a second in each server while the cache is away, the lifetime of an entry else.
func loseCache(t *testing.T, d *deployment, l *customers) {
	products, servers := len(l.products), len(d.fleet(t))
	c := gather(d.url, l.products, 8)
	defer c.leave()
	pass(2 * time.Second)
	asked, begin := d.readsOfProducts(t), time.Now()
	d.fault(t, "cache-down", d.out.CacheID)
	pass(5 * time.Second)
	d.fault(t, "cache-up", d.out.CacheID)
	pass(5 * time.Second)
	away := time.Since(begin) // servers need a moment to find the cache again
	flushed := time.Now()
	d.fault(t, "cache-flush", d.out.CacheID)
	pass(5 * time.Second)
	seen := c.leave()
	origins, fills, failed := map[string]int{}, map[string]int{}, 0
	for _, v := range seen {
		if v.status != http.StatusOK {
			failed++
			t.Logf("a page of %s was not served: status %d at %s", v.product, v.status, v.at.Sub(begin))
		}
		origins[v.origin]++
		if v.origin == "fill" && v.at.After(flushed) {
			fills[v.product]++
		}
	}
	if failed > 0 {
		t.Errorf("%d of %d pages were not served", failed, len(seen))
	}
	for _, product := range l.products {
		if fills[product] > 1 {
			t.Errorf("after the cache was emptied %s was read from the database %d times, want once", product, fills[product])
		}
	}
	// PostgreSQL counts for itself, and may take ten seconds to tell.
	pass(11 * time.Second)
	reads := d.readsOfProducts(t) - asked
	windows := servers*(int(away/time.Second)+1) + int(time.Since(begin)/lifetimeOfProduct) + 2
	t.Logf("%d pages served (%v), the database was asked %d times; %d products in at most %d windows", len(seen), origins, reads, products, windows)
	if reads > products*windows || len(seen) < 10*products*windows || origins["bypass"] == 0 || reads == 0 {
		t.Errorf("the database was asked %d times for %d pages, want at most %d times and many more pages, some of them without a cache", reads, len(seen), products*windows)
	}
}

// readsOfProducts is how often the reader has been asked for products so far, by its own count.
func (d *deployment) readsOfProducts(t *testing.T) int {
	t.Helper()
	rows := d.mustQuery(t, d.out.DatabaseReader, "SELECT seq_scan + idx_scan FROM pg_stat_user_tables WHERE relname = 'product'")
	n, err := strconv.Atoi(rows[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
