package applicationautoscaling

import (
	"context"
	"slices"
	"strings"
	"time"

	api "storefront/lab/api/applicationautoscaling"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// PutScheduledAction implements the operation of that name for actions that run once, at(yyyy-mm-ddThh:mm:ss).
func (s *Service) PutScheduledAction(_ context.Context, in *api.PutScheduledActionInput) (*api.PutScheduledActionOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.PutScheduledActionOutput) error {
		t, err := find(tx, in.ServiceNamespace, in.ResourceId, in.ScalableDimension)
		if err != nil {
			return err
		}
		key := t.Resource + "|" + *in.ScheduledActionName
		a, known, err := actions.Get(tx, key)
		if err != nil {
			return err
		}
		if !known {
			id, err := region.NewUUID(tx, "applicationautoscaling.action")
			if err != nil {
				return err
			}
			a.Created = s.Now().UTC()
			a.ARN = s.Region.ARN("autoscaling", "scheduledAction:"+id+":resource/"+namespace+"/"+t.Resource+":scheduledActionName/"+*in.ScheduledActionName)
		}
		if in.Schedule == nil { // an update changes what it names
			in.Schedule, in.Timezone = a.Input.Schedule, wire.Optional(wire.Or(in.Timezone, wire.Value(a.Input.Timezone)))
		}
		if in.ScalableTargetAction == nil {
			in.ScalableTargetAction = a.Input.ScalableTargetAction
		}
		if a.Due, err = due(in); err != nil {
			return err
		}
		if a.Due.Before(s.Now()) {
			return invalid("The schedule %s is in the past.", *in.Schedule)
		}
		a.Input = *in
		return actions.Put(tx, key, a)
	})
}

// due is when a scheduled action is to run.
func due(in *api.PutScheduledActionInput) (time.Time, error) {
	switch bounds := in.ScalableTargetAction; {
	case bounds == nil || bounds.MinCapacity == nil && bounds.MaxCapacity == nil:
		return time.Time{}, invalid("ScalableTargetAction must name a minimum or a maximum capacity.")
	case wire.Or(bounds.MinCapacity, 0) < 0 || wire.Or(bounds.MaxCapacity, 0) > mostReaders || wire.Or(bounds.MinCapacity, 0) > wire.Or(bounds.MaxCapacity, mostReaders):
		return time.Time{}, invalid("Minimum and maximum capacity must be between 0 and %d, and the minimum not above the maximum.", mostReaders)
	}
	schedule := wire.Value(in.Schedule)
	if strings.HasPrefix(schedule, "cron(") || strings.HasPrefix(schedule, "rate(") || in.StartTime != nil || in.EndTime != nil {
		return time.Time{}, unsupported("A recurring schedule")
	}
	zone, err := time.LoadLocation(wire.Or(in.Timezone, "UTC"))
	if err != nil {
		return time.Time{}, invalid("The time zone %s is not valid.", *in.Timezone)
	}
	at, err := time.ParseInLocation("at(2006-01-02T15:04:05)", schedule, zone)
	if err != nil {
		return time.Time{}, invalid("The schedule %q is not valid: it must be at(yyyy-mm-ddThh:mm:ss).", schedule)
	}
	return at.UTC(), nil
}

// DescribeScheduledActions implements the operation of that name.
func (s *Service) DescribeScheduledActions(_ context.Context, in *api.DescribeScheduledActionsInput) (*api.DescribeScheduledActionsOutput, error) {
	if err := checkDescribe(in.ServiceNamespace, in.ScalableDimension); err != nil {
		return nil, err
	}
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeScheduledActionsOutput) (err error) {
		var list []api.ScheduledAction
		for _, a := range of(tx, actions, wire.Value(in.ResourceId)) {
			if *in.ServiceNamespace == namespace && (len(in.ScheduledActionNames) == 0 || slices.Contains(in.ScheduledActionNames, *a.Input.ScheduledActionName)) {
				list = append(list, api.ScheduledAction{ScheduledActionARN: &a.ARN, ScheduledActionName: a.Input.ScheduledActionName, ServiceNamespace: new(namespace), ScalableDimension: new(dimension), ResourceId: a.Input.ResourceId,
					Schedule: a.Input.Schedule, Timezone: a.Input.Timezone, ScalableTargetAction: a.Input.ScalableTargetAction, CreationTime: &a.Created})
			}
		}
		out.ScheduledActions, out.NextToken, err = page(list, in.NextToken, in.MaxResults)
		return err
	})
}

// DeleteScheduledAction implements the operation of that name.
func (s *Service) DeleteScheduledAction(_ context.Context, in *api.DeleteScheduledActionInput) (*api.DeleteScheduledActionOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DeleteScheduledActionOutput) error {
		if err := check(in.ServiceNamespace, in.ScalableDimension); err != nil {
			return err
		}
		key := *in.ResourceId + "|" + *in.ScheduledActionName
		if _, ok, err := actions.Get(tx, key); err != nil {
			return err
		} else if !ok {
			return notFound("No scheduled action found for service namespace: %s, resource ID: %s, scalable dimension: %s, scheduled action name: %s", namespace, *in.ResourceId, dimension, *in.ScheduledActionName)
		}
		return actions.Delete(tx, key)
	})
}
