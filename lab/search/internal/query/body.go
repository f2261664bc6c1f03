package query

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"storefront/lab/search/internal/mapping"
	"storefront/lab/search/internal/refusal"
)

// body is an object of the DSL whose members are taken one by one: what nobody takes is unknown and refused by end.
type body struct {
	name    string // the query's
	members map[string]any
	depth   int
	err     error
}

func (b *body) fail(format string, args ...any) {
	if b.err == nil {
		b.err = refusal.Parsing(format, args...)
	}
}

// take removes a member.
func (b *body) take(name string) (any, bool) {
	v, ok := b.members[name]
	delete(b.members, name)
	return v, ok
}

// text takes a scalar as text.
func (b *body) text(name, otherwise string) string {
	v, ok := b.take(name)
	if !ok {
		return otherwise
	}
	s, ok := scalar(v)
	if !ok {
		b.fail("[%s] query: [%s] must be a value, not an object or a list", b.name, name)
	}
	return s
}

// word takes text that must be one of some words.
func (b *body) word(name string, words ...string) string {
	w := strings.ToLower(b.text(name, words[0]))
	if !slices.Contains(words, w) {
		b.fail("[%s] query: [%s] does not take [%s]: one of %s", b.name, name, w, strings.Join(words, ", "))
	}
	return w
}

func (b *body) number(name string, otherwise float64) float64 {
	v, ok := b.take(name)
	if !ok {
		return otherwise
	}
	s, _ := scalar(v)
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		b.fail("[%s] query: [%s] must be a number", b.name, name)
		return otherwise
	}
	return n
}

// boost takes the factor of the query's score.
func (b *body) boost() float64 {
	n := b.number("boost", 1)
	if n < 0 {
		b.fail("[%s] query: negative [boost] are not allowed", b.name)
	}
	return n
}

func (b *body) flag(name string, otherwise bool) bool {
	return b.word(name, strconv.FormatBool(otherwise), strconv.FormatBool(!otherwise)) == "true"
}

// list takes a list, or one value as a list of one.
func (b *body) list(name string) []any {
	v, ok := b.take(name)
	if !ok {
		return nil
	}
	if l, ok := v.([]any); ok {
		return l
	}
	return []any{v}
}

func (b *body) words(name string) []string {
	var out []string
	for _, v := range b.list(name) {
		s, ok := scalar(v)
		if !ok {
			b.fail("[%s] query: [%s] must hold values", b.name, name)
		}
		out = append(out, s)
	}
	return out
}

// queries takes the queries of a clause.
func (b *body) queries(name string) []Query {
	var out []Query
	for _, v := range b.list(name) {
		q, err := parse(v, b.depth+1)
		if err != nil && b.err == nil {
			b.err = err
		}
		out = append(out, q)
	}
	return out
}

// field takes the one member that names a field: its value, or an object whose members are then taken from b.
func (b *body) field(value string) string {
	if len(b.members) != 1 {
		b.fail("[%s] query takes exactly one field", b.name)
		return ""
	}
	name := first(b.members)
	switch v := b.members[name].(type) {
	case map[string]any:
		b.members = map[string]any{}
		for k, e := range v {
			b.members[k] = e
		}
	case []any:
		b.fail("[%s] unknown token [START_ARRAY] after [%s]", b.name, name)
	default:
		b.members = map[string]any{value: v}
	}
	return name
}

// end tells the first mistake of the body.
func (b *body) end() error {
	delete(b.members, "_name")
	if b.err == nil && len(b.members) > 0 {
		b.fail("[%s] query does not support [%s]", b.name, first(b.members))
	}
	return b.err
}

func scalar(v any) (string, bool) {
	switch v.(type) {
	case string, json.Number, bool:
		return mapping.Text(v), true
	}
	return "", false
}

// minimum reads minimum_should_match for a number of clauses: 2, -1, 75%, -25%.
func minimum(text string, clauses int) (int, bool) {
	percent, isPercent := strings.CutSuffix(text, "%")
	n, err := strconv.Atoi(percent)
	if err != nil {
		return 0, false
	}
	if isPercent {
		n = int(float64(clauses) * float64(n) / 100)
	}
	if n < 0 || isPercent && strings.HasPrefix(percent, "-") {
		n += clauses
	}
	return max(n, 0), true
}

// takeMinimum takes minimum_should_match and checks its form.
func (b *body) takeMinimum() string {
	text := b.text("minimum_should_match", "")
	if _, ok := minimum(text, 1); text != "" && !ok {
		b.fail("[%s] query: [minimum_should_match] takes a number or a percentage, not [%s]", b.name, text)
	}
	return text
}
