package applicationautoscaling

import (
	"context"
	"fmt"
	"iter"
	"slices"

	api "storefront/lab/api/applicationautoscaling"
	"storefront/lab/metrics"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// defaultCooldown is that of Aurora clusters, in seconds.
const defaultCooldown = 300

// PutScalingPolicy implements the operation of that name for target tracking.
func (s *Service) PutScalingPolicy(_ context.Context, in *api.PutScalingPolicyInput) (*api.PutScalingPolicyOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.PutScalingPolicyOutput) error {
		t, err := find(tx, in.ServiceNamespace, in.ResourceId, in.ScalableDimension)
		if err != nil {
			return err
		}
		key := t.Resource + "|" + *in.PolicyName
		p, known, err := policies.Get(tx, key)
		if err != nil {
			return err
		}
		if in.PolicyType == nil && known {
			in.PolicyType = p.Input.PolicyType
		}
		if err := checkPolicy(in); err != nil {
			return err
		}
		if !known {
			if p.ID, err = region.NewUUID(tx, "applicationautoscaling.policy"); err != nil {
				return err
			}
			p.Created = s.Now().UTC()
			p.ARN = s.Region.ARN("autoscaling", "scalingPolicy:"+p.ID+":resource/"+namespace+"/"+t.Resource+":policyName/"+*in.PolicyName)
		}
		p.Input = *in
		out.PolicyARN, out.Alarms = &p.ARN, s.alarms(p)
		return policies.Put(tx, key, p)
	})
}

func checkPolicy(in *api.PutScalingPolicyInput) error {
	if kind := wire.Or(in.PolicyType, api.PolicyTypeStepScaling); kind != api.PolicyTypeTargetTrackingScaling { // AWS's default
		return unsupported("The policy type " + kind)
	}
	c := in.TargetTrackingScalingPolicyConfiguration
	switch {
	case c == nil || in.StepScalingPolicyConfiguration != nil:
		return invalid("TargetTrackingScalingPolicyConfiguration, and no other configuration, must be specified for target tracking.")
	case (c.PredefinedMetricSpecification == nil) == (c.CustomizedMetricSpecification == nil):
		return invalid("Either PredefinedMetricSpecification or CustomizedMetricSpecification must be specified.")
	case *c.TargetValue <= 0:
		return invalid("The target value must be greater than 0.")
	case wire.Or(c.ScaleInCooldown, 0) < 0 || wire.Or(c.ScaleOutCooldown, 0) < 0:
		return invalid("Cooldowns must not be negative.")
	}
	if c.CustomizedMetricSpecification != nil {
		m := c.CustomizedMetricSpecification
		switch {
		case len(m.Metrics) > 0:
			return unsupported("Metric math in CustomizedMetricSpecification")
		case m.Namespace == nil || m.MetricName == nil || m.Statistic == nil:
			return invalid("MetricName, Namespace and Statistic must be specified in CustomizedMetricSpecification.")
		}
		return nil
	}
	kind := *c.PredefinedMetricSpecification.PredefinedMetricType
	switch {
	case !slices.Contains([]string{api.MetricTypeRDSReaderAverageCPUUtilization, api.MetricTypeRDSReaderAverageDatabaseConnections}, kind):
		return invalid("The metric type %s cannot be used with the scalable dimension %s.", kind, dimension)
	case c.PredefinedMetricSpecification.ResourceLabel != nil:
		return invalid("ResourceLabel is not allowed for the metric type %s.", kind)
	}
	return nil
}

// metric is what a policy tracks, and the statistic of it.
func (p policy) metric(t target) (name metrics.Name, statistic string) {
	c := p.Input.TargetTrackingScalingPolicyConfiguration
	if m := c.CustomizedMetricSpecification; m != nil {
		var by []string
		for _, d := range m.Dimensions {
			by = append(by, *d.Name, *d.Value)
		}
		return metrics.Name{Namespace: *m.Namespace, Metric: *m.MetricName, Dimensions: metrics.By(by...), Unit: wire.Value(m.Unit)}, *m.Statistic
	}
	name = metrics.Name{Namespace: "AWS/RDS", Metric: "CPUUtilization", Dimensions: metrics.By("DBClusterIdentifier", t.cluster(), "Role", "READER"), Unit: "Percent"}
	if *c.PredefinedMetricSpecification.PredefinedMetricType == api.MetricTypeRDSReaderAverageDatabaseConnections {
		name.Metric, name.Unit = "DatabaseConnections", "Count"
	}
	return name, "Average"
}

const (
	alarmHigh = "AlarmHigh"
	alarmLow  = "AlarmLow"
)

func (p policy) alarm(which string) string {
	return fmt.Sprintf("TargetTracking-%s-%s-%s", *p.Input.ResourceId, which, p.ID)
}

func (s *Service) alarms(p policy) []api.Alarm {
	list := []api.Alarm{}
	for _, which := range []string{alarmHigh, alarmLow} {
		if which == alarmHigh || !wire.Value(p.Input.TargetTrackingScalingPolicyConfiguration.DisableScaleIn) {
			list = append(list, api.Alarm{AlarmName: new(p.alarm(which)), AlarmARN: new(s.Region.ARN("cloudwatch", "alarm:"+p.alarm(which)))})
		}
	}
	return list
}

// DescribeScalingPolicies implements the operation of that name.
func (s *Service) DescribeScalingPolicies(_ context.Context, in *api.DescribeScalingPoliciesInput) (*api.DescribeScalingPoliciesOutput, error) {
	if err := checkDescribe(in.ServiceNamespace, in.ScalableDimension); err != nil {
		return nil, err
	}
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeScalingPoliciesOutput) (err error) {
		var list []api.ScalingPolicy
		for _, p := range of(tx, policies, wire.Value(in.ResourceId)) {
			if *in.ServiceNamespace == namespace && (len(in.PolicyNames) == 0 || slices.Contains(in.PolicyNames, *p.Input.PolicyName)) {
				list = append(list, api.ScalingPolicy{PolicyARN: &p.ARN, PolicyName: p.Input.PolicyName, ServiceNamespace: new(namespace), ScalableDimension: new(dimension), ResourceId: p.Input.ResourceId, PolicyType: p.Input.PolicyType,
					TargetTrackingScalingPolicyConfiguration: p.Input.TargetTrackingScalingPolicyConfiguration, Alarms: s.alarms(p), CreationTime: &p.Created})
			}
		}
		out.ScalingPolicies, out.NextToken, err = page(list, in.NextToken, in.MaxResults)
		return err
	})
}

// DeleteScalingPolicy implements the operation of that name.
func (s *Service) DeleteScalingPolicy(_ context.Context, in *api.DeleteScalingPolicyInput) (*api.DeleteScalingPolicyOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DeleteScalingPolicyOutput) error {
		if err := check(in.ServiceNamespace, in.ScalableDimension); err != nil {
			return err
		}
		key := *in.ResourceId + "|" + *in.PolicyName
		if _, ok, err := policies.Get(tx, key); err != nil {
			return err
		} else if !ok {
			return notFound("No scaling policy found for service namespace: %s, resource ID: %s, scalable dimension: %s, policy name: %s", namespace, *in.ResourceId, dimension, *in.PolicyName)
		}
		return policies.Delete(tx, key)
	})
}

// keys are the keys of a sequence.
func keys[T any](all iter.Seq2[string, T]) iter.Seq[string] {
	return func(yield func(string) bool) {
		for key := range all {
			if !yield(key) {
				return
			}
		}
	}
}
