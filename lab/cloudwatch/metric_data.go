package cloudwatch

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	api "storefront/lab/api/cloudwatch"
	"storefront/lab/metrics/query"
	"storefront/lab/wire"
)

// Limits of the page "GetMetricData" of the CloudWatch API reference.
const (
	maxQueries    = 500
	maxDataPoints = 100_800
)

// GetMetricData implements the operation of that name. Its answers have one page.
func (s *Service) GetMetricData(_ context.Context, in *api.GetMetricDataInput) (*api.GetMetricDataOutput, error) {
	most := wire.Or(in.MaxDatapoints, maxDataPoints)
	switch {
	case len(in.MetricDataQueries) == 0 || len(in.MetricDataQueries) > maxQueries:
		return nil, invalid("The collection MetricDataQueries must have between 1 and %d elements.", maxQueries)
	case !in.StartTime.Before(*in.EndTime):
		return nil, invalid("The parameter StartTime must be less than the parameter EndTime.")
	case in.NextToken != nil:
		return nil, fault("InvalidNextToken", "The service cannot process the token %q.", *in.NextToken)
	case most < 1 || most > maxDataPoints:
		return nil, invalid("The parameter MaxDatapoints must be between 1 and %d.", maxDataPoints)
	}
	plan, err := planned(in.MetricDataQueries)
	if err != nil {
		return nil, err
	}
	result, err := plan.Run(s.Metrics, in.StartTime.Truncate(min(plan.Period(), time.Minute)), *in.EndTime, s.now().Add(-Retention))
	if err != nil {
		return nil, queryError(err)
	}
	out := &api.GetMetricDataOutput{MetricDataResults: []api.MetricDataResult{}, Messages: []api.MessageData{}}
	for _, q := range in.MetricDataQueries {
		if !wire.Or(q.ReturnData, true) {
			continue
		}
		series := result.Values(*q.Id)
		if series == nil {
			return nil, invalid("Error in expression '%s': the result must be a time series or a list of time series.", *q.Id)
		}
		for _, values := range series {
			r := api.MetricDataResult{Id: q.Id, Label: new(label(q)), StatusCode: new(api.StatusCodeComplete), Timestamps: []time.Time{}, Values: []float64{}}
			for i, v := range values {
				if !math.IsNaN(v) {
					r.Timestamps, r.Values = append(r.Timestamps, result.Times[i]), append(r.Values, v)
				}
			}
			if wire.Or(in.ScanBy, api.ScanByTimestampDescending) == api.ScanByTimestampDescending {
				slices.Reverse(r.Timestamps)
				slices.Reverse(r.Values)
			}
			if most -= int64(len(r.Values)); most < 0 {
				return nil, invalid("The result has more than MaxDatapoints data points; ask for a shorter time or longer periods.")
			}
			out.MetricDataResults = append(out.MetricDataResults, r)
		}
	}
	return out, nil
}

// label is the label that a query gives, or what CloudWatch calls its result.
func label(q api.MetricDataQuery) string {
	switch {
	case q.Label != nil:
		return *q.Label
	case q.MetricStat != nil:
		return *q.MetricStat.Metric.MetricName
	}
	return *q.Id
}

// planned checks queries, of a request or of an alarm.
func planned(queries []api.MetricDataQuery) (*query.Plan, error) {
	var all []query.Query
	for _, q := range queries {
		if q.AccountId != nil {
			return nil, unsupported("AccountId of another account")
		}
		if strings.HasPrefix(strings.ToUpper(strings.TrimSpace(wire.Value(q.Expression))), "SELECT ") {
			return nil, unsupported("Metrics Insights")
		}
		one := query.Query{ID: *q.Id, Expression: wire.Value(q.Expression)}
		if stat := q.MetricStat; stat != nil {
			if !validPeriod(*stat.Period) {
				return nil, invalid("The period %d of %s must be 1, 5, 10, 20, 30 or a multiple of 60.", *stat.Period, *q.Id)
			}
			if stat.Metric.Namespace == nil || stat.Metric.MetricName == nil {
				return nil, invalid("The metric of %s must have a Namespace and a MetricName.", *q.Id)
			}
			name, err := named(stat.Metric.Namespace, stat.Metric.MetricName, stat.Metric.Dimensions, stat.Unit)
			if err != nil {
				return nil, err
			}
			one.Metric = &query.Metric{Name: name, Statistic: *stat.Stat, Period: time.Duration(*stat.Period) * time.Second}
		}
		all = append(all, one)
	}
	plan, err := query.New(all)
	return plan, queryError(err)
}

func queryError(err error) error {
	if errors.Is(err, query.ErrInvalid) {
		return invalid("%v.", err)
	}
	return err
}
