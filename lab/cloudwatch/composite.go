package cloudwatch

import (
	"context"
	"fmt"
	"slices"

	api "storefront/lab/api/cloudwatch"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// maxRuleAlarms is how many alarms a rule may name.
const maxRuleAlarms = 100

// PutCompositeAlarm implements the operation of that name, without suppressors.
func (s *Service) PutCompositeAlarm(_ context.Context, in *api.PutCompositeAlarmInput) (*api.PutCompositeAlarmOutput, error) {
	if in.ActionsSuppressor != nil || in.ActionsSuppressorWaitPeriod != nil || in.ActionsSuppressorExtensionPeriod != nil {
		return nil, unsupported("ActionsSuppressor")
	}
	for _, actions := range [][]string{in.OKActions, in.AlarmActions, in.InsufficientDataActions} {
		if err := s.checkActions(actions); err != nil {
			return nil, err
		}
		if slices.ContainsFunc(actions, isPolicy) {
			return nil, invalid("Composite alarms cannot have Auto Scaling policies as actions.")
		}
	}
	_, names, err := parseRule(*in.AlarmRule)
	switch {
	case err != nil:
		return nil, invalid("AlarmRule is not valid: %v.", err)
	case len(names) > maxRuleAlarms:
		return nil, invalid("AlarmRule names more than %d alarms.", maxRuleAlarms)
	}
	kept := *in
	kept.Tags, kept.ActionsEnabled = nil, new(wire.Or(in.ActionsEnabled, true))
	return state.Change(s.Store, func(tx *state.Tx, _ *api.PutCompositeAlarmOutput) error {
		for _, name := range names {
			if err := leadsTo(tx, name, *in.AlarmName, nil); err != nil {
				return err
			}
		}
		return s.putAlarm(tx, alarm{Name: *in.AlarmName, Composite: &kept}, in.Tags)
	})
}

// leadsTo refuses a rule that names an alarm that there is not, or that leads back to the alarm itself.
func leadsTo(tx *state.Tx, name, target string, path []string) error {
	if name == target {
		return invalid("The composite alarm %s depends on itself.", target)
	}
	a, ok, err := alarms.Get(tx, name)
	switch {
	case err != nil:
		return err
	case !ok && len(path) == 0:
		return invalid("AlarmRule must not contain alarms that do not exist: %s.", name)
	case !ok || a.Composite == nil || slices.Contains(path, name):
		return nil
	}
	for _, next := range ruleNames(*a.Composite.AlarmRule) {
		if err := leadsTo(tx, next, target, append(path, name)); err != nil {
			return err
		}
	}
	return nil
}

// compositeChanges finds the composite alarms whose rule says something else than their state.
func compositeChanges(tx *state.Tx) (changes []outcome, err error) {
	states, composites := map[string]string{}, []alarm{}
	for _, a := range alarms.All(tx) {
		states[a.Name] = a.State
		if a.Composite != nil {
			composites = append(composites, a)
		}
	}
	for _, a := range composites {
		holds, names, err := parseRule(*a.Composite.AlarmRule)
		if err != nil {
			return nil, fmt.Errorf("alarm %s: %w", a.Name, err)
		}
		want := api.StateValueOk
		if holds(func(name string) string { return states[name] }) {
			want = api.StateValueAlarm
		}
		if want != a.State {
			reason := fmt.Sprintf("AlarmRule %s is %v, given the states of its alarms:", *a.Composite.AlarmRule, want == api.StateValueAlarm)
			for _, name := range names {
				reason += fmt.Sprintf(" %s is %s.", name, states[name])
			}
			changes = append(changes, outcome{a.Name, verdict{state: want, reason: shortened(reason, 1023)}})
		}
	}
	return changes, nil
}

// settleComposites changes composite alarms until all are as their rules say: one may stand on another, and no rule leads back to itself.
func (s *Service) settleComposites(tx *state.Tx) error {
	for {
		changes, err := compositeChanges(tx)
		if err != nil || len(changes) == 0 {
			return err
		}
		for _, o := range changes {
			a, _, err := alarms.Get(tx, o.name)
			if err != nil {
				return err
			}
			if err := s.transit(tx, a, o.verdict); err != nil {
				return err
			}
		}
	}
}
