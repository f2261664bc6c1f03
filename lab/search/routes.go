package search

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"storefront/lab/search/internal/refusal"
)

// errNoHandler is answered where Elasticsearch, or this part of it, serves nothing.
var errNoHandler = errors.New("no handler found")

// route is an operation of the API.
type route struct {
	methods  []string
	segments []string // of the path; {name} stands for any
	params   []string // that it takes
	handle   func(*call) (answer, error)
}

func on(methods, path, params string, handle func(*call) (answer, error)) route {
	return route{methods: strings.Fields(methods), segments: strings.Split(path, "/"), params: strings.Fields(params), handle: handle}
}

const (
	waits    = "timeout master_timeout"
	writes   = "refresh routing timeout wait_for_active_shards"
	choosing = "ignore_unavailable allow_no_indices expand_wildcards"
	finding  = choosing + " q df default_operator lenient analyze_wildcard routing preference"
	source   = "_source _source_includes _source_excludes"
	cat      = "v h s format local " + waits
)

// routes are all operations that are served.
func routes() []route {
	return slices.Concat(documentRoutes(), indexRoutes(), searchRoutes(), clusterRoutes())
}

func documentRoutes() []route {
	versions := " version version_type if_seq_no if_primary_term "
	reads := "routing realtime preference version refresh " + source
	return []route{
		on("PUT POST", "{index}/_doc/{id}", "op_type"+versions+writes, (*call).indexDocument),
		on("POST", "{index}/_doc", "op_type "+writes, (*call).indexDocument),
		on("PUT POST", "{index}/_create/{id}", writes, (*call).createDocument),
		on("GET HEAD", "{index}/_doc/{id}", reads, (*call).getDocument),
		on("GET HEAD", "{index}/_source/{id}", reads, (*call).getSource),
		on("DELETE", "{index}/_doc/{id}", versions+writes, (*call).deleteDocument),
		on("POST", "{index}/_update/{id}", "retry_on_conflict if_seq_no if_primary_term "+source+" "+writes, (*call).updateDocument),
		on("GET POST", "_mget", "routing realtime preference "+source, (*call).getMany),
		on("GET POST", "{index}/_mget", "routing realtime preference "+source, (*call).getMany),
		on("PUT POST", "_bulk", writes, (*call).bulk),
		on("PUT POST", "{index}/_bulk", writes, (*call).bulk),
		on("POST", "{index}/_delete_by_query", "conflicts refresh wait_for_completion max_docs "+finding, (*call).deleteByQuery),
		on("POST", "{index}/_update_by_query", "conflicts refresh wait_for_completion max_docs "+finding, (*call).updateByQuery),
	}
}

func indexRoutes() []route {
	return []route{
		on("PUT", "{index}", "wait_for_active_shards include_type_name "+waits, (*call).createIndex),
		on("GET", "{index}", choosing+" local include_defaults flat_settings "+waits, (*call).getIndex),
		on("HEAD", "{index}", choosing+" local", (*call).indexExists),
		on("DELETE", "{index}", choosing+" "+waits, (*call).deleteIndex),
		on("PUT POST", "{index}/_mapping", choosing+" "+waits, (*call).putMapping),
		on("GET", "_mapping", choosing+" local "+waits, (*call).getMapping),
		on("GET", "{index}/_mapping", choosing+" local "+waits, (*call).getMapping),
		on("PUT", "{index}/_settings", choosing+" preserve_existing "+waits, (*call).putSettings),
		on("GET", "_settings", choosing+" local include_defaults flat_settings "+waits, (*call).getSettings),
		on("GET", "{index}/_settings", choosing+" local include_defaults flat_settings "+waits, (*call).getSettings),
		on("POST", "_aliases", waits, (*call).changeAliases),
		on("PUT POST", "{index}/_alias/{name}", waits, (*call).putAlias),
		on("DELETE", "{index}/_alias/{name}", waits, (*call).deleteAlias),
		on("GET", "_alias", choosing+" local", (*call).getAlias),
		on("GET HEAD", "_alias/{name}", choosing+" local", (*call).getAlias),
		on("GET", "{index}/_alias", choosing+" local", (*call).getAlias),
		on("GET HEAD", "{index}/_alias/{name}", choosing+" local", (*call).getAlias),
		on("PUT POST", "_template/{name}", "order create "+waits, (*call).putTemplate),
		on("GET HEAD", "_template/{name}", "local flat_settings "+waits, (*call).getTemplate),
		on("DELETE", "_template/{name}", waits, (*call).deleteTemplate),
		on("GET POST", "_refresh", choosing, (*call).refreshIndices),
		on("GET POST", "{index}/_refresh", choosing, (*call).refreshIndices),
		on("GET POST", "_flush", choosing+" force wait_if_ongoing", (*call).flushIndices),
		on("GET POST", "{index}/_flush", choosing+" force wait_if_ongoing", (*call).flushIndices),
		on("GET", "_stats", choosing, (*call).indexStats),
		on("GET", "{index}/_stats", choosing, (*call).indexStats),
	}
}

func searchRoutes() []route {
	searching := finding + " " + source + " sort size from track_total_hits rest_total_hits_as_int search_type version seq_no_primary_term request_cache timeout typed_keys allow_partial_search_results pre_filter_shard_size ccs_minimize_roundtrips max_concurrent_shard_requests batched_reduce_size"
	return []route{
		on("GET POST", "_search", searching, (*call).search),
		on("GET POST", "{index}/_search", searching, (*call).search),
		on("GET POST", "_msearch", "search_type rest_total_hits_as_int typed_keys max_concurrent_searches", (*call).searchMany),
		on("GET POST", "{index}/_msearch", "search_type rest_total_hits_as_int typed_keys max_concurrent_searches", (*call).searchMany),
		on("GET POST", "_count", finding, (*call).count),
		on("GET POST", "{index}/_count", finding, (*call).count),
		on("GET POST", "_analyze", "", (*call).analyze),
		on("GET POST", "{index}/_analyze", "", (*call).analyze),
	}
}

func clusterRoutes() []route {
	health := "wait_for_status wait_for_nodes wait_for_active_shards wait_for_no_relocating_shards wait_for_no_initializing_shards level local " + waits
	return []route{
		on("GET HEAD", "", "", (*call).banner),
		on("GET", "_cluster/health", health, (*call).clusterHealth),
		on("GET", "_cluster/health/{index}", health, (*call).clusterHealth),
		on("GET", "_cluster/state", "local flat_settings "+waits, (*call).clusterState),
		on("GET", "_cluster/settings", "flat_settings include_defaults "+waits, (*call).clusterSettings),
		on("GET", "_cluster/stats", waits, (*call).clusterStats),
		on("GET", "_nodes", waits, (*call).nodesInfo),
		on("GET", "_nodes/stats", waits, (*call).nodesStats),
		on("GET", "_cat/health", cat+" ts", (*call).catHealth),
		on("GET", "_cat/nodes", cat+" full_id bytes", (*call).catNodes),
		on("GET", "_cat/indices", cat+" bytes health pri expand_wildcards", (*call).catIndices),
		on("GET", "_cat/indices/{index}", cat+" bytes health pri expand_wildcards", (*call).catIndices),
		on("GET", "_cat/shards", cat+" bytes", (*call).catShards),
		on("GET", "_cat/shards/{index}", cat+" bytes", (*call).catShards),
		on("GET", "_cat/count", cat, (*call).catCount),
		on("GET", "_cat/count/{index}", cat, (*call).catCount),
		on("GET", "_cat/aliases", cat+" expand_wildcards", (*call).catAliases),
		on("GET", "_cat/aliases/{name}", cat+" expand_wildcards", (*call).catAliases),
	}
}

// find finds the route of a request and fills the path's places.
func (r *call) find(table []route, escaped string) (*route, error) {
	segments := strings.Split(strings.Trim(escaped, "/"), "/")
	for i, s := range segments {
		plain, err := url.PathUnescape(s)
		if err != nil {
			return nil, refusal.Argument("the path is not well escaped: %v", err)
		}
		segments[i] = plain
	}
	var allowed []string
	for i := range table {
		path, fits := table[i].match(segments)
		if !fits {
			continue
		}
		if slices.Contains(table[i].methods, r.method) {
			r.path = path
			return &table[i], nil
		}
		allowed = append(allowed, table[i].methods...)
	}
	if len(allowed) > 0 {
		return nil, refusal.New(http.StatusMethodNotAllowed, "method_not_allowed", "Incorrect HTTP method for uri [%s] and method [%s], allowed: [%s]", r.uri, r.method, strings.Join(allowed, ", "))
	}
	return nil, fmt.Errorf("%w for uri [%s] and method [%s]", errNoHandler, r.uri, r.method)
}

func (t *route) match(segments []string) (map[string]string, bool) {
	if len(segments) != len(t.segments) {
		return nil, false
	}
	path := map[string]string{}
	for i, want := range t.segments {
		name, place := strings.CutPrefix(want, "{")
		switch {
		case !place && want != segments[i]:
			return nil, false
		case place && segments[i] == "":
			return nil, false
		case place && i == 0 && strings.HasPrefix(segments[i], "_") && segments[i] != "_all":
			return nil, false // an API that is not there, not an index
		case place:
			path[strings.TrimSuffix(name, "}")] = segments[i]
		}
	}
	return path, true
}
