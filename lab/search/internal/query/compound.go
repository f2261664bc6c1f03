package query

import (
	"github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/searcher"
)

// all finds every document.
type all struct{ boost float64 }

func readMatchAll(b *body) (Query, error) { return all{b.boost()}, b.end() }

func (q all) Hits(s *Scope) (Hits, error) {
	found, err := searcher.NewMatchAllSearcher(s.Ctx, s.Reader, 1, search.SearcherOptions{Score: "none"})
	hits, err := collect(s, found, err)
	return hits.constant(q.boost), err
}

// None finds nothing, All everything.
type none struct{}

func (none) Hits(*Scope) (Hits, error) { return nil, nil }

// All finds every document, with score 1.
func All() Query { return all{1} }

// boolean is the bool query.
type boolean struct {
	must, should, mustNot, filter []Query
	minimum                       string
	boost                         float64
}

func readBool(b *body) (Query, error) {
	q := boolean{must: b.queries("must"), should: b.queries("should"), filter: b.queries("filter"), boost: b.boost(), minimum: b.takeMinimum()}
	q.mustNot = b.queries("must_not")
	if len(q.mustNot) == 0 {
		q.mustNot = b.queries("mustNot")
	}
	return q, b.end()
}

func (q boolean) Hits(s *Scope) (Hits, error) {
	needed := 0
	if q.minimum != "" {
		needed, _ = minimum(q.minimum, len(q.should))
	} else if len(q.must)+len(q.filter) == 0 && len(q.should) > 0 {
		needed = 1
	}
	if needed > len(q.should) {
		return nil, nil
	}
	hits, started, err := q.required(s)
	if err != nil {
		return nil, err
	}
	if len(q.should) > 0 {
		lists, err := each(s, q.should)
		if err != nil {
			return nil, err
		}
		optional := atLeast(needed, lists)
		switch {
		case !started && needed > 0:
			hits, started = optional, true
		case needed > 0:
			hits = hits.and(optional)
		default:
			if !started {
				if hits, err = (all{0}).Hits(s); err != nil {
					return nil, err
				}
				started = true
			}
			hits = hits.not(optional).or(hits.and(optional), sum)
		}
	}
	if !started {
		score := 0.0
		if len(q.mustNot) == 0 {
			score = 1
		}
		if hits, err = (all{score}).Hits(s); err != nil {
			return nil, err
		}
	}
	for _, n := range q.mustNot {
		out, err := n.Hits(s)
		if err != nil {
			return nil, err
		}
		hits = hits.not(out)
	}
	return hits.boost(q.boost), nil
}

// required is what must and filter leave.
func (q boolean) required(s *Scope) (hits Hits, started bool, err error) {
	join := func(h Hits) {
		if !started {
			hits, started = h, true
			return
		}
		hits = hits.and(h)
	}
	for _, m := range q.must {
		h, err := m.Hits(s)
		if err != nil {
			return nil, false, err
		}
		join(h)
	}
	for _, f := range q.filter {
		h, err := f.Hits(s)
		if err != nil {
			return nil, false, err
		}
		join(h.constant(0))
	}
	return hits, started, nil
}

func each(s *Scope, queries []Query) ([]Hits, error) {
	lists := make([]Hits, len(queries))
	for i, q := range queries {
		var err error
		if lists[i], err = q.Hits(s); err != nil {
			return nil, err
		}
	}
	return lists, nil
}

// constant gives what its filter finds one score.
type constant struct {
	filter Query
	boost  float64
}

func readConstant(b *body) (Query, error) {
	filters := b.queries("filter")
	q := constant{boost: b.boost()}
	if len(filters) != 1 {
		b.fail("[constant_score] requires a 'filter' element")
		return nil, b.err
	}
	q.filter = filters[0]
	return q, b.end()
}

func (q constant) Hits(s *Scope) (Hits, error) {
	h, err := q.filter.Hits(s)
	return h.constant(q.boost), err
}

// disMax takes the best score of its queries, and a part of the others'.
type disMax struct {
	queries    []Query
	tie, boost float64
}

func readDisMax(b *body) (Query, error) {
	q := disMax{queries: b.queries("queries"), tie: b.number("tie_breaker", 0), boost: b.boost()}
	if len(q.queries) == 0 {
		b.fail("[dis_max] requires 'queries' field with at least one clause")
	}
	return q, b.end()
}

func (q disMax) Hits(s *Scope) (Hits, error) {
	var best, total Hits
	lists, err := each(s, q.queries)
	if err != nil {
		return nil, err
	}
	for _, l := range lists {
		best, total = best.or(l, func(a, b float64) float64 { return max(a, b) }), total.or(l, sum)
	}
	out := best.constant(0)
	for i := range out {
		out[i].Score = (best[i].Score + q.tie*(total[i].Score-best[i].Score)) * q.boost
	}
	return out, nil
}
