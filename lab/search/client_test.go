package search_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	elasticsearch "github.com/elastic/go-elasticsearch/v7"
	"github.com/elastic/go-elasticsearch/v7/esapi"
	"github.com/elastic/go-elasticsearch/v7/esutil"
)

// TestClient goes the way of a shop with Elastic's own client: an index, bulk with external versions, a search.
func TestClient(t *testing.T) {
	c := newCluster(t, 2)
	es, err := elasticsearch.NewClient(elasticsearch.Config{Addresses: []string{c.urls["n0"], c.urls["n1"]}})
	if err != nil {
		t.Fatal(err)
	}
	check := func(res *esapi.Response, err error) map[string]any {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if res.IsError() {
			t.Fatal(res)
		}
		out := map[string]any{}
		if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	check(es.Info())
	check(es.Indices.Create("summaries", es.Indices.Create.WithBody(strings.NewReader(`{"mappings":{"properties":{"title":{"type":"text"},"n":{"type":"long"}}}}`))))
	indexer, err := esutil.NewBulkIndexer(esutil.BulkIndexerConfig{Client: es, Index: "summaries", NumWorkers: 2, Refresh: "wait_for"})
	if err != nil {
		t.Fatal(err)
	}
	var done atomic.Int64
	for i := range 300 {
		err := indexer.Add(context.Background(), esutil.BulkIndexerItem{Action: "index", DocumentID: fmt.Sprint(i), Body: strings.NewReader(fmt.Sprintf(`{"title":"order %d of many","n":%d}`, i, i)),
			OnSuccess: func(context.Context, esutil.BulkIndexerItem, esutil.BulkIndexerResponseItem) { done.Add(1) }})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := indexer.Close(context.Background()); err != nil || done.Load() != 300 {
		t.Fatalf("%d documents were indexed: %v", done.Load(), err)
	}
	out := check(es.Search(es.Search.WithIndex("summaries"), es.Search.WithTrackTotalHits(true), es.Search.WithBody(strings.NewReader(`{"query":{"match":{"title":"many"}},"sort":[{"n":"desc"}],"size":3}`))))
	if ids(out) != "299 298 297" || at(out, "hits.total.value") != 300.0 {
		t.Errorf("search: %s", compact(out))
	}
	check(es.Index("summaries", bytes.NewReader([]byte(`{"title":"new"}`)), es.Index.WithDocumentID("1"), es.Index.WithVersion(9), es.Index.WithVersionType("external")))
	res, err := es.Index("summaries", strings.NewReader(`{"title":"old"}`), es.Index.WithDocumentID("1"), es.Index.WithVersion(8), es.Index.WithVersionType("external"))
	if err != nil || res.StatusCode != 409 {
		t.Errorf("an old version: %v %v", res, err)
	}
	if got := check(es.Get("summaries", "1")); at(got, "_source.title") != "new" {
		t.Errorf("get: %s", compact(got))
	}
	check(es.Cluster.Health(es.Cluster.Health.WithWaitForStatus("green")))
	check(es.Indices.Delete([]string{"summaries"}))
}
