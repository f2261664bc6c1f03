package autoscaling

import (
	"errors"
	"math"
	"time"

	api "storefront/lab/api/autoscaling"
	"storefront/lab/metrics"
	"storefront/lab/metrics/query"
	"storefront/lab/metrics/tracking"
	"storefront/lab/wire"
)

// customized checks a CustomizedMetricSpecification, which names one metric or has queries with one result, and returns the plan that answers it and the ID
// of its result.
func customized(spec *api.CustomizedMetricSpecification) (*query.Plan, string, error) {
	queries, result, err := customizedQueries(spec)
	if err != nil {
		return nil, "", err
	}
	plan, err := query.New(queries)
	if err == nil {
		err = plan.Single(result)
	}
	if errors.Is(err, query.ErrInvalid) {
		err = invalid("CustomizedMetricSpecification: %v", err)
	}
	return plan, result, err
}

func customizedQueries(spec *api.CustomizedMetricSpecification) (queries []query.Query, result string, err error) {
	single := spec.MetricName != nil || spec.Namespace != nil || spec.Statistic != nil || spec.Unit != nil || len(spec.Dimensions) > 0
	switch {
	case single && len(spec.Metrics) > 0:
		return nil, "", invalid("CustomizedMetricSpecification must have either Metrics or the members of one metric.")
	case len(spec.Metrics) == 0 && (spec.MetricName == nil || spec.Namespace == nil || spec.Statistic == nil):
		return nil, "", invalid("MetricName, Namespace and Statistic must be specified in CustomizedMetricSpecification.")
	case len(spec.Metrics) == 0:
		return []query.Query{{ID: "m1", Metric: metricOf(spec.Namespace, spec.MetricName, spec.Dimensions, spec.Unit, *spec.Statistic)}}, "m1", nil
	}
	results := 0
	for _, m := range spec.Metrics {
		if wire.Or(m.ReturnData, true) {
			results, result = results+1, *m.Id
		}
		q := query.Query{ID: *m.Id, Expression: wire.Value(m.Expression)}
		if stat := m.MetricStat; stat != nil {
			q.Metric = metricOf(stat.Metric.Namespace, stat.Metric.MetricName, stat.Metric.Dimensions, stat.Unit, *stat.Stat)
		}
		queries = append(queries, q)
	}
	if results != 1 {
		return nil, "", invalid("Exactly one element of Metrics must have ReturnData set to true.")
	}
	return queries, result, nil
}

func metricOf(namespace, name *string, dimensions []api.MetricDimension, unit *string, statistic string) *query.Metric {
	var by []string
	for _, d := range dimensions {
		by = append(by, *d.Name, *d.Value)
	}
	return &query.Metric{
		Name:      metrics.Name{Namespace: *namespace, Metric: *name, Dimensions: metrics.By(by...), Unit: wire.Value(unit)},
		Statistic: statistic, Period: time.Minute,
	}
}

// customizedValues returns a customized metric by minute, oldest first; NaN where there is no value.
func (t *turn) customizedValues(spec *api.CustomizedMetricSpecification) ([]float64, error) {
	plan, id, err := customized(spec)
	if err != nil {
		return nil, err
	}
	end := t.now.Truncate(time.Minute)
	from := end.Add(-tracking.Periods * time.Minute)
	result, err := plan.Run(t.Metrics, from, end, from)
	if err != nil {
		return nil, err
	}
	values := result.Values(id)
	if len(values) != 1 {
		return []float64{math.NaN()}, nil
	}
	return values[0], nil
}
