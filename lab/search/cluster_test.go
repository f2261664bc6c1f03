package search_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"storefront/lab/search"
)

// health compares the cluster's health.
func (c *cluster) health(status string, active, unassigned int) {
	c.Helper()
	h := c.Health()
	if h.Status != status || h.ActiveShards != active || h.UnassignedShards != unassigned {
		c.Errorf("health is %+v, want %s with %d shards and %d unassigned", h, status, active, unassigned)
	}
}

func (c *cluster) try(err error) {
	c.Helper()
	if err != nil {
		c.Fatal(err)
	}
}

func TestNodeLossLosesNothing(t *testing.T) {
	c := newCluster(t, 2)
	c.must("PUT", "/i", `{"settings":{"number_of_shards":2}}`)
	for i := range 20 {
		c.must("PUT", fmt.Sprintf("/i/_doc/%d", i), `{"n":1}`)
	}
	c.health("green", 4, 0)
	c.try(c.Stop("n1"))
	c.health("yellow", 2, 2)
	if _, err := http.Get(c.urls["n1"]); err == nil {
		t.Error("a lost node answers")
	}
	for i := range 20 { // some shards have a new primary, and all of them go on
		out := c.must("PUT", fmt.Sprintf("/i/_doc/%d", i), `{"n":2}`)
		if fmt.Sprint(at(out, "_version"), at(out, "_shards.successful")) != "2 1" {
			t.Errorf("a write while a node is away: %s", compact(out))
		}
	}
	c.must("DELETE", "/i/_doc/0", "")
	c.must("PUT", "/i/_doc/new", `{"n":2}`)
	c.try(c.Start("n1"))
	c.health("green", 4, 0)

	// The node that came back has it all: it answers alone.
	c.try(c.Stop("n0"))
	for i := 1; i < 20; i++ {
		status, text := c.sendTo("n1", "GET", fmt.Sprintf("/i/_doc/%d", i), "")
		if status != 200 || !strings.Contains(string(text), `"n":2`) {
			t.Errorf("document %d on the node that came back: %d %s", i, status, text)
		}
	}
	if status, text := c.sendTo("n1", "GET", "/i/_doc/0", ""); status != 404 {
		t.Errorf("a deleted document came back: %s", text)
	}
	if _, text := c.sendTo("n1", "GET", "/i/_count", ""); !strings.Contains(string(text), `"count":20`) {
		t.Errorf("count on the node that came back: %s", text)
	}
}

func TestStaleCopyNeverWins(t *testing.T) {
	c := newCluster(t, 2)
	c.must("PUT", "/i/_doc/1", `{"v":"old"}`)
	c.try(c.Stop("n1"))
	c.must("PUT", "/i/_doc/1", `{"v":"new"}`)
	c.try(c.Stop("n0"))
	c.health("red", 0, 2)
	c.try(c.Start("n1")) // has an old state: it must not serve
	c.health("red", 0, 2)
	for path, want := range map[string]int{"/i/_doc/1": 503, "/i/_search": 503} {
		if status, text := c.sendTo("n1", "GET", path, ""); status != want {
			t.Errorf("GET %s of a red index: %d %s", path, status, text)
		}
	}
	if status, text := c.sendTo("n1", "PUT", "/i/_doc/1", `{"v":"newer"}`); status != 503 || !strings.Contains(string(text), "unavailable_shards_exception") {
		t.Errorf("a write to a red index: %d %s", status, text)
	}
	c.try(c.Start("n0"))
	c.health("green", 2, 0)
	c.try(c.Stop("n0"))
	if _, text := c.sendTo("n1", "GET", "/i/_doc/1", ""); !strings.Contains(string(text), `"new"`) {
		t.Errorf("the copy that was stale: %s", text)
	}
}

func TestPartialResults(t *testing.T) {
	c := newCluster(t, 2)
	c.must("PUT", "/i", `{"settings":{"number_of_shards":2,"number_of_replicas":0}}`)
	for i := range 10 {
		c.must("PUT", fmt.Sprintf("/i/_doc/%d?refresh=true", i), `{}`)
	}
	c.try(c.Stop("n1"))
	c.health("red", 1, 1)
	c.steps([]step{
		{"GET", "/i/_search", "", 200, map[string]any{"_shards.total": 2, "_shards.successful": 1, "_shards.failed": 1, "_shards.failures.0.reason.type": "no_shard_available_action_exception"}},
		{"GET", "/i/_search?allow_partial_search_results=false", "", 503, map[string]any{"error.type": "search_phase_execution_exception"}},
		{"GET", "/_cluster/health?wait_for_status=yellow&timeout=10ms", "", 408, map[string]any{"timed_out": true, "status": "red"}},
	})
	c.try(c.Start("n1"))
	c.steps([]step{{"GET", "/i/_search", "", 200, map[string]any{"_shards.failed": 0, "hits.total.value": 10}}})
}

func TestRestart(t *testing.T) {
	c := newCluster(t, 2)
	c.must("PUT", "/i", `{"mappings":{"properties":{"k":{"type":"keyword"}}},"aliases":{"a":{}}}`)
	for i := range 50 {
		c.must("PUT", fmt.Sprintf("/i/_doc/%d", i), fmt.Sprintf(`{"k":"v%d","more":{"text":"x"}}`, i))
	}
	c.try(c.Close())
	c.open()
	c.health("green", 2, 0)
	c.steps([]step{
		{"GET", "/a/_count", "", 200, map[string]any{"count": 50}},
		{"GET", "/i/_doc/7", "", 200, map[string]any{"_source.k": "v7", "_version": 1}},
		{"PUT", "/i/_doc/7", `{"k":"x"}`, 200, map[string]any{"_version": 2, "_primary_term": 2}},
		{"GET", "/i/_mapping", "", 200, map[string]any{"i.mappings.properties.more.properties.text.type": "text"}},
	})
	if err := c.Stop("nobody"); !errors.Is(err, search.ErrUnknownNode) {
		t.Errorf("stopping a node that is not there: %v", err)
	}
}

func TestNodesComeAndGo(t *testing.T) {
	c := newCluster(t, 1)
	c.must("PUT", "/i", `{"settings":{"number_of_replicas":1}}`)
	c.must("PUT", "/i/_doc/1", `{"v":1}`)
	c.health("yellow", 1, 1)
	two := append(c.nodes, search.Node{ID: "n1", Zone: "z1", Data: true}, search.Node{ID: "n2", Zone: "z0", Data: true})
	c.try(c.SetNodes(context.Background(), two))
	c.health("green", 2, 0)
	if _, text := c.sendTo("n0", "GET", "/_cat/shards?h=node,prirep&s=node", ""); string(text) != "n0 p\nn1 r\n" {
		t.Errorf("the replica is not in the other zone:\n%s", text)
	}
	c.try(c.SetNodes(context.Background(), two[1:])) // the primary's node leaves
	c.health("green", 2, 0)
	c.try(c.SetNodes(context.Background(), two))
	c.steps([]step{
		{"GET", "/i/_doc/1", "", 200, nil},
		{"PUT", "/i/_settings", `{"index":{"number_of_replicas":2}}`, 200, nil},
		{"GET", "/_cluster/health/i", "", 200, map[string]any{"status": "green", "active_shards": 3, "active_primary_shards": 1, "number_of_data_nodes": 3}},
		{"PUT", "/i/_settings", `{"number_of_replicas":0}`, 200, nil},
		{"GET", "/_cluster/health", "", 200, map[string]any{"status": "green", "active_shards": 1}},
		{"GET", "/i/_doc/1", "", 200, nil},
	})
	if err := c.SetNodes(context.Background(), []search.Node{{ID: "../x"}}); err == nil {
		t.Error("a node ID that is a path was taken")
	}
}

// TestWritesWhileNodesFlap writes from several clients while nodes are lost and come back: what was acknowledged is there, on each node alone.
func TestWritesWhileNodesFlap(t *testing.T) {
	c := newCluster(t, 3)
	c.must("PUT", "/i", `{"settings":{"number_of_shards":2,"number_of_replicas":2}}`)
	var stop atomic.Bool
	var writers sync.WaitGroup
	acknowledged := make([]map[string]bool, 4)
	for w := range acknowledged {
		acknowledged[w] = map[string]bool{}
		writers.Go(func() {
			for i := 0; !stop.Load(); i++ {
				id := fmt.Sprintf("%d-%d", w, i)
				status, text, err := c.exchange("n0", "PUT", "/i/_create/"+id, `{"n":1}`)
				if err != nil || status != 201 {
					t.Errorf("a write failed: %d %s %v", status, text, err)
					return
				}
				acknowledged[w][id] = true
			}
		})
	}
	for range 3 {
		for _, node := range []string{"n1", "n2"} {
			c.try(c.Stop(node))
			c.try(c.Start(node))
		}
	}
	stop.Store(true)
	writers.Wait()
	c.health("green", 6, 0)
	c.try(c.Stop("n0"))
	c.try(c.Stop("n1"))
	n := 0
	for _, ids := range acknowledged {
		for id := range ids {
			n++
			if status, text := c.sendTo("n2", "GET", "/i/_doc/"+id, ""); status != 200 {
				t.Fatalf("acknowledged document %s: %d %s", id, status, text)
			}
		}
	}
	if n == 0 {
		t.Error("nothing was written")
	}
	if _, text := c.sendTo("n2", "GET", "/i/_search?size=0&track_total_hits=true", ""); !strings.Contains(string(text), fmt.Sprintf(`"value":%d`, n)) {
		_, _ = c.sendTo("n2", "POST", "/i/_refresh", "")
		if _, text := c.sendTo("n2", "GET", "/i/_search?size=0&track_total_hits=true", ""); !strings.Contains(string(text), fmt.Sprintf(`"value":%d`, n)) {
			t.Errorf("of %d acknowledged documents the search finds %s", n, text)
		}
	}
}

// TestDamagedIndex shows that a full-text index is made again from the store, which has all documents.
func TestDamagedIndex(t *testing.T) {
	c := newCluster(t, 1)
	for i := range 5 {
		c.must("PUT", fmt.Sprintf("/i/_doc/%d", i), `{"name":"chair"}`)
	}
	c.must("POST", "/i/_refresh", "")
	c.try(c.Close())
	found, err := filepath.Glob(filepath.Join(c.dir, "nodes", "n0", "*", "0", "index", "root.bolt"))
	if err != nil || len(found) != 1 {
		t.Fatalf("the index's file: %v %v", found, err)
	}
	c.try(os.WriteFile(found[0], []byte("damaged"), 0o600))
	c.open()
	c.steps([]step{
		{"GET", "/i/_search?q=name:chair", "", 200, map[string]any{"hits.total.value": 5}},
		{"PUT", "/i/_doc/9?refresh=true", `{"name":"chair"}`, 201, nil},
		{"GET", "/i/_count", "", 200, map[string]any{"count": 6}},
	})
}
