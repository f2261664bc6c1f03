package autoscaling

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	api "storefront/lab/api/autoscaling"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// ExecutePolicy implements the operation of that name for simple and step scaling.
func (s *Service) ExecutePolicy(_ context.Context, in *api.ExecutePolicyInput) (*api.ExecutePolicyOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.ExecutePolicyOutput) error {
		return s.execute(tx, in, "a user request executed policy", group.adjusted)
	})
}

// ExecuteForAlarm executes a policy, given by its ARN, for an alarm whose metric has a value, in the caller's transaction. Simple scaling honours its cooldown,
// and nothing happens while it lasts; for step scaling, instances that warm up count as added already. A policy that is off, or whose group has suspended
// AlarmNotification, does nothing.
func (s *Service) ExecuteForAlarm(tx *state.Tx, policyARN, alarm string, value, threshold float64) error {
	_, p, err := findPolicy(tx, nil, &policyARN)
	if err != nil {
		return err
	}
	g, err := liveGroup(tx, p.Input.AutoScalingGroupName)
	if err != nil || !*p.Input.Enabled || g.suspended(processAlarm) {
		return err
	}
	if math.IsNaN(value) {
		return invalid("The alarm %s has no data point to choose a step with.", alarm)
	}
	err = s.execute(tx, &api.ExecutePolicyInput{PolicyName: &policyARN, HonorCooldown: new(true), MetricValue: &value, BreachThreshold: &threshold},
		fmt.Sprintf("a monitor alarm %s in state ALARM triggered policy", alarm), func(g group, p api.PutScalingPolicyInput, by int64) int64 { return s.stepped(tx, g, p, by) })
	if errors.Is(err, &wire.Error{Code: scalingInProgress}) {
		return nil
	}
	return err
}

const scalingInProgress = "ScalingActivityInProgress"

// execute finds the capacity that a policy asks for; stepped says where a step leads.
func (s *Service) execute(tx *state.Tx, in *api.ExecutePolicyInput, who string, stepped func(group, api.PutScalingPolicyInput, int64) int64) error {
	_, p, err := findPolicy(tx, in.AutoScalingGroupName, in.PolicyName)
	if err != nil {
		return err
	}
	g, err := liveGroup(tx, p.Input.AutoScalingGroupName)
	if err != nil {
		return err
	}
	adjustment, want := p.Input.ScalingAdjustment, int64(0)
	switch *p.Input.PolicyType {
	case targetTracking:
		return invalid("Policies of type %s cannot be executed.", targetTracking)
	case step:
		if in.MetricValue == nil || in.BreachThreshold == nil {
			return invalid("MetricValue and BreachThreshold must be specified for step scaling.")
		}
		if adjustment = stepFor(p.Input.StepAdjustments, *in.MetricValue-*in.BreachThreshold); adjustment == nil {
			return invalid("No step adjustment found for metric value %v and breach threshold %v", *in.MetricValue, *in.BreachThreshold)
		}
		want = stepped(g, p.Input, *adjustment)
	default:
		if wire.Value(in.HonorCooldown) && s.now().Before(g.LastScaling.Add(time.Duration(wire.Or(p.Input.Cooldown, g.Cooldown))*time.Second)) {
			return fault(scalingInProgress, "Scaling activity in progress: the cooldown has not ended.")
		}
		want = g.adjusted(p.Input, *adjustment)
	}
	g.scaleTo(want, s.now(), fmt.Sprintf("%s %s", who, *p.Input.PolicyName))
	return groups.Put(tx, g.Name, g)
}

// stepped is the capacity that a step leads to. What warms up, or is still to be launched, is no part of the capacity that the step adds to, so that an
// alarm that goes on adds only what a larger step asks for; and nothing shrinks meanwhile ("Step and simple scaling policies", instance warmup).
func (s *Service) stepped(tx *state.Tx, g group, p api.PutScalingPolicyInput, by int64) int64 {
	warmup, warm := wire.Or(p.EstimatedInstanceWarmup, wire.Or(g.Warmup, g.Cooldown)), int64(0)
	for _, m := range of(tx, members, g.Name) {
		if m.warm(s.now(), warmup) {
			warm++
		}
	}
	warm = min(warm, g.Desired)
	want := adjusted(p, warm, by)
	if warm < g.Desired {
		return max(want, g.Desired)
	}
	return want
}

// stepFor finds the step whose interval, relative to the threshold, holds the difference.
func stepFor(steps []api.StepAdjustment, difference float64) *int64 {
	for _, a := range steps {
		low, high := wire.Or(a.MetricIntervalLowerBound, math.Inf(-1)), wire.Or(a.MetricIntervalUpperBound, math.Inf(1))
		// A bound belongs to the interval that is nearer to the threshold.
		if difference >= 0 && difference >= low && difference < high || difference < 0 && difference > low && difference <= high {
			return a.ScalingAdjustment
		}
	}
	return nil
}

// adjusted is the capacity that an adjustment of the desired one leads to.
func (g group) adjusted(p api.PutScalingPolicyInput, by int64) int64 {
	return adjusted(p, g.Desired, by)
}

func adjusted(p api.PutScalingPolicyInput, current, by int64) int64 {
	switch *p.AdjustmentType {
	case "ExactCapacity":
		return by
	case "PercentChangeInCapacity":
		// Between -1 and 1 it is rounded away from zero, otherwise towards it.
		change := int64(float64(current) * float64(by) / 100)
		if change == 0 {
			change = int64(cmp.Compare(by, 0))
		}
		if least := wire.Or(p.MinAdjustmentMagnitude, wire.Or(p.MinAdjustmentStep, 0)); change > 0 {
			change = max(change, least)
		} else if change < 0 {
			change = min(change, -least)
		}
		return current + change
	}
	return current + by
}

// scaleTo changes the desired capacity within the bounds, and says why in the activities that follow.
func (g *group) scaleTo(want int64, now time.Time, who string) {
	if want = max(g.Min, min(g.Max, want)); want != g.Desired {
		g.resized(now, fmt.Sprintf("%s changing the desired capacity from %d to %d.", who, g.Desired, want))
		g.Desired, g.LastScaling = want, now
	}
}

func (g group) coolingDown(now time.Time) bool {
	return now.Before(g.LastScaling.Add(time.Duration(g.Cooldown) * time.Second))
}
