package query

import (
	"slices"

	"github.com/blevesearch/bleve/v2/search"
)

// Hit is a document that a query found, by its number within the index's snapshot.
type Hit struct {
	Doc   uint64
	Score float64
}

// Hits are documents in ascending order of their number.
type Hits []Hit

// and keeps what is in both; scores add up.
func (h Hits) and(o Hits) Hits {
	out := h[:0:0]
	for i, j := 0, 0; i < len(h) && j < len(o); {
		switch {
		case h[i].Doc < o[j].Doc:
			i++
		case h[i].Doc > o[j].Doc:
			j++
		default:
			out = append(out, Hit{h[i].Doc, h[i].Score + o[j].Score})
			i, j = i+1, j+1
		}
	}
	return out
}

// or keeps what is in any; join makes one score of two.
func (h Hits) or(o Hits, join func(a, b float64) float64) Hits {
	if len(h) == 0 {
		return o
	}
	out := make(Hits, 0, len(h)+len(o))
	i, j := 0, 0
	for i < len(h) && j < len(o) {
		switch {
		case h[i].Doc < o[j].Doc:
			out, i = append(out, h[i]), i+1
		case h[i].Doc > o[j].Doc:
			out, j = append(out, o[j]), j+1
		default:
			out = append(out, Hit{h[i].Doc, join(h[i].Score, o[j].Score)})
			i, j = i+1, j+1
		}
	}
	return append(append(out, h[i:]...), o[j:]...)
}

// not keeps what is not in the other.
func (h Hits) not(o Hits) Hits {
	out := h[:0:0]
	j := 0
	for _, hit := range h {
		for j < len(o) && o[j].Doc < hit.Doc {
			j++
		}
		if j == len(o) || o[j].Doc != hit.Doc {
			out = append(out, hit)
		}
	}
	return out
}

// constant gives every hit one score.
func (h Hits) constant(score float64) Hits {
	out := slices.Clone(h)
	for i := range out {
		out[i].Score = score
	}
	return out
}

// boost multiplies the scores.
func (h Hits) boost(by float64) Hits {
	if by == 1 {
		return h
	}
	out := slices.Clone(h)
	for i := range out {
		out[i].Score *= by
	}
	return out
}

func sum(a, b float64) float64 { return a + b }

// atLeast keeps what is in at least n of the lists; scores add up.
func atLeast(n int, lists []Hits) Hits {
	type count struct {
		score float64
		n     int
	}
	if n <= 1 {
		return union(lists)
	}
	counts := map[uint64]count{}
	for _, l := range lists {
		for _, h := range l {
			c := counts[h.Doc]
			counts[h.Doc] = count{c.score + h.Score, c.n + 1}
		}
	}
	var out Hits
	for doc, c := range counts {
		if c.n >= n {
			out = append(out, Hit{doc, c.score})
		}
	}
	slices.SortFunc(out, func(a, b Hit) int {
		if a.Doc < b.Doc {
			return -1
		}
		return 1
	})
	return out
}

// collect runs a searcher of bleve to its end.
func collect(s *Scope, found search.Searcher, err error) (Hits, error) {
	if err != nil {
		return nil, err
	}
	defer found.Close()
	sc := &search.SearchContext{DocumentMatchPool: search.NewDocumentMatchPool(found.DocumentMatchPoolSize()+1, 0), IndexReader: s.Reader}
	var hits Hits
	for {
		m, err := found.Next(sc)
		if err != nil {
			return nil, err
		}
		if m == nil {
			return hits, nil
		}
		hits = append(hits, Hit{m.IndexInternalID.Value(), m.Score})
		sc.DocumentMatchPool.Put(m)
		if len(hits)%4096 == 0 && s.Ctx.Err() != nil {
			return nil, s.Ctx.Err()
		}
	}
}
