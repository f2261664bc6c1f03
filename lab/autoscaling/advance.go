package autoscaling

import (
	"context"
	"fmt"
	"slices"
	"time"

	api "storefront/lab/api/autoscaling"
	ec2api "storefront/lab/api/ec2"
	"storefront/lab/region"
	"storefront/lab/wire"
)

// advance moves every member on along "Amazon EC2 Auto Scaling instance lifecycle".
func (t *turn) advance() error {
	for _, m := range t.members {
		if err := t.step(m); err != nil {
			return err
		}
	}
	t.members = slices.DeleteFunc(t.members, func(m *member) bool { return m.State == gone })
	return nil
}

func (t *turn) step(m *member) error {
	if m.ID == "" && !t.adopt(m) {
		if m.terminating() {
			return t.forget(m)
		}
		t.launch(m)
		return nil
	}
	switch m.State {
	case api.LifecycleStatePending, api.LifecycleStatePendingWait, api.LifecycleStatePendingProceed:
		if t.dead(m) {
			return t.fail(m, "Instance became unhealthy while waiting for instance to be in InService state. Termination Reason: "+t.reason(m))
		}
	}
	switch m.State {
	case api.LifecycleStatePending:
		if t.ec2State(m) != "running" {
			return nil
		}
		if waits, err := t.hook(m, launching, api.LifecycleStatePendingWait); waits || err != nil {
			return err
		}
		return t.enter(m)
	case api.LifecycleStatePendingWait:
		return t.wait(m)
	case api.LifecycleStatePendingProceed:
		return t.enter(m)
	case api.LifecycleStateInService:
		t.settle(m)
	case api.LifecycleStateTerminating:
		return t.drain(m)
	case api.LifecycleStateTerminatingWait:
		return t.wait(m)
	case api.LifecycleStateTerminatingProceed:
		return t.end(m)
	}
	return nil
}

// adopt finds the instance of a launch whose answer was lost.
func (t *turn) adopt(m *member) bool {
	for id, i := range t.instances {
		if wire.Value(i.ClientToken) == m.Token {
			m.ID, m.Type = id, wire.Value(i.InstanceType)
			return true
		}
	}
	return false
}

func (t *turn) reason(m *member) string {
	if r := t.instances[m.ID].StateReason; r != nil {
		return wire.Value(r.Message)
	}
	return "the instance is " + t.ec2State(m)
}

// fail ends a launch that will not come into service.
func (t *turn) fail(m *member, message string) error {
	if err := t.status(m, api.ScalingActivityStatusCodeFailed, message); err != nil {
		return err
	}
	t.failed()
	m.Activity = ""
	return t.leave(m, fmt.Sprintf("At %s an instance was taken out of service in response to a launch failure.", stamp(t.now)))
}

// failed counts a failure against the group's launches, and the refresh that made them.
func (t *turn) failed() {
	t.group.backOff(t.now)
	if t.refresh != nil {
		t.refresh.Failures++
	}
}

// backOff puts off the next launch: 5 seconds after the first failure in a row, at most 5 minutes. What fails together counts as one failure.
func (g *group) backOff(now time.Time) {
	if now.Before(g.LaunchAfter) {
		return
	}
	g.LaunchAfter = now.Add(min(5*time.Minute, 5*time.Second<<min(g.Failures, 6)))
	g.Failures++
}

func (t *turn) status(m *member, status, message string) error {
	return progress(t.tx, m.Group, m.Activity, func(a *activity) {
		if a.Status != status {
			a.set(status, message, t.now)
		}
	})
}

// hook starts the lifecycle actions of a transition and reports whether there are any.
func (t *turn) hook(m *member, transition, wait string) (bool, error) {
	if m.Hooked {
		return false, nil
	}
	m.Hooked, m.Actions = true, map[string]action{}
	for _, h := range t.hooks {
		if h.Transition != transition {
			continue
		}
		token, err := region.NewUUID(t.tx, "autoscaling-action")
		if err != nil {
			return false, err
		}
		m.Actions[h.Name] = action{Token: token, Started: t.now, Deadline: t.now.Add(time.Duration(h.Timeout) * time.Second)}
	}
	if len(m.Actions) == 0 {
		return false, nil
	}
	m.State = wait
	return true, t.status(m, api.ScalingActivityStatusCodeMidLifecycleAction, "")
}

// wait goes on once every lifecycle action has been answered or has timed out. One that is abandoned settles all.
func (t *turn) wait(m *member) error {
	open := 0
	for name, a := range m.Actions {
		if a.Result == "" && !t.now.Before(a.Deadline) {
			a.Result = proceed
			if i := slices.IndexFunc(t.hooks, func(h hook) bool { return h.Name == name }); i >= 0 {
				a.Result = t.hooks[i].Result
			}
			m.Actions[name] = a
		}
		switch {
		case a.Result == abandon && !m.terminating():
			return t.fail(m, fmt.Sprintf("Instance failed to complete user's Lifecycle Action: Lifecycle Action with token %s was abandoned: Lifecycle Action Completed with ABANDON Result", a.Token))
		case a.Result == abandon:
			open = -len(m.Actions)
		case a.Result == "":
			open++
		}
	}
	if !m.terminating() {
		if open == 0 {
			m.State, m.Actions = api.LifecycleStatePendingProceed, nil
			return t.enter(m)
		}
		return nil
	}
	if open <= 0 || m.Hurry || t.dead(m) {
		m.State, m.Actions = api.LifecycleStateTerminatingProceed, nil
		return t.end(m)
	}
	return nil
}

// enter registers a member with the target groups, and then it is in service.
func (t *turn) enter(m *member) error {
	if t.register(m) {
		return nil
	}
	m.State, m.InService, m.Hooked = api.LifecycleStateInService, t.now, false
	t.group.Failures, t.group.LaunchAfter, t.group.LastScaling = 0, time.Time{}, t.now
	err := t.status(m, api.ScalingActivityStatusCodeSuccessful, "")
	m.Activity = ""
	return err
}

// end terminates a member's instance, and forgets the member once EC2 says so.
func (t *turn) end(m *member) error {
	switch t.ec2State(m) {
	case "terminated":
		t.group.LastScaling = t.now
		if err := t.status(m, api.ScalingActivityStatusCodeSuccessful, ""); err != nil {
			return err
		}
		return t.forget(m)
	case "shutting-down":
		return nil
	}
	t.effects = append(t.effects, func(ctx context.Context) error {
		if _, err := t.EC2.TerminateInstances(ctx, &ec2api.TerminateInstancesInput{InstanceIds: []string{m.ID}}); err != nil {
			return fmt.Errorf("terminating instance %s: %w", m.ID, err)
		}
		return nil
	})
	return t.status(m, api.ScalingActivityStatusCodeInProgress, "")
}

func (t *turn) forget(m *member) error {
	m.State = gone
	return members.Delete(t.tx, m.key())
}
