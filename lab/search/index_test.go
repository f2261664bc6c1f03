package search_test

import (
	"strings"
	"testing"
)

func TestIndices(t *testing.T) {
	c := newCluster(t, 2)
	c.steps([]step{
		{"PUT", "/orders", `{"settings":{"index":{"number_of_shards":"2"},"refresh_interval":"100ms"},"mappings":{"dynamic":"strict","properties":{"id":{"type":"keyword"}}},"aliases":{"o":{}}}`, 200,
			map[string]any{"acknowledged": true, "shards_acknowledged": true, "index": "orders"}},
		{"PUT", "/orders", ``, 400, map[string]any{"error.type": "resource_already_exists_exception", "error.index": "orders"}},
		{"HEAD", "/orders", "", 200, nil},
		{"HEAD", "/nope", "", 404, nil},
		{"GET", "/orders", "", 200, map[string]any{"orders.settings.index.number_of_shards": "2", "orders.settings.index.number_of_replicas": "1", "orders.settings.index.refresh_interval": "100ms", "orders.mappings.dynamic": "strict", "orders.mappings.properties.id.type": "keyword", "orders.aliases.o": map[string]any{}}},
		{"PUT", "/orders/_doc/1", `{"id":"a","x":1}`, 400, map[string]any{"error.type": "strict_dynamic_mapping_exception"}},
		{"PUT", "/orders/_mapping", `{"properties":{"x":{"type":"long"},"id":{"type":"keyword"}}}`, 200, map[string]any{"acknowledged": true}},
		{"PUT", "/orders/_doc/1", `{"id":"a","x":1}`, 201, nil},
		{"PUT", "/orders/_mapping", `{"properties":{"x":{"type":"text"}}}`, 400, map[string]any{"error.reason": "mapper [x] cannot be changed from type [long] to [text]"}},
		{"PUT", "/orders/_mapping", `{"properties":{"y":{"type":"nested"}}}`, 400, map[string]any{"error.type": "mapper_parsing_exception", "error.reason": "No handler for type [nested] declared on field [y]"}},
		{"PUT", "/orders/_mapping", `{"properties":{"y":{"type":"text","copy_to":"z"}}}`, 400, map[string]any{"error.type": "mapper_parsing_exception"}},
		{"PUT", "/orders/_settings", `{"index":{"number_of_shards":3}}`, 400, map[string]any{"error.type": "illegal_argument_exception"}},
		{"PUT", "/orders/_settings", `{"index":{"max_result_window":3}}`, 400, map[string]any{"error.type": "illegal_argument_exception"}},
		{"PUT", "/bad", `{"settings":{"number_of_shards":0}}`, 400, nil},
		{"PUT", "/bad", `{"setings":{}}`, 400, map[string]any{"error.type": "parsing_exception"}},
		{"PUT", "/_bad", ``, 400, nil},
		{"PUT", "/Bad", ``, 400, map[string]any{"error.type": "invalid_index_name_exception"}},
		{"PUT", "/b%23d", ``, 400, map[string]any{"error.type": "invalid_index_name_exception"}},
		{"PUT", "/o", ``, 400, map[string]any{"error.type": "invalid_index_name_exception"}},

		// Aliases.
		{"PUT", "/orders-2", ``, 200, nil},
		{"POST", "/_aliases", `{"actions":[{"add":{"index":"orders-2","alias":"o","is_write_index":true}},{"add":{"index":"orders*","alias":"all"}}]}`, 200, nil},
		{"PUT", "/o/_doc/2", `{"id":"b"}`, 201, map[string]any{"_index": "orders-2"}},
		{"PUT", "/all/_doc/2", `{"id":"b"}`, 400, map[string]any{"error.type": "illegal_argument_exception"}},
		{"GET", "/_alias/all", "", 200, map[string]any{"orders.aliases.all": map[string]any{}, "orders-2.aliases.all": map[string]any{}}},
		{"GET", "/_alias/nope", "", 404, nil},
		{"POST", "/_aliases", `{"actions":[{"remove":{"index":"orders","alias":"o"}},{"add":{"index":"missing","alias":"o"}}]}`, 404, nil},
		{"GET", "/orders/_alias/o", "", 200, nil}, // all or nothing
		{"DELETE", "/orders/_alias/o", "", 200, nil},
		{"POST", "/_aliases", `{"actions":[{"add":{"index":"orders","alias":"f","filter":{}}}]}`, 400, map[string]any{"error.type": "parsing_exception"}},
		{"DELETE", "/o", "", 400, nil},

		// Templates.
		{"PUT", "/_template/t", `{"index_patterns":["log-*"],"settings":{"number_of_replicas":0},"mappings":{"properties":{"m":{"type":"keyword"}}}}`, 200, nil},
		{"PUT", "/log-1/_doc/1", `{"m":"x"}`, 201, map[string]any{"_shards.total": 1}},
		{"GET", "/log-1/_mapping", "", 200, map[string]any{"log-1.mappings.properties.m.type": "keyword"}},
		{"DELETE", "/_template/t", "", 200, nil},
		{"GET", "/_template/t", "", 404, nil},

		{"POST", "/_refresh", "", 200, nil},
		{"GET", "/_stats", "", 200, map[string]any{"indices.orders.total.docs.count": 1}},
		{"DELETE", "/log-*,orders-2", "", 200, nil},
		{"GET", "/_cat/indices?format=json", "", 200, nil},
		{"DELETE", "/log-1", "", 404, map[string]any{"error.type": "index_not_found_exception"}},
	})
	if _, text := c.sendTo("n0", "GET", "/_cat/indices?h=health,index,pri,rep,docs.count&v=true", ""); string(text) != "health index  pri rep docs.count\ngreen  orders 2   1   1\n" {
		t.Errorf("indices:\n%s", text)
	}
}

func TestDynamicMapping(t *testing.T) {
	c := newCluster(t, 1)
	c.steps([]step{
		{"PUT", "/d/_doc/1", `{"s":"text","n":1,"f":1.5,"b":true,"at":"2026-01-01T00:00:00Z","o":{"k":"v","l":[{"a":1},{"z":"q"}]},"list":[null,"x"],"none":null,"empty":[]}`, 201, nil},
		{"GET", "/d/_mapping", "", 200, map[string]any{
			"d.mappings.properties.s": map[string]any{"type": "text", "fields": map[string]any{"keyword": map[string]any{"type": "keyword", "ignore_above": 256.0}}},
			"d.mappings.properties.n": map[string]any{"type": "long"}, "d.mappings.properties.f.type": "float", "d.mappings.properties.b.type": "boolean",
			"d.mappings.properties.at.type": "date", "d.mappings.properties.o.properties.k.type": "text", "d.mappings.properties.list.type": "text",
			"d.mappings.properties.o.properties.l.properties.a.type": "long", "d.mappings.properties.o.properties.l.properties.z.type": "text",
			"d.mappings.properties.none": nil, "d.mappings.properties.empty": nil}},
		{"PUT", "/d/_doc/2", `{"n":"12","s":5,"b":"false"}`, 201, nil},
		{"PUT", "/d/_doc/3", `{"n":{"x":1}}`, 400, map[string]any{"error.type": "mapper_parsing_exception"}},
		{"PUT", "/d/_doc/3", `{"o":"x"}`, 400, map[string]any{"error.type": "mapper_parsing_exception"}},
		{"PUT", "/d/_doc/3", `{"n":99999999999999999999}`, 400, map[string]any{"error.type": "mapper_parsing_exception"}},
		{"PUT", "/d/_doc/3", `{"at":"soon"}`, 400, map[string]any{"error.type": "mapper_parsing_exception"}},
		{"PUT", "/d/_doc/3", "{\"s\":\"\xff\"}", 400, map[string]any{"error.type": "mapper_parsing_exception"}},
		{"GET", "/d/_count", "", 200, nil},
	})
}

func TestRefresh(t *testing.T) {
	c := newCluster(t, 2)
	c.must("PUT", "/fast", `{"settings":{"refresh_interval":"10ms"}}`)
	c.must("PUT", "/never", `{"settings":{"refresh_interval":"-1"}}`)
	c.must("PUT", "/never/_doc/1", `{}`)
	c.must("PUT", "/fast/_doc/1", `{}`)
	eventually(t, "the document can be found", func() bool { return at(c.must("GET", "/fast/_count", ""), "count") == 1.0 })
	c.must("PUT", "/fast/_doc/2?refresh=wait_for", `{}`)
	for _, node := range []string{"n0", "n1"} {
		if _, text := c.sendTo(node, "GET", "/fast/_count", ""); !strings.Contains(string(text), `"count":2`) {
			t.Errorf("after wait_for node %s counts %s", node, text)
		}
	}
	c.steps([]step{
		{"GET", "/never/_count", "", 200, map[string]any{"count": 0}},
		{"PUT", "/never/_doc/2?refresh=true", `{}`, 201, map[string]any{"forced_refresh": true}},
		{"GET", "/never/_count", "", 200, map[string]any{"count": 2}},
		{"PUT", "/never/_doc/3?refresh=soon", `{}`, 400, nil},
	})
	// What a search shows of a document is what was refreshed, also when there is something newer.
	c.must("PUT", "/never/_doc/1", `{"v":2}`)
	c.must("DELETE", "/never/_doc/2", "")
	c.steps([]step{{"GET", "/never/_search?version=true&sort=_doc", "", 200, map[string]any{"hits.total.value": 2, "hits.hits.0._version": 1}}})
}

func TestClusterAPI(t *testing.T) {
	c := newCluster(t, 2)
	c.must("PUT", "/i/_doc/1?refresh=true", `{}`)
	c.steps([]step{
		{"GET", "/", "", 200, map[string]any{"name": "n0", "cluster_name": "shop", "version.number": "7.10.2", "version.build_flavor": "oss", "tagline": "You Know, for Search"}},
		{"GET", "/_cluster/health?wait_for_status=green&timeout=5s", "", 200, map[string]any{"status": "green", "number_of_nodes": 2, "active_shards": 2, "timed_out": false, "active_shards_percent_as_number": 100}},
		{"GET", "/_cluster/state", "", 200, map[string]any{"master_node": "n0", "metadata.indices.i.state": "open"}},
		{"GET", "/_cluster/settings", "", 200, map[string]any{"persistent": map[string]any{}}},
		{"PUT", "/_cluster/settings", "{}", 405, nil},
		{"GET", "/_nodes", "", 200, map[string]any{"_nodes.total": 2, "nodes.n1.version": "7.10.2"}},
		{"GET", "/_nodes/stats", "", 200, map[string]any{"nodes.n1.indices.docs.count": 1}},
		{"GET", "/_nope", "", 400, map[string]any{"error": "no handler found for uri [/_nope] and method [GET]"}},
		{"GET", "/_cluster/health?wat=1", "", 400, map[string]any{"error.type": "illegal_argument_exception", "status": 400}},
	})
	for path, want := range map[string]string{
		"/_cat/nodes":                           "n0 dim * z0\nn1 dim - z1\n",
		"/_cat/count?h=count":                   "1\n",
		"/_cat/health?h=status,node.total&v":    "status node.total\ngreen  2\n",
		"/_cat/shards?h=index,shard,state":      "i 0 STARTED\ni 0 STARTED\n",
		"/_cat/aliases":                         "",
		"/_cat/indices?format=json&h=index,pri": `[{"index":"i","pri":"1"}]` + "\n",
	} {
		if _, text := c.sendTo("n0", "GET", path, ""); string(text) != want {
			t.Errorf("%s:\n%s, want\n%s", path, text, want)
		}
	}
}
