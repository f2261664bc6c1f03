package tracking_test

import (
	"math"
	"slices"
	"testing"

	"storefront/lab/metrics/tracking"
)

func TestJudge(t *testing.T) {
	flat := func(v float64) []float64 { return slices.Repeat([]float64{v}, tracking.Periods) }
	with := func(values []float64, i int, v float64) []float64 { values[i] = v; return values }
	for name, c := range map[string]struct {
		values []float64
		want   tracking.Verdict
	}{
		"nothing":             {nil, tracking.Unknown},
		"at the target":       {flat(50), tracking.Unknown},
		"three minutes above": {[]float64{51, 51, 51}, tracking.High},
		"two minutes above":   {[]float64{51, 51}, tracking.Unknown},
		"a gap in the three":  {[]float64{51, math.NaN(), 51}, tracking.Unknown},
		"once not above":      {with(flat(60), tracking.Periods-2, 50), tracking.Unknown},
		"long below":          {flat(44), tracking.Low},
		"a little below":      {flat(45), tracking.Unknown},
		"not below at first":  {with(flat(44), 0, 50), tracking.Unknown},
		"not long enough":     {flat(44)[1:], tracking.Unknown},
	} {
		if got := tracking.Judge(c.values, 50, 3); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func TestCapacity(t *testing.T) {
	for _, c := range []struct {
		current       int
		value, target float64
		want          int64
	}{{2, 90, 60, 3}, {2, 60, 60, 2}, {3, 0, 60, 0}, {2, 61, 60, 3}} {
		if got := tracking.Capacity(c.current, c.value, c.target); got != c.want {
			t.Errorf("%d at %v for %v: got %d, want %d", c.current, c.value, c.target, got, c.want)
		}
	}
}
