// Package tracking has what the target tracking of EC2 Auto Scaling and of Application Auto Scaling decide alike: when a metric is off its target, and the capacity that brings it back.
package tracking

import (
	"math"
	"slices"
)

// Periods are the minutes in which a metric must be below its target before capacity goes, and the most that Judge looks at.
const Periods = 15

// lowMargin is how far below the target that is, so that capacity does not swing.
const lowMargin = 0.9

// Verdict says where a metric is.
type Verdict int

// The verdicts. Unknown, as without data, leaves capacity as it is.
const (
	Unknown Verdict = iota
	High            // above the target long enough
	Low             // clearly below the target long enough
)

// Judge looks at a metric by minute, oldest first, NaN where there is no value: it is High when the last high minutes are above the target, and Low when the last 15 are below 90 percent of it.
func Judge(values []float64, target float64, high int) Verdict {
	all := func(n int, on func(float64) bool) bool {
		return len(values) >= n && !slices.ContainsFunc(values[len(values)-n:], func(v float64) bool { return math.IsNaN(v) || !on(v) })
	}
	switch {
	case all(high, func(v float64) bool { return v > target }):
		return High
	case all(Periods, func(v float64) bool { return v < lowMargin*target }):
		return Low
	}
	return Unknown
}

// Capacity is what brings a metric that falls in proportion to capacity from its value to the target.
func Capacity(current int, value, target float64) int64 {
	return int64(math.Ceil(float64(current) * value / target))
}
