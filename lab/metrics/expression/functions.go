package expression

import (
	"math"
	"strings"
)

// function is a function of metric math with the number of its arguments.
type function struct {
	least, most int
	apply       func(env *Env, arguments []Value) (Value, error)
}

type call struct {
	name      string
	function  function
	arguments []node
}

func (c call) eval(env *Env) (Value, error) {
	arguments := make([]Value, len(c.arguments))
	for i, n := range c.arguments {
		v, err := n.eval(env)
		if err != nil {
			return v, err
		}
		arguments[i] = v
	}
	v, err := c.function.apply(env, arguments)
	if err != nil {
		return v, invalid("%s: %s", c.name, strings.TrimPrefix(err.Error(), ErrInvalid.Error()+": "))
	}
	return v, nil
}

func functions() map[string]function {
	return map[string]function{
		"ABS": mapping(math.Abs), "CEIL": mapping(math.Ceil), "FLOOR": mapping(math.Floor), "LOG": mapping(math.Log), "LOG10": mapping(math.Log10),
		"AVG": aggregate(average), "SUM": aggregate(sum), "MIN": aggregate(least), "MAX": aggregate(most), "STDDEV": aggregate(deviation),
		"DATAPOINT_COUNT": aggregate(func(values []float64) float64 { return float64(len(values)) }),
		"DIFF":            sequence(func(env *Env, in []float64, i, last int) float64 { return in[i] - in[last] }),
		"DIFF_TIME":       sequence(func(env *Env, _ []float64, i, last int) float64 { return float64(env.Times[i] - env.Times[last]) }),
		"RATE": sequence(func(env *Env, in []float64, i, last int) float64 {
			return (in[i] - in[last]) / float64(env.Times[i]-env.Times[last])
		}),
		"RUNNING_SUM":  {1, 1, func(_ *Env, a []Value) (Value, error) { return overSeries(a[0], runningSum) }},
		"FILL":         {2, 2, fill},
		"FIRST":        {1, 1, func(_ *Env, a []Value) (Value, error) { return pick(a[0], func(int) int { return 0 }) }},
		"LAST":         {1, 1, func(_ *Env, a []Value) (Value, error) { return pick(a[0], func(n int) int { return n - 1 }) }},
		"IF":           {2, 3, choose},
		"METRICS":      {0, 1, metrics},
		"METRIC_COUNT": {1, 1, count},
		"PERIOD":       {1, 1, func(env *Env, a []Value) (Value, error) { return Scalar(float64(env.Period)), want(a[0], seriesKind) }},
		"TIME_SERIES":  {1, 1, timeSeries},
	}
}

func want(v Value, k kind) error {
	if v.kind != k {
		return invalid("%s was given instead of %s", v.kind, k)
	}
	return nil
}

func mapping(f func(float64) float64) function {
	return function{1, 1, func(_ *Env, a []Value) (Value, error) { return each(a[0], f) }}
}

// aggregate reduces a series to a number, and a list to a series, period by period, over the values that there are.
func aggregate(reduce func(values []float64) float64) function {
	present := func(values []float64) []float64 {
		var out []float64
		for _, v := range values {
			if !math.IsNaN(v) {
				out = append(out, v)
			}
		}
		return out
	}
	reduced := func(values []float64) float64 {
		if values = present(values); len(values) == 0 {
			return math.NaN()
		}
		return finite(reduce(values))
	}
	return function{1, 1, func(env *Env, a []Value) (Value, error) {
		switch a[0].kind {
		case seriesKind:
			return Scalar(reduced(a[0].series)), nil
		case listKind:
			out := make([]float64, len(env.Times))
			for i := range out {
				var values []float64
				for _, s := range a[0].list {
					values = append(values, s[i])
				}
				out[i] = reduced(values)
			}
			return Series(out), nil
		}
		return a[0], want(a[0], seriesKind)
	}}
}

func sum(values []float64) (total float64) {
	for _, v := range values {
		total += v
	}
	return total
}

func average(values []float64) float64 { return sum(values) / float64(len(values)) }

func least(values []float64) float64 {
	low := values[0]
	for _, v := range values {
		low = min(low, v)
	}
	return low
}

func most(values []float64) float64 {
	high := values[0]
	for _, v := range values {
		high = max(high, v)
	}
	return high
}

func deviation(values []float64) float64 {
	mean, squares := average(values), 0.0
	for _, v := range values {
		squares += (v - mean) * (v - mean)
	}
	return math.Sqrt(squares / float64(len(values)))
}

// overSeries applies f to a series, or to each of a list.
func overSeries(v Value, f func([]float64) []float64) (Value, error) {
	switch v.kind {
	case seriesKind:
		return Series(f(v.series)), nil
	case listKind:
		out := Value{kind: listKind}
		for _, s := range v.list {
			out.list = append(out.list, f(s))
		}
		return out, nil
	}
	return v, want(v, seriesKind)
}

// sequence derives each value from the one before it that is not missing.
func sequence(step func(env *Env, in []float64, i, last int) float64) function {
	return function{1, 1, func(env *Env, a []Value) (Value, error) {
		return overSeries(a[0], func(in []float64) []float64 {
			out, last := make([]float64, len(in)), -1
			for i, v := range in {
				out[i] = math.NaN()
				if math.IsNaN(v) {
					continue
				}
				if last >= 0 {
					out[i] = finite(step(env, in, i, last))
				}
				last = i
			}
			return out
		})
	}}
}

func runningSum(in []float64) []float64 {
	out, total := make([]float64, len(in)), 0.0
	for i, v := range in {
		if out[i] = v; !math.IsNaN(v) {
			total += v
			out[i] = total
		}
	}
	return out
}

// fill puts values where there are none: a number, another series, or what comes of the neighbours (REPEAT, LINEAR).
func fill(_ *Env, a []Value) (Value, error) {
	with := a[1]
	if with.kind == listKind || with.kind == textKind && with.text != "REPEAT" && with.text != "LINEAR" {
		return with, invalid("the filler must be a number, a time series, REPEAT or LINEAR")
	}
	return overSeries(a[0], func(in []float64) []float64 {
		out, last := make([]float64, len(in)), -1
		for i, v := range in {
			switch out[i] = v; {
			case !math.IsNaN(v):
				last = i
			case with.kind == scalarKind:
				out[i] = with.scalar
			case with.kind == seriesKind:
				out[i] = with.series[i]
			case last >= 0 && with.text == "REPEAT":
				out[i] = in[last]
			case last >= 0:
				out[i] = between(in, last, i)
			}
		}
		return out
	})
}

// between interpolates the missing value at i; last is the value before it.
func between(in []float64, last, i int) float64 {
	for next := i + 1; next < len(in); next++ {
		if !math.IsNaN(in[next]) {
			return in[last] + (in[next]-in[last])*float64(i-last)/float64(next-last)
		}
	}
	return math.NaN()
}

func pick(v Value, which func(n int) int) (Value, error) {
	if v.kind != listKind || len(v.list) == 0 {
		return v, want(v, listKind)
	}
	return Series(v.list[which(len(v.list))]), nil
}

// choose is IF: without a third argument, there is no value where the condition does not hold.
func choose(env *Env, a []Value) (Value, error) {
	otherwise := Scalar(math.NaN())
	if len(a) == 3 {
		otherwise = a[2]
	}
	for _, v := range append(a, otherwise) {
		if v.kind == listKind || v.kind == textKind {
			return v, invalid("%s was given instead of a number or a time series", v.kind)
		}
	}
	at := func(v Value, i int) float64 {
		if v.kind == seriesKind {
			return v.series[i]
		}
		return v.scalar
	}
	pickAt := func(i int) float64 {
		switch condition := at(a[0], i); {
		case math.IsNaN(condition):
			return math.NaN()
		case condition != 0:
			return at(a[1], i)
		}
		return at(otherwise, i)
	}
	if a[0].kind == scalarKind && a[1].kind == scalarKind && otherwise.kind == scalarKind {
		return Scalar(pickAt(0)), nil
	}
	out := make([]float64, len(env.Times))
	for i := range out {
		out[i] = pickAt(i)
	}
	return Series(out), nil
}

// metrics lists the metrics whose ID contains a text.
func metrics(env *Env, a []Value) (Value, error) {
	part, out := "", Value{kind: listKind}
	if len(a) == 1 {
		if err := want(a[0], textKind); err != nil {
			return a[0], err
		}
		part = a[0].text
	}
	for _, id := range env.Metrics {
		if v := env.Values[id]; strings.Contains(id, part) && v.kind == seriesKind {
			out.list = append(out.list, v.series)
		}
	}
	return out, nil
}

func count(_ *Env, a []Value) (Value, error) {
	if a[0].kind == seriesKind {
		return Scalar(1), nil
	}
	return Scalar(float64(len(a[0].list))), want(a[0], listKind)
}

func timeSeries(env *Env, a []Value) (Value, error) {
	if err := want(a[0], scalarKind); err != nil {
		return a[0], err
	}
	out := make([]float64, len(env.Times))
	for i := range out {
		out[i] = a[0].scalar
	}
	return Series(out), nil
}
