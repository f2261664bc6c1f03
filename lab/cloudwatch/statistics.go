package cloudwatch

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	api "storefront/lab/api/cloudwatch"
	"storefront/lab/metrics"
	"storefront/lab/wire"
)

// maxDatapoints is how many a GetMetricStatistics request may ask for.
const maxDatapoints = 1440

// GetMetricStatistics implements the operation of that name.
func (s *Service) GetMetricStatistics(_ context.Context, in *api.GetMetricStatisticsInput) (*api.GetMetricStatisticsOutput, error) {
	name, err := named(in.Namespace, in.MetricName, in.Dimensions, in.Unit)
	if err != nil {
		return nil, err
	}
	period := time.Duration(*in.Period) * time.Second
	switch {
	case len(in.Statistics)+len(in.ExtendedStatistics) == 0:
		return nil, missing("Statistics")
	case !in.StartTime.Before(*in.EndTime):
		return nil, wrong("The parameter StartTime must be less than the parameter EndTime.")
	case !validPeriod(*in.Period):
		return nil, wrong("The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.")
	case in.EndTime.Sub(*in.StartTime)/period > maxDatapoints:
		return nil, clash("You have requested up to %d datapoints, which exceeds the limit of %d. You may reduce the datapoints requested by increasing Period, or decreasing the time range.",
			in.EndTime.Sub(*in.StartTime)/period, maxDatapoints)
	}
	for _, statistic := range in.ExtendedStatistics {
		if !strings.HasPrefix(statistic, "p") || !metrics.ValidStatistic(statistic) {
			return nil, wrong("The value %s for parameter ExtendedStatistics is not supported.", statistic)
		}
	}
	out := &api.GetMetricStatisticsOutput{Label: in.MetricName, Datapoints: []api.Datapoint{}}
	names := []metrics.Name{name}
	if in.Unit == nil { // each unit has data points of its own
		names = names[:0]
		for _, unit := range s.Metrics.Units(name) {
			other := name
			other.Unit = unit
			names = append(names, other)
		}
	}
	for _, name := range names {
		for _, p := range s.Metrics.Between(name, in.StartTime.Truncate(min(period, time.Minute)), *in.EndTime, period) {
			out.Datapoints = append(out.Datapoints, datapoint(p, name.Unit, in))
		}
	}
	slices.SortStableFunc(out.Datapoints, func(a, b api.Datapoint) int {
		return cmp.Or(a.Timestamp.Compare(*b.Timestamp), strings.Compare(*a.Unit, *b.Unit))
	})
	return out, nil
}

func validPeriod(seconds int64) bool {
	return seconds == 1 || seconds == 5 || seconds == 10 || seconds == 20 || seconds == 30 || seconds > 0 && seconds%60 == 0
}

func datapoint(p metrics.Point, unit string, in *api.GetMetricStatisticsInput) api.Datapoint {
	d := api.Datapoint{Timestamp: new(p.Start), Unit: new(unit)}
	for _, statistic := range in.Statistics {
		v, _ := p.Statistic(statistic)
		switch statistic {
		case api.StatisticAverage:
			d.Average = &v
		case api.StatisticMaximum:
			d.Maximum = &v
		case api.StatisticMinimum:
			d.Minimum = &v
		case api.StatisticSum:
			d.Sum = &v
		case api.StatisticSampleCount:
			d.SampleCount = &v
		}
	}
	for _, statistic := range in.ExtendedStatistics {
		if v, ok := p.Statistic(statistic); ok {
			if d.ExtendedStatistics == nil {
				d.ExtendedStatistics = map[string]float64{}
			}
			d.ExtendedStatistics[statistic] = v
		}
	}
	return d
}

// ListMetrics implements the operation of that name.
func (s *Service) ListMetrics(_ context.Context, in *api.ListMetricsInput) (*api.ListMetricsOutput, error) {
	var found []metrics.Name
	for _, name := range s.Metrics.Names(s.now().Add(-Retention)) {
		if (in.Namespace == nil || *in.Namespace == name.Namespace) && (in.MetricName == nil || *in.MetricName == name.Metric) && has(name.Dimensions, in.Dimensions) {
			found = append(found, name)
		}
	}
	slices.SortFunc(found, func(a, b metrics.Name) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.Dimensions, b.Dimensions))
	})
	listed, next, err := page(found, in.NextToken, 500)
	out := &api.ListMetricsOutput{NextToken: next, Metrics: []api.Metric{}}
	for _, name := range listed {
		out.Metrics = append(out.Metrics, api.Metric{Namespace: new(name.Namespace), MetricName: new(name.Metric), Dimensions: dimensions(name.Dimensions)})
	}
	return out, err
}

// has reports whether dimensions meet every filter: a name, or a name and its value.
func has(all metrics.Dimensions, filters []api.DimensionFilter) bool {
	values := map[string]string{}
	for name, value := range all.All() {
		values[name] = value
	}
	return !slices.ContainsFunc(filters, func(f api.DimensionFilter) bool {
		value, ok := values[*f.Name]
		return !ok || f.Value != nil && wire.Value(f.Value) != value
	})
}

func dimensions(all metrics.Dimensions) []api.Dimension {
	out := []api.Dimension{}
	for name, value := range all.All() {
		out = append(out, api.Dimension{Name: new(name), Value: new(value)})
	}
	return out
}
