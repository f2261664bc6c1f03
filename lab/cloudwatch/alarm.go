package cloudwatch

import (
	"context"
	"fmt"
	"slices"
	"time"

	api "storefront/lab/api/cloudwatch"
	"storefront/lab/metrics/query"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// alarm is what the store keeps of an alarm: what was put, exactly one of the two, and its state.
type alarm struct {
	Name, ARN string
	Metric    *api.PutMetricAlarmInput    `json:",omitempty"`
	Composite *api.PutCompositeAlarmInput `json:",omitempty"`
	Updated   time.Time
	Tags      map[string]string

	State, Reason, Data      string
	StateUpdated, Transition time.Time
}

// limits of alarms.
const (
	maxActions     = 5
	maxAlarmRange  = 24 * time.Hour // EvaluationPeriods * Period
	maxAlarmMetric = 10             // metrics of an alarm on metric math
)

func (a alarm) kind() string {
	if a.Composite != nil {
		return api.AlarmTypeCompositeAlarm
	}
	return api.AlarmTypeMetricAlarm
}

// actions are those of a state.
func (a alarm) actions(state string) []string {
	if c := a.Composite; c != nil {
		return map[string][]string{api.StateValueOk: c.OKActions, api.StateValueAlarm: c.AlarmActions, api.StateValueInsufficientData: c.InsufficientDataActions}[state]
	}
	m := a.Metric
	return map[string][]string{api.StateValueOk: m.OKActions, api.StateValueAlarm: m.AlarmActions, api.StateValueInsufficientData: m.InsufficientDataActions}[state]
}

func (a alarm) actionsEnabled() bool {
	if a.Composite != nil {
		return wire.Or(a.Composite.ActionsEnabled, true)
	}
	return wire.Or(a.Metric.ActionsEnabled, true)
}

// enable sets whether actions are taken.
func (a *alarm) enable(on bool) {
	if a.Composite != nil {
		a.Composite.ActionsEnabled = new(on)
	} else {
		a.Metric.ActionsEnabled = new(on)
	}
}

// queries are what a metric alarm looks at, as queries: an alarm on one metric is one query.
func (a alarm) queries() []api.MetricDataQuery {
	m := a.Metric
	if len(m.Metrics) > 0 {
		return m.Metrics
	}
	return []api.MetricDataQuery{{Id: new("m1"), MetricStat: &api.MetricStat{
		Metric: &api.Metric{Namespace: m.Namespace, MetricName: m.MetricName, Dimensions: m.Dimensions},
		Period: m.Period, Stat: new(a.statistic()), Unit: m.Unit,
	}}}
}

func (a alarm) statistic() string {
	return wire.Or(a.Metric.Statistic, wire.Value(a.Metric.ExtendedStatistic))
}

// every is how often a metric alarm is evaluated.
func (a alarm) every() time.Duration {
	for _, q := range a.queries() {
		if q.MetricStat != nil && *q.MetricStat.Period < 60 {
			return 10 * time.Second
		}
	}
	return time.Minute
}

// result is the ID of the query that the threshold is compared with.
func (a alarm) result() string {
	for _, q := range a.queries() {
		if wire.Or(q.ReturnData, true) {
			return *q.Id
		}
	}
	return ""
}

// PutMetricAlarm implements the operation of that name.
func (s *Service) PutMetricAlarm(_ context.Context, in *api.PutMetricAlarmInput) (*api.PutMetricAlarmOutput, error) {
	if err := s.checkMetricAlarm(in); err != nil {
		return nil, err
	}
	kept := *in
	kept.Tags, kept.ActionsEnabled = nil, new(wire.Or(in.ActionsEnabled, true))
	return state.Change(s.Store, func(tx *state.Tx, _ *api.PutMetricAlarmOutput) error {
		return s.putAlarm(tx, alarm{Name: *in.AlarmName, Metric: &kept}, in.Tags)
	})
}

// putAlarm keeps a new alarm, or the new configuration of one that there is, whose state and tags stay.
func (s *Service) putAlarm(tx *state.Tx, a alarm, tags []api.Tag) error {
	now := s.now()
	old, known, err := alarms.Get(tx, a.Name)
	if err != nil {
		return err
	}
	a.ARN, a.Updated = s.Region.ARN("cloudwatch", "alarm:"+a.Name), now
	if known && old.kind() != a.kind() {
		return invalid("An alarm of another type with the name %s exists already.", a.Name)
	}
	summary := fmt.Sprintf("Alarm %q updated", a.Name)
	if known {
		a.Tags, a.State, a.Reason, a.Data, a.StateUpdated, a.Transition = old.Tags, old.State, old.Reason, old.Data, old.StateUpdated, old.Transition
	} else {
		a.State, a.Reason, a.StateUpdated, a.Transition = api.StateValueInsufficientData, "Unchecked: Initial alarm creation", now, now
		summary = fmt.Sprintf("Alarm %q created", a.Name)
		if a.Tags, err = tagged(nil, tags); err != nil {
			return err
		}
	}
	if err := s.note(tx, a, api.HistoryItemTypeConfigurationUpdate, summary, nil); err != nil {
		return err
	}
	s.forget(a.Name)
	return alarms.Put(tx, a.Name, a)
}

// forget lets the next evaluation of an alarm happen at once.
func (s *Service) forget(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.evaluated, name)
}

// DeleteAlarms implements the operation of that name: all of the alarms, or none.
func (s *Service) DeleteAlarms(_ context.Context, in *api.DeleteAlarmsInput) (*api.DeleteAlarmsOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DeleteAlarmsOutput) error {
		for _, name := range in.AlarmNames {
			a, ok, err := alarms.Get(tx, name)
			if err != nil || !ok {
				continue // as AWS answers; an alarm that is not there is deleted
			}
			for _, other := range alarms.All(tx) {
				if other.Composite != nil && !slices.Contains(in.AlarmNames, other.Name) && slices.Contains(ruleNames(*other.Composite.AlarmRule), name) {
					return invalid("The alarm %s cannot be deleted: the composite alarm %s depends on it.", name, other.Name)
				}
			}
			if err := s.note(tx, a, api.HistoryItemTypeConfigurationUpdate, fmt.Sprintf("Alarm %q deleted", name), nil); err != nil {
				return err
			}
			if err := alarms.Delete(tx, name); err != nil {
				return err
			}
			s.forget(name)
		}
		return nil
	})
}

// EnableAlarmActions implements the operation of that name. Names that there are not are left out.
func (s *Service) EnableAlarmActions(_ context.Context, in *api.EnableAlarmActionsInput) (*api.EnableAlarmActionsOutput, error) {
	return &api.EnableAlarmActionsOutput{}, s.enableActions(in.AlarmNames, true)
}

// DisableAlarmActions implements the operation of that name. Names that there are not are left out.
func (s *Service) DisableAlarmActions(_ context.Context, in *api.DisableAlarmActionsInput) (*api.DisableAlarmActionsOutput, error) {
	return &api.DisableAlarmActionsOutput{}, s.enableActions(in.AlarmNames, false)
}

func (s *Service) enableActions(names []string, on bool) error {
	return s.Store.Update(func(tx *state.Tx) error {
		for _, name := range names {
			a, ok, err := alarms.Get(tx, name)
			if err != nil {
				return err
			}
			if !ok || a.actionsEnabled() == on {
				continue
			}
			a.enable(on)
			a.Updated = s.now()
			if err := s.note(tx, a, api.HistoryItemTypeConfigurationUpdate, fmt.Sprintf("Alarm %q updated", name), nil); err != nil {
				return err
			}
			if err := alarms.Put(tx, name, a); err != nil {
				return err
			}
		}
		return nil
	})
}

// SetAlarmState implements the operation of that name: actions are taken, and the next evaluation of a metric alarm sets the state that is true.
func (s *Service) SetAlarmState(_ context.Context, in *api.SetAlarmStateInput) (*api.SetAlarmStateOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.SetAlarmStateOutput) error {
		a, ok, err := alarms.Get(tx, *in.AlarmName)
		if err != nil {
			return err
		}
		if !ok {
			return wire.Errorf(404, "ResourceNotFound", "No alarm with the name %s exists.", *in.AlarmName)
		}
		return s.transit(tx, a, verdict{state: *in.StateValue, reason: *in.StateReason, data: wire.Value(in.StateReasonData)})
	})
}

// planOf is the plan of an alarm that has been checked.
func planOf(a alarm) (*query.Plan, error) { return planned(a.queries()) }
