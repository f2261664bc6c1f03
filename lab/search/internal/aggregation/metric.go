package aggregation

import (
	"math"

	"storefront/lab/search/internal/mapping"
	"storefront/lab/search/internal/query"
)

// metric is what the aggregations that compute a number have seen.
type metric struct {
	count    int
	sum      float64
	min, max float64
	distinct map[query.Value]struct{} // of a cardinality alone
}

func newMetric(kind string) metric {
	m := metric{min: math.Inf(1), max: math.Inf(-1)}
	if kind == "cardinality" {
		m.distinct = map[query.Value]struct{}{}
	}
	return m
}

func (m *metric) add(v query.Value, p *mapping.Property) {
	m.count++
	if p != nil && p.Type == "boolean" && v.Text == "true" {
		v.Number = 1
	}
	m.sum += v.Number
	m.min, m.max = min(m.min, v.Number), max(m.max, v.Number)
	if m.distinct != nil {
		m.distinct[v] = struct{}{}
	}
}

// finite is a number of an answer: null where there was nothing to compute it of.
func finite(n float64) any {
	if math.IsInf(n, 0) || math.IsNaN(n) {
		return nil
	}
	return n
}

// value is a metric by its name; avg of nothing is not a number.
func (m *metric) value(name string) float64 {
	switch name {
	case "sum":
		return m.sum
	case "avg":
		return m.sum / float64(m.count)
	case "min":
		return m.min
	case "max":
		return m.max
	case "cardinality":
		return float64(len(m.distinct))
	}
	return float64(m.count)
}

func (m *metric) result(kind string, p *mapping.Property) map[string]any {
	date := p != nil && p.Type == "date"
	out := map[string]any{}
	names := []string{kind}
	if kind == "stats" {
		names = []string{"min", "max", "avg", "sum"}
		out["count"] = m.count
	}
	for _, name := range names {
		n := m.value(name)
		key := name
		if kind != "stats" {
			key = "value"
		}
		out[key] = finite(n)
		if kind == "value_count" || kind == "cardinality" {
			out[key] = int(n)
		} else if date && out[key] != nil {
			out[key+"_as_string"] = mapping.FormatDate(n)
		}
	}
	return out
}
