package search

import (
	"cmp"
	"errors"
	"math"
	"net/http"
	"slices"
	"unicode/utf8"

	"storefront/lab/search/internal/aggregation"
	"storefront/lab/search/internal/mapping"
	"storefront/lab/search/internal/query"
	"storefront/lab/search/internal/refusal"
	"storefront/lab/search/internal/shard"
)

// found is what a search found on all shards, before documents are fetched. release lets the shards' snapshots go.
type found struct {
	total    int
	best     float64
	hits     []hit
	run      *aggregation.Run
	failures []any
	asked    int
	release  func()
}

// hit is a document that was found.
type hit struct {
	index *openIndex
	scope *query.Scope
	query.Hit
	keys []sortValue
}

func (f *found) shards() map[string]any {
	out := map[string]any{"total": f.asked, "successful": f.asked - len(f.failures), "skipped": 0, "failed": len(f.failures)}
	if len(f.failures) > 0 {
		out["failures"] = f.failures
	}
	return out
}

// run searches and makes the answer.
func (r *call) run(expression string, s *searchRequest) (map[string]any, error) {
	began := r.config.Now()
	f, err := r.matches(expression, s)
	if err != nil {
		return nil, err
	}
	defer f.release()
	hits := []any{}
	for _, h := range f.hits[min(s.from, len(f.hits)):min(s.from+s.size, len(f.hits))] {
		out, err := h.fetch(s)
		if err != nil {
			return nil, err
		}
		hits = append(hits, out)
	}
	list := map[string]any{"hits": hits, "max_score": nil}
	if s.scored() && f.total > 0 {
		list["max_score"] = f.best
	}
	switch {
	case s.threshold < 0:
	case s.totalAsInt:
		list["total"] = f.total
	case f.total > s.threshold:
		list["total"] = map[string]any{"value": s.threshold, "relation": "gte"}
	default:
		list["total"] = map[string]any{"value": f.total, "relation": "eq"}
	}
	out := map[string]any{"timed_out": false, "_shards": f.shards(), "hits": list}
	if f.run != nil {
		if out["aggregations"], err = f.run.Result(); err != nil {
			return nil, phase(refusal.From(err))
		}
	}
	out["took"] = r.config.Now().Sub(began).Milliseconds()
	return out, nil
}

// matches asks one copy of every shard.
func (r *call) matches(expression string, s *searchRequest) (*found, error) {
	chosen, err := r.choose(expression)
	if err != nil {
		return nil, err
	}
	var releases []func()
	f := &found{best: math.Inf(-1), release: func() {
		for _, release := range releases {
			release()
		}
	}}
	if len(s.aggregations) > 0 {
		f.run = s.aggregations.Start(func(field string) *mapping.Property { return known(chosen, field) })
	}
	for _, x := range chosen {
		for _, g := range x.routed(fields(r.params.Get("routing"))) {
			f.asked++
			scope, release, err := r.snapshot(g)
			if err != nil {
				f.failures = append(f.failures, map[string]any{"shard": g.shard, "index": x.name, "node": nil, "reason": refusal.From(err).Body()})
				continue
			}
			releases = append(releases, release)
			if err := f.ask(x, scope, s); err != nil {
				f.release()
				if r.ctx.Err() != nil {
					return nil, refusal.New(http.StatusBadRequest, "task_cancelled_exception", "the client is gone")
				}
				if e := refusal.From(err); e.Status < http.StatusInternalServerError {
					return nil, phase(e)
				}
				return nil, err
			}
		}
	}
	if n := len(f.failures); n > 0 && (n == f.asked || !s.partial) {
		f.release()
		reason := "all shards failed"
		if n < f.asked {
			reason = "Partial shards failure"
		}
		return nil, refusal.New(http.StatusServiceUnavailable, "search_phase_execution_exception", "%s", reason).
			With("phase", "query").With("grouped", true).With("failed_shards", f.failures)
	}
	slices.SortStableFunc(f.hits, s.compare)
	return f, nil
}

// known is a field's type in the first of the indices that has it.
func known(indices []*openIndex, field string) *mapping.Property {
	for _, x := range indices {
		if p := x.mapping.Load().Field(field); p != nil {
			return p
		}
	}
	return nil
}

// snapshot takes the shard's copy on the node that was asked, or any other.
func (r *call) snapshot(g *group) (*query.Scope, func(), error) {
	if err := g.wake(); err != nil {
		return nil, nil, err
	}
	l := g.lineup.Load()
	order := []*shard.Copy{l.copies[r.node], l.copies[l.primary]}
	for _, copy := range l.copies {
		order = append(order, copy)
	}
	for _, copy := range order {
		if copy == nil {
			continue
		}
		snapshot, err := copy.Snapshot()
		if errors.Is(err, shard.ErrClosed) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		return &query.Scope{Ctx: r.ctx, Reader: snapshot.IndexReader, Statistics: snapshot.Statistics,
			Mapping: g.index.mapping.Load(), Index: g.index.name, Now: r.config.Now()}, snapshot.Release, nil
	}
	return nil, nil, refusal.New(http.StatusServiceUnavailable, "no_shard_available_action_exception", "no copy of shard [%s][%d] lives", g.index.name, g.shard)
}

// ask takes in what one shard finds. Of the hits it keeps those that may come into the answer.
func (f *found) ask(x *openIndex, scope *query.Scope, s *searchRequest) error {
	if err := s.checkSort(scope); err != nil {
		return err
	}
	if err := s.checkAfter(scope.Mapping); err != nil {
		return err
	}
	if err := s.aggregations.Check(scope.Mapping); err != nil {
		return err
	}
	matches, err := s.query.Hits(scope)
	if err != nil {
		return err
	}
	needed := append(s.aggregations.Fields(), s.sortFields()...)
	var values *query.Values
	if len(needed) > 0 {
		slices.Sort(needed)
		if values, err = scope.Values(slices.Compact(needed)); err != nil {
			return err
		}
	}
	window := s.from + s.size
	for _, m := range matches {
		if m.Score < s.minScore {
			continue
		}
		f.total++
		f.best = max(f.best, m.Score)
		var of map[string][]query.Value
		if values != nil {
			if of, err = values.Of(m.Doc); err != nil {
				return err
			}
		}
		if f.run != nil {
			if err := f.run.Add(of); err != nil {
				return err
			}
		}
		h := hit{index: x, scope: scope, Hit: m, keys: s.keys(m, of, scope.Mapping)}
		if window == 0 || len(s.after) > 0 && !s.isAfter(h) {
			continue
		}
		f.hits = append(f.hits, h)
		if len(f.hits) >= 2*window+1000 {
			slices.SortStableFunc(f.hits, s.compare)
			f.hits = slices.Clip(f.hits[:window])
		}
	}
	return nil
}

// compare is the order of hits: by the sort, else the best score first.
func (s *searchRequest) compare(a, b hit) int {
	if len(s.sort) == 0 {
		return cmp.Compare(b.Score, a.Score)
	}
	for i, k := range s.sort {
		if n := k.compare(a.keys[i], b.keys[i]); n != 0 {
			return n
		}
	}
	return 0
}

// scored tells whether the answer shows scores.
func (s *searchRequest) scored() bool {
	if len(s.sort) == 0 || s.trackScores {
		return true
	}
	return slices.ContainsFunc(s.sort, func(k sortKey) bool { return k.field == "_score" })
}

// fetch makes the answer's hit.
func (h hit) fetch(s *searchRequest) (map[string]any, error) {
	id, err := h.scope.ID(h.Doc)
	if err != nil {
		return nil, err
	}
	record, err := shard.Indexed(h.scope.Reader, id)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"_index": h.index.name, "_type": "_doc", "_id": id, "_score": nil}
	if s.scored() {
		out["_score"] = h.Score
	}
	if record.Routing != "" {
		out["_routing"] = record.Routing
	}
	if s.version {
		out["_version"] = record.Version
	}
	if s.seq {
		out["_seq_no"], out["_primary_term"] = record.Seq-1, record.Term
	}
	if s.source.wanted() {
		if out["_source"], err = s.source.apply(record.Source); err != nil {
			return nil, err
		}
	}
	if len(s.sort) > 0 {
		list := make([]any, len(s.sort))
		for i, k := range s.sort {
			list[i] = k.show(h.keys[i], h.scope.Mapping)
		}
		out["sort"] = list
	}
	return out, nil
}

// tokens answers what an analyzer makes of texts.
func tokens(name string, texts []string) (answer, error) {
	analyzer := mapping.Analyzer(name)
	if analyzer == nil {
		return answer{}, refusal.Argument("failed to find global analyzer [%s]", name)
	}
	list, position := []any{}, 0
	for _, text := range texts {
		last := 0
		for _, t := range analyzer.Analyze([]byte(text)) {
			list = append(list, map[string]any{"token": string(t.Term), "start_offset": utf8.RuneCountInString(text[:t.Start]),
				"end_offset": utf8.RuneCountInString(text[:t.End]), "type": "<ALPHANUM>", "position": position + t.Position - 1})
			last = t.Position
		}
		position += last + 100
	}
	return ok(map[string]any{"tokens": list})
}
