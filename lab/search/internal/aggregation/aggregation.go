// Package aggregation computes aggregations: it sees every document that a search found, on all shards, so its counts are exact.
package aggregation

import (
	"encoding/json"
	"slices"
	"strings"

	"storefront/lab/search/internal/mapping"
	"storefront/lab/search/internal/query"
	"storefront/lab/search/internal/refusal"
)

const (
	maxDepth   = 8
	maxBuckets = 10000 // search.max_buckets
)

// Set is aggregations side by side, by name.
type Set map[string]*Aggregation

// Aggregation is one aggregation, with those inside each of its buckets.
type Aggregation struct {
	kind  string
	field string
	inner Set

	settings settings
}

// settings are those of all kinds; a kind takes its own.
type settings struct {
	Field    string          `json:"field"`
	Size     *int            `json:"size"`
	Order    json.RawMessage `json:"order"`
	Minimum  *int            `json:"min_doc_count"`
	Error    bool            `json:"show_term_doc_count_error"`
	Ranges   []bound         `json:"ranges"`
	Keyed    bool            `json:"keyed"`
	Interval float64         `json:"interval"`
	Calendar string          `json:"calendar_interval"`
	Fixed    string          `json:"fixed_interval"`

	order []order
	step  step
}

type bound struct {
	Key  string   `json:"key"`
	From *float64 `json:"from"`
	To   *float64 `json:"to"`
}

// takes is what a kind takes besides its field; nil for a kind that is not served.
func takes(kind string) []string {
	switch kind {
	case "terms":
		return []string{"size", "order", "min_doc_count", "show_term_doc_count_error"}
	case "sum", "avg", "min", "max", "stats", "value_count", "cardinality":
		return []string{}
	case "range":
		return []string{"ranges", "keyed"}
	case "histogram":
		return []string{"interval", "min_doc_count"}
	case "date_histogram":
		return []string{"calendar_interval", "fixed_interval", "min_doc_count"}
	}
	return nil
}

// Parse reads aggregations, as in {"by_shop":{"terms":{"field":"shop"},"aggs":{...}}}.
func Parse(text []byte) (Set, error) { return parse(text, 0) }

func parse(text []byte, depth int) (Set, error) {
	var named map[string]map[string]json.RawMessage
	if err := json.Unmarshal(text, &named); err != nil {
		return nil, refusal.Parsing("aggregations must be an object of objects: %v", err)
	}
	if depth > maxDepth {
		return nil, refusal.Argument("aggregations may nest %d deep", maxDepth)
	}
	out := Set{}
	for name, members := range named {
		if name == "" || strings.ContainsAny(name, "[]>") {
			return nil, refusal.Parsing("Invalid aggregation name [%s]. Aggregation names cannot contain '[', ']', and '>'", name)
		}
		a := &Aggregation{}
		for key, v := range members {
			var err error
			switch {
			case key == "aggs" || key == "aggregations":
				a.inner, err = parse(v, depth+1)
			case takes(key) == nil:
				err = refusal.Parsing("Unknown aggregation type [%s], or one that is not served", key)
			case a.kind != "":
				err = refusal.Parsing("Found two aggregation type definitions in [%s]: [%s] and [%s]", name, a.kind, key)
			default:
				a.kind = key
				err = a.read(name, v)
			}
			if err != nil {
				return nil, err
			}
		}
		switch {
		case a.kind == "":
			return nil, refusal.Parsing("Missing definition for aggregation [%s]", name)
		case len(a.inner) > 0 && !a.buckets():
			return nil, refusal.New(400, "aggregation_initialization_exception", "Aggregator [%s] of type [%s] cannot accept sub-aggregations", name, a.kind)
		}
		out[name] = a
	}
	return out, nil
}

// buckets tells whether the aggregation sorts documents into buckets.
func (a *Aggregation) buckets() bool {
	return slices.Contains([]string{"terms", "range", "histogram", "date_histogram"}, a.kind)
}

func (a *Aggregation) read(name string, text []byte) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(text, &members); err != nil {
		return refusal.Parsing("aggregation [%s] must be an object", name)
	}
	for key := range members {
		if key != "field" && !slices.Contains(takes(a.kind), key) {
			return refusal.Parsing("[%s] unknown field [%s]", a.kind, key)
		}
	}
	s := &a.settings
	if err := json.Unmarshal(text, s); err != nil {
		return refusal.Parsing("aggregation [%s]: %v", name, err)
	}
	if a.field = s.Field; a.field == "" {
		return refusal.Argument("Required one of fields [field, script], but none were specified.")
	}
	if s.Size != nil && *s.Size <= 0 {
		return refusal.Argument("[size] must be greater than 0. Found [%d] in [%s]", *s.Size, name)
	}
	if a.kind == "range" && len(s.Ranges) == 0 {
		return refusal.Argument("No [ranges] specified for the [%s] aggregation", name)
	}
	if a.kind == "histogram" && !(s.Interval >= 1e-6) {
		return refusal.Argument("[interval] must be >0 for histogram aggregation [%s], and is served from 0.000001", name)
	}
	if a.kind == "date_histogram" {
		var err error
		if s.step, err = readStep(s.Calendar, s.Fixed); err != nil {
			return err
		}
	}
	var err error
	s.order, err = readOrder(s.Order)
	return err
}

// Fields returns the fields whose values the aggregations read.
func (s Set) Fields() []string {
	var out []string
	for _, a := range s {
		out = append(append(out, a.field), a.inner.Fields()...)
	}
	return out
}

// Check tells why the aggregations cannot read a field as a mapping has it.
func (s Set) Check(m *mapping.Mapping) error {
	for _, a := range s {
		p := m.Field(a.field)
		switch {
		case p == nil:
		case !p.Sortable():
			return NotSortable(a.field)
		case !p.Numeric() && p.Type != "boolean" && slices.Contains([]string{"sum", "avg", "min", "max", "stats", "range", "histogram", "date_histogram"}, a.kind):
			return refusal.Argument("Field [%s] of type [%s] is not supported for aggregation [%s]", a.field, p.Type, a.kind)
		}
		if err := a.inner.Check(m); err != nil {
			return err
		}
	}
	return nil
}

// NotSortable is the error of a field whose values are not at hand by document.
func NotSortable(field string) error {
	return refusal.Argument("Text fields are not optimised for operations that require per-document field data like aggregations and sorting, so these operations are disabled by default. Please use a keyword field instead. Alternatively, set fielddata=true on [%s] in order to load field data by uninverting the inverted index. Note that this can use significant memory.", field)
}

// Run is aggregations at work on one search.
type Run struct {
	set     Set
	states  map[string]*state
	mapping func(field string) *mapping.Property
	buckets *int
}

// state is what one aggregation has seen.
type state struct {
	metric
	buckets map[string]*bucket
}

type bucket struct {
	value query.Value
	count int
	inner *Run
}

// Start begins a search. known tells a field's type in whichever index has it.
func (s Set) Start(known func(field string) *mapping.Property) *Run { return s.start(known, new(int)) }

func (s Set) start(known func(string) *mapping.Property, buckets *int) *Run {
	r := &Run{set: s, states: map[string]*state{}, mapping: known, buckets: buckets}
	for name, a := range s {
		r.states[name] = &state{metric: newMetric(a.kind), buckets: map[string]*bucket{}}
	}
	return r
}

// Add takes a document in.
func (r *Run) Add(values map[string][]query.Value) error {
	for name, a := range r.set {
		s := r.states[name]
		seen := map[string]bool{}
		for _, v := range values[a.field] {
			if !a.buckets() {
				s.add(v, r.mapping(a.field))
				continue
			}
			for _, key := range a.keys(v, r.mapping(a.field)) {
				if seen[key.id] {
					continue
				}
				seen[key.id] = true
				if err := r.put(a, s, key, values); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (r *Run) put(a *Aggregation, s *state, key bucketKey, values map[string][]query.Value) error {
	b := s.buckets[key.id]
	if b == nil {
		if *r.buckets++; *r.buckets > maxBuckets*10 {
			return refusal.New(503, "too_many_buckets_exception", "Trying to create too many buckets. Must be less than or equal to: [%d]", maxBuckets*10)
		}
		b = &bucket{value: key.value, inner: a.inner.start(r.mapping, r.buckets)}
		s.buckets[key.id] = b
	}
	b.count++
	return b.inner.Add(values)
}

// Result is the aggregations' answer.
func (r *Run) Result() (map[string]any, error) {
	out := map[string]any{}
	for name, a := range r.set {
		result, err := a.result(r.states[name], r)
		if err != nil {
			return nil, err
		}
		out[name] = result
	}
	return out, nil
}
