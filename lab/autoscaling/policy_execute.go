package autoscaling

import (
	"cmp"
	"context"
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
		_, p, err := findPolicy(tx, in.AutoScalingGroupName, in.PolicyName)
		if err != nil {
			return err
		}
		g, err := liveGroup(tx, p.Input.AutoScalingGroupName)
		if err != nil {
			return err
		}
		adjustment := p.Input.ScalingAdjustment
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
		}
		if wire.Value(in.HonorCooldown) && *p.Input.PolicyType == simple && s.now().Before(g.LastScaling.Add(time.Duration(wire.Or(p.Input.Cooldown, g.Cooldown))*time.Second)) {
			return fault("ScalingActivityInProgress", "Scaling activity in progress: the cooldown has not ended.")
		}
		g.scaleTo(adjusted(p.Input, g.Desired, *adjustment), s.now(), fmt.Sprintf("a user request executed policy %s", *p.Input.PolicyName))
		return groups.Put(tx, g.Name, g)
	})
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
