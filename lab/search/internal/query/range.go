package query

import (
	"errors"
	"math"
	"strconv"

	"github.com/blevesearch/bleve/v2/search/searcher"

	"storefront/lab/search/internal/mapping"
)

// span is the range query.
type span struct {
	field                       string
	low, high                   *string
	lowInclusive, highInclusive bool
	format                      string
	boost                       float64
}

func readRange(b *body) (Query, error) {
	q := span{field: b.field("")}
	bound := func(names [2]string) (value *string, inclusive bool) {
		for i, name := range names {
			v, ok := b.take(name)
			if !ok || v == nil {
				continue
			}
			text, ok := scalar(v)
			if !ok {
				b.fail("[range] query: [%s] must be a value", name)
			}
			value, inclusive = &text, i == 1
		}
		return value, inclusive
	}
	q.low, q.lowInclusive = bound([2]string{"gt", "gte"})
	q.high, q.highInclusive = bound([2]string{"lt", "lte"})
	q.format, q.boost = b.text("format", ""), b.boost()
	return q, b.end()
}

func (q span) Hits(s *Scope) (Hits, error) {
	p := s.Mapping.Field(q.field)
	if p == nil {
		return nil, nil
	}
	if !p.Indexed() {
		return nil, s.refuse("Cannot search on field [%s] since it is not indexed.", q.field)
	}
	if !p.Numeric() {
		var low, high []byte
		if q.low != nil {
			low = []byte(*q.low)
		}
		if q.high != nil {
			high = []byte(*q.high)
		}
		found, err := searcher.NewTermRangeSearcher(s.Ctx, s.Reader, low, high, &q.lowInclusive, &q.highInclusive, q.field, 1, unscored)
		hits, err := collect(s, found, err)
		return hits.constant(q.boost), err
	}
	low, err := q.bound(s, p, q.low, q.lowInclusive, 1)
	if err != nil {
		return nil, err
	}
	high, err := q.bound(s, p, q.high, q.highInclusive, -1)
	if err != nil {
		return nil, err
	}
	return numbers(s, q.field, low, high, q.boost)
}

// bound is an end of the range as a number that belongs to it. side is 1 for the lower end, -1 for the upper one.
func (q span) bound(s *Scope, p *mapping.Property, text *string, inclusive bool, side int) (*float64, error) {
	if text == nil {
		return nil, nil
	}
	if p.Type == "date" {
		format := q.format
		if format == "" {
			format = p.Format
		}
		at, ok := mapping.DateMath(*text, format, s.Now, inclusive == (side < 0))
		if !ok {
			return nil, s.refuse("failed to parse date field [%s] with format [%s]", *text, format)
		}
		if !inclusive {
			at += float64(side)
		}
		return &at, nil
	}
	n, err := strconv.ParseFloat(*text, 64)
	if err != nil || math.IsNaN(n) {
		return nil, s.refuse("failed to create query: For input string: \"%s\"", *text)
	}
	if !inclusive {
		n = math.Nextafter(n, math.Inf(side))
	}
	return &n, nil
}

// numbers finds a range of numbers, the bounds among them; nil is no bound.
func numbers(s *Scope, field string, low, high *float64, boost float64) (Hits, error) {
	from, to := math.Inf(-1), math.Inf(1)
	if low != nil {
		from = *low
	}
	if high != nil {
		to = *high
	}
	var lists []Hits
	for _, t := range mapping.Range(from, to) {
		found, err := between(s, field, t)
		if err != nil {
			return nil, err
		}
		lists = append(lists, found...)
	}
	return union(lists).constant(boost), nil
}

// between returns the documents of each of the terms that the index has.
func between(s *Scope, field string, t mapping.Terms) (lists []Hits, err error) {
	terms, err := s.Reader.FieldDictRange(field, t.First, t.Last)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, terms.Close()) }()
	for {
		entry, err := terms.Next()
		if err != nil || s.Ctx.Err() != nil {
			return nil, errors.Join(err, s.Ctx.Err())
		}
		if entry == nil {
			return lists, nil
		}
		list, err := postings(s, entry.Term, field)
		if err != nil {
			return nil, err
		}
		lists = append(lists, list)
	}
}
