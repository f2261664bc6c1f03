// Package expression is CloudWatch's metric math, as the page "Using math expressions with CloudWatch metrics" defines it: arithmetic, comparisons,
// logical operators and the functions that alarms and scaling policies use, over time series that share one sequence of periods.
//
// SEARCH, anomaly detection, sorting, lookups of time (HOUR, DAY and so on) and Metrics Insights queries are not known and fail in Parse.
package expression

import (
	"errors"
	"fmt"
	"math"
)

// ErrInvalid is wrapped by every error of Parse and Eval: the message says what is wrong, and where.
var ErrInvalid = errors.New("invalid metric math expression")

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

// Expression is a parsed expression. It is safe for concurrent use.
type Expression struct {
	root       node
	references []string
}

// References returns the IDs that the expression names, each once; METRICS() is none of them.
func (e *Expression) References() []string { return e.references }

// Env is what an expression is evaluated in.
type Env struct {
	Times   []int64          // starts of the periods in seconds since the epoch, oldest first
	Period  int64            // seconds
	Values  map[string]Value // by ID: metrics, and expressions that were evaluated before
	Metrics []string         // the IDs of the metrics, in order: what METRICS() returns
}

// Value is a number, a time series, or a list of time series.
type Value struct {
	kind   kind
	scalar float64
	series []float64
	list   [][]float64
	text   string
}

type kind int

const (
	scalarKind kind = iota
	seriesKind
	listKind
	textKind
)

func (k kind) String() string {
	return [...]string{"a number", "a time series", "a list of time series", "a text"}[k]
}

// Scalar makes a number.
func Scalar(v float64) Value { return Value{kind: scalarKind, scalar: v} }

// Series makes a time series; math.NaN() stands where there is no value.
func Series(values []float64) Value { return Value{kind: seriesKind, series: values} }

// Series returns the time series that v is, and whether it is one.
func (v Value) Series() ([]float64, bool) { return v.series, v.kind == seriesKind }

// List returns the time series of a list, and whether v is one.
func (v Value) List() ([][]float64, bool) { return v.list, v.kind == listKind }

// Eval evaluates the expression. Series of env.Values must be as long as env.Times.
func (e *Expression) Eval(env Env) (Value, error) { return e.root.eval(&env) }

// Check evaluates the expression over made-up values of the given IDs, and reports what Eval would: unknown IDs, wrong arguments, a result that is
// not one time series.
func (e *Expression) Check(metrics []string, expressions []string) error {
	env := Env{Times: []int64{0, 60}, Period: 60, Metrics: metrics, Values: map[string]Value{}}
	for _, id := range append(append([]string{}, metrics...), expressions...) {
		env.Values[id] = Series([]float64{1, 2})
	}
	v, err := e.Eval(env)
	if err != nil {
		return err
	}
	if v.kind != seriesKind {
		return invalid("the result is %s, it must be a time series", v.kind)
	}
	return nil
}

// node is a part of an expression.
type node interface{ eval(*Env) (Value, error) }

type literal Value

func (l literal) eval(*Env) (Value, error) { return Value(l), nil }

type reference string

func (r reference) eval(env *Env) (Value, error) {
	v, ok := env.Values[string(r)]
	if !ok {
		return v, invalid("there is no metric or expression with the ID %s", string(r))
	}
	return v, nil
}

type listing []node

func (l listing) eval(env *Env) (Value, error) {
	out := Value{kind: listKind}
	for _, n := range l {
		v, err := n.eval(env)
		if err != nil {
			return v, err
		}
		switch v.kind {
		case seriesKind:
			out.list = append(out.list, v.series)
		case listKind:
			out.list = append(out.list, v.list...)
		default:
			return v, invalid("a list holds time series, not %s", v.kind)
		}
	}
	return out, nil
}

type negation struct{ of node }

func (n negation) eval(env *Env) (Value, error) {
	v, err := n.of.eval(env)
	if err != nil {
		return v, err
	}
	return each(v, func(x float64) float64 { return -x })
}

type operation struct {
	operator    string
	left, right node
}

func (o operation) eval(env *Env) (Value, error) {
	left, err := o.left.eval(env)
	if err != nil {
		return left, err
	}
	right, err := o.right.eval(env)
	if err != nil {
		return right, err
	}
	return combine(left, right, operators()[o.operator])
}

func operators() map[string]func(a, b float64) float64 {
	return map[string]func(a, b float64) float64{
		"+": func(a, b float64) float64 { return a + b }, "-": func(a, b float64) float64 { return a - b },
		"*": func(a, b float64) float64 { return a * b }, "/": func(a, b float64) float64 { return a / b }, "^": math.Pow,
		"==": truth(func(a, b float64) bool { return a == b }), "!=": truth(func(a, b float64) bool { return a != b }),
		"<": truth(func(a, b float64) bool { return a < b }), "<=": truth(func(a, b float64) bool { return a <= b }),
		">": truth(func(a, b float64) bool { return a > b }), ">=": truth(func(a, b float64) bool { return a >= b }),
		"AND": truth(func(a, b float64) bool { return a != 0 && b != 0 }), "OR": truth(func(a, b float64) bool { return a != 0 || b != 0 }),
	}
}

// truth is 1 or 0, and nothing where a value is missing.
func truth(holds func(a, b float64) bool) func(a, b float64) float64 {
	return func(a, b float64) float64 {
		switch {
		case math.IsNaN(a) || math.IsNaN(b):
			return math.NaN()
		case holds(a, b):
			return 1
		}
		return 0
	}
}

// finite makes a result that is no number, as a division by zero gives it, a missing value.
func finite(v float64) float64 {
	if math.IsInf(v, 0) {
		return math.NaN()
	}
	return v
}

// each applies f to every value.
func each(v Value, f func(float64) float64) (Value, error) {
	over := func(in []float64) []float64 {
		out := make([]float64, len(in))
		for i, x := range in {
			out[i] = finite(f(x))
		}
		return out
	}
	switch v.kind {
	case scalarKind:
		return Scalar(finite(f(v.scalar))), nil
	case seriesKind:
		return Series(over(v.series)), nil
	case listKind:
		out := Value{kind: listKind}
		for _, s := range v.list {
			out.list = append(out.list, over(s))
		}
		return out, nil
	}
	return v, invalid("%s has no place in arithmetic", v.kind)
}

// combine applies f to two values, period by period; a number goes with every period, a series with every series of a list.
func combine(a, b Value, f func(a, b float64) float64) (Value, error) {
	switch {
	case a.kind == textKind || b.kind == textKind:
		return a, invalid("%s has no place in arithmetic", textKind)
	case a.kind == listKind && b.kind == listKind && len(a.list) != len(b.list):
		return a, invalid("lists of %d and %d time series cannot be combined", len(a.list), len(b.list))
	case a.kind == listKind || b.kind == listKind:
		out := Value{kind: listKind}
		for i := range max(len(a.list), len(b.list)) {
			v, err := combine(a.element(i), b.element(i), f)
			if err != nil {
				return v, err
			}
			out.list = append(out.list, v.series)
		}
		return out, nil
	case a.kind == scalarKind:
		return each(b, func(x float64) float64 { return f(a.scalar, x) })
	case b.kind == scalarKind:
		return each(a, func(x float64) float64 { return f(x, b.scalar) })
	}
	out := make([]float64, len(a.series))
	for i := range out {
		out[i] = finite(f(a.series[i], b.series[i]))
	}
	return Series(out), nil
}

// element is the series at a place of a list, or else the value itself.
func (v Value) element(i int) Value {
	if v.kind == listKind {
		return Series(v.list[i])
	}
	return v
}
