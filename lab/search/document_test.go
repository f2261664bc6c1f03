package search_test

import (
	"fmt"
	"testing"
)

// step is a request and what it must be answered: the status, and values at paths of the answer.
type step struct {
	method, path, body string
	status             int
	want               map[string]any
}

func (c *cluster) steps(steps []step) {
	c.Helper()
	for _, s := range steps {
		status, out := c.send(s.method, s.path, s.body)
		if status != s.status {
			c.Errorf("%s %s %s: status %d, want %d: %s", s.method, s.path, s.body, status, s.status, compact(out))
			continue
		}
		for path, want := range s.want {
			if got := at(out, path); fmt.Sprint(got) != fmt.Sprint(want) {
				c.Errorf("%s %s %s: %s is %v, want %v, in %s", s.method, s.path, s.body, path, got, want, compact(out))
			}
		}
	}
}

func TestDocuments(t *testing.T) {
	c := newCluster(t, 2)
	conflict := map[string]any{"error.type": "version_conflict_engine_exception", "error.root_cause.0.type": "version_conflict_engine_exception", "error.index": "d", "status": 409}
	c.steps([]step{
		{"PUT", "/d/_doc/1", `{"name":"chair","price":10}`, 201, map[string]any{"_index": "d", "_type": "_doc", "_id": "1", "_version": 1, "result": "created", "_seq_no": 0, "_primary_term": 1, "_shards.total": 2, "_shards.successful": 2, "_shards.failed": 0}},
		{"GET", "/d/_doc/1", "", 200, map[string]any{"found": true, "_source.name": "chair", "_version": 1, "_seq_no": 0}},
		{"HEAD", "/d/_doc/1", "", 200, nil},
		{"HEAD", "/d/_doc/2", "", 404, nil},
		{"GET", "/d/_doc/2", "", 404, map[string]any{"found": false}},
		{"GET", "/d/_source/1", "", 200, map[string]any{"name": "chair"}},
		{"GET", "/d/_doc/1?_source_includes=pr*", "", 200, map[string]any{"_source": map[string]any{"price": 10}}},
		{"GET", "/d/_doc/1?_source=false", "", 200, map[string]any{"_source": nil}},
		{"PUT", "/d/_doc/1", `{"name":"table","price":20}`, 200, map[string]any{"_version": 2, "result": "updated", "_seq_no": 1}},
		{"PUT", "/d/_create/1", `{"name":"x"}`, 409, conflict},
		{"PUT", "/d/_doc/1?op_type=create", `{"name":"x"}`, 409, conflict},
		{"PUT", "/d/_doc/1?if_seq_no=0&if_primary_term=1", `{"name":"x"}`, 409, conflict},
		{"PUT", "/d/_doc/1?if_seq_no=1&if_primary_term=1", `{"name":"sofa"}`, 200, map[string]any{"_version": 3}},
		{"POST", "/d/_update/1", `{"doc":{"price":5}}`, 200, map[string]any{"_version": 4, "result": "updated"}},
		{"POST", "/d/_update/1", `{"doc":{"price":5}}`, 200, map[string]any{"_version": 4, "result": "noop"}},
		{"GET", "/d/_doc/1", "", 200, map[string]any{"_source.name": "sofa", "_source.price": 5}},
		{"POST", "/d/_update/9", `{"doc":{"price":5}}`, 404, map[string]any{"error.type": "document_missing_exception"}},
		{"POST", "/d/_update/9", `{"doc":{"price":5},"doc_as_upsert":true}`, 201, map[string]any{"result": "created"}},
		{"DELETE", "/d/_doc/1", "", 200, map[string]any{"result": "deleted", "_version": 5}},
		{"DELETE", "/d/_doc/1", "", 404, map[string]any{"result": "not_found", "_version": 6}},
		{"GET", "/d/_doc/1", "", 404, nil},
		{"PUT", "/d/_doc/e?version=7&version_type=external", `{}`, 201, map[string]any{"_version": 7}},
		{"PUT", "/d/_doc/e?version=7&version_type=external", `{}`, 409, conflict},
		{"PUT", "/d/_doc/e?version=7&version_type=external_gte", `{}`, 200, nil},
		{"DELETE", "/d/_doc/e?version=9&version_type=external", "", 200, map[string]any{"_version": 9}},
		{"PUT", "/d/_doc/e?version=8&version_type=external", `{}`, 409, conflict},
		{"PUT", "/d/_doc/e?version=3", `{}`, 400, map[string]any{"error.type": "action_request_validation_exception"}},
		{"POST", "/d/_doc", `{"a":1}`, 201, map[string]any{"result": "created"}},
		{"PUT", "/d/_doc/r?routing=x", `{"a":1}`, 201, nil},
		{"GET", "/d/_doc/r?routing=x", "", 200, map[string]any{"_routing": "x"}},
		{"POST", "/d/_mget", `{"ids":["r","nope"]}`, 200, map[string]any{"docs.0.found": true, "docs.1.found": false}},
		{"POST", "/_mget", `{"docs":[{"_index":"none","_id":"1"}]}`, 200, map[string]any{"docs.0.error.type": "index_not_found_exception"}},
		{"PUT", "/d/_doc/2", `{"price":"abc"}`, 400, map[string]any{"error.type": "mapper_parsing_exception", "error.caused_by.type": "illegal_argument_exception"}},
		{"PUT", "/d/_doc/2", `[1]`, 400, map[string]any{"error.type": "mapper_parsing_exception"}},
		{"PUT", "/d/_doc/2", ``, 400, nil},
		{"PUT", "/d/_doc/2?refesh=true", `{}`, 400, map[string]any{"error.type": "illegal_argument_exception"}},
		{"GET", "/none/_doc/1", "", 404, map[string]any{"error.type": "index_not_found_exception", "error.index": "none", "error.resource.id": nil}},
		{"DELETE", "/none/_doc/1", "", 404, map[string]any{"error.type": "index_not_found_exception"}},
		{"PUT", "/Upper/_doc/1", `{}`, 400, map[string]any{"error.type": "invalid_index_name_exception"}},
		{"POST", "/d/_delete_by_query?refresh=true", `{"query":{"match_all":{}}}`, 200, map[string]any{"deleted": 0}}, // nothing was refreshed
		{"POST", "/d/_refresh", "", 200, map[string]any{"_shards.total": 2, "_shards.successful": 2}},
		{"POST", "/d/_delete_by_query?refresh=true", `{"query":{"term":{"a":1}}}`, 200, map[string]any{"deleted": 2, "version_conflicts": 0}},
		{"GET", "/d/_count", "", 200, map[string]any{"count": 1}},
	})
}

func TestBulk(t *testing.T) {
	c := newCluster(t, 2)
	out := c.must("POST", "/_bulk?refresh=true", `{"index":{"_index":"b","_id":"1"}}
{"n":1}
{"create":{"_index":"b","_id":"1"}}
{"n":2}
{"update":{"_index":"b","_id":"1"}}
{"doc":{"m":3}}
{"delete":{"_index":"b","_id":"7"}}
{"index":{"_index":"b","_id":"2","version":5,"version_type":"external"}}
{"n":"two"}
{"index":{"_index":"b","_id":"3","version":5,"version_type":"external"}}
{"n":3}
`)
	want := []string{"index 201", "create 409", "update 200", "delete 404", "index 400", "index 201"}
	if out["errors"] != true {
		t.Errorf("errors: %v", out)
	}
	for i, w := range want {
		for action, v := range at(out, fmt.Sprintf("items.%d", i)).(map[string]any) {
			if got := fmt.Sprint(action, " ", at(v, "status")); got != w {
				t.Errorf("item %d: %s, want %s: %s", i, got, w, compact(v))
			}
		}
	}
	c.steps([]step{
		{"GET", "/b/_doc/1", "", 200, map[string]any{"_source.n": 1, "_source.m": 3, "_version": 2}},
		{"GET", "/b/_doc/3", "", 200, map[string]any{"_version": 5}},
		{"GET", "/b/_count", "", 200, map[string]any{"count": 2}},
		{"POST", "/b/_bulk", `{"index":{}}`, 400, map[string]any{"error.type": "illegal_argument_exception"}},
		{"POST", "/b/_bulk", "{\"index\":{}}\n", 400, nil},
		{"POST", "/b/_bulk", "{\"upsert\":{}}\n{}\n", 400, nil},
		{"POST", "/b/_bulk", "{\"index\":{\"_idd\":1}}\n{}\n", 400, nil},
		{"POST", "/_bulk", "{\"index\":{}}\n{}\n", 400, nil},
	})
}
