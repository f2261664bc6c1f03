package query

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/searcher"

	"storefront/lab/search/internal/mapping"
	"storefront/lab/search/internal/refusal"
)

// maxFuzzy is how long a text may be, in bytes, to be matched nearly; a longer one is matched exactly.
const maxFuzzy = 100

var unscored = search.SearcherOptions{Score: "none"}

// term finds a field's values: one exactly (term), by their beginning (prefix), by a pattern (wildcard), or nearly (fuzzy).
type term struct {
	kind, field, value, fuzziness string
	prefix                        int // characters that a fuzzy match may not change
	boost                         float64
}

func readTerm(b *body) (Query, error) {
	q := term{kind: b.name, field: b.field("value")}
	if _, ok := b.members["wildcard"]; ok && b.name == "wildcard" {
		b.members["value"] = b.members["wildcard"]
		delete(b.members, "wildcard")
	}
	if _, ok := b.members["value"]; !ok {
		b.fail("[%s] query: value cannot be null", b.name)
	}
	q.value, q.boost = b.text("value", ""), b.boost()
	if b.name == "fuzzy" {
		q.fuzziness, q.prefix = b.text("fuzziness", "AUTO"), int(b.number("prefix_length", 0))
		if q.prefix < 0 || q.prefix > maxFuzzy || len(q.value) > maxFuzzy {
			b.fail("[fuzzy] query: [prefix_length] and the value's length are served from 0 to %d", maxFuzzy)
		}
		if _, ok := distance(q.fuzziness, q.value); !ok {
			b.fail("[fuzzy] query: [fuzziness] takes 0, 1, 2 or AUTO, not [%s]", q.fuzziness)
		}
	}
	return q, b.end()
}

func (q term) Hits(s *Scope) (Hits, error) {
	if q.field == "_id" && q.kind == "term" {
		return ids{values: []string{q.value}, boost: q.boost}.Hits(s)
	}
	p := s.Mapping.Field(q.field)
	if p == nil {
		return nil, nil
	}
	if !p.Indexed() {
		return nil, s.refuse("Cannot search on field [%s] since it is not indexed.", q.field)
	}
	if q.kind == "term" {
		return q.exact(s, p)
	}
	if p.Numeric() || p.Type == "boolean" {
		return nil, s.refuse("Can only use %s queries on keyword and text fields - not on [%s] which is of type [%s]", q.kind, q.field, p.Type)
	}
	var found search.Searcher
	var err error
	switch q.kind {
	case "prefix":
		found, err = searcher.NewTermPrefixSearcher(s.Ctx, s.Reader, q.value, q.field, 1, unscored)
	case "wildcard":
		hits, err := globbed(s, q.field, parseGlob(q.value))
		return hits.constant(q.boost), err
	default:
		d, _ := distance(q.fuzziness, q.value)
		if d == 0 || len(q.value) > maxFuzzy {
			return q.exact(s, p)
		}
		found, err = searcher.NewFuzzySearcher(s.Ctx, s.Reader, q.value, q.prefix, d, q.field, 1, unscored)
	}
	hits, err := collect(s, found, err)
	return hits.constant(q.boost), err
}

func (q term) exact(s *Scope, p *mapping.Property) (Hits, error) {
	if p.Numeric() {
		n, why := p.Number(q.value)
		if p.Type == "date" {
			low, ok := mapping.DateMath(q.value, p.Format, s.Now, false)
			high, _ := mapping.DateMath(q.value, p.Format, s.Now, true)
			if !ok {
				return nil, s.refuse("failed to create query: %s", why)
			}
			return numbers(s, q.field, &low, &high, q.boost)
		}
		if why != "" {
			return nil, s.refuse("failed to create query: %s", why)
		}
		return numbers(s, q.field, &n, &n, q.boost)
	}
	hits, err := scored(s, q.value, q.field, p)
	return hits.boost(q.boost), err
}

// distance reads a fuzziness: how many characters may differ.
func distance(fuzziness, term string) (int, bool) {
	if strings.EqualFold(fuzziness, "AUTO") {
		switch n := utf8.RuneCountInString(term); {
		case n < 3:
			return 0, true
		case n < 6:
			return 1, true
		}
		return 2, true
	}
	n, err := strconv.Atoi(fuzziness)
	return n, err == nil && n >= 0 && n <= 2
}

// terms finds any of a field's values.
type terms struct {
	field  string
	values []string
	boost  float64
}

const maxTerms = 65536 // index.max_terms_count

func readTerms(b *body) (Query, error) {
	q := terms{boost: b.boost()}
	if len(b.members) != 1 {
		b.fail("[terms] query requires exactly one field")
		return nil, b.err
	}
	q.field = first(b.members)
	if _, ok := b.members[q.field].([]any); !ok {
		b.fail("[terms] query takes a list of values for [%s]; terms lookup is not served", q.field)
	}
	q.values = b.words(q.field)
	if len(q.values) > maxTerms {
		b.fail("The number of terms [%d] used in the Terms Query request has exceeded the allowed maximum of [%d]", len(q.values), maxTerms)
	}
	return q, b.end()
}

func (q terms) Hits(s *Scope) (Hits, error) {
	var lists []Hits
	for _, v := range q.values {
		h, err := term{kind: "term", field: q.field, value: v, boost: 1}.Hits(s)
		if err != nil {
			return nil, err
		}
		lists = append(lists, h)
	}
	return atLeast(1, lists).constant(q.boost), nil
}

// exists finds documents that have a field.
type exists struct {
	field string
	boost float64
}

func readExists(b *body) (Query, error) {
	q := exists{b.text("field", ""), b.boost()}
	if q.field == "" {
		b.fail("[exists] must be provided with a [field]")
	}
	return q, b.end()
}

func (q exists) Hits(s *Scope) (Hits, error) {
	var lists []Hits
	for _, path := range s.Mapping.Leaves() {
		if !strings.HasPrefix(path+".", q.field+".") && !wild(q.field, path) {
			continue
		}
		found, err := searcher.NewTermSearcher(s.Ctx, s.Reader, path, mapping.NamesField, 1, unscored)
		h, err := collect(s, found, err)
		if err != nil {
			return nil, err
		}
		lists = append(lists, h)
	}
	return atLeast(1, lists).constant(q.boost), nil
}

// ids finds documents by ID.
type ids struct {
	values []string
	boost  float64
}

func readIDs(b *body) (Query, error) {
	_, given := b.members["values"]
	q := ids{b.words("values"), b.boost()}
	if !given {
		b.fail("[ids] requires providing a [values] array")
	}
	return q, b.end()
}

func (q ids) Hits(s *Scope) (Hits, error) {
	found, err := searcher.NewDocIDSearcher(s.Ctx, s.Reader, q.values, 1, unscored)
	hits, err := collect(s, found, err)
	return hits.constant(q.boost), err
}

// refuse is an error that depends on the index's mapping.
func (s *Scope) refuse(format string, args ...any) error {
	return refusal.New(400, "query_shard_exception", "%s", fmt.Sprintf(format, args...)).With("index", s.Index)
}
