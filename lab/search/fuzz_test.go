package search_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"storefront/lab/search"
)

// fuzzed is a node with a small index; send answers whatever it is sent, and fails the test on what no client may cause.
func fuzzed(f *testing.F) (send func(t *testing.T, method, path, body string)) {
	c, err := search.Open(search.Config{Dir: f.TempDir(), Name: "fuzz", Version: "7.10"})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = c.Close() })
	if err := c.SetNodes(context.Background(), crashNodes[:1]); err != nil {
		f.Fatal(err)
	}
	h := c.Handler("a")
	send = func(t *testing.T, method, path, body string) {
		req := httptest.NewRequest(method, "/", strings.NewReader(body))
		u, err := url.Parse(path)
		if err != nil {
			t.Skip()
		}
		req.URL = u
		req.Header.Set("Content-Type", "application/json")
		res := httptest.NewRecorder()
		slow := time.AfterFunc(5*time.Second, func() { panic(method + " " + path + " takes too long: " + body) })
		defer slow.Stop()
		h.ServeHTTP(res, req)
		if res.Code >= http.StatusInternalServerError && !strings.Contains(res.Body.String(), "too_many_buckets_exception") {
			t.Errorf("%s %s %q: %d %s", method, path, body, res.Code, res.Body)
		}
		if res.Body.Len() > 0 && !json.Valid(res.Body.Bytes()) && !strings.HasPrefix(path, "/_cat") {
			t.Errorf("%s %s %q: no JSON: %s", method, path, body, res.Body)
		}
	}
	return send
}

const fuzzMapping = `{"settings":{"number_of_replicas":0},"mappings":{"dynamic":"false","properties":{"t":{"type":"text"},"k":{"type":"keyword"},"n":{"type":"long"},"d":{"type":"date"},"b":{"type":"boolean"},"o":{"properties":{"x":{"type":"double"}}}}}}`

func FuzzSearch(f *testing.F) {
	send := fuzzed(f)
	t := &testing.T{}
	send(t, "PUT", "/i", fuzzMapping)
	send(t, "PUT", "/i/_doc/1?refresh=true", `{"t":"red wooden chair","k":"v","n":3,"d":"2026-01-01","b":true,"o":{"x":1.5}}`)
	send(t, "PUT", "/i/_doc/2?refresh=true", `{"t":"blue","n":[1,2]}`)
	for _, s := range []string{
		`{"query":{"bool":{"must":[{"match":{"t":"red"}}],"should":{"term":{"n":3}},"must_not":[],"filter":{"range":{"d":{"gte":"now-1d/d"}}},"minimum_should_match":"50%"}}}`,
		`{"query":{"query_string":{"query":"t:(red OR blue) AND n:[1 TO 5] -k:v~1 \"red wooden\"^2"}},"sort":[{"n":"desc"},"_score"],"search_after":[3,1.0]}`,
		`{"query":{"simple_query_string":{"query":"red + -blue | chai*","fields":["t^2","o.*"]}},"_source":{"includes":["t"],"excludes":["*"]}}`,
		`{"query":{"multi_match":{"query":"red","fields":["*"],"type":"phrase"}},"min_score":0.1,"track_total_hits":1}`,
		`{"query":{"dis_max":{"queries":[{"wildcard":{"t":"*[?"}},{"prefix":{"k":"v"}},{"fuzzy":{"t":{"value":"rad","prefix_length":1}}}],"tie_breaker":0.3}}}`,
		`{"aggs":{"a":{"terms":{"field":"k","order":{"s":"asc"}},"aggs":{"s":{"sum":{"field":"n"}}}},"h":{"histogram":{"field":"n","interval":0.5}},"m":{"date_histogram":{"field":"d","fixed_interval":"1d"}},"r":{"range":{"field":"o.x","ranges":[{"from":1}],"keyed":true}}}}`,
		`{"query":{"terms":{"n":[1,"2",null]}}}`, `{"query":{"exists":{"field":"o"}}}`, `{"query":{"ids":{"values":[1]}}}`, `{"query":null}`, `[]`,
		`{"query":{"wildcard":{"t":"*a????????????????????"}}}`, `{"aggs":{"h":{"histogram":{"field":"n","interval":1e-300}}}}`, `{"aggs":{"h":{"histogram":{"field":"n","interval":0.000001}}}}`,
		`{"query":{"fuzzy":{"t":{"value":"raaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaad","prefix_length":1}}}}`, `{"query":{"fuzzy":{"t":{"value":"rad","prefix_length":1e30}}}}`,
		`{"query":{"bool":{"should":{"term":{"n":3}},"minimum_should_match":"-999999999999999%"}}}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) { send(t, "POST", "/i/_search", body) })
}

func FuzzQueryString(f *testing.F) {
	send := fuzzed(f)
	t := &testing.T{}
	send(t, "PUT", "/i", fuzzMapping)
	send(t, "PUT", "/i/_doc/1?refresh=true", `{"t":"red wooden chair","k":"v","n":3,"d":"2026-01-01","b":true}`)
	for _, s := range []string{`red AND (blue OR NOT t:chair)`, `+a -b !c && d || e`, `n:>=3 n:{1 TO *]`, `"a b"~0^2 c~ d~1 e*f?`, `\(\) _exists_:k k:*`, `(((`, `")`, `a AND`, `^2`, `~`, `t:`, "\xff*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, q string) {
		send(t, "GET", "/i/_search?q="+url.QueryEscape(q), "")
		text, err := json.Marshal(q)
		if err != nil {
			t.Skip()
		}
		send(t, "POST", "/i/_search", `{"query":{"simple_query_string":{"query":`+string(text)+`}}}`)
	})
}

func FuzzBulk(f *testing.F) {
	send := fuzzed(f)
	send(&testing.T{}, "PUT", "/i", fuzzMapping)
	for _, s := range []string{
		"{\"index\":{\"_id\":\"1\"}}\n{\"t\":\"a\"}\n{\"delete\":{\"_id\":\"1\"}}\n{\"update\":{\"_id\":\"2\"}}\n{\"doc\":{\"n\":1},\"doc_as_upsert\":true}\n",
		"{\"create\":{\"_id\":2,\"routing\":\"r\",\"version\":3,\"version_type\":\"external\"}}\n{\"d\":\"2026-01-01\",\"o\":{\"x\":[1,2]}}\n", "{}\n", "\n", "{\"index\":null}\n{}\n", "{\"index\":{\"_id\":}}\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		if strings.Contains(body, "_index") {
			t.Skip() // makes an index for each name: slow, and not what is looked at
		}
		send(t, "POST", "/i/_bulk?refresh=true", body)
	})
}

func FuzzDocument(f *testing.F) {
	send := fuzzed(f)
	send(&testing.T{}, "PUT", "/i", `{"settings":{"number_of_replicas":0}}`)
	for _, s := range []string{`{"a":1}`, `{"a":{"b":[1,{"c":"2026-01-01"}]},"x":null}`, `{"a":"x","a":2}`, `{"":1}`, `{"a.b":1}`, `{"_id":1}`, `{"n":1e400}`, `{"a":[[["x"]]]}`, `{"a":[1,"x",{"y":true}]}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		send(t, "DELETE", "/i", "")
		send(t, "PUT", "/i", `{"settings":{"number_of_replicas":0}}`)
		send(t, "PUT", "/i/_doc/1?refresh=true", body)
		send(t, "GET", "/i/_search", "")
		send(t, "GET", "/i/_mapping", "")
	})
}
