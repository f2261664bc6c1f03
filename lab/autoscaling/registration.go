package autoscaling

import (
	"context"
	"errors"
	"fmt"
	"slices"

	api "storefront/lab/api/autoscaling"
	elbapi "storefront/lab/api/elbv2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// register asks for what is missing in the registrations of a member, and reports whether anything was.
func (t *turn) register(m *member) (missing bool) {
	if t.group.suspended(processAddToLB) {
		return false
	}
	for _, arn := range t.group.TargetGroups {
		if slices.Contains(m.Registered, arn) {
			continue
		}
		missing = true
		t.effects = append(t.effects, func(ctx context.Context) error {
			_, err := t.LoadBalancing.RegisterTargets(ctx, &elbapi.RegisterTargetsInput{TargetGroupArn: &arn, Targets: []elbapi.TargetDescription{{Id: &m.ID}}})
			if err != nil {
				return fmt.Errorf("registering instance %s: %w", m.ID, err)
			}
			return t.later(m, func(_ *state.Tx, _ *group, m *member) error {
				m.Registered, m.Draining = append(m.Registered, arn), without(m.Draining, arn)
				return nil
			})
		})
	}
	return missing
}

// deregister asks to take a member out of target groups.
func (t *turn) deregister(m *member, arns []string) {
	for _, arn := range arns {
		t.effects = append(t.effects, func(ctx context.Context) error {
			_, err := t.LoadBalancing.DeregisterTargets(ctx, &elbapi.DeregisterTargetsInput{TargetGroupArn: &arn, Targets: []elbapi.TargetDescription{{Id: &m.ID}}})
			// A target group that is gone, or that the user has taken the instance out of, has nothing left to do.
			if _, refused := errors.AsType[*wire.Error](err); err != nil && !refused {
				return fmt.Errorf("deregistering instance %s: %w", m.ID, err)
			}
			return t.later(m, func(_ *state.Tx, _ *group, m *member) error {
				m.Registered, m.Draining = without(m.Registered, arn), append(m.Draining, arn)
				return nil
			})
		})
	}
}

func without(all []string, one string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s == one })
}

// drained keeps of the target groups that a member is leaving those that still have it.
func (t *turn) drained(m *member) {
	m.Draining = slices.DeleteFunc(slices.Clone(m.Draining), func(arn string) bool { return t.health[arn][m.ID] != elbapi.TargetHealthStateEnumDraining })
	if len(m.Draining) == 0 {
		m.Draining = nil
	}
}

// settle makes the registrations of a member in service those of its group.
func (t *turn) settle(m *member) {
	t.register(m)
	t.drained(m)
	t.deregister(m, slices.DeleteFunc(slices.Clone(m.Registered), func(arn string) bool { return slices.Contains(t.group.TargetGroups, arn) }))
}

// drain takes a leaving member out of its target groups, waits for its requests to end, and starts the hooks.
func (t *turn) drain(m *member) error {
	t.deregister(m, m.Registered)
	t.drained(m)
	patient := !m.Hurry && !t.dead(m)
	if patient && len(m.Registered)+len(m.Draining) > 0 {
		return t.status(m, api.ScalingActivityStatusCodeWaitingForELBConnectionDraining, "")
	}
	if patient {
		if waits, err := t.hook(m, terminating, api.LifecycleStateTerminatingWait); waits || err != nil {
			return err
		}
	}
	m.State = api.LifecycleStateTerminatingProceed
	return t.end(m)
}
