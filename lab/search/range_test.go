package search_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestRanges compares ranges of numbers with a plain count: numbers of all magnitudes and signs, most ends on or beside one of them, in
// several segments.
func TestRanges(t *testing.T) {
	c := newCluster(t, 1)
	c.must("PUT", "/numbers", `{"settings":{"number_of_replicas":0},"mappings":{"properties":{"whole":{"type":"long"},"decimal":{"type":"double"},"day":{"type":"date"}}}}`)
	r := rand.New(rand.NewPCG(1, 2))
	wholes, decimals, days := []int64{0, 1, -1, 255, 256, -256}, []float64{0, 1, -1, 0.5, math.MaxFloat64, -math.SmallestNonzeroFloat64}, []int64{0, 1, -1, 86_399_999, 1 << 40, 1<<40 + 255}
	for range 400 {
		wholes = append(wholes, (r.Int64N(1<<53)-1<<52)>>r.IntN(53))
		decimals = append(decimals, r.NormFloat64()*math.Ldexp(1, r.IntN(120)-60))
		days = append(days, 1_700_000_000_000+r.Int64N(1<<r.IntN(40)))
	}
	var body strings.Builder
	for i := range wholes {
		fmt.Fprintf(&body, "{\"index\":{\"_id\":\"%d\"}}\n{\"whole\":%d,\"decimal\":%g,\"day\":%d}\n", i, wholes[i], decimals[i], days[i])
		if i%100 == 99 || i == len(wholes)-1 {
			if out := c.must("POST", "/numbers/_bulk?refresh=true", body.String()); at(out, "errors") != false {
				t.Fatal(compact(out))
			}
			body.Reset()
		}
	}
	for range 100 {
		low, high := wholes[r.IntN(len(wholes))]+r.Int64N(3)-1, wholes[r.IntN(len(wholes))]+r.Int64N(3)-1
		counted(c, "whole", wholes, low, high)
		counted(c, "decimal", decimals, decimals[r.IntN(len(decimals))], math.Nextafter(decimals[r.IntN(len(decimals))], r.NormFloat64()))
		from := days[r.IntN(len(days))]
		counted(c, "day", days, from+r.Int64N(3)-1, from+r.Int64N(1<<r.IntN(40)))
	}
}

func counted[N int64 | float64](c *cluster, field string, all []N, low, high N) {
	c.Helper()
	want := 0
	for _, n := range all {
		if low <= n && n <= high {
			want++
		}
	}
	out := c.must("POST", "/numbers/_count", fmt.Sprintf(`{"query":{"range":{%q:{"gte":%v,"lte":%v}}}}`, field, low, high))
	if fmt.Sprint(at(out, "count")) != fmt.Sprint(want) {
		c.Errorf("%s from %v to %v: %s, want %d", field, low, high, compact(out), want)
	}
}
