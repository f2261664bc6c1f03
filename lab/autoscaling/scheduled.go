package autoscaling

import (
	"context"
	"errors"
	"slices"
	"time"

	api "storefront/lab/api/autoscaling"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// PutScheduledUpdateGroupAction implements the operation of that name for actions that run once; recurrence is refused.
func (s *Service) PutScheduledUpdateGroupAction(_ context.Context, in *api.PutScheduledUpdateGroupActionInput) (*api.PutScheduledUpdateGroupActionOutput, error) {
	at := in.StartTime
	if at == nil {
		at = in.Time
	}
	return edit(s, in.AutoScalingGroupName, func(tx *state.Tx, g *group, _ *api.PutScheduledUpdateGroupActionOutput) error {
		return s.schedule(tx, g, api.ScheduledUpdateGroupActionRequest{ScheduledActionName: in.ScheduledActionName, StartTime: at, EndTime: in.EndTime,
			MinSize: in.MinSize, MaxSize: in.MaxSize, DesiredCapacity: in.DesiredCapacity, Recurrence: in.Recurrence, TimeZone: in.TimeZone})
	})
}

func (s *Service) schedule(tx *state.Tx, g *group, in api.ScheduledUpdateGroupActionRequest) error {
	switch {
	case in.Recurrence != nil:
		return unsupported("Recurrence")
	case in.StartTime == nil:
		return invalid("A start time is required for a scheduled action without a recurrence.")
	case in.StartTime.Before(s.now()):
		return invalid("Given start time is in the past")
	case in.EndTime != nil && !in.EndTime.After(*in.StartTime):
		return invalid("End time must be after start time")
	case in.MinSize == nil && in.MaxSize == nil && in.DesiredCapacity == nil:
		return invalid("At least one of MinSize, MaxSize and DesiredCapacity must be specified.")
	}
	key := g.Name + ":" + *in.ScheduledActionName
	old, known, err := schedules.Get(tx, key)
	if err != nil {
		return err
	}
	v := scheduled{ARN: old.ARN}
	if !known {
		id, err := region.NewUUID(tx, "autoscaling-scheduled")
		if err != nil {
			return err
		}
		v.ARN = s.Region.ARN("autoscaling", "scheduledUpdateGroupAction:"+id+":autoScalingGroupName/"+g.Name+":scheduledActionName/"+*in.ScheduledActionName)
	}
	v.ScheduledUpdateGroupAction = api.ScheduledUpdateGroupAction{AutoScalingGroupName: &g.Name, ScheduledActionARN: &v.ARN, ScheduledActionName: in.ScheduledActionName,
		StartTime: in.StartTime, Time: in.StartTime, EndTime: in.EndTime, MinSize: in.MinSize, MaxSize: in.MaxSize, DesiredCapacity: in.DesiredCapacity, TimeZone: in.TimeZone}
	return schedules.Put(tx, key, v)
}

// BatchPutScheduledUpdateGroupAction implements the operation of that name.
func (s *Service) BatchPutScheduledUpdateGroupAction(_ context.Context, in *api.BatchPutScheduledUpdateGroupActionInput) (*api.BatchPutScheduledUpdateGroupActionOutput, error) {
	return edit(s, in.AutoScalingGroupName, func(tx *state.Tx, g *group, out *api.BatchPutScheduledUpdateGroupActionOutput) error {
		out.FailedScheduledUpdateGroupActions = []api.FailedScheduledUpdateGroupActionRequest{}
		for _, a := range in.ScheduledUpdateGroupActions {
			if err := collect(s.schedule(tx, g, a), a.ScheduledActionName, &out.FailedScheduledUpdateGroupActions); err != nil {
				return err
			}
		}
		return nil
	})
}

// collect keeps an error of the client for the answer of a batch, and returns any other.
func collect(err error, name *string, failed *[]api.FailedScheduledUpdateGroupActionRequest) error {
	if e, ok := errors.AsType[*wire.Error](err); ok {
		*failed = append(*failed, api.FailedScheduledUpdateGroupActionRequest{ScheduledActionName: name, ErrorCode: &e.Code, ErrorMessage: &e.Message})
		return nil
	}
	return err
}

// DeleteScheduledAction implements the operation of that name.
func (s *Service) DeleteScheduledAction(_ context.Context, in *api.DeleteScheduledActionInput) (*api.DeleteScheduledActionOutput, error) {
	return edit(s, in.AutoScalingGroupName, func(tx *state.Tx, g *group, _ *api.DeleteScheduledActionOutput) error {
		return unschedule(tx, g.Name, *in.ScheduledActionName)
	})
}

func unschedule(tx *state.Tx, group, name string) error {
	if _, ok, err := schedules.Get(tx, group+":"+name); err != nil {
		return err
	} else if !ok {
		return invalid("Scheduled action name not found")
	}
	return schedules.Delete(tx, group+":"+name)
}

// BatchDeleteScheduledAction implements the operation of that name.
func (s *Service) BatchDeleteScheduledAction(_ context.Context, in *api.BatchDeleteScheduledActionInput) (*api.BatchDeleteScheduledActionOutput, error) {
	return edit(s, in.AutoScalingGroupName, func(tx *state.Tx, g *group, out *api.BatchDeleteScheduledActionOutput) error {
		out.FailedScheduledActions = []api.FailedScheduledUpdateGroupActionRequest{}
		for _, name := range in.ScheduledActionNames {
			if err := collect(unschedule(tx, g.Name, name), new(name), &out.FailedScheduledActions); err != nil {
				return err
			}
		}
		return nil
	})
}

// DescribeScheduledActions implements the operation of that name.
func (s *Service) DescribeScheduledActions(_ context.Context, in *api.DescribeScheduledActionsInput) (*api.DescribeScheduledActionsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeScheduledActionsOutput) error {
		prefix := ""
		if in.AutoScalingGroupName != nil {
			g, err := findGroup(tx, in.AutoScalingGroupName)
			if err != nil {
				return err
			}
			prefix = g.Name + ":"
		}
		var found []api.ScheduledUpdateGroupAction
		for _, a := range schedules.WithPrefix(tx, prefix) {
			named := len(in.ScheduledActionNames) == 0 || slices.Contains(in.ScheduledActionNames, *a.ScheduledActionName)
			if named && (in.StartTime == nil || !a.StartTime.Before(*in.StartTime)) && (in.EndTime == nil || !a.StartTime.After(*in.EndTime)) {
				found = append(found, a.ScheduledUpdateGroupAction)
			}
		}
		var err error
		found, out.NextToken, err = page(found, in.NextToken, in.MaxRecords, 100)
		out.ScheduledUpdateGroupActions = append([]api.ScheduledUpdateGroupAction{}, found...)
		return err
	})
}

// runScheduled runs the actions of a group that are due. Each runs once and is gone, as on AWS.
func runScheduled(tx *state.Tx, g *group, now time.Time) error {
	for _, a := range of(tx, schedules, g.Name) {
		if a.StartTime.After(now) || g.suspended(processScheduled) {
			continue
		}
		before := *g
		if err := (settings{min: a.MinSize, max: a.MaxSize, desired: a.DesiredCapacity}).apply(g); err != nil {
			*g = before // bounds that no longer fit the group: AWS drops such an action too
		} else if g.Desired != before.Desired {
			g.resized(now, "a scheduled action update of AutoScalingGroup constraints"+bounds(before, *g))
		}
		if err := schedules.Delete(tx, g.Name+":"+*a.ScheduledActionName); err != nil {
			return err
		}
	}
	return nil
}
