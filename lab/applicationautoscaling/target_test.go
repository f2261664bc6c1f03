package applicationautoscaling_test

import (
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"storefront/lab/wire/wiretest"
)

func TestRegistration(t *testing.T) {
	h := start(t, "one")
	for part, edit := range map[string]func(*sdk.RegisterScalableTargetInput){
		"service namespace ecs is not supported": func(in *sdk.RegisterScalableTargetInput) {
			in.ServiceNamespace, in.ScalableDimension, in.ResourceId = types.ServiceNamespaceEcs, types.ScalableDimensionECSServiceDesiredCount, new("service/a/b")
		},
		"Unsupported service namespace, resource type or scalable dimension": func(in *sdk.RegisterScalableTargetInput) {
			in.ScalableDimension = types.ScalableDimensionNeptuneClusterReadReplicaCount
		},
		"must be cluster:":                    func(in *sdk.RegisterScalableTargetInput) { in.ResourceId = new("table/a") },
		"DB cluster other was not found":      func(in *sdk.RegisterScalableTargetInput) { in.ResourceId = new("cluster:other") },
		"MinCapacity and MaxCapacity must be": func(in *sdk.RegisterScalableTargetInput) { in.MaxCapacity = nil },
		"must be between 0 and 15":            func(in *sdk.RegisterScalableTargetInput) { in.MaxCapacity = new(int32(16)) },
		"Minimum capacity 4 and maximum capacity 2": func(in *sdk.RegisterScalableTargetInput) {
			in.MinCapacity, in.MaxCapacity = new(int32(4)), new(int32(2))
		},
	} {
		in := registration(1, 6)
		edit(in)
		_, err := h.RegisterScalableTarget(t.Context(), in)
		wiretest.Refused(t, err, "ValidationException", part)
	}
	in := registration(1, 6)
	in.Tags = map[string]string{"env": "test"}
	arn := wiretest.Must(h.RegisterScalableTarget(t.Context(), in)).ScalableTargetARN
	if again := wiretest.Must(h.RegisterScalableTarget(t.Context(), registration(1, 4))); *again.ScalableTargetARN != *arn {
		t.Error("registering again makes another target")
	}
	list := func() []types.ScalableTarget {
		return wiretest.Must(h.DescribeScalableTargets(t.Context(), &sdk.DescribeScalableTargetsInput{ServiceNamespace: types.ServiceNamespaceRds, ResourceIds: []string{shop}})).ScalableTargets
	}
	got := list()[0]
	if *got.MaxCapacity != 4 || *got.MinCapacity != 1 || *got.SuspendedState.DynamicScalingInSuspended ||
		*got.RoleARN != "arn:aws:iam::000000000000:role/aws-service-role/rds.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_RDSCluster" || len(h.roles) != 1 {
		t.Errorf("described as %+v", got)
	}
	wiretest.Must(h.TagResource(t.Context(), &sdk.TagResourceInput{ResourceARN: arn, Tags: map[string]string{"a": "b"}}))
	wiretest.Must(h.UntagResource(t.Context(), &sdk.UntagResourceInput{ResourceARN: arn, TagKeys: []string{"env"}}))
	if tags := wiretest.Must(h.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceARN: arn})).Tags; len(tags) != 1 || tags["a"] != "b" {
		t.Errorf("tags %v", tags)
	}
	h.track(nil)
	out := &sdk.DeregisterScalableTargetInput{ServiceNamespace: types.ServiceNamespaceRds, ScalableDimension: types.ScalableDimensionRDSClusterReadReplicaCount, ResourceId: new(shop)}
	wiretest.Must(h.DeregisterScalableTarget(t.Context(), out))
	_, err := h.DeregisterScalableTarget(t.Context(), out)
	wiretest.Refused(t, err, "ObjectNotFoundException", "No scalable target registered for")
	if p := wiretest.Must(h.DescribeScalingPolicies(t.Context(), &sdk.DescribeScalingPoliciesInput{ServiceNamespace: types.ServiceNamespaceRds})).ScalingPolicies; len(list())+len(p) != 0 {
		t.Errorf("what belongs to the target is left: %+v", p)
	}
	_, err = h.ListTagsForResource(t.Context(), &sdk.ListTagsForResourceInput{ResourceARN: arn})
	wiretest.Refused(t, err, "ResourceNotFoundException", *arn)
	if other := wiretest.Must(h.DescribeScalableTargets(t.Context(), &sdk.DescribeScalableTargetsInput{ServiceNamespace: types.ServiceNamespaceDynamodb})); len(other.ScalableTargets) != 0 {
		t.Errorf("another namespace has %+v", other.ScalableTargets)
	}
}

func TestPolicies(t *testing.T) {
	h := start(t, "one")
	_, err := h.PutScalingPolicy(t.Context(), tracking(&types.TargetTrackingScalingPolicyConfiguration{TargetValue: new(60.0)}))
	wiretest.Refused(t, err, "ObjectNotFoundException", "No scalable target registered for")
	h.register(1, 6)
	cpu := &types.PredefinedMetricSpecification{PredefinedMetricType: types.MetricTypeRDSReaderAverageCPUUtilization}
	for part, in := range map[string]*sdk.PutScalingPolicyInput{
		"Either PredefinedMetricSpecification":                   tracking(&types.TargetTrackingScalingPolicyConfiguration{TargetValue: new(60.0)}),
		"greater than 0":                                         tracking(&types.TargetTrackingScalingPolicyConfiguration{TargetValue: new(0.0), PredefinedMetricSpecification: cpu}),
		"ECSServiceAverageCPUUtilization cannot":                 tracking(&types.TargetTrackingScalingPolicyConfiguration{TargetValue: new(60.0), PredefinedMetricSpecification: &types.PredefinedMetricSpecification{PredefinedMetricType: types.MetricTypeECSServiceAverageCPUUtilization}}),
		"TargetTrackingScalingPolicyConfiguration, and no other": tracking(nil),
	} {
		_, err := h.PutScalingPolicy(t.Context(), in)
		wiretest.Refused(t, err, "ValidationException", part)
	}
	steps := tracking(nil)
	steps.PolicyType, steps.StepScalingPolicyConfiguration = types.PolicyTypeStepScaling, &types.StepScalingPolicyConfiguration{}
	_, err = h.PutScalingPolicy(t.Context(), steps)
	wiretest.Refused(t, err, "ValidationException", "StepScaling is not supported")
	made := h.track(nil)
	if len(made.Alarms) != 2 || !strings.HasPrefix(*made.Alarms[0].AlarmName, "TargetTracking-cluster:shop-AlarmHigh-") || !strings.Contains(*made.PolicyARN, ":resource/rds/cluster:shop:policyName/cpu") {
		t.Errorf("made %+v", made)
	}
	if again := h.track(func(c *types.TargetTrackingScalingPolicyConfiguration) { c.ScaleInCooldown = new(int32(10)) }); *again.PolicyARN != *made.PolicyARN {
		t.Error("putting it again makes another policy")
	}
	got := wiretest.Must(h.DescribeScalingPolicies(t.Context(), &sdk.DescribeScalingPoliciesInput{ServiceNamespace: types.ServiceNamespaceRds, PolicyNames: []string{"cpu"}})).ScalingPolicies
	if len(got) != 1 || *got[0].TargetTrackingScalingPolicyConfiguration.ScaleInCooldown != 10 || got[0].TargetTrackingScalingPolicyConfiguration.ScaleOutCooldown != nil || *got[0].TargetTrackingScalingPolicyConfiguration.TargetValue != 60 {
		t.Errorf("described as %+v", got)
	}
	remove := &sdk.DeleteScalingPolicyInput{PolicyName: new("cpu"), ServiceNamespace: types.ServiceNamespaceRds, ScalableDimension: types.ScalableDimensionRDSClusterReadReplicaCount, ResourceId: new(shop)}
	wiretest.Must(h.DeleteScalingPolicy(t.Context(), remove))
	_, err = h.DeleteScalingPolicy(t.Context(), remove)
	wiretest.Refused(t, err, "ObjectNotFoundException", "No scaling policy found")
}
