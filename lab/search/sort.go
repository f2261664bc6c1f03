package search

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math"
	"net/http"
	"strconv"

	"storefront/lab/search/internal/aggregation"
	"storefront/lab/search/internal/mapping"
	"storefront/lab/search/internal/query"
	"storefront/lab/search/internal/refusal"
)

// sortKey is one of the things that hits are sorted by: a field, or _score or _doc.
type sortKey struct {
	field    string
	down     bool
	first    bool // documents without the field come first
	unmapped bool // an index without the field is no mistake
}

// sortValue is what a hit has under a sort key.
type sortValue struct {
	query.Value
	missing bool
}

func newSortKey(field, direction string) (sortKey, error) {
	k := sortKey{field: field, down: field == "_score"}
	switch direction {
	case "":
	case "asc", "desc":
		k.down = direction == "desc"
	default:
		return k, refusal.Argument("No enum constant SortOrder [%s]: asc or desc", direction)
	}
	if field == "" {
		return k, refusal.Argument("a sort needs a field")
	}
	return k, nil
}

// readSort reads a sort: names, {"field":"desc"}, or {"field":{"order":"desc","missing":"_first","unmapped_type":"long"}}, in a list or alone.
func readSort(text []byte) ([]sortKey, error) {
	if t := bytes.TrimSpace(text); len(t) == 0 || t[0] != '[' {
		text = append(append([]byte{'['}, t...), ']')
	}
	var list []json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, refusal.Parsing("[sort]: %v", err)
	}
	var out []sortKey
	for _, one := range list {
		var name string
		if json.Unmarshal(one, &name) == nil {
			k, err := newSortKey(name, "")
			if err != nil {
				return nil, err
			}
			out = append(out, k)
			continue
		}
		var byField map[string]json.RawMessage
		if err := json.Unmarshal(one, &byField); err != nil || len(byField) == 0 {
			return nil, refusal.Parsing("malformed sort format, either start with array, start object, or value")
		}
		for field, v := range byField {
			k, err := readSortKey(field, v)
			if err != nil {
				return nil, err
			}
			out = append(out, k)
		}
		if len(byField) > 1 {
			return nil, refusal.Parsing("each object of a sort names one field: the order of several is not kept")
		}
	}
	return out, nil
}

func readSortKey(field string, text []byte) (sortKey, error) {
	var direction string
	if json.Unmarshal(text, &direction) == nil {
		return newSortKey(field, direction)
	}
	var o struct {
		Order    string `json:"order"`
		Missing  any    `json:"missing"`
		Unmapped string `json:"unmapped_type"`
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil {
		return sortKey{}, refusal.Parsing("[sort] of [%s]: %v", field, err)
	}
	k, err := newSortKey(field, o.Order)
	switch o.Missing {
	case nil, "_last":
	case "_first":
		k.first = true
	default:
		return k, refusal.Argument("[missing] of the sort by [%s] takes _first or _last", field)
	}
	k.unmapped = o.Unmapped != ""
	return k, err
}

// special tells whether the key is no field.
func (k sortKey) special() bool { return k.field == "_score" || k.field == "_doc" }

// sortFields are the fields whose values the sort needs.
func (s *searchRequest) sortFields() []string {
	var out []string
	for _, k := range s.sort {
		if !k.special() {
			out = append(out, k.field)
		}
	}
	return out
}

// checkSort tells why an index cannot be sorted so.
func (s *searchRequest) checkSort(scope *query.Scope) error {
	for _, k := range s.sort {
		p := scope.Mapping.Field(k.field)
		switch {
		case k.special():
		case p == nil && !k.unmapped:
			return refusal.New(http.StatusBadRequest, "query_shard_exception", "No mapping found for [%s] in order to sort on", k.field).With("index", scope.Index)
		case p != nil && !p.Sortable():
			return aggregation.NotSortable(k.field)
		}
	}
	return nil
}

// keys is what the hit is sorted by. Of several values ascending order takes the least, descending order the greatest.
func (s *searchRequest) keys(h query.Hit, values map[string][]query.Value, m *mapping.Mapping) []sortValue {
	out := make([]sortValue, len(s.sort))
	for i, k := range s.sort {
		switch k.field {
		case "_score":
			out[i].Number = h.Score
			continue
		case "_doc":
			out[i].Number = float64(h.Doc)
			continue
		}
		all := values[k.field]
		if len(all) == 0 {
			out[i].missing = true
			continue
		}
		out[i].Value = all[0]
		for _, v := range all[1:] {
			if n := compareValues(v, out[i].Value); n < 0 && !k.down || n > 0 && k.down {
				out[i].Value = v
			}
		}
	}
	return out
}

func compareValues(a, b query.Value) int {
	return cmp.Or(cmp.Compare(a.Number, b.Number), cmp.Compare(a.Text, b.Text))
}

func (k sortKey) compare(a, b sortValue) int {
	switch {
	case a.missing && b.missing:
		return 0
	case a.missing != b.missing:
		if a.missing == k.first {
			return -1
		}
		return 1
	}
	n := compareValues(a.Value, b.Value)
	if k.down {
		return -n
	}
	return n
}

// isAfter tells whether the hit comes after the last one of the page before.
func (s *searchRequest) isAfter(h hit) bool {
	for i, k := range s.sort {
		if n := k.compare(h.keys[i], k.read(s.after[i], h.scope.Mapping)); n != 0 {
			return n > 0
		}
	}
	return false
}

// checkAfter tells why the values of search_after are none that the sort shows.
func (s *searchRequest) checkAfter(m *mapping.Mapping) error {
	for i, v := range s.after {
		k, p := s.sort[i], m.Field(s.sort[i].field)
		_, numeric := v.(json.Number)
		text := mapping.Text(v)
		if v == nil || p == nil && !k.special() {
			continue
		}
		if k.special() || p.Numeric() {
			if _, err := strconv.ParseFloat(text, 64); err == nil {
				continue
			}
			if p != nil {
				if _, why := p.Number(text); why == "" {
					continue
				}
			}
		} else if _, isText := v.(string); isText || p.Type == "boolean" && numeric {
			continue
		}
		return refusal.Argument("Failed to parse search_after value for field [%s]: [%s]", k.field, text)
	}
	return nil
}

// read takes a sort value as an answer showed it.
func (k sortKey) read(v any, m *mapping.Mapping) sortValue {
	text, p := mapping.Text(v), m.Field(k.field)
	switch {
	case v == nil:
		return sortValue{missing: true}
	case p != nil && p.Type == "boolean":
		return sortValue{Value: query.Value{Text: map[string]string{"0": "false", "1": "true"}[text]}}
	case !k.special() && (p == nil || !p.Numeric()):
		return sortValue{Value: query.Value{Text: text}}
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil && p != nil {
		n, _ = p.Number(text)
	}
	return sortValue{Value: query.Value{Number: n}}
}

// show is a sort value in an answer.
func (k sortKey) show(v sortValue, m *mapping.Mapping) any {
	p := m.Field(k.field)
	switch {
	case v.missing:
		return nil
	case k.field == "_score":
		return v.Number
	case k.field == "_doc", p != nil && (p.Whole() || p.Type == "date"):
		return int64(math.Round(v.Number))
	case p != nil && p.Numeric():
		return v.Number
	case p != nil && p.Type == "boolean":
		return map[string]int{"true": 1}[v.Text]
	}
	return v.Text
}
