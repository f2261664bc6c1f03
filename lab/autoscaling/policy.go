package autoscaling

import (
	"context"
	"fmt"
	"slices"

	api "storefront/lab/api/autoscaling"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Kinds of scaling policies.
const (
	simple         = "SimpleScaling"
	step           = "StepScaling"
	targetTracking = "TargetTrackingScaling"
)

func adjustmentTypes() []string {
	return []string{"ChangeInCapacity", "ExactCapacity", "PercentChangeInCapacity"}
}

// PutScalingPolicy implements the operation of that name.
func (s *Service) PutScalingPolicy(_ context.Context, in *api.PutScalingPolicyInput) (*api.PutScalingPolicyOutput, error) {
	if err := checkPolicy(in); err != nil {
		return nil, err
	}
	return edit(s, in.AutoScalingGroupName, func(tx *state.Tx, g *group, out *api.PutScalingPolicyOutput) error {
		key := g.Name + ":" + *in.PolicyName
		p, known, err := policies.Get(tx, key)
		if err != nil {
			return err
		}
		if !known {
			if p.ID, err = region.NewUUID(tx, "autoscaling-policy"); err != nil {
				return err
			}
			p.ARN = s.Region.ARN("autoscaling", "scalingPolicy:"+p.ID+":autoScalingGroupName/"+g.Name+":policyName/"+*in.PolicyName)
		}
		p.Input = *in
		p.Input.AutoScalingGroupName, p.Input.PolicyType, p.Input.Enabled = new(g.Name), new(wire.Or(in.PolicyType, simple)), new(wire.Or(in.Enabled, true))
		if *p.Input.PolicyType == step {
			p.Input.MetricAggregationType = new(wire.Or(in.MetricAggregationType, "Average"))
		}
		out.PolicyARN, out.Alarms = new(p.ARN), s.alarms(p)
		return policies.Put(tx, key, p)
	})
}

func checkPolicy(in *api.PutScalingPolicyInput) error {
	switch kind := wire.Or(in.PolicyType, simple); kind {
	case "PredictiveScaling":
		return unsupported("The policy type " + kind)
	case targetTracking:
		return checkTracking(in)
	case simple, step:
		if !slices.Contains(adjustmentTypes(), wire.Value(in.AdjustmentType)) {
			return invalid("Unsupported AdjustmentType: '%s'. Valid values are: %v", wire.Value(in.AdjustmentType), adjustmentTypes())
		}
		if in.TargetTrackingConfiguration != nil {
			return invalid("TargetTrackingConfiguration is not allowed for policies of type %s.", kind)
		}
		if kind == simple && (in.ScalingAdjustment == nil || len(in.StepAdjustments) > 0) {
			return invalid("ScalingAdjustment, and no StepAdjustments, must be specified for simple scaling.")
		}
		if kind == step && (in.ScalingAdjustment != nil || in.Cooldown != nil || len(in.StepAdjustments) == 0) {
			return invalid("StepAdjustments, and neither ScalingAdjustment nor Cooldown, must be specified for step scaling.")
		}
		return nil
	default:
		return invalid("Unsupported policy type: '%s'. Valid values are: [%s, %s, %s]", kind, simple, step, targetTracking)
	}
}

func checkTracking(in *api.PutScalingPolicyInput) error {
	c := in.TargetTrackingConfiguration
	switch {
	case c == nil:
		return invalid("TargetTrackingConfiguration must be specified for target tracking scaling.")
	case in.AdjustmentType != nil || in.ScalingAdjustment != nil || len(in.StepAdjustments) > 0 || in.Cooldown != nil:
		return invalid("AdjustmentType, ScalingAdjustment, StepAdjustments and Cooldown are not allowed for target tracking scaling.")
	case (c.CustomizedMetricSpecification == nil) == (c.PredefinedMetricSpecification == nil):
		return invalid("Either CustomizedMetricSpecification or PredefinedMetricSpecification must be specified.")
	case *c.TargetValue <= 0:
		return invalid("The target value must be greater than 0.")
	}
	if c.CustomizedMetricSpecification != nil {
		_, _, err := customized(c.CustomizedMetricSpecification)
		return err
	}
	label := wire.Value(c.PredefinedMetricSpecification.ResourceLabel)
	switch kind := *c.PredefinedMetricSpecification.PredefinedMetricType; {
	case kind == api.MetricTypeALBRequestCountPerTarget && labelledGroup(label) == "":
		return invalid("The resource label '%s' is not valid: it must be app/<load-balancer-name>/<load-balancer-id>/targetgroup/<target-group-name>/<target-group-id>.", label)
	case kind == api.MetricTypeASGAverageCPUUtilization && label != "":
		return invalid("ResourceLabel is not allowed for the metric %s.", kind)
	case kind != api.MetricTypeALBRequestCountPerTarget && kind != api.MetricTypeASGAverageCPUUtilization:
		return unsupported("The metric " + kind)
	}
	return nil
}

// alarms are those that AWS makes for a target tracking policy, by name.
func (s *Service) alarms(p policy) []api.Alarm {
	alarms := []api.Alarm{}
	if *p.Input.PolicyType != targetTracking {
		return alarms
	}
	for _, which := range []string{alarmHigh, alarmLow} {
		if which == alarmHigh || !wire.Value(p.Input.TargetTrackingConfiguration.DisableScaleIn) {
			name := p.alarm(which)
			alarms = append(alarms, api.Alarm{AlarmName: new(name), AlarmARN: new(s.Region.ARN("cloudwatch", "alarm:"+name))})
		}
	}
	return alarms
}

const (
	alarmHigh = "AlarmHigh"
	alarmLow  = "AlarmLow"
)

func (p policy) alarm(which string) string {
	return fmt.Sprintf("TargetTracking-%s-%s-%s", *p.Input.AutoScalingGroupName, which, p.ID)
}

// DescribePolicies implements the operation of that name.
func (s *Service) DescribePolicies(_ context.Context, in *api.DescribePoliciesInput) (*api.DescribePoliciesOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribePoliciesOutput) error {
		prefix := ""
		if in.AutoScalingGroupName != nil {
			g, err := findGroup(tx, in.AutoScalingGroupName)
			if err != nil {
				return err
			}
			prefix = g.Name + ":"
		}
		var found []api.ScalingPolicy
		for _, p := range policies.WithPrefix(tx, prefix) {
			named := len(in.PolicyNames) == 0 || slices.Contains(in.PolicyNames, *p.Input.PolicyName) || slices.Contains(in.PolicyNames, p.ARN)
			if named && (len(in.PolicyTypes) == 0 || slices.Contains(in.PolicyTypes, *p.Input.PolicyType)) {
				found = append(found, s.describePolicy(p))
			}
		}
		var err error
		found, out.NextToken, err = page(found, in.NextToken, in.MaxRecords, 100)
		out.ScalingPolicies = append([]api.ScalingPolicy{}, found...)
		return err
	})
}

func (s *Service) describePolicy(p policy) api.ScalingPolicy {
	in := p.Input
	return api.ScalingPolicy{
		AdjustmentType: in.AdjustmentType, Alarms: s.alarms(p), AutoScalingGroupName: in.AutoScalingGroupName, Cooldown: in.Cooldown, Enabled: in.Enabled,
		EstimatedInstanceWarmup: in.EstimatedInstanceWarmup, MetricAggregationType: in.MetricAggregationType, MinAdjustmentMagnitude: in.MinAdjustmentMagnitude,
		MinAdjustmentStep: in.MinAdjustmentStep, PolicyARN: new(p.ARN), PolicyName: in.PolicyName, PolicyType: in.PolicyType, ScalingAdjustment: in.ScalingAdjustment,
		StepAdjustments: append([]api.StepAdjustment{}, in.StepAdjustments...), TargetTrackingConfiguration: in.TargetTrackingConfiguration,
	}
}

// findPolicy finds a policy by its ARN, or by its name in a group.
func findPolicy(tx *state.Tx, group, ref *string) (key string, p policy, err error) {
	for key, p := range policies.All(tx) {
		if p.ARN == *ref || *p.Input.PolicyName == *ref && *p.Input.AutoScalingGroupName == groupName(wire.Value(group)) {
			return key, p, nil
		}
	}
	if group != nil {
		if _, err := findGroup(tx, group); err != nil {
			return "", p, err
		}
	}
	return "", p, invalid("PolicyName not found - %s", *ref)
}

// DeletePolicy implements the operation of that name.
func (s *Service) DeletePolicy(_ context.Context, in *api.DeletePolicyInput) (*api.DeletePolicyOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DeletePolicyOutput) error {
		key, _, err := findPolicy(tx, in.AutoScalingGroupName, in.PolicyName)
		if err != nil {
			return err
		}
		return policies.Delete(tx, key)
	})
}
