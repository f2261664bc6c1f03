package search_test

import (
	"fmt"
	"strings"
	"testing"
)

// shop fills an index with three shards, so that what is found comes from several.
func shop(t *testing.T) *cluster {
	c := newCluster(t, 2)
	c.must("PUT", "/p", `{"settings":{"number_of_shards":3},"mappings":{"properties":{
		"name":{"type":"text","fields":{"raw":{"type":"keyword"}}},"brand":{"type":"keyword"},"price":{"type":"double"},"stock":{"type":"integer"},
		"sold":{"type":"boolean"},"at":{"type":"date"},"hidden":{"type":"keyword","index":false},"seller":{"properties":{"city":{"type":"keyword"}}}}}}`)
	c.must("POST", "/p/_bulk?refresh=true", strings.Join([]string{
		`{"index":{"_id":"1"}}`, `{"name":"Red wooden chair","brand":"oak","price":49.5,"stock":3,"sold":true,"at":"2026-01-05T10:00:00Z","seller":{"city":"Bonn"}}`,
		`{"index":{"_id":"2"}}`, `{"name":"Blue wooden table","brand":"oak","price":120,"stock":0,"sold":false,"at":"2026-01-20"}`,
		`{"index":{"_id":"3"}}`, `{"name":"Red metal lamp","brand":"glow","price":15.25,"stock":10,"at":"2026-02-01","seller":{"city":"Köln"}}`,
		`{"index":{"_id":"4"}}`, `{"name":"Wooden wooden bench","brand":"Elm","price":80,"stock":10,"sold":true,"at":"2026-03-01"}`,
		`{"index":{"_id":"5"}}`, `{"name":"Chair cushion","price":9.99,"stock":100,"hidden":"x"}`, ""}, "\n"))
	return c
}

func TestQueries(t *testing.T) {
	c := shop(t)
	for _, q := range []struct{ query, want string }{
		{`{"match_all":{}}`, "1 2 3 4 5"},
		{`{"match_none":{}}`, ""},
		{`{"match":{"name":"red chair"}}`, "1 3 5"},
		{`{"match":{"name":{"query":"red chair","operator":"and"}}}`, "1"},
		{`{"match":{"name":{"query":"red wooden chair","minimum_should_match":2}}}`, "1"},
		{`{"match":{"name":{"query":"chiar","fuzziness":"AUTO"}}}`, "1 5"}, // two letters that changed places are one difference
		{`{"match":{"name":{"query":"chaix","fuzziness":"AUTO"}}}`, "1 5"},
		{`{"match":{"name.raw":"Chair cushion"}}`, "5"},
		{`{"match":{"price":"120"}}`, "2"},
		{`{"match_phrase":{"name":"wooden chair"}}`, "1"},
		{`{"match_phrase":{"name":"chair wooden"}}`, ""},
		{`{"multi_match":{"query":"oak red","fields":["name^2","brand"]}}`, "1 3"},
		{`{"term":{"brand":"oak"}}`, "1 2"},
		{`{"term":{"brand":{"value":"Elm","boost":2}}}`, "4"},
		{`{"term":{"name":"Chair"}}`, ""},
		{`{"term":{"sold":true}}`, "1 4"},
		{`{"term":{"price":49.5}}`, "1"},
		{`{"term":{"_id":"3"}}`, "3"},
		{`{"terms":{"brand":["glow","Elm"]}}`, "3 4"},
		{`{"terms":{"stock":[0,3]}}`, "1 2"},
		{`{"range":{"price":{"gte":15.25,"lt":80}}}`, "1 3"},
		{`{"range":{"stock":{"gt":10}}}`, "5"},
		{`{"range":{"brand":{"gte":"glow"}}}`, "1 2 3"},
		{`{"range":{"at":{"gte":"2026-01-20","lte":"2026-02-01"}}}`, "2 3"},
		{`{"range":{"at":{"gt":"2026-01-20"}}}`, "3 4"},
		{`{"range":{"at":{"gte":"2026-02-15||/M","lt":"2026-02-15||+1M/M"}}}`, "3"},
		{`{"range":{"at":{"lt":"now-10000d"}}}`, ""},
		{`{"prefix":{"brand":"o"}}`, "1 2"},
		{`{"wildcard":{"brand":"*l*"}}`, "3 4"},
		{`{"wildcard":{"name":{"value":"w?oden"}}}`, "1 2 4"},
		{`{"fuzzy":{"brand":"oaks"}}`, "1 2"},
		{`{"exists":{"field":"brand"}}`, "1 2 3 4"},
		{`{"exists":{"field":"seller"}}`, "1 3"},
		{`{"ids":{"values":["5","1","9"]}}`, "1 5"},
		{`{"term":{"seller.city":"Köln"}}`, "3"},
		{`{"constant_score":{"filter":{"term":{"brand":"oak"}}}}`, "1 2"},
		{`{"dis_max":{"queries":[{"term":{"brand":"oak"}},{"match":{"name":"lamp"}}]}}`, "1 2 3"},
		{`{"bool":{"must":{"match":{"name":"wooden"}},"must_not":[{"term":{"brand":"oak"}}]}}`, "4"},
		{`{"bool":{"filter":[{"range":{"stock":{"gte":3}}}],"should":[{"match":{"name":"red"}}]}}`, "1 3 4 5"},
		{`{"bool":{"should":[{"match":{"name":"red"}},{"term":{"brand":"oak"}},{"term":{"stock":3}}],"minimum_should_match":2}}`, "1"},
		{`{"bool":{"must_not":{"exists":{"field":"brand"}}}}`, "5"},
		{`{"bool":{}}`, "1 2 3 4 5"},
		{`{"query_string":{"query":"red AND name:chair"}}`, "1"},
		{`{"query_string":{"query":"wooden -brand:oak"}}`, "4"},
		{`{"query_string":{"query":"+wooden +(chair OR table)","default_field":"name"}}`, "1 2"},
		{`{"query_string":{"query":"\"metal lamp\" OR brand:Elm"}}`, "3 4"},
		{`{"query_string":{"query":"price:[15 TO 50] AND NOT stock:>5"}}`, "1"},
		{`{"query_string":{"query":"cush*"}}`, "5"},
		{`{"query_string":{"query":"brand:*"}}`, "1 2 3 4"},
		{`{"query_string":{"query":"_exists_:seller.city"}}`, "1 3"},
		{`{"query_string":{"query":"red chair","default_operator":"AND"}}`, "1"},
		{`{"simple_query_string":{"query":"red + chair"}}`, "1"},
		{`{"simple_query_string":{"query":"lamp | table","fields":["name"]}}`, "2 3"},
		{`{"simple_query_string":{"query":"wooden -table","default_operator":"and"}}`, "1 4"},
		{`{"simple_query_string":{"query":"\"unclosed (("}}`, ""},
	} {
		out := c.must("POST", "/p/_search", `{"query":`+q.query+`,"sort":[{"at":{"order":"asc","missing":"_last"}}]}`)
		if got := ids(out); got != q.want {
			t.Errorf("%s: found %q, want %q", q.query, got, q.want)
		}
		if n := at(out, "hits.total.value"); fmt.Sprint(n) != fmt.Sprint(len(strings.Fields(q.want))) {
			t.Errorf("%s: total %v", q.query, n)
		}
		count := c.must("POST", "/p/_count", `{"query":`+q.query+`}`)
		if fmt.Sprint(count["count"]) != fmt.Sprint(len(strings.Fields(q.want))) {
			t.Errorf("%s: count %v", q.query, count)
		}
	}
}

func TestRefusedQueries(t *testing.T) {
	c := shop(t)
	for _, q := range []struct {
		body, kind string
	}{
		{`{"query":{"nested":{"path":"a"}}}`, "parsing_exception"},
		{`{"query":{"match":{"name":{"query":"a","slop":1}}}}`, "parsing_exception"},
		{`{"query":{"match":{}}}`, "parsing_exception"},
		{`{"query":{"match":{"name":["a"]}}}`, "parsing_exception"},
		{`{"query":{"term":{"brand":"a","name":"b"}}}`, "parsing_exception"},
		{`{"query":{"terms":{"brand":"oak"}}}`, "parsing_exception"},
		{`{"query":{"range":{"price":{"gte":"abc"}}}}`, "search_phase_execution_exception"},
		{`{"query":{"term":{"stock":"abc"}}}`, "search_phase_execution_exception"},
		{`{"query":{"range":{"at":{"gte":"yesterday"}}}}`, "search_phase_execution_exception"},
		{`{"query":{"term":{"hidden":"x"}}}`, "search_phase_execution_exception"},
		{`{"query":{"query_string":{"query":"a AND"}}}`, "query_shard_exception"},
		{`{"query":{"query_string":{"query":"(a"}}}`, "query_shard_exception"},
		{`{"query":{"bool":{"musst":[]}}}`, "parsing_exception"},
		{`{"query":{}}`, "illegal_argument_exception"},
		{`{"query":[]}`, "parsing_exception"},
		{`{"qwery":{}}`, "parsing_exception"},
		{`{"highlight":{"fields":{"name":{}}}}`, "parsing_exception"},
		{`{"from":9999,"size":2}`, "search_phase_execution_exception"},
		{`{"size":-1}`, "illegal_argument_exception"},
		{`{"sort":["name"]}`, "search_phase_execution_exception"},
		{`{"sort":["nope"]}`, "search_phase_execution_exception"},
		{`{"sort":[{"price":"up"}]}`, "illegal_argument_exception"},
		{`{"sort":["price"],"search_after":[1,2]}`, "illegal_argument_exception"},
		{`{"sort":["price"],"search_after":["x"]}`, "search_phase_execution_exception"},
		{`{"search_after":[1]}`, "illegal_argument_exception"},
		{`{"aggs":{"a":{"terms":{"field":"name"}}}}`, "search_phase_execution_exception"},
		{`{"aggs":{"a":{"percentiles":{"field":"price"}}}}`, "parsing_exception"},
		{`{"aggs":{"a":{"sum":{"field":"price"},"aggs":{"b":{"sum":{"field":"price"}}}}}}`, "aggregation_initialization_exception"},
		{`{"aggs":{"a":{"terms":{"field":"brand","sise":1}}}}`, "parsing_exception"},
		{`{"aggs":{"a":{"terms":{"field":"brand","size":0}}}}`, "illegal_argument_exception"},
		{`{`, "parsing_exception"},
	} {
		status, out := c.send("POST", "/p/_search", q.body)
		if status != 400 || at(out, "error.type") != q.kind || at(out, "error.root_cause.0.type") == nil {
			t.Errorf("%s: %d %v, want 400 %s: %s", q.body, status, at(out, "error.type"), q.kind, compact(out))
		}
	}
	c.steps([]step{
		{"GET", "/p/_search?typed_keys=true", "", 400, map[string]any{"error.type": "illegal_argument_exception"}},
		{"PUT", "/p/_doc/1?wait_for_active_shards=all", "{}", 400, map[string]any{"error.type": "illegal_argument_exception"}},
		{"GET", "/p/_search?routing=1", "", 200, map[string]any{"_shards.total": 1}},
		{"GET", "/p/_search?scroll=1m", "", 400, map[string]any{"error.type": "illegal_argument_exception"}},
		{"POST", "/_search/scroll", "{}", 400, map[string]any{"error": "no handler found for uri [/_search/scroll] and method [POST]"}},
		{"GET", "/none/_search", "", 404, map[string]any{"error.type": "index_not_found_exception"}},
		{"GET", "/none*/_search", "", 200, map[string]any{"hits.total.value": 0}},
		{"GET", "/p,none/_search?ignore_unavailable=true", "", 200, map[string]any{"hits.total.value": 5}},
		{"DELETE", "/p/_search", "", 405, nil},
	})
}

func TestSortPagingAndSource(t *testing.T) {
	c := shop(t)
	for _, s := range []struct{ body, want string }{
		{`{"sort":[{"price":"desc"}]}`, "2 4 1 3 5"},
		{`{"sort":["stock",{"price":"desc"}]}`, "2 1 4 3 5"},
		{`{"sort":[{"brand":{"order":"asc"}},"at"]}`, "4 3 1 2 5"},
		{`{"sort":[{"brand":{"order":"desc","missing":"_first"}},"price"]}`, "5 1 2 3 4"},
		{`{"sort":["price"],"from":1,"size":2}`, "3 1"},
		{`{"sort":["price"],"size":0}`, ""},
		{`{"sort":["stock","price"],"size":2,"search_after":[3,49.5]}`, "3 4"},
		{`{"sort":[{"at":"desc"}],"size":2,"search_after":[1769904000000]}`, "2 1"},
		{`{"sort":[{"nope":{"unmapped_type":"long"}},"price"]}`, "5 3 1 4 2"},
		{`{"query":{"bool":{"should":[{"constant_score":{"filter":{"term":{"brand":"oak"}},"boost":3}},{"match_all":{}}]}},"min_score":4,"sort":["_score","price"]}`, "1 2"},
	} {
		if got := ids(c.must("POST", "/p/_search", s.body)); got != s.want {
			t.Errorf("%s: %q, want %q", s.body, got, s.want)
		}
	}
	c.steps([]step{
		{"POST", "/p/_search", `{"sort":[{"at":"asc"}],"_source":["name"],"version":true,"seq_no_primary_term":true,"size":1}`, 200,
			map[string]any{"hits.hits.0._source": map[string]any{"name": "Red wooden chair"}, "hits.hits.0.sort.0": 1767607200000.0, "hits.hits.0._version": 1, "hits.hits.0._primary_term": 1, "hits.max_score": nil, "hits.hits.0._score": nil}},
		{"GET", "/p/_search?q=name:lamp&_source=false", "", 200, map[string]any{"hits.total.value": 1, "hits.total.relation": "eq", "hits.hits.0._source": nil}},
		{"GET", "/p/_search?sort=price:desc&size=1&track_total_hits=2", "", 200, map[string]any{"hits.total.value": 2, "hits.total.relation": "gte", "hits.hits.0._id": "2"}},
		{"GET", "/p/_search?rest_total_hits_as_int=true", "", 200, map[string]any{"hits.total": 5, "_shards.total": 3, "_shards.successful": 3}},
		{"POST", "/_msearch", "{\"index\":\"p\"}\n{\"query\":{\"match\":{\"name\":\"lamp\"}}}\n{\"index\":\"none\"}\n{}\n", 200, map[string]any{"responses.0.hits.total.value": 1, "responses.1.status": 404}},
		{"POST", "/_analyze", `{"text":"The QUICK fox!"}`, 200, map[string]any{"tokens.0.token": "the", "tokens.1.token": "quick", "tokens.2.token": "fox", "tokens.2.position": 2}},
	})
}

func TestAggregations(t *testing.T) {
	c := shop(t)
	c.steps([]step{{"POST", "/p/_search?size=0", `{"aggs":{
		"brands":{"terms":{"field":"brand"},"aggs":{"total":{"sum":{"field":"price"}}}},
		"rich":{"terms":{"field":"brand","order":{"total":"desc"},"size":1},"aggs":{"total":{"sum":{"field":"price"}}}},
		"stock":{"stats":{"field":"stock"}},"avg":{"avg":{"field":"price"}},"min":{"min":{"field":"at"}},"n":{"value_count":{"field":"brand"}},"d":{"cardinality":{"field":"brand"}},
		"bands":{"range":{"field":"price","ranges":[{"to":20},{"from":20,"to":100},{"from":100}]}},
		"months":{"date_histogram":{"field":"at","calendar_interval":"month"}},"sold":{"terms":{"field":"sold"}},
		"tens":{"histogram":{"field":"stock","interval":50}},"none":{"max":{"field":"nope"}}}}`, 200, map[string]any{
		"aggregations.brands.buckets.0.key": "oak", "aggregations.brands.buckets.0.doc_count": 2, "aggregations.brands.buckets.0.total.value": 169.5,
		"aggregations.brands.buckets.1.key": "Elm", "aggregations.brands.sum_other_doc_count": 0,
		"aggregations.rich.buckets.0.key": "oak", "aggregations.rich.buckets.1": nil, "aggregations.rich.sum_other_doc_count": 2,
		"aggregations.stock":     map[string]any{"count": 5.0, "min": 0.0, "max": 100.0, "avg": 24.6, "sum": 123.0},
		"aggregations.avg.value": 54.948, "aggregations.min.value_as_string": "2026-01-05T10:00:00.000Z", "aggregations.n.value": 4, "aggregations.d.value": 3,
		"aggregations.bands.buckets.0.key": "*-20.0", "aggregations.bands.buckets.0.doc_count": 2, "aggregations.bands.buckets.2.doc_count": 1,
		"aggregations.months.buckets.0.doc_count": 2, "aggregations.months.buckets.1.key_as_string": "2026-02-01T00:00:00.000Z", "aggregations.months.buckets.2.doc_count": 1,
		"aggregations.sold.buckets.0.key": 1, "aggregations.sold.buckets.0.key_as_string": "true", "aggregations.sold.buckets.0.doc_count": 2,
		"aggregations.tens.buckets.0.doc_count": 4, "aggregations.tens.buckets.1.doc_count": 0, "aggregations.tens.buckets.2.doc_count": 1, "aggregations.none.value": nil,
	}}})
}

// TestScores compares with the numbers that Lucene's BM25 gives: ln(1+(N-n+0.5)/(n+0.5)) * 2.2 * tf / (tf + 1.2*(0.25+0.75*length/average)).
func TestScores(t *testing.T) {
	c := newCluster(t, 1)
	c.must("PUT", "/s", `{"settings":{"number_of_replicas":0},"mappings":{"properties":{"t":{"type":"text"}}}}`)
	for i, text := range []string{"red red blue", "red green blue", "green green blue", "one two three"} {
		c.must("PUT", fmt.Sprintf("/s/_doc/%d?refresh=true", i), `{"t":"`+text+`"}`)
	}
	out := c.must("POST", "/s/_search", `{"query":{"match":{"t":"red"}}}`)
	// N 4, n 2, length 3, average 3: idf ln 2; tf 2 and 1.
	for path, want := range map[string]float64{"hits.hits.0._score": 0.9530774, "hits.hits.1._score": 0.6931472, "hits.max_score": 0.9530774} {
		if got, _ := at(out, path).(float64); got < want-1e-6 || got > want+1e-6 {
			t.Errorf("%s is %v, want %v", path, got, want)
		}
	}
}
