package search

import (
	"math"
	"net/http"

	"storefront/lab/search/internal/query"
	"storefront/lab/search/internal/refusal"
	"storefront/lab/search/internal/shard"
)

// deleteByQuery deletes what a query finds, as of the last refresh.
func (r *call) deleteByQuery() (answer, error) {
	if len(r.body) == 0 && !r.params.Has("q") {
		return answer{}, invalid("query is missing")
	}
	return r.byQuery("deleted", func(record shard.Record) *operation {
		return &operation{id: record.ID, routing: record.Routing}
	})
}

// updateByQuery writes what a query finds once more, so that it takes up what the mapping has learnt.
func (r *call) updateByQuery() (answer, error) {
	return r.byQuery("updated", func(record shard.Record) *operation {
		return &operation{id: record.ID, routing: record.Routing, source: record.Source}
	})
}

// byQuery does an operation on every document that the request's query finds, unless it changed meanwhile.
func (r *call) byQuery(counter string, make func(shard.Record) *operation) (answer, error) {
	began := r.config.Now()
	s, proceed, refresh, err := r.readByQuery()
	if err != nil {
		return answer{}, err
	}
	f, err := r.matches(r.path["index"], s)
	if err != nil {
		return answer{}, err
	}
	defer f.release()
	byGroup := map[*group][]*operation{}
	for _, h := range f.hits {
		id, err := h.scope.ID(h.Doc)
		if err != nil {
			return answer{}, err
		}
		record, err := shard.Indexed(h.scope.Reader, id)
		if err != nil {
			return answer{}, err
		}
		o := make(record)
		seq := record.Seq - 1
		o.versioning, o.ifSeq, o.ifTerm = "internal", &seq, record.Term
		g := h.index.route(id, record.Routing)
		byGroup[g] = append(byGroup[g], o)
	}
	done, failures := 0, []any{}
	for g, operations := range byGroup {
		if _, err := g.write(operations); err != nil {
			return answer{}, err
		}
		for _, o := range operations {
			if o.err == nil {
				done++
				continue
			}
			failures = append(failures, map[string]any{"index": g.index.name, "type": "_doc", "id": o.id, "status": http.StatusConflict, "cause": refusal.From(g.index.about(o.err)).Body()})
		}
		if refresh {
			if err := g.refresh(); err != nil {
				return answer{}, err
			}
		}
	}
	out := map[string]any{"took": r.config.Now().Sub(began).Milliseconds(), "timed_out": false, "total": len(f.hits), counter: done, "batches": 1,
		"version_conflicts": len(failures), "noops": 0, "retries": map[string]any{"bulk": 0, "search": 0}, "throttled_millis": 0,
		"requests_per_second": -1.0, "throttled_until_millis": 0, "failures": failures}
	if len(failures) > 0 && !proceed {
		return answer{status: http.StatusConflict, body: out}, nil
	}
	out["failures"] = []any{}
	return ok(out)
}

func (r *call) readByQuery() (s *searchRequest, proceed, refresh bool, err error) {
	members, err := r.members("query", "max_docs", "conflicts")
	if err != nil {
		return nil, false, false, err
	}
	s = &searchRequest{query: query.All(), threshold: math.MaxInt, minScore: math.Inf(-1), size: math.MaxInt32}
	if v := members["query"]; v != nil {
		if s.query, err = query.Parse(v); err != nil {
			return nil, false, false, err
		}
	}
	if r.params.Has("q") {
		if s.query, err = r.uriQuery(); err != nil {
			return nil, false, false, err
		}
	}
	wait, err := r.flag("wait_for_completion", true)
	if err != nil {
		return nil, false, false, err
	}
	if !wait || members["max_docs"] != nil || r.params.Has("max_docs") || members["conflicts"] != nil {
		return nil, false, false, refusal.Argument("[max_docs], [conflicts] in the body and [wait_for_completion] of [false] are not served")
	}
	switch c := r.params.Get("conflicts"); c {
	case "", "abort":
	case "proceed":
		proceed = true
	default:
		return nil, false, false, refusal.Argument("conflicts may only be \"proceed\" or \"abort\" but was [%s]", c)
	}
	refresh, err = r.flag("refresh", false)
	return s, proceed, refresh, err
}
