package cloudwatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	api "storefront/lab/api/cloudwatch"
	"storefront/lab/metrics/query"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Run evaluates alarms and forgets what is old until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for minute := s.now().Truncate(time.Minute); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		err := s.Evaluate()
		if now := s.now().Truncate(time.Minute); now != minute {
			minute = now
			err = errors.Join(err, s.expire(), s.expireHistory())
		}
		if err != nil {
			s.Log.Error("evaluating alarms", "error", err)
		}
	}
}

// outcome is a verdict about an alarm.
type outcome struct {
	name string
	verdict
}

// Evaluate evaluates the alarms that are due: those with a period below a minute every ten seconds, the others every minute, as the last period ends.
// Composite alarms follow.
func (s *Service) Evaluate() error {
	var due []alarm
	restless := false // some composite alarm is to change
	if err := s.Store.View(func(tx *state.Tx) error {
		for _, a := range alarms.All(tx) {
			if a.Metric != nil {
				due = append(due, a)
			}
		}
		changes, err := compositeChanges(tx)
		restless = len(changes) > 0
		return err
	}); err != nil {
		return err
	}
	var outcomes []outcome
	for _, a := range due {
		v, ok, err := s.evaluate(a)
		if err != nil {
			return fmt.Errorf("alarm %s: %w", a.Name, err)
		}
		if ok && (v.state != "" && v.state != a.State || a.State == api.StateValueAlarm && scales(a)) {
			outcomes = append(outcomes, outcome{a.Name, v})
		}
	}
	if len(outcomes) == 0 && !restless {
		return nil
	}
	return s.Store.Update(func(tx *state.Tx) error {
		for _, o := range outcomes {
			if err := s.settle(tx, o); err != nil {
				return err
			}
		}
		return s.settleComposites(tx)
	})
}

// settle applies an outcome to the alarm as it is by now. Policies of groups are executed for as long as the alarm lasts.
func (s *Service) settle(tx *state.Tx, o outcome) error {
	a, ok, err := alarms.Get(tx, o.name)
	if err != nil || !ok || a.Metric == nil {
		return err
	}
	switch {
	case o.state != "" && o.state != a.State:
		return s.transit(tx, a, o.verdict)
	case a.State == api.StateValueAlarm && a.actionsEnabled():
		for _, arn := range a.actions(a.State) {
			if isPolicy(arn) {
				if err := s.act(tx, a, arn, "", o.verdict); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// scales reports whether an alarm executes policies of groups.
func scales(a alarm) bool {
	for _, arn := range a.actions(api.StateValueAlarm) {
		if isPolicy(arn) {
			return true
		}
	}
	return false
}

// evaluate looks at an alarm's data if it is due.
func (s *Service) evaluate(a alarm) (v verdict, due bool, err error) {
	end := s.now().Truncate(a.every())
	s.mu.Lock()
	due = !s.evaluated[a.Name].Equal(end)
	s.evaluated[a.Name] = end
	s.mu.Unlock()
	if !due {
		return v, false, nil
	}
	plan, err := planOf(a)
	if err != nil {
		return v, false, err
	}
	periods := time.Duration(*a.Metric.EvaluationPeriods + spare)
	from := end.Add(-periods * plan.Period())
	result, err := plan.Run(s.Metrics, from, end, from)
	if err != nil {
		return v, false, err
	}
	series := result.Values(a.result())
	if len(series) != 1 {
		return v, false, fmt.Errorf("%w: the expression no longer gives one time series", query.ErrInvalid)
	}
	values := series[0]
	blind := s.Metrics.Born().After(from) && slices.ContainsFunc(plan.Metrics(), func(m query.Metric) bool { return strings.HasPrefix(m.Namespace, "AWS/") })
	v = verdict{state: decide(a.Metric, values, blind), value: newest(values)}
	if s.tooFew(a, plan, end) {
		v.state = ""
	}
	if v.state != "" {
		v.reason = reason(a.Metric, a.State, v.state, result.Times, values)
		v.data = s.reasonData(a, plan, result.Times, values)
	}
	return v, true, nil
}

func newest(values []float64) float64 {
	for i := len(values) - 1; i >= 0; i-- {
		if !math.IsNaN(values[i]) {
			return values[i]
		}
	}
	return math.NaN()
}

// tooFew reports whether an alarm that ignores percentiles of few samples has only few in its last period.
func (s *Service) tooFew(a alarm, plan *query.Plan, end time.Time) bool {
	if wire.Value(a.Metric.EvaluateLowSampleCountPercentile) != lowIgnore {
		return false
	}
	percent, err := strconv.ParseFloat(strings.TrimPrefix(a.statistic(), "p"), 64)
	points := s.Metrics.Between(plan.Metrics()[0].Name, end.Add(-plan.Period()), end, plan.Period())
	return err == nil && len(points) == 1 && fewSamples(percent, points[0].Count)
}

// reasonData is the StateReasonData of a metric alarm.
func (s *Service) reasonData(a alarm, plan *query.Plan, times []time.Time, values []float64) string {
	const layout = "2006-01-02T15:04:05.000+0000"
	recent, start := []float64{}, ""
	for i, v := range values {
		if !math.IsNaN(v) && i >= spare {
			if recent = append(recent, v); start == "" {
				start = times[i].UTC().Format(layout)
			}
		}
	}
	data := map[string]any{"version": "1.0", "queryDate": s.now().Format(layout), "period": int(plan.Period() / time.Second), "recentDatapoints": recent, "threshold": *a.Metric.Threshold}
	if start != "" {
		data["startDate"] = start
	}
	if len(a.Metric.Metrics) == 0 {
		data["statistic"] = a.statistic()
	}
	text, err := json.Marshal(data)
	if err != nil || len(text) > 4000 {
		return ""
	}
	return string(text)
}

// transit gives an alarm a state, with its history and actions. The state that it has already changes nothing but the reason.
func (s *Service) transit(tx *state.Tx, a alarm, v verdict) error {
	old, now := a, s.now()
	a.State, a.Reason, a.Data, a.StateUpdated = v.state, v.reason, v.data, now
	if a.State == old.State {
		return alarms.Put(tx, a.Name, a)
	}
	a.Transition = now
	if err := alarms.Put(tx, a.Name, a); err != nil {
		return err
	}
	if err := s.note(tx, a, api.HistoryItemTypeStateUpdate, fmt.Sprintf("Alarm updated from %s to %s", old.State, a.State),
		map[string]any{"oldState": described(old), "newState": described(a)}); err != nil {
		return err
	}
	if !a.actionsEnabled() {
		return nil
	}
	for _, arn := range a.actions(a.State) {
		if err := s.act(tx, a, arn, old.State, v); err != nil {
			return err
		}
	}
	return nil
}

// described is a state as the history tells it.
func described(a alarm) map[string]any {
	d := map[string]any{"stateValue": a.State, "stateReason": a.Reason}
	if json.Valid([]byte(a.Data)) {
		d["stateReasonData"] = json.RawMessage(a.Data)
	}
	return d
}
