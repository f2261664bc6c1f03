package query

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/blevesearch/bleve/v2/search"
	"github.com/blevesearch/bleve/v2/search/searcher"
)

// match finds what a text is made of in one field: terms, or a phrase.
type match struct {
	field, text string
	phrase, and bool
	minimum     string
	fuzziness   string
	lenient     bool // a text that the field cannot take finds nothing
	boost       float64
}

func readMatch(b *body) (Query, error) {
	q := match{phrase: b.name == "match_phrase", field: b.field("query")}
	if _, ok := b.members["query"]; !ok {
		b.fail("[%s] query: No text specified for text query", b.name)
	}
	q.text, q.boost = b.text("query", ""), b.boost()
	if !q.phrase {
		q.matching(b)
	} else if b.number("slop", 0) != 0 {
		b.fail("[match_phrase] query: [slop] is not served")
	}
	return q, b.end()
}

// matching takes the parameters that match and multi_match share.
func (q *match) matching(b *body) {
	q.and = b.word("operator", "or", "and") == "and"
	q.minimum, q.lenient, q.fuzziness = b.takeMinimum(), b.flag("lenient", false), b.text("fuzziness", "")
	if _, ok := distance(q.fuzziness, ""); q.fuzziness != "" && !ok {
		b.fail("[%s] query: [fuzziness] takes 0, 1, 2 or AUTO, not [%s]", b.name, q.fuzziness)
	}
	if z := b.word("zero_terms_query", "none", "all"); z != "none" {
		b.fail("[%s] query: [zero_terms_query] of [all] is not served", b.name)
	}
}

func (q match) Hits(s *Scope) (Hits, error) {
	p := s.Mapping.Field(q.field)
	if p == nil {
		if q.field == "_id" {
			return term{kind: "term", field: "_id", value: q.text, boost: q.boost}.Hits(s)
		}
		return nil, nil
	}
	if p.Type != "text" {
		hits, err := term{kind: "term", field: q.field, value: q.text, boost: q.boost}.Hits(s)
		if err != nil && q.lenient {
			return nil, nil
		}
		return hits, err
	}
	words := p.Terms(q.text)
	if len(words) == 0 {
		return nil, nil
	}
	if q.phrase && len(words) > 1 {
		return q.phraseHits(s, words)
	}
	var lists []Hits
	for _, w := range words {
		t := term{kind: "term", field: q.field, value: w, boost: q.boost}
		if q.fuzziness != "" {
			t.kind, t.fuzziness = "fuzzy", q.fuzziness
		}
		h, err := t.Hits(s)
		if err != nil {
			return nil, err
		}
		lists = append(lists, h)
	}
	needed := 1
	if q.and {
		needed = len(words)
	} else if q.minimum != "" {
		n, _ := minimum(q.minimum, len(words))
		needed = min(max(n, 1), len(words))
	}
	return atLeast(needed, lists), nil
}

// phraseHits scores a phrase as the sum of its terms.
func (q match) phraseHits(s *Scope, words []string) (Hits, error) {
	found, err := searcher.NewPhraseSearcher(s.Ctx, s.Reader, words, 0, false, q.field, 1, search.SearcherOptions{Score: "none", IncludeTermVectors: true})
	hits, err := collect(s, found, err)
	if err != nil {
		return nil, err
	}
	hits = hits.constant(0)
	slices.Sort(words)
	for _, w := range slices.Compact(words) {
		h, err := term{kind: "term", field: q.field, value: w, boost: q.boost}.Hits(s)
		if err != nil {
			return nil, err
		}
		hits = hits.and(h)
	}
	return hits, nil
}

// weighted is a field's name, or a pattern of names, with a factor, as in "name^3".
type weighted struct {
	pattern string
	boost   float64
}

func readFields(b *body, list []string) []weighted {
	var out []weighted
	for _, f := range list {
		w := weighted{pattern: f, boost: 1}
		if name, factor, ok := strings.Cut(f, "^"); ok {
			n, err := strconv.ParseFloat(factor, 64)
			if err != nil || n < 0 {
				b.fail("[%s] query: [fields] has a boost that is not a number: [%s]", b.name, f)
			}
			w = weighted{name, n}
		}
		out = append(out, w)
	}
	return out
}

// expand returns the fields that the patterns stand for.
func expand(s *Scope, fields []weighted) []weighted {
	var out []weighted
	for _, f := range fields {
		if !strings.Contains(f.pattern, "*") {
			out = append(out, f)
			continue
		}
		for _, path := range s.Mapping.Leaves() {
			if wild(f.pattern, path) && s.Mapping.Field(path).Indexed() {
				out = append(out, weighted{path, f.boost})
			}
		}
	}
	return out
}

// wild tells whether a name is of a pattern with stars.
func wild(pattern, name string) bool {
	ok, err := path.Match(strings.NewReplacer("[", "\\[", "?", "\\?", "\\", "\\\\").Replace(pattern), name)
	return ok && err == nil
}

// multi is a match in several fields: the best one counts, or all together.
type multi struct {
	match
	fields []weighted
	most   bool
	tie    float64
}

func readMultiMatch(b *body) (Query, error) {
	q := multi{match: match{text: b.text("query", ""), boost: b.boost()}, tie: b.number("tie_breaker", 0)}
	q.fields = readFields(b, b.words("fields"))
	if len(q.fields) == 0 {
		q.fields, q.lenient = []weighted{{"*", 1}}, true
	}
	kind := b.word("type", "best_fields", "most_fields", "phrase")
	q.most, q.phrase = kind == "most_fields", kind == "phrase"
	lenient := q.lenient
	q.matching(b)
	q.lenient = q.lenient || lenient
	if q.text == "" {
		b.fail("[multi_match] query: No text specified for multi_match query")
	}
	return q, b.end()
}

func (q multi) Hits(s *Scope) (Hits, error) {
	var queries []Query
	for _, f := range expand(s, q.fields) {
		m := q.match
		m.field, m.boost = f.pattern, m.boost*f.boost
		queries = append(queries, m)
	}
	if q.most {
		lists, err := each(s, queries)
		return atLeast(1, lists), err
	}
	return disMax{queries: queries, tie: q.tie, boost: 1}.Hits(s)
}
