package cloudwatch

import (
	"cmp"
	"slices"
	"strings"
	"time"

	api "storefront/lab/api/cloudwatch"
	"storefront/lab/metrics"
	"storefront/lab/wire"
)

// checkMetricAlarm checks a request as the page "PutMetricAlarm" of the CloudWatch API reference says.
func (s *Service) checkMetricAlarm(in *api.PutMetricAlarmInput) error {
	check := checkSingle
	if len(in.Metrics) > 0 {
		check = checkMath
	}
	for _, err := range []error{check(in), checkEvaluation(in), s.checkActions(in.OKActions), s.checkActions(in.AlarmActions), s.checkActions(in.InsufficientDataActions)} {
		if err != nil {
			return err
		}
	}
	plan, err := planOf(alarm{Metric: in})
	if err != nil {
		return err
	}
	if err := plan.Single(alarm{Metric: in}.result()); err != nil {
		return queryError(err)
	}
	whole := plan.Period() * time.Duration(*in.EvaluationPeriods)
	if whole > maxAlarmRange {
		return invalid("Metrics cannot be checked across more than a day (EvaluationPeriods * Period must be <= 86400).")
	}
	if whole > Retention {
		return unsupported("An alarm on more than three hours (EvaluationPeriods * Period)")
	}
	return nil
}

// checkSingle checks an alarm on one metric.
func checkSingle(in *api.PutMetricAlarmInput) error {
	switch {
	case in.MetricName == nil || in.Namespace == nil:
		return missing(map[bool]string{true: "MetricName", false: "Namespace"}[in.MetricName == nil])
	case in.Period == nil:
		return missing("Period")
	case in.Statistic == nil && in.ExtendedStatistic == nil:
		return missing("Statistic")
	case in.Statistic != nil && in.ExtendedStatistic != nil:
		return clash("The parameters Statistic and ExtendedStatistic are mutually exclusive.")
	case !validAlarmPeriod(*in.Period):
		return invalid("Period must be 10, 20, 30 or a multiple of 60.")
	}
	if p := in.ExtendedStatistic; p != nil && (!strings.HasPrefix(*p, "p") || !metrics.ValidStatistic(*p)) {
		return wrong("The value %s for parameter ExtendedStatistic is not supported.", *p)
	}
	return nil
}

func validAlarmPeriod(seconds int64) bool { return validPeriod(seconds) && seconds >= 10 }

// checkMath checks an alarm on metric math.
func checkMath(in *api.PutMetricAlarmInput) error {
	for name, given := range map[string]bool{"MetricName": in.MetricName != nil, "Namespace": in.Namespace != nil, "Dimensions": len(in.Dimensions) > 0,
		"Period": in.Period != nil, "Unit": in.Unit != nil, "Statistic": in.Statistic != nil, "ExtendedStatistic": in.ExtendedStatistic != nil} {
		if given {
			return clash("The parameters Metrics and %s are mutually exclusive.", name)
		}
	}
	returned, metricQueries := 0, 0
	var period int64
	for _, q := range in.Metrics {
		if wire.Or(q.ReturnData, true) {
			returned++
		}
		if q.MetricStat == nil {
			continue
		}
		metricQueries++
		if !validAlarmPeriod(*q.MetricStat.Period) {
			return invalid("Period must be 10, 20, 30 or a multiple of 60.")
		}
		if period = cmp.Or(period, *q.MetricStat.Period); period != *q.MetricStat.Period {
			return invalid("All metrics of an alarm must have the same Period.")
		}
	}
	switch {
	case returned != 1:
		return invalid("Exactly one element of the metrics list should return data.")
	case metricQueries > maxAlarmMetric:
		return invalid("An alarm can have at most %d metrics.", maxAlarmMetric)
	}
	return nil
}

// checkEvaluation checks what the data is compared with, and how.
func checkEvaluation(in *api.PutMetricAlarmInput) error {
	if strings.Contains(*in.ComparisonOperator, "Upper") || strings.Contains(*in.ComparisonOperator, "Lower") || in.ThresholdMetricId != nil {
		return unsupported("Anomaly detection")
	}
	if in.Threshold == nil {
		return missing("Threshold")
	}
	if n := wire.Value(in.DatapointsToAlarm); n > *in.EvaluationPeriods {
		return invalid("DatapointsToAlarm must be less than or equal to EvaluationPeriods.")
	}
	if treat := wire.Or(in.TreatMissingData, missingMissing); !slices.Contains([]string{missingBreaching, missingNotBreaching, missingIgnore, missingMissing}, treat) {
		return invalid("Invalid TreatMissingData value %s. Supported values are [breaching, notBreaching, ignore, missing].", treat)
	}
	if low := in.EvaluateLowSampleCountPercentile; low != nil {
		if *low != lowEvaluate && *low != lowIgnore {
			return invalid("Option %s is not supported for EvaluateLowSampleCountPercentile. Supported options for EvaluateLowSampleCountPercentile are evaluate and ignore.", *low)
		}
		if in.ExtendedStatistic == nil {
			return clash("EvaluateLowSampleCountPercentile can only be used with a percentile as ExtendedStatistic.")
		}
	}
	return finite("Threshold", *in.Threshold)
}

// checkActions checks the form of actions: topics and policies of groups.
func (s *Service) checkActions(actions []string) error {
	if len(actions) > maxActions {
		return wrong("The collection of actions must not have a size greater than %d.", maxActions)
	}
	for _, arn := range actions {
		parts := strings.SplitN(arn, ":", 6)
		switch {
		case len(parts) != 6 || parts[0] != "arn" || parts[5] == "":
			return invalid("Invalid arn syntax: %s", arn)
		case parts[2] != "sns" && !(parts[2] == "autoscaling" && strings.HasPrefix(parts[5], "scalingPolicy:")):
			return unsupported("The alarm action " + arn)
		case parts[3] != s.Region.Name:
			return invalid("Invalid region %s specified. Only %s is supported.", parts[3], s.Region.Name)
		}
	}
	return nil
}
