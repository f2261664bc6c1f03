package ports

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"storefront/lab/search"
	"storefront/lab/wire/sigv4"
	"storefront/lab/wire/wiretest"
	"storefront/services/shop"
	"storefront/services/shop/elasticsearch"
	"storefront/services/shop/memory"
	"storefront/services/shop/relay"
	"storefront/services/shop/shoptest"
)

// domain is a search cluster of two nodes in two zones.
type domain struct {
	*search.Cluster
	nodes map[string]*httptest.Server
}

func newDomain(t *testing.T, version string) *domain {
	t.Helper()
	c := wiretest.Must(search.Open(search.Config{Dir: t.TempDir(), Name: "shop", Version: version}))
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	d := &domain{Cluster: c, nodes: map[string]*httptest.Server{}}
	var nodes []search.Node
	for id, zone := range map[string]string{"n1": "us-east-1a", "n2": "us-east-1b"} {
		nodes = append(nodes, search.Node{ID: id, Zone: zone, Data: true, Master: true})
		d.nodes[id] = httptest.NewServer(signed(c.Handler(id)))
		t.Cleanup(d.nodes[id].Close)
	}
	if err := c.SetNodes(t.Context(), nodes); err != nil {
		t.Fatal(err)
	}
	return d
}

// signed lets requests through that are signed for a domain with the test's key, as a domain in the lab does.
func signed(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		a, err := sigv4.Parse(r)
		if err == nil && a.Scope.Service != "es" {
			err = errors.New("signed for " + a.Scope.Service)
		}
		if err == nil {
			err = a.Verify(r, wiretest.SecretKey, sigv4.Hash(body))
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		next.ServeHTTP(w, r)
	})
}

// index opens the shop's index by one node.
func (d *domain) index(t *testing.T, node string) *elasticsearch.Index {
	t.Helper()
	return wiretest.Must(elasticsearch.Open(elasticsearch.Config{Endpoint: d.nodes[node].URL, Region: wiretest.Region,
		Credentials: credentials.NewStaticCredentialsProvider(wiretest.AccessKeyID, wiretest.SecretKey, "")}))
}

// forget deletes the index.
func (d *domain) forget(t *testing.T) {
	t.Helper()
	d.must(t, http.MethodDelete, "/summaries?ignore_unavailable=true", "")
}

// must sends a request that must succeed.
func (d *domain) must(t *testing.T, method, path, body string) {
	t.Helper()
	w, r := httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if d.Handler("n1").ServeHTTP(w, r); w.Code != http.StatusOK {
		t.Fatalf("%s %s: %d: %s", method, path, w.Code, w.Body)
	}
}

func TestIndex(t *testing.T) {
	for _, version := range []string{"7.10", "OpenSearch_1.3"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			d := newDomain(t, version)
			shoptest.Index(t, func(t *testing.T) shop.Index {
				d.forget(t)
				return d.index(t, "n1")
			})
		})
	}
}

// TestIndexIsReplicated loses the node that took the summaries: they are found on the other one.
func TestIndexIsReplicated(t *testing.T) {
	t.Parallel()
	d := newDomain(t, "7.10")
	if err := errors.Join(d.index(t, "n1").Put(t.Context(), []shop.Summary{shoptest.SampleSummary(1), shoptest.SampleSummary(2)})...); err != nil {
		t.Fatal(err)
	}
	shoptest.Eventually(t, "every copy is there", func() bool { return d.Health().Status == "green" })
	if err := d.Stop("n1"); err != nil {
		t.Fatal(err)
	}
	other := d.index(t, "n2")
	shoptest.Eventually(t, "the other node finds both", func() bool {
		page, err := other.Search(t.Context(), shop.SummaryQuery{Limit: 10, Search: strings.ToUpper("kettle")})
		return err == nil && len(page.Items) == 2
	})
	if err := errors.Join(other.Put(t.Context(), []shop.Summary{shoptest.SampleSummary(3)})...); err != nil {
		t.Errorf("a write with one node left: %v", err)
	}
}

// TestRefusedSummary has an index, made by somebody else, whose mapping refuses the summaries of rejected orders: the relay brings all others into it, and
// these as soon as the index is one that takes them.
func TestRefusedSummary(t *testing.T) {
	t.Parallel()
	d, ledger := newDomain(t, "7.10"), new(memory.Ledger)
	d.must(t, http.MethodPut, "/summaries", `{"mappings":{"properties":{"id":{"type":"keyword"},"placed_at":{"type":"date"},"reason":{"type":"long"}}}}`)
	shoptest.MustPut(t, ledger, shoptest.Sample("kettle"))
	for key, quantity := range map[string]int64{"a": 1, "b": 1000, "c": 1, "d": 1000, "e": 1} {
		want := shop.Outcome{Status: shop.Accepted}
		if quantity > 1 {
			want = shop.Outcome{Status: shop.Rejected, Reason: shop.ReasonStock}
		}
		shoptest.MustApply(t, ledger, shoptest.SampleOrder(key, quantity, "kettle"), want)
	}
	for _, c := range []struct{ found, refused int }{{3, 2}, {2, 0}} {
		x := d.index(t, "n2")
		ctx, stop := context.WithCancel(t.Context())
		var running sync.WaitGroup
		running.Go(func() { (&relay.Relay{Outbox: ledger, Index: x, Log: slog.New(slog.DiscardHandler)}).Run(ctx) })
		shoptest.Eventually(t, fmt.Sprintf("%d summaries are found and %d refused", c.found, c.refused), func() bool {
			page, err := x.Search(t.Context(), shop.SummaryQuery{Limit: 10})
			refused, _ := ledger.Refused(t.Context())
			return err == nil && len(page.Items) == c.found && refused == c.refused
		})
		stop()
		running.Wait()
		d.forget(t)
	}
}
