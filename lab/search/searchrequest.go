package search

import (
	"bytes"
	"encoding/json"
	"math"
	"net/http"
	"strconv"
	"strings"

	"storefront/lab/search/internal/aggregation"
	"storefront/lab/search/internal/query"
	"storefront/lab/search/internal/refusal"
)

// maxWindow is how far paging by from and size reaches: index.max_result_window.
const maxWindow = 10000

// searchRequest is a search as it was asked for.
type searchRequest struct {
	query        query.Query
	from, size   int
	sort         []sortKey
	after        []any // sort values of the last hit of the page before
	source       filter
	aggregations aggregation.Set
	threshold    int // up to which hits are counted; negative: not at all
	minScore     float64
	trackScores  bool
	version, seq bool
	partial      bool // an answer without the shards that cannot be asked
	totalAsInt   bool
}

// searchMembers is what a search's body may hold.
var searchMembers = []string{"query", "from", "size", "sort", "_source", "aggs", "aggregations", "track_total_hits", "track_scores", "search_after", "min_score", "version", "seq_no_primary_term", "timeout"}

// readSearch reads a search's body, and the parameters that say the same.
func (r *call) readSearch(body []byte) (*searchRequest, error) {
	var members map[string]json.RawMessage
	if len(bytes.TrimSpace(body)) > 0 {
		if err := json.Unmarshal(body, &members); err != nil {
			return nil, refusal.Parsing("the body must be one JSON object: %v", err)
		}
	}
	s := &searchRequest{query: query.All(), size: 10, threshold: maxWindow, partial: true, minScore: math.Inf(-1)}
	for name, v := range members {
		if err := s.member(name, v); err != nil {
			return nil, err
		}
	}
	if err := r.searchParameters(s); err != nil {
		return nil, err
	}
	return s, s.check()
}

func (s *searchRequest) member(name string, v json.RawMessage) error {
	decode := func(into any) error {
		if err := json.Unmarshal(v, into); err != nil {
			return refusal.Parsing("[%s]: %v", name, err)
		}
		return nil
	}
	var err error
	switch name {
	case "query":
		s.query, err = query.Parse(v)
	case "from":
		err = decode(&s.from)
	case "size":
		err = decode(&s.size)
	case "sort":
		s.sort, err = readSort(v)
	case "_source":
		s.source, err = readFilter(v)
	case "aggs", "aggregations":
		s.aggregations, err = aggregation.Parse(v)
	case "track_total_hits":
		s.threshold, err = readThreshold(strings.Trim(string(v), `"`))
	case "track_scores":
		err = decode(&s.trackScores)
	case "search_after":
		d := json.NewDecoder(bytes.NewReader(v))
		d.UseNumber()
		if d.Decode(&s.after) != nil || len(s.after) == 0 {
			err = refusal.Parsing("[search_after] must be a list of values")
		}
	case "min_score":
		err = decode(&s.minScore)
	case "version":
		err = decode(&s.version)
	case "seq_no_primary_term":
		err = decode(&s.seq)
	case "timeout":
	default:
		err = refusal.Parsing("Unknown key [%s] in a search, or one that is not served: it takes %s", name, strings.Join(searchMembers, ", "))
	}
	return err
}

// searchParameters takes what the URI says over what the body says.
func (r *call) searchParameters(s *searchRequest) (err error) {
	if s.from, err = r.number("from", s.from); err != nil {
		return err
	}
	if s.size, err = r.number("size", s.size); err != nil {
		return err
	}
	if r.params.Has("q") {
		if s.query, err = r.uriQuery(); err != nil {
			return err
		}
	}
	if t := r.params.Get("search_type"); t != "" && t != "query_then_fetch" {
		return refusal.Argument("No search type for [%s], or one that is not served: query_then_fetch", t)
	}
	if list := r.params.Get("sort"); list != "" {
		s.sort = nil
		for one := range strings.SplitSeq(list, ",") {
			field, direction, _ := strings.Cut(one, ":")
			k, err := newSortKey(field, direction)
			if err != nil {
				return err
			}
			s.sort = append(s.sort, k)
		}
	}
	if t := r.params.Get("track_total_hits"); t != "" {
		if s.threshold, err = readThreshold(t); err != nil {
			return err
		}
	}
	if r.params.Has("_source") || r.params.Has("_source_includes") || r.params.Has("_source_excludes") {
		if s.source, err = r.sourceFilter(); err != nil {
			return err
		}
	}
	for name, into := range map[string]*bool{"version": &s.version, "seq_no_primary_term": &s.seq, "allow_partial_search_results": &s.partial, "rest_total_hits_as_int": &s.totalAsInt} {
		if *into, err = r.flag(name, *into); err != nil {
			return err
		}
	}
	return nil
}

// uriQuery reads the query of the parameter q.
func (r *call) uriQuery() (query.Query, error) {
	lenient, err := r.flag("lenient", false)
	if err != nil {
		return nil, err
	}
	return query.URI(r.params.Get("q"), r.params.Get("df"), r.params.Get("default_operator"), lenient)
}

func (s *searchRequest) check() error {
	switch {
	case s.from < 0:
		return refusal.Argument("[from] parameter cannot be negative, found [%d]", s.from)
	case s.size < 0:
		return refusal.Argument("[size] parameter cannot be negative, found [%d]", s.size)
	case len(s.after) > 0 && len(s.sort) == 0:
		return refusal.Argument("Sort must contain at least one field.")
	case len(s.after) > 0 && s.from != 0:
		return refusal.Argument("`from` parameter must be set to 0 when `search_after` is used.")
	case len(s.after) > 0 && len(s.after) != len(s.sort):
		return refusal.Argument("search_after has %d value(s) but sort has %d.", len(s.after), len(s.sort))
	case s.from+s.size > maxWindow:
		return phase(refusal.Argument("Result window is too large, from + size must be less than or equal to: [%d] but was [%d]. See the scroll api for a more efficient way to request large data sets. This limit can be set by changing the [index.max_result_window] index level setting.", maxWindow, s.from+s.size))
	case s.totalAsInt && s.threshold >= 0 && s.threshold != math.MaxInt:
		s.threshold = math.MaxInt
	}
	return nil
}

// phase is the error of a search that failed on its shards.
func phase(root *refusal.Error) error {
	return &refusal.Error{Status: root.Status, Type: "search_phase_execution_exception", Reason: "all shards failed", Root: root,
		Detail: map[string]any{"phase": "query", "grouped": true, "failed_shards": []any{map[string]any{"shard": 0, "reason": root.Body()}}}}
}

func readThreshold(text string) (int, error) {
	switch text {
	case "true", "":
		return math.MaxInt, nil
	case "false":
		return -1, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, refusal.Argument("[track_total_hits] parameter must be positive or equals to -1, got [%s]", text)
	}
	return n, nil
}

// readFilter reads _source of a body: false, a pattern, a list of them, or {"includes":[],"excludes":[]}.
func readFilter(text []byte) (filter, error) {
	var f filter
	var wanted bool
	var one string
	if json.Unmarshal(text, &wanted) == nil {
		return filter{none: !wanted}, nil
	}
	if json.Unmarshal(text, &one) == nil {
		return filter{includes: fields(one)}, nil
	}
	if json.Unmarshal(text, &f.includes) == nil {
		return f, nil
	}
	var both struct {
		Includes []string `json:"includes"`
		Excludes []string `json:"excludes"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&both); err != nil {
		return f, refusal.Parsing("[_source]: %v", err)
	}
	return filter{includes: both.Includes, excludes: both.Excludes}, nil
}

func (r *call) search() (answer, error) {
	s, err := r.readSearch(r.body)
	if err != nil {
		return answer{}, err
	}
	out, err := r.run(r.path["index"], s)
	if err != nil {
		return answer{}, err
	}
	return ok(out)
}

// searchMany is the multi search: pairs of lines, one that says where and one that says what.
func (r *call) searchMany() (answer, error) {
	began := r.config.Now()
	lines := bytes.Split(bytes.TrimRight(r.body, "\n"), []byte{'\n'})
	if len(r.body) == 0 || r.body[len(r.body)-1] != '\n' || len(lines)%2 != 0 {
		return answer{}, refusal.Argument("The msearch request must be terminated by a newline [\\n], and hold a line of header and a line of body for each search")
	}
	responses := []any{}
	for i := 0; i < len(lines); i += 2 {
		out, err := r.oneOfMany(lines[i], lines[i+1])
		if err != nil {
			responses = append(responses, r.failed(err).body)
			continue
		}
		out["status"] = http.StatusOK
		responses = append(responses, out)
	}
	return ok(map[string]any{"took": r.config.Now().Sub(began).Milliseconds(), "responses": responses})
}

func (r *call) oneOfMany(header, body []byte) (map[string]any, error) {
	members, err := object(header, "index", "preference", "search_type", "ignore_unavailable")
	if err != nil {
		return nil, err
	}
	index := r.path["index"]
	if v := members["index"]; v != nil {
		var list []string
		if json.Unmarshal(v, &index) != nil {
			if err := json.Unmarshal(v, &list); err != nil {
				return nil, refusal.Parsing("[index] of a multi search must be a name or a list of names")
			}
			index = strings.Join(list, ",")
		}
	}
	s, err := r.readSearch(body)
	if err != nil {
		return nil, err
	}
	return r.run(index, s)
}

func (r *call) count() (answer, error) {
	members, err := r.members("query")
	if err != nil {
		return answer{}, err
	}
	s := &searchRequest{query: query.All(), threshold: math.MaxInt, partial: true, minScore: math.Inf(-1)}
	if v := members["query"]; v != nil {
		if s.query, err = query.Parse(v); err != nil {
			return answer{}, err
		}
	}
	if r.params.Has("q") {
		if s.query, err = r.uriQuery(); err != nil {
			return answer{}, err
		}
	}
	f, err := r.matches(r.path["index"], s)
	if err != nil {
		return answer{}, err
	}
	defer f.release()
	return ok(map[string]any{"count": f.total, "_shards": f.shards()})
}

func (r *call) analyze() (answer, error) {
	members, err := r.members("analyzer", "text", "field")
	if err != nil {
		return answer{}, err
	}
	var name, field, one string
	var texts []string
	for key, into := range map[string]*string{"analyzer": &name, "field": &field} {
		if v := members[key]; v != nil && json.Unmarshal(v, into) != nil {
			return answer{}, refusal.Parsing("[%s] must be text", key)
		}
	}
	if json.Unmarshal(members["text"], &one) == nil {
		texts = []string{one}
	} else if members["text"] == nil || json.Unmarshal(members["text"], &texts) != nil {
		return answer{}, invalid("text is missing")
	}
	if field != "" {
		chosen, err := r.choose(r.path["index"])
		if err != nil {
			return answer{}, err
		}
		if len(chosen) != 1 {
			return answer{}, refusal.Argument("to analyze for a field takes one index")
		}
		name = "keyword"
		if p := chosen[0].mapping.Load().Field(field); p == nil || p.Type == "text" {
			name = "standard"
			if p != nil && p.Analyzer != "" {
				name = p.Analyzer
			}
		}
	}
	return tokens(name, texts)
}
