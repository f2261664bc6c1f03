package cloudwatch

import (
	"context"
	"slices"
	"strings"

	api "storefront/lab/api/cloudwatch"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// DescribeAlarms implements the operation of that name. Without AlarmTypes it returns metric alarms only.
func (s *Service) DescribeAlarms(_ context.Context, in *api.DescribeAlarmsInput) (*api.DescribeAlarmsOutput, error) {
	if len(in.AlarmNames) > 0 && in.AlarmNamePrefix != nil {
		return nil, clash("AlarmNames and AlarmNamePrefix are mutually exclusive.")
	}
	kinds := in.AlarmTypes
	if len(kinds) == 0 {
		kinds = []string{api.AlarmTypeMetricAlarm}
	}
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeAlarmsOutput) error {
		relatives, err := related(tx, in)
		if err != nil {
			return err
		}
		var found []alarm
		for _, a := range alarms.All(tx) {
			switch {
			case relatives != nil:
				if slices.Contains(relatives, a.Name) {
					found = append(found, a)
				}
			case !slices.Contains(kinds, a.kind()), len(in.AlarmNames) > 0 && !slices.Contains(in.AlarmNames, a.Name), !strings.HasPrefix(a.Name, wire.Value(in.AlarmNamePrefix)),
				in.StateValue != nil && *in.StateValue != a.State, in.ActionPrefix != nil && !actsOn(a, *in.ActionPrefix):
			default:
				found = append(found, a)
			}
		}
		found, out.NextToken, err = page(found, in.NextToken, wire.Or(in.MaxRecords, 100))
		out.MetricAlarms, out.CompositeAlarms = []api.MetricAlarm{}, []api.CompositeAlarm{}
		for _, a := range found {
			if a.Composite != nil {
				out.CompositeAlarms = append(out.CompositeAlarms, describeComposite(a))
			} else {
				out.MetricAlarms = append(out.MetricAlarms, describeMetric(a))
			}
		}
		return err
	})
}

// related are the names of the children or parents of an alarm, if the request asks for them, and nil if not.
func related(tx *state.Tx, in *api.DescribeAlarmsInput) ([]string, error) {
	switch {
	case in.ChildrenOfAlarmName != nil:
		a, ok, err := alarms.Get(tx, *in.ChildrenOfAlarmName)
		if err != nil || !ok || a.Composite == nil {
			return []string{}, err
		}
		return append([]string{}, ruleNames(*a.Composite.AlarmRule)...), nil
	case in.ParentsOfAlarmName != nil:
		parents := []string{}
		for _, a := range alarms.All(tx) {
			if a.Composite != nil && slices.Contains(ruleNames(*a.Composite.AlarmRule), *in.ParentsOfAlarmName) {
				parents = append(parents, a.Name)
			}
		}
		return parents, nil
	}
	return nil, nil
}

func actsOn(a alarm, prefix string) bool {
	for _, state := range []string{api.StateValueOk, api.StateValueAlarm, api.StateValueInsufficientData} {
		if slices.ContainsFunc(a.actions(state), func(arn string) bool { return strings.HasPrefix(arn, prefix) }) {
			return true
		}
	}
	return false
}

func describeMetric(a alarm) api.MetricAlarm {
	in := a.Metric
	return api.MetricAlarm{
		ActionsEnabled: in.ActionsEnabled, AlarmActions: list(in.AlarmActions), AlarmArn: new(a.ARN), AlarmConfigurationUpdatedTimestamp: new(a.Updated),
		AlarmDescription: in.AlarmDescription, AlarmName: new(a.Name), ComparisonOperator: in.ComparisonOperator, DatapointsToAlarm: in.DatapointsToAlarm,
		Dimensions: append([]api.Dimension{}, in.Dimensions...), EvaluateLowSampleCountPercentile: in.EvaluateLowSampleCountPercentile,
		EvaluationPeriods: in.EvaluationPeriods, ExtendedStatistic: in.ExtendedStatistic, InsufficientDataActions: list(in.InsufficientDataActions),
		MetricName: in.MetricName, Metrics: append([]api.MetricDataQuery{}, in.Metrics...), Namespace: in.Namespace, OKActions: list(in.OKActions), Period: in.Period,
		StateReason: new(a.Reason), StateReasonData: wire.Optional(a.Data), StateTransitionedTimestamp: new(a.Transition), StateUpdatedTimestamp: new(a.StateUpdated),
		StateValue: new(a.State), Statistic: in.Statistic, Threshold: in.Threshold, TreatMissingData: in.TreatMissingData, Unit: in.Unit,
	}
}

func describeComposite(a alarm) api.CompositeAlarm {
	in := a.Composite
	return api.CompositeAlarm{
		ActionsEnabled: in.ActionsEnabled, AlarmActions: list(in.AlarmActions), AlarmArn: new(a.ARN), AlarmConfigurationUpdatedTimestamp: new(a.Updated),
		AlarmDescription: in.AlarmDescription, AlarmName: new(a.Name), AlarmRule: in.AlarmRule, InsufficientDataActions: list(in.InsufficientDataActions),
		OKActions: list(in.OKActions), StateReason: new(a.Reason), StateReasonData: wire.Optional(a.Data), StateTransitionedTimestamp: new(a.Transition),
		StateUpdatedTimestamp: new(a.StateUpdated), StateValue: new(a.State),
	}
}

// DescribeAlarmsForMetric implements the operation of that name: alarms on metric math are left out, as at AWS.
func (s *Service) DescribeAlarmsForMetric(_ context.Context, in *api.DescribeAlarmsForMetricInput) (*api.DescribeAlarmsForMetricOutput, error) {
	want, err := named(in.Namespace, in.MetricName, in.Dimensions, nil)
	if err != nil {
		return nil, err
	}
	same := func(given, kept *string) bool { return given == nil || kept != nil && *given == *kept }
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeAlarmsForMetricOutput) error {
		out.MetricAlarms = []api.MetricAlarm{}
		for _, a := range alarms.All(tx) {
			m := a.Metric
			if m == nil || m.MetricName == nil {
				continue
			}
			name, err := named(m.Namespace, m.MetricName, m.Dimensions, nil)
			if err != nil {
				return err
			}
			if name == want && same(in.Statistic, m.Statistic) && same(in.ExtendedStatistic, m.ExtendedStatistic) && same(in.Unit, m.Unit) &&
				(in.Period == nil || *in.Period == *m.Period) {
				out.MetricAlarms = append(out.MetricAlarms, describeMetric(a))
			}
		}
		return nil
	})
}
