package autoscaling

import (
	"context"
	"slices"
	"time"

	api "storefront/lab/api/autoscaling"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// The transitions that hooks can wait in, and the results of a lifecycle action.
const (
	launching   = "autoscaling:EC2_INSTANCE_LAUNCHING"
	terminating = "autoscaling:EC2_INSTANCE_TERMINATING"
	proceed     = "CONTINUE"
	abandon     = "ABANDON"
)

// maxWait is how long heartbeats can hold an instance: 48 hours or 100 times the heartbeat timeout, whichever is smaller.
func (h hook) maxWait() time.Duration {
	return min(48*time.Hour, 100*time.Duration(h.Timeout)*time.Second)
}

func hookInput(h api.LifecycleHookSpecification) *api.PutLifecycleHookInput {
	return &api.PutLifecycleHookInput{LifecycleHookName: h.LifecycleHookName, LifecycleTransition: h.LifecycleTransition, DefaultResult: h.DefaultResult,
		HeartbeatTimeout: h.HeartbeatTimeout, NotificationMetadata: h.NotificationMetadata, NotificationTargetARN: h.NotificationTargetARN, RoleARN: h.RoleARN}
}

// PutLifecycleHook implements the operation of that name.
func (s *Service) PutLifecycleHook(_ context.Context, in *api.PutLifecycleHookInput) (*api.PutLifecycleHookOutput, error) {
	return edit(s, in.AutoScalingGroupName, func(tx *state.Tx, g *group, _ *api.PutLifecycleHookOutput) error { return putHook(tx, g.Name, in) })
}

// putHook creates a hook, or changes what is given of one that is there.
func putHook(tx *state.Tx, group string, in *api.PutLifecycleHookInput) error {
	key := group + ":" + *in.LifecycleHookName
	h, known, err := hooks.Get(tx, key)
	if err != nil {
		return err
	}
	if !known {
		h = hook{Group: group, Name: *in.LifecycleHookName, Timeout: 3600, Result: abandon}
		if in.LifecycleTransition == nil {
			return invalid("A lifecycle transition is required to create a lifecycle hook.")
		}
		if len(of(tx, hooks, group)) >= 50 {
			return fault("LimitExceeded", "You have reached the limit of 50 lifecycle hooks for the Auto Scaling group.")
		}
	}
	h.Transition, h.Result, h.Timeout = wire.Or(in.LifecycleTransition, h.Transition), wire.Or(in.DefaultResult, h.Result), wire.Or(in.HeartbeatTimeout, h.Timeout)
	h.Metadata = wire.Or(in.NotificationMetadata, h.Metadata)
	switch {
	case wire.Value(in.NotificationTargetARN) != "" || wire.Value(in.RoleARN) != "":
		return unsupported("The notification target of a lifecycle hook")
	case h.Transition != launching && h.Transition != terminating:
		return invalid("Please use one of the supported lifecycle transitions: [%s, %s]", launching, terminating)
	case h.Result != proceed && h.Result != abandon:
		return invalid("Invalid default result '%s': it must be either %s or %s.", h.Result, proceed, abandon)
	case h.Timeout < 30 || h.Timeout > 7200:
		return invalid("Heartbeat Timeout must be between 30 and 7200 seconds")
	}
	return hooks.Put(tx, key, h)
}

// DeleteLifecycleHook implements the operation of that name. What waits for the hook goes on at once.
func (s *Service) DeleteLifecycleHook(_ context.Context, in *api.DeleteLifecycleHookInput) (*api.DeleteLifecycleHookOutput, error) {
	return edit(s, in.AutoScalingGroupName, func(tx *state.Tx, g *group, _ *api.DeleteLifecycleHookOutput) error {
		h, err := findHook(tx, g.Name, *in.LifecycleHookName)
		if err != nil {
			return err
		}
		for _, m := range of(tx, members, g.Name) {
			if a, ok := m.Actions[h.Name]; ok && a.Result == "" {
				a.Result = proceed
				m.Actions[h.Name] = a
				if err := members.Put(tx, m.key(), m); err != nil {
					return err
				}
			}
		}
		return hooks.Delete(tx, g.Name+":"+h.Name)
	})
}

func findHook(tx *state.Tx, group, name string) (hook, error) {
	h, ok, err := hooks.Get(tx, group+":"+name)
	if err == nil && !ok {
		err = invalid("No Lifecycle Hook found with name: %s", name)
	}
	return h, err
}

// DescribeLifecycleHooks implements the operation of that name.
func (s *Service) DescribeLifecycleHooks(_ context.Context, in *api.DescribeLifecycleHooksInput) (*api.DescribeLifecycleHooksOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeLifecycleHooksOutput) error {
		g, err := findGroup(tx, in.AutoScalingGroupName)
		out.LifecycleHooks = []api.LifecycleHook{}
		for _, h := range of(tx, hooks, g.Name) {
			if len(in.LifecycleHookNames) == 0 || slices.Contains(in.LifecycleHookNames, h.Name) {
				out.LifecycleHooks = append(out.LifecycleHooks, api.LifecycleHook{
					AutoScalingGroupName: new(h.Group), LifecycleHookName: new(h.Name), LifecycleTransition: new(h.Transition), DefaultResult: new(h.Result),
					HeartbeatTimeout: new(h.Timeout), GlobalTimeout: new(int64(h.maxWait() / time.Second)), NotificationMetadata: wire.Optional(h.Metadata),
				})
			}
		}
		return err
	})
}

// CompleteLifecycleAction implements the operation of that name.
func (s *Service) CompleteLifecycleAction(_ context.Context, in *api.CompleteLifecycleActionInput) (*api.CompleteLifecycleActionOutput, error) {
	return edit(s, in.AutoScalingGroupName, func(tx *state.Tx, g *group, _ *api.CompleteLifecycleActionOutput) error {
		if r := *in.LifecycleActionResult; r != proceed && r != abandon {
			return invalid("Invalid lifecycle action result '%s': it must be either %s or %s.", r, proceed, abandon)
		}
		return answer(tx, g.Name, *in.LifecycleHookName, in.InstanceId, in.LifecycleActionToken, func(_ hook, a *action) { a.Result = *in.LifecycleActionResult })
	})
}

// RecordLifecycleActionHeartbeat implements the operation of that name.
func (s *Service) RecordLifecycleActionHeartbeat(_ context.Context, in *api.RecordLifecycleActionHeartbeatInput) (*api.RecordLifecycleActionHeartbeatOutput, error) {
	return edit(s, in.AutoScalingGroupName, func(tx *state.Tx, g *group, _ *api.RecordLifecycleActionHeartbeatOutput) error {
		return answer(tx, g.Name, *in.LifecycleHookName, in.InstanceId, in.LifecycleActionToken, func(h hook, a *action) {
			a.Deadline = s.now().Add(time.Duration(h.Timeout) * time.Second)
			if last := a.Started.Add(h.maxWait()); a.Deadline.After(last) {
				a.Deadline = last
			}
		})
	})
}

// answer edits the lifecycle action of an instance that is named by ID or by the action's token.
func answer(tx *state.Tx, group, name string, instance, token *string, f func(hook, *action)) error {
	if instance == nil && token == nil {
		return invalid("Either the lifecycle action token or the instance ID must be given.")
	}
	h, err := findHook(tx, group, name)
	if err != nil {
		return err
	}
	for _, m := range of(tx, members, group) {
		a, ok := m.Actions[name]
		if !ok || a.Result != "" || instance != nil && m.ID != *instance || token != nil && a.Token != *token {
			continue
		}
		f(h, &a)
		m.Actions[name] = a
		return members.Put(tx, m.key(), m)
	}
	if instance != nil {
		return invalid("No active Lifecycle Action found with instance ID %s", *instance)
	}
	return invalid("No active Lifecycle Action found with token %s", *token)
}
