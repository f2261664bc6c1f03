package query

import (
	"errors"
	"math"

	index "github.com/blevesearch/bleve_index_api"

	"storefront/lab/search/internal/mapping"
)

// Parameters of BM25 as Lucene sets them.
const (
	k1 = 1.2
	b  = 0.75
)

// collection is what scores need to know of a field in all documents of the shard.
type collection struct{ documents, average float64 }

// scored finds a term and scores it as Elasticsearch 7 does: BM25 with the factor k1+1. It reads bleve's postings itself, as bleve's own
// scores take the square root of the frequency, and the count of distinct terms for the length of all texts.
func scored(s *Scope, value, field string, p *mapping.Property) (hits Hits, err error) {
	postings, err := s.Reader.TermFieldReader(s.Ctx, []byte(value), field, true, true, false)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, postings.Close()) }()
	all, err := s.collection(field)
	if err != nil {
		return nil, err
	}
	n := float64(postings.Count())
	idf := math.Log(1 + max(all.documents-n+0.5, 0.5)/(n+0.5))
	var at index.TermFieldDoc
	for {
		d, err := postings.Next(&at)
		if err != nil || d == nil {
			return hits, err
		}
		frequency, length := float64(d.Freq), 1.0
		if p.Type == "text" && d.Norm > 0 && all.average > 0 {
			length = 1 / (d.Norm * d.Norm) / all.average
		}
		if p.Type != "text" {
			frequency = 1
		}
		score := idf * (k1 + 1) * frequency / (frequency + k1*(1-b+b*length))
		hits = append(hits, Hit{d.ID.Value(), score})
	}
}

// collection counts the documents that have a field, and the terms that they have there, once for each snapshot.
func (s *Scope) collection(field string) (c collection, err error) {
	if known, ok := s.Statistics.Load(field); ok {
		return known.(collection), nil
	}
	postings, err := s.Reader.TermFieldReader(s.Ctx, []byte(field), mapping.NamesField, true, false, false)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, postings.Close()) }()
	var at index.TermFieldDoc
	total := 0.0
	for {
		d, err := postings.Next(&at)
		if err != nil {
			return c, err
		}
		if d == nil {
			break
		}
		c.documents, total = c.documents+1, total+float64(d.Freq)
	}
	if c.documents > 0 {
		c.average = total / c.documents
	}
	s.Statistics.Store(field, c)
	return c, nil
}
