package e2e

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"storefront/test/history"
	"storefront/test/load"
)

// follower is the way of clients to the shop. It follows redirects as they are meant, with the same method and body, which ALB's 301 leaves to the client; and it knows at which port of this
// machine the port 443 of the load balancer is.
type follower struct {
	plain      *http.Transport
	redirected atomic.Int64
}

// CloseIdleConnections lets a client that ends close what it kept open.
func (f *follower) CloseIdleConnections() { f.plain.CloseIdleConnections() }

// RoundTrip implements http.RoundTripper.
func (f *follower) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := f.plain.RoundTrip(r)
	if err != nil || resp.StatusCode != http.StatusMovedPermanently {
		return resp, err
	}
	at, err := resp.Location()
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	f.redirected.Add(1)
	again := r.Clone(r.Context())
	again.URL, again.Host = at, ""
	if r.GetBody != nil {
		if again.Body, err = r.GetBody(); err != nil {
			return nil, err
		}
	}
	return f.plain.RoundTrip(again)
}

// newFollower returns the way to the shop of a deployment.
func newFollower(d *deployment) *follower {
	var dialer net.Dialer
	return &follower{plain: &http.Transport{
		MaxIdleConnsPerHost: 16, IdleConnTimeout: 5 * time.Second, TLSClientConfig: &tls.Config{RootCAs: d.trusted},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if host, port, err := net.SplitHostPort(address); err == nil && port == "443" {
				at, err := d.secureAddress(ctx)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", host, err)
				}
				address = at
			}
			return dialer.DialContext(ctx, network, address)
		},
	}}
}

// secureAddress is where on this machine the load balancer is spoken to over TLS.
func (d *deployment) secureAddress(ctx context.Context) (string, error) {
	out, status, err := d.run(ctx, "", "lab", "status", "--json")
	if err != nil || status != 0 {
		return "", fmt.Errorf("lab status: status %d, %w", status, err)
	}
	var s labStatus
	if err := json.Unmarshal([]byte(out), &s); err != nil {
		return "", err
	}
	for _, b := range s.LoadBalancers {
		for _, at := range b.URLs {
			if u, err := url.Parse(at); err == nil && u.Scheme == "https" {
				return u.Host, nil
			}
		}
	}
	return "", fmt.Errorf("no load balancer speaks TLS")
}

// visitors look at pages of both fleets until they are ended, and remember what failed.
type visitors struct {
	stop context.CancelFunc
	wg   sync.WaitGroup

	mu     sync.Mutex
	count  int
	failed []string
}

func visit(shop *load.Shop) *visitors {
	ctx, cancel := context.WithCancel(context.Background())
	v := &visitors{stop: cancel}
	pages := []string{"/products", "/products/changes-1", "/products?q=Load", "/summaries?limit=1"}
	v.wg.Go(func() {
		load.From(ctx, 4, 24*time.Hour, 100*time.Millisecond, func(ctx context.Context, _, n int) error {
			page := pages[n%len(pages)]
			err := shop.Get(ctx, page, nil)
			if ctx.Err() != nil {
				return err
			}
			v.mu.Lock()
			defer v.mu.Unlock()
			v.count++
			if err != nil {
				v.failed = append(v.failed, fmt.Sprintf("at %s GET %s: %v", time.Now().Format(time.TimeOnly), page, err))
			}
			return err
		})
	})
	return v
}

func (v *visitors) end() {
	v.stop()
	v.wg.Wait()
}

func (v *visitors) requests() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.count
}

// traffic begins: customers order, and visitors look around, until the end of the test.
func (c *changing) traffic(t *testing.T) {
	t.Helper()
	c.way = newFollower(c.deployment)
	c.transport = c.way
	c.customers = &customers{url: c.url, key: "changes", products: sortedKeys(assortment("Changes")), clients: 4, pause: 200 * time.Millisecond, transport: c.way}
	c.visitors = visit(&load.Shop{URL: c.url, Client: &http.Client{Timeout: 10 * time.Second, Transport: c.way}})
	c.customers.start()
	t.Cleanup(func() {
		c.customers.end()
		c.visitors.end()
	})
}

// failures returns what failed since the last call.
func (c *changing) failures() (orders, pages []string) {
	for _, op := range c.customers.recorder.Operations()[c.seen:] {
		c.seen++
		if op.Result != history.OK {
			orders = append(orders, fmt.Sprintf("at %s order %s ended %s: %s", op.Invoked.Format(time.TimeOnly), op.Key, op.Result, op.Detail))
		}
	}
	c.visitors.mu.Lock()
	defer c.visitors.mu.Unlock()
	pages, c.visitors.failed = c.visitors.failed, nil
	return orders, pages
}

// server tells who answers a request for a page: instance, zone and version.
func (c *changing) server(t *testing.T, path string) (string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.url+path, nil)
	if err != nil {
		return "", err
	}
	resp, err := c.way.RoundTrip(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("GET %s: %s", path, resp.Status)
	}
	return strings.TrimSpace(resp.Header.Get("X-Served-By")), nil
}
