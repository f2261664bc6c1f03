// Package query answers what CloudWatch calls metric data queries: statistics of metrics and expressions over them, as GetMetricData, alarms and
// scaling policies ask for them. It knows no API, so that each of them can share it.
package query

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"time"

	"storefront/lab/metrics"
	"storefront/lab/metrics/expression"
)

// ErrInvalid is wrapped by every error of New: the message says which query is wrong, and why.
var ErrInvalid = errors.New("invalid metric data query")

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrInvalid, fmt.Errorf(format, args...))
}

// Query is a metric or an expression: exactly one of Metric and Expression is set.
type Query struct {
	ID         string // begins with a small letter
	Metric     *Metric
	Expression string
}

// Metric is a statistic of a metric.
type Metric struct {
	metrics.Name
	Statistic string        // see metrics.ValidStatistic
	Period    time.Duration // at least a second
}

// Plan is a set of queries that have been checked. It is safe for concurrent use.
type Plan struct {
	queries []Query
	parsed  map[string]*expression.Expression
	order   []string // expressions, each after those that it refers to
	metrics []string // IDs of the metrics
	period  time.Duration
	whole   time.Duration // the least multiple of all periods
}

var identifier = regexp.MustCompile(`^[a-z][a-zA-Z0-9_]{0,254}$`)

// New checks queries. An expression may refer to metrics and to other expressions, but not to itself through them.
func New(queries []Query) (*Plan, error) {
	p := &Plan{queries: queries, parsed: map[string]*expression.Expression{}}
	seen := map[string]bool{}
	for _, q := range queries {
		switch {
		case !identifier.MatchString(q.ID):
			return nil, invalid("the ID %q does not begin with a small letter, or has characters other than letters, digits and underscores", q.ID)
		case seen[q.ID]:
			return nil, invalid("the ID %s is used twice", q.ID)
		case (q.Metric == nil) == (q.Expression == ""):
			return nil, invalid("%s must have either MetricStat or Expression", q.ID)
		}
		seen[q.ID] = true
		if q.Metric == nil {
			e, err := expression.Parse(q.Expression)
			if err != nil {
				return nil, invalid("%s: %w", q.ID, err)
			}
			p.parsed[q.ID] = e
			continue
		}
		if err := p.add(q); err != nil {
			return nil, err
		}
	}
	if len(p.metrics) == 0 {
		return nil, invalid("there is no metric among the queries")
	}
	for _, q := range queries {
		if err := p.visit(q.ID, nil); err != nil {
			return nil, err
		}
	}
	_, err := p.evaluate(expression.Env{Times: []int64{0, 60}, Values: p.made()})
	return p, err
}

func (p *Plan) add(q Query) error {
	if !metrics.ValidStatistic(q.Metric.Statistic) {
		return invalid("%s: the statistic %q is not supported", q.ID, q.Metric.Statistic)
	}
	if q.Metric.Period < time.Second {
		return invalid("%s: the period must be at least a second", q.ID)
	}
	if len(p.metrics) == 0 {
		p.period, p.whole = q.Metric.Period, q.Metric.Period
	}
	p.period = common(p.period, q.Metric.Period)
	p.whole = p.whole / common(p.whole, q.Metric.Period) * q.Metric.Period
	p.metrics = append(p.metrics, q.ID)
	return nil
}

// common is the greatest common divisor.
func common(a, b time.Duration) time.Duration {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// visit puts an expression after those that it refers to. path leads to it.
func (p *Plan) visit(id string, path []string) error {
	if slices.Contains(path, id) {
		return invalid("the expression %s refers to itself", id)
	}
	e, ok := p.parsed[id]
	if !ok || slices.Contains(p.order, id) {
		return nil // a metric, or done; an ID that there is not is found when the expression is evaluated
	}
	for _, other := range e.References() {
		if err := p.visit(other, append(path, id)); err != nil {
			return err
		}
	}
	p.order = append(p.order, id)
	return nil
}

// made are values to check the expressions with.
func (p *Plan) made() map[string]expression.Value {
	values := map[string]expression.Value{}
	for _, id := range p.metrics {
		values[id] = expression.Series([]float64{1, 2})
	}
	return values
}

// evaluate adds the values of the expressions to those of the metrics.
func (p *Plan) evaluate(env expression.Env) (map[string]expression.Value, error) {
	env.Period, env.Metrics = int64(p.period/time.Second), p.metrics
	for _, id := range p.order {
		v, err := p.parsed[id].Eval(env)
		if err != nil {
			return nil, invalid("%s: %w", id, err)
		}
		env.Values[id] = v
	}
	return env.Values, nil
}

// Single returns nil when the result of a query is one time series, and else an error that says what it is.
func (p *Plan) Single(id string) error {
	values, err := p.evaluate(expression.Env{Times: []int64{0, 60}, Values: p.made()})
	if err != nil {
		return err
	}
	if _, ok := values[id].Series(); !ok {
		return invalid("%s: the result is not one time series", id)
	}
	return nil
}

// Period is the distance of the results' times: the greatest common divisor of the metrics' periods.
func (p *Plan) Period() time.Duration { return p.period }

// Metrics returns the metrics of the plan.
func (p *Plan) Metrics() (all []Metric) {
	for _, q := range p.queries {
		if q.Metric != nil {
			all = append(all, *q.Metric)
		}
	}
	return all
}

// Result holds the answers of a plan.
type Result struct {
	Times  []time.Time            // oldest first
	values map[string][][]float64 // by ID
}

// Values returns the time series of a query: one, unless its expression gives a list. There is NaN where there is no value.
func (r *Result) Values(id string) [][]float64 { return r.values[id] }

// Run answers the queries for the periods that begin at from and before to. What is older than oldest is not looked at: so no request for a
// long time takes long.
func (p *Plan) Run(store *metrics.Store, from, to, oldest time.Time) (*Result, error) {
	if behind := oldest.Sub(from); behind > 0 {
		from = from.Add(behind.Truncate(p.whole))
	}
	r := &Result{values: map[string][][]float64{}}
	env := expression.Env{Values: map[string]expression.Value{}}
	for at := from; at.Before(to); at = at.Add(p.period) {
		r.Times, env.Times = append(r.Times, at), append(env.Times, at.Unix())
	}
	for _, q := range p.queries {
		if q.Metric != nil {
			env.Values[q.ID] = expression.Series(p.series(store, *q.Metric, r.Times, to))
		}
	}
	values, err := p.evaluate(env)
	if err != nil {
		return nil, err
	}
	for id, v := range values {
		if series, ok := v.Series(); ok {
			r.values[id] = [][]float64{series}
		} else if list, ok := v.List(); ok {
			r.values[id] = list
		}
	}
	return r, nil
}

func (p *Plan) series(store *metrics.Store, m Metric, times []time.Time, to time.Time) []float64 {
	out := make([]float64, len(times))
	for i := range out {
		out[i] = math.NaN()
	}
	if len(times) == 0 {
		return out
	}
	for _, point := range store.Between(m.Name, times[0], to, m.Period) {
		if v, ok := point.Statistic(m.Statistic); ok {
			out[point.Start.Sub(times[0])/p.period] = v
		}
	}
	return out
}
