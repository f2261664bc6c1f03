// Package query is Elasticsearch's query DSL: it reads queries and runs them on one shard's index.
package query

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"sync"
	"time"

	index "github.com/blevesearch/bleve_index_api"

	"storefront/lab/search/internal/mapping"
	"storefront/lab/search/internal/refusal"
)

// Scope is where a query runs: the snapshot of one shard's index and what is known of its fields.
type Scope struct {
	Ctx     context.Context
	Reader  index.IndexReader
	Mapping *mapping.Mapping
	Index   string    // the index's name, for errors
	Now     time.Time // of the request

	Statistics *sync.Map // of this snapshot's fields, filled as they are asked for
}

// Query finds documents.
type Query interface {
	Hits(s *Scope) (Hits, error)
}

// maxDepth bounds how deep queries may nest.
const maxDepth = 30

// Parse reads a query of the DSL, as in {"match":{"name":"chair"}}.
func Parse(text []byte) (Query, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, refusal.Parsing("the query is not JSON: %v", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, refusal.Parsing("there is something after the query")
	}
	return parse(v, 0)
}

func parse(v any, depth int) (Query, error) {
	m, ok := v.(map[string]any)
	switch {
	case depth > maxDepth:
		return nil, refusal.Argument("queries may nest %d deep", maxDepth)
	case !ok:
		return nil, refusal.Parsing("[_na] query malformed, must start with start_object")
	case len(m) == 0:
		return nil, refusal.Argument("query malformed, empty clause found")
	case len(m) > 1:
		return nil, refusal.Parsing("[%s] malformed query, expected [END_OBJECT] but found [FIELD_NAME]", first(m))
	}
	name := first(m)
	read := reader(name)
	if read == nil {
		return nil, refusal.Parsing("unknown query [%s]", name)
	}
	o, ok := m[name].(map[string]any)
	if !ok {
		return nil, refusal.Parsing("[%s] query malformed, no start_object after query name", name)
	}
	return read(&body{name: name, members: o, depth: depth})
}

func first(m map[string]any) string {
	least := ""
	for k := range m {
		if least == "" || k < least {
			least = k
		}
	}
	return least
}

// reader returns what reads the body of a query.
func reader(name string) func(*body) (Query, error) {
	switch name {
	case "match_all":
		return readMatchAll
	case "match_none":
		return func(b *body) (Query, error) { return none{}, b.end() }
	case "match", "match_phrase":
		return readMatch
	case "multi_match":
		return readMultiMatch
	case "term", "prefix", "wildcard", "fuzzy":
		return readTerm
	case "terms":
		return readTerms
	case "range":
		return readRange
	case "exists":
		return readExists
	case "ids":
		return readIDs
	case "bool":
		return readBool
	case "constant_score":
		return readConstant
	case "dis_max":
		return readDisMax
	case "query_string", "simple_query_string":
		return readQueryString
	}
	return nil
}
