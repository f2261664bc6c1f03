package metrics

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Point is the statistics of a period, as CloudWatch's statistic sets have them, and, where values were recorded one by one, their distribution.
type Point struct {
	Start         time.Time // of the period; not set in a Sample
	Sum, Min, Max float64
	Count         float64
	distribution  map[float64]float64 // how often each value came; values are rounded, see round
	incomplete    bool                // some of the samples came as statistics only
}

// Value is the point of a value that came count times.
func Value(value, count float64) Point {
	return Point{Sum: value * count, Min: value, Max: value, Count: count}
}

// Average is the mean of the samples; 0 without samples.
func (p Point) Average() float64 {
	if p.Count == 0 {
		return 0
	}
	return p.Sum / p.Count
}

func (p *Point) add(q Point) {
	if q.Count == 0 {
		return
	}
	if p.Count == 0 {
		p.Min, p.Max = q.Min, q.Max
	}
	p.Sum, p.Min, p.Max, p.Count = p.Sum+q.Sum, min(p.Min, q.Min), max(p.Max, q.Max), p.Count+q.Count
	if p.distribution == nil {
		p.distribution = map[float64]float64{}
	}
	switch {
	case q.distribution != nil:
		for v, n := range q.distribution {
			p.distribution[v] += n
		}
		p.incomplete = p.incomplete || q.incomplete
	case q.Min == q.Max:
		p.distribution[round(q.Min)] += q.Count
	default:
		p.incomplete = true
	}
}

// round keeps 8 binary digits of a value, which is within 0.2 percent of it, so that a minute of latencies takes some hundred entries however many
// requests there were. Whole numbers below 512 stay as they are.
func round(v float64) float64 {
	fraction, exponent := math.Frexp(v)
	return math.Ldexp(math.Round(fraction*512)/512, exponent)
}

// Percentile returns the value that percent (0 to 100) of the samples do not exceed. ok is false when there are no samples, or when statistics were
// published instead of values: then nothing is known of their distribution, unless all are equal, as CloudWatch says on "Statistics definitions".
func (p Point) Percentile(percent float64) (value float64, ok bool) {
	if p.Count == 0 || p.incomplete {
		return 0, false
	}
	if p.Min == p.Max || len(p.distribution) == 0 {
		return p.Min, p.Min == p.Max
	}
	need, seen := percent/100*p.Count, 0.0
	for _, v := range slices.Sorted(maps.Keys(p.distribution)) {
		if seen += p.distribution[v]; seen >= need {
			return max(p.Min, min(p.Max, v)), true
		}
	}
	return p.Max, true
}

// Statistic returns a statistic by its name in the CloudWatch API: SampleCount, Average, Sum, Minimum, Maximum, or a percentile such as p99.9. ok is
// false when the point does not have it. Use ValidStatistic to tell a name that there is not.
func (p Point) Statistic(name string) (value float64, ok bool) {
	switch name {
	case "SampleCount":
		return p.Count, p.Count > 0
	case "Average":
		return p.Average(), p.Count > 0
	case "Sum":
		return p.Sum, p.Count > 0
	case "Minimum":
		return p.Min, p.Count > 0
	case "Maximum":
		return p.Max, p.Count > 0
	}
	percent, ok := percentile(name)
	if !ok {
		return 0, false
	}
	return p.Percentile(percent)
}

// ValidStatistic reports whether Statistic knows a name.
func ValidStatistic(name string) bool {
	if _, ok := percentile(name); ok {
		return true
	}
	return slices.Contains([]string{"SampleCount", "Average", "Sum", "Minimum", "Maximum"}, name)
}

// percentile reads p0 to p100 with up to ten decimals.
func percentile(name string) (percent float64, ok bool) {
	digits, found := strings.CutPrefix(name, "p")
	if !found || digits == "" || strings.Trim(digits, "0123456789.") != "" {
		return 0, false
	}
	_, decimals, _ := strings.Cut(digits, ".")
	percent, err := strconv.ParseFloat(digits, 64)
	return percent, err == nil && percent <= 100 && len(decimals) <= 10
}
