package aggregation

import (
	"bytes"
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"storefront/lab/search/internal/mapping"
	"storefront/lab/search/internal/query"
	"storefront/lab/search/internal/refusal"
)

// bucketKey is what a bucket is found by.
type bucketKey struct {
	id    string
	value query.Value
}

// keys returns the buckets that a value belongs to.
func (a *Aggregation) keys(v query.Value, p *mapping.Property) []bucketKey {
	at := func(n float64) []bucketKey {
		return []bucketKey{{strconv.FormatFloat(n, 'g', -1, 64), query.Value{Number: n}}}
	}
	switch a.kind {
	case "histogram":
		return at(math.Floor(v.Number/a.settings.Interval) * a.settings.Interval)
	case "date_histogram":
		return at(a.settings.step.floor(v.Number))
	case "range":
		var out []bucketKey
		for i, r := range a.settings.Ranges {
			if (r.From == nil || v.Number >= *r.From) && (r.To == nil || v.Number < *r.To) {
				out = append(out, bucketKey{id: strconv.Itoa(i)})
			}
		}
		return out
	}
	if p != nil && p.Numeric() {
		return at(v.Number)
	}
	return []bucketKey{{v.Text, v}}
}

func (a *Aggregation) result(s *state, r *Run) (map[string]any, error) {
	p := r.mapping(a.field)
	switch a.kind {
	case "terms":
		return a.terms(s, r, p)
	case "range":
		return a.ranges(s, r)
	case "histogram", "date_histogram":
		return a.histogram(s, r, p)
	}
	return s.metric.result(a.kind, p), nil
}

// write is a bucket of an answer.
func (b *bucket) write(out map[string]any) (map[string]any, error) {
	inner, err := b.inner.Result()
	if err != nil {
		return nil, err
	}
	for name, v := range inner {
		out[name] = v
	}
	out["doc_count"] = b.count
	return out, nil
}

// key is the name of a bucket: as the field's type shows it.
func key(v query.Value, p *mapping.Property) map[string]any {
	switch {
	case p == nil:
		return map[string]any{"key": v.Number}
	case p.Type == "date":
		return map[string]any{"key": int64(v.Number), "key_as_string": mapping.FormatDate(v.Number)}
	case p.Type == "boolean":
		return map[string]any{"key": map[string]int{"true": 1}[v.Text], "key_as_string": v.Text}
	case p.Whole():
		return map[string]any{"key": int64(v.Number)}
	case p.Numeric():
		return map[string]any{"key": v.Number}
	}
	return map[string]any{"key": v.Text}
}

func (a *Aggregation) terms(s *state, r *Run, p *mapping.Property) (map[string]any, error) {
	least, size := 1, 10
	if a.settings.Minimum != nil {
		least = max(*a.settings.Minimum, 1)
	}
	if a.settings.Size != nil {
		size = *a.settings.Size
	}
	var list []*bucket
	for _, b := range s.buckets {
		if b.count >= least {
			list = append(list, b)
		}
	}
	for _, o := range a.settings.order {
		if o.name != "_count" && o.name != "_key" && a.inner[o.name] == nil {
			return nil, refusal.New(500, "aggregation_execution_exception", "Invalid aggregation order path [%s]. The provided aggregation [%s] either does not exist, or is a pipeline aggregation", o.name, o.name)
		}
	}
	slices.SortFunc(list, func(x, y *bucket) int { return compare(x, y, a.settings.order, a.inner) })
	others := 0
	for _, b := range list[min(size, len(list)):] {
		others += b.count
	}
	buckets := []any{}
	for _, b := range list[:min(size, len(list))] {
		out, err := b.write(key(b.value, p))
		if err != nil {
			return nil, err
		}
		if a.settings.Error {
			out["doc_count_error_upper_bound"] = 0
		}
		buckets = append(buckets, out)
	}
	return map[string]any{"doc_count_error_upper_bound": 0, "sum_other_doc_count": others, "buckets": buckets}, nil
}

// order is a way to sort buckets.
type order struct {
	name, metric string
	down         bool
}

// readOrder reads {"_count":"desc"}, or a list of such.
func readOrder(text []byte) ([]order, error) {
	if text == nil {
		return []order{{name: "_count", down: true}}, nil
	}
	var list []map[string]string
	if trimmed := bytes.TrimSpace(text); trimmed[0] == '{' {
		text = append(append([]byte{'['}, trimmed...), ']')
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, refusal.Parsing("Invalid terms aggregation order: %v", err)
	}
	var out []order
	for _, one := range list {
		if len(one) != 1 {
			return nil, refusal.Parsing("Must specify at least one field for [order], and one in each object")
		}
		for name, direction := range one {
			if direction != "asc" && direction != "desc" {
				return nil, refusal.Parsing("Unknown order direction [%s]", direction)
			}
			o := order{name: name, down: direction == "desc"}
			if o.name == "_term" {
				o.name = "_key"
			}
			o.name, o.metric, _ = strings.Cut(o.name, ".")
			out = append(out, o)
		}
	}
	return out, nil
}

func compare(x, y *bucket, orders []order, inner Set) int {
	for _, o := range orders {
		n := 0
		switch o.name {
		case "_count":
			n = x.count - y.count
		case "_key":
			n = compareValues(x.value, y.value)
		default:
			name := o.metric
			if name == "" || name == "value" {
				name = inner[o.name].kind
			}
			a, b := x.inner.states[o.name].value(name), y.inner.states[o.name].value(name)
			if inner[o.name].buckets() {
				a, b = 0, 0
			}
			n = cmp.Compare(a, b)
		}
		if o.down {
			n = -n
		}
		if n != 0 {
			return n
		}
	}
	return compareValues(x.value, y.value)
}

func compareValues(a, b query.Value) int {
	return cmp.Or(cmp.Compare(a.Number, b.Number), cmp.Compare(a.Text, b.Text))
}

func (a *Aggregation) ranges(s *state, r *Run) (map[string]any, error) {
	list, keyed := []any{}, map[string]any{}
	for i, rg := range a.settings.Ranges {
		b := s.buckets[strconv.Itoa(i)]
		if b == nil {
			b = &bucket{inner: a.inner.start(r.mapping, r.buckets)}
		}
		name, out := rg.Key, map[string]any{}
		low, high := "*", "*"
		if rg.From != nil {
			out["from"], low = *rg.From, decimal(*rg.From)
		}
		if rg.To != nil {
			out["to"], high = *rg.To, decimal(*rg.To)
		}
		if name == "" {
			name = low + "-" + high
		}
		out, err := b.write(out)
		if err != nil {
			return nil, err
		}
		if a.settings.Keyed {
			keyed[name] = out
			continue
		}
		out["key"] = name
		list = append(list, out)
	}
	if a.settings.Keyed {
		return map[string]any{"buckets": keyed}, nil
	}
	return map[string]any{"buckets": list}, nil
}

// decimal writes a number as Java does, with a fraction always.
func decimal(n float64) string {
	text := strconv.FormatFloat(n, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

func (a *Aggregation) histogram(s *state, r *Run, p *mapping.Property) (map[string]any, error) {
	least := 0
	if a.settings.Minimum != nil {
		least = *a.settings.Minimum
	}
	var list []*bucket
	for _, b := range s.buckets {
		list = append(list, b)
	}
	slices.SortFunc(list, func(x, y *bucket) int { return compareValues(x.value, y.value) })
	buckets := []any{}
	for i, b := range list {
		if b.count >= least {
			out, err := b.write(a.histogramKey(b.value, p))
			if err != nil {
				return nil, err
			}
			buckets = append(buckets, out)
		}
		for at := b.value.Number; least == 0 && i+1 < len(list); { // gaps are buckets too
			if at = a.next(at); at >= list[i+1].value.Number {
				break
			}
			if len(buckets) > maxBuckets {
				return nil, refusal.New(503, "too_many_buckets_exception", "Trying to create too many buckets. Must be less than or equal to: [%d]", maxBuckets)
			}
			empty := &bucket{inner: a.inner.start(r.mapping, r.buckets)}
			out, err := empty.write(a.histogramKey(query.Value{Number: at}, p))
			if err != nil {
				return nil, err
			}
			buckets = append(buckets, out)
		}
	}
	return map[string]any{"buckets": buckets}, nil
}

func (a *Aggregation) histogramKey(v query.Value, p *mapping.Property) map[string]any {
	if a.kind == "date_histogram" {
		return map[string]any{"key": int64(v.Number), "key_as_string": mapping.FormatDate(v.Number)}
	}
	return map[string]any{"key": v.Number}
}

func (a *Aggregation) next(at float64) float64 {
	if a.kind == "histogram" {
		return (math.Round(at/a.settings.Interval) + 1) * a.settings.Interval
	}
	return a.settings.step.next(at)
}

// step is the width of a date histogram's buckets: a unit of the calendar, or so many milliseconds.
type step struct {
	unit   byte
	millis float64
}

func readStep(calendar, fixed string) (step, error) {
	if (calendar == "") == (fixed == "") {
		return step{}, refusal.Argument("Required one of fields [calendar_interval, fixed_interval], and not both")
	}
	if calendar != "" {
		units := map[string]byte{"minute": 'm', "1m": 'm', "hour": 'h', "1h": 'h', "day": 'd', "1d": 'd', "week": 'w', "1w": 'w', "month": 'M', "1M": 'M', "quarter": 'q', "1q": 'q', "year": 'y', "1y": 'y'}
		if u, ok := units[calendar]; ok {
			return step{unit: u}, nil
		}
		return step{}, refusal.Argument("The supplied interval [%s] could not be parsed as a calendar interval.", calendar)
	}
	days, isDays := strings.CutSuffix(fixed, "d")
	if isDays {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n < 100_000 {
			return step{millis: float64(n) * 86_400_000}, nil
		}
	}
	d, err := time.ParseDuration(fixed)
	if err != nil || d < time.Millisecond {
		return step{}, refusal.Argument("failed to parse setting [fixed_interval] with value [%s] as a time value", fixed)
	}
	return step{millis: float64(d.Milliseconds())}, nil
}

func (s step) floor(at float64) float64 {
	if s.unit == 0 {
		return math.Floor(at/s.millis) * s.millis
	}
	t, _ := mapping.Floor(time.UnixMilli(int64(at)).UTC(), s.unit)
	return float64(t.UnixMilli())
}

func (s step) next(at float64) float64 {
	if s.unit == 0 {
		return at + s.millis
	}
	longest := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour, 'M': 31 * 24 * time.Hour, 'q': 92 * 24 * time.Hour, 'y': 366 * 24 * time.Hour}[s.unit]
	return s.floor(at + float64(longest.Milliseconds()))
}
