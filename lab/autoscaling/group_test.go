package autoscaling_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/smithy-go/middleware"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// What the provider sets must read back the same, or every preview would show a change.
func TestGroupReadsBack(t *testing.T) {
	h := newHarness(t)
	must(h, h.client.CreateAutoScalingGroup, input())
	policy := mixed("1")
	policy.InstancesDistribution.SpotMaxPrice = nil
	policy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateName = aws.String("shop")
	want := types.AutoScalingGroup{
		AutoScalingGroupARN:  aws.String("arn:aws:autoscaling:us-east-1:000000000000:autoScalingGroup:00000000-0000-4000-8000-000000000001:autoScalingGroupName/shop"),
		AutoScalingGroupName: aws.String("shop"), AvailabilityZones: []string{"us-east-1a", "us-east-1b"}, CapacityRebalance: aws.Bool(true), CreatedTime: &h.clock.t,
		DefaultCooldown: aws.Int32(300), DefaultInstanceWarmup: aws.Int32(60), DesiredCapacity: aws.Int32(2), MinSize: aws.Int32(2), MaxSize: aws.Int32(4),
		HealthCheckGracePeriod: aws.Int32(120), HealthCheckType: aws.String("ELB"), MixedInstancesPolicy: policy, NewInstancesProtectedFromScaleIn: aws.Bool(false),
		ServiceLinkedRoleARN: aws.String(roleARN), TargetGroupARNs: []string{targetGroup}, TerminationPolicies: []string{"Default"},
		TrafficSources: []types.TrafficSourceIdentifier{{Identifier: aws.String(targetGroup), Type: aws.String("elbv2")}}, VPCZoneIdentifier: aws.String("subnet-a,subnet-b"),
		Tags: []types.TagDescription{
			{Key: aws.String("Name"), Value: aws.String("shop"), PropagateAtLaunch: aws.Bool(false), ResourceId: aws.String("shop"), ResourceType: aws.String("auto-scaling-group")},
			{Key: aws.String("Team"), Value: aws.String("web"), PropagateAtLaunch: aws.Bool(true), ResourceId: aws.String("shop"), ResourceType: aws.String("auto-scaling-group")},
		},
	}
	if diff := cmp.Diff(want, h.group(), cmpopts.EquateEmpty(), cmpopts.IgnoreTypes(middleware.Metadata{}), cmpopts.IgnoreUnexported(types.AutoScalingGroup{}), unexported()); diff != "" {
		t.Errorf("group (-want +got):\n%s", diff)
	}
	if h.iam.created != 1 {
		t.Errorf("the service-linked role was asked for %d times", h.iam.created)
	}
	out := must(h, h.client.DescribeAutoScalingGroups, &client.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{"nobody"}})
	if len(out.AutoScalingGroups) != 0 {
		t.Error("a group that does not exist was found")
	}
}

func unexported() cmp.Option {
	return cmpopts.IgnoreUnexported(types.TagDescription{}, types.TrafficSourceIdentifier{}, types.MixedInstancesPolicy{}, types.InstancesDistribution{},
		types.LaunchTemplate{}, types.LaunchTemplateSpecification{}, types.LaunchTemplateOverrides{})
}

func TestLaunchTemplateAndDefaults(t *testing.T) {
	h := newHarness(t)
	h.create(func(in *client.CreateAutoScalingGroupInput) {
		in.MixedInstancesPolicy, in.HealthCheckType, in.HealthCheckGracePeriod, in.DefaultInstanceWarmup, in.CapacityRebalance, in.TargetGroupARNs = nil, nil, nil, nil, nil, nil
		in.LaunchTemplate = &types.LaunchTemplateSpecification{LaunchTemplateName: aws.String("shop")}
		in.DesiredCapacity = aws.Int32(3)
	})
	g := h.group()
	if lt := g.LaunchTemplate; *lt.LaunchTemplateId != "lt-1" || *lt.LaunchTemplateName != "shop" || *lt.Version != "$Default" {
		t.Errorf("launch template %v %v %v", *lt.LaunchTemplateId, *lt.LaunchTemplateName, *lt.Version)
	}
	if g.MixedInstancesPolicy != nil || g.DefaultInstanceWarmup != nil || g.CapacityRebalance != nil || g.MaxInstanceLifetime != nil || *g.HealthCheckType != "EC2" || *g.HealthCheckGracePeriod != 0 {
		t.Errorf("defaults: %+v", g)
	}
	if len(g.Instances) != 3 || *g.Instances[0].LaunchTemplate.Version != "2" || *g.Instances[0].InstanceType != "t3.nano" {
		t.Errorf("instances: %+v", g.Instances)
	}
}

func TestMixedDefaults(t *testing.T) {
	h := newHarness(t)
	h.create(func(in *client.CreateAutoScalingGroupInput) { in.MixedInstancesPolicy.InstancesDistribution = nil })
	want := &types.InstancesDistribution{OnDemandAllocationStrategy: aws.String("prioritized"), OnDemandBaseCapacity: aws.Int32(0),
		OnDemandPercentageAboveBaseCapacity: aws.Int32(100), SpotAllocationStrategy: aws.String("lowest-price"), SpotInstancePools: aws.Int32(2)}
	if diff := cmp.Diff(want, h.group().MixedInstancesPolicy.InstancesDistribution, unexported()); diff != "" {
		t.Errorf("distribution (-want +got):\n%s", diff)
	}
}

func TestCreateRefusals(t *testing.T) {
	h := newHarness(t)
	for name, tt := range map[string]struct {
		change func(*client.CreateAutoScalingGroupInput)
		want   string
	}{
		"no launch": {func(in *client.CreateAutoScalingGroupInput) { in.MixedInstancesPolicy = nil }, "Valid requests must contain either LaunchTemplate"},
		"two launches": {func(in *client.CreateAutoScalingGroupInput) {
			in.LaunchTemplate = &types.LaunchTemplateSpecification{LaunchTemplateId: aws.String("lt-1")}
		}, "Valid requests must contain either LaunchTemplate"},
		"configuration": {func(in *client.CreateAutoScalingGroupInput) { in.LaunchConfigurationName = aws.String("old") }, "LaunchConfigurationName is not supported"},
		"template": {func(in *client.CreateAutoScalingGroupInput) {
			in.MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateId = aws.String("lt-9")
		}, "valid fully-formed launch template"},
		"version": {func(in *client.CreateAutoScalingGroupInput) {
			in.MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.Version = aws.String("9")
		}, "Could not find the specified version"},
		"name and ID": {func(in *client.CreateAutoScalingGroupInput) {
			in.MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateName = aws.String("shop")
		}, "either launchTemplateId or LaunchTemplateName"},
		"strategy": {func(in *client.CreateAutoScalingGroupInput) {
			in.MixedInstancesPolicy.InstancesDistribution.SpotAllocationStrategy = aws.String("cheapest")
		}, "Unsupported SpotAllocationStrategy"},
		"percentage": {func(in *client.CreateAutoScalingGroupInput) {
			in.MixedInstancesPolicy.InstancesDistribution.OnDemandPercentageAboveBaseCapacity = aws.Int32(101)
		}, "between 0 and 100"},
		"weights": {func(in *client.CreateAutoScalingGroupInput) {
			in.MixedInstancesPolicy.LaunchTemplate.Overrides[0].WeightedCapacity = aws.String("2")
		}, "WeightedCapacity is not supported"},
		"twice a type": {func(in *client.CreateAutoScalingGroupInput) {
			in.MixedInstancesPolicy.LaunchTemplate.Overrides[1].InstanceType = aws.String("t3.small")
		}, "Duplicate instance type"},
		"no subnet":    {func(in *client.CreateAutoScalingGroupInput) { in.VPCZoneIdentifier = nil }, "At least one Availability Zone or VPC Subnet is required."},
		"subnet":       {func(in *client.CreateAutoScalingGroupInput) { in.VPCZoneIdentifier = aws.String("subnet-x") }, "The subnet ID 'subnet-x' does not exist"},
		"zone":         {func(in *client.CreateAutoScalingGroupInput) { in.AvailabilityZones = []string{"us-east-1c"} }, "do not match"},
		"bounds":       {func(in *client.CreateAutoScalingGroupInput) { in.MinSize = aws.Int32(5) }, "Max bound, 4, must be greater than or equal to min bound, 5"},
		"desired":      {func(in *client.CreateAutoScalingGroupInput) { in.DesiredCapacity = aws.Int32(5) }, "Desired capacity:5 must be between the specified min size:2 and max size:4"},
		"health check": {func(in *client.CreateAutoScalingGroupInput) { in.HealthCheckType = aws.String("NONE") }, "health check type 'NONE'"},
		"target group": {func(in *client.CreateAutoScalingGroupInput) { in.TargetGroupARNs = []string{targetGroup + "0"} }, "Provided Target Groups may not be valid."},
		"source": {func(in *client.CreateAutoScalingGroupInput) {
			in.TrafficSources = []types.TrafficSourceIdentifier{{Identifier: aws.String("a"), Type: aws.String("elb")}}
		}, "traffic source type elb"},
		"termination": {func(in *client.CreateAutoScalingGroupInput) { in.TerminationPolicies = []string{"Random"} }, "Invalid termination policy 'Random'"},
		"lifetime":    {func(in *client.CreateAutoScalingGroupInput) { in.MaxInstanceLifetime = aws.Int32(60) }, "Max instance lifetime"},
		"maintenance": {func(in *client.CreateAutoScalingGroupInput) {
			in.InstanceMaintenancePolicy = &types.InstanceMaintenancePolicy{MinHealthyPercentage: aws.Int32(50), MaxHealthyPercentage: aws.Int32(200)}
		}, "difference at most 100"},
		"tag": {func(in *client.CreateAutoScalingGroupInput) { in.Tags[0].Key = aws.String("aws:x") }, "reserved prefix"},
		"role": {func(in *client.CreateAutoScalingGroupInput) {
			in.ServiceLinkedRoleARN = aws.String("arn:aws:iam::000000000000:role/x")
		}, "Service-Linked Role"},
		"name": {func(in *client.CreateAutoScalingGroupInput) { in.AutoScalingGroupName = aws.String("a:b") }, "must not contain"},
		"hook": {func(in *client.CreateAutoScalingGroupInput) {
			in.LifecycleHookSpecificationList = []types.LifecycleHookSpecification{{LifecycleHookName: aws.String("h"), LifecycleTransition: aws.String("x")}}
		}, "supported lifecycle transitions"},
	} {
		t.Run(name, func(t *testing.T) {
			in := input()
			tt.change(in)
			sub := *h
			sub.T = t
			refused(&sub, h.client.CreateAutoScalingGroup, in, "ValidationError", tt.want)
		})
	}
	h.settle()
	if len(h.ec2.instances) != 0 {
		t.Error("a refused group has launched instances")
	}
	h.create()
	refused(h, h.client.CreateAutoScalingGroup, input(), "AlreadyExists", "A group with the name shop already exists")
	in := input()
	in.AutoScalingGroupName, in.MaxSize = aws.String("huge"), aws.Int32(1000)
	refused(h, h.client.CreateAutoScalingGroup, in, "LimitExceeded", "at most 100 instances")
}

func TestUpdate(t *testing.T) {
	h := newHarness(t)
	h.create()
	name := aws.String("shop")
	must(h, h.client.UpdateAutoScalingGroup, &client.UpdateAutoScalingGroupInput{AutoScalingGroupName: name, MinSize: aws.Int32(3)})
	if g := h.group(); *g.DesiredCapacity != 3 {
		t.Errorf("desired %d after the minimum rose to 3", *g.DesiredCapacity)
	}
	must(h, h.client.UpdateAutoScalingGroup, &client.UpdateAutoScalingGroupInput{AutoScalingGroupName: name, MinSize: aws.Int32(1), MaxSize: aws.Int32(2),
		DefaultCooldown: aws.Int32(10), DefaultInstanceWarmup: aws.Int32(-1), CapacityRebalance: aws.Bool(false), MaxInstanceLifetime: aws.Int32(86400),
		TerminationPolicies: []string{"OldestInstance"}, InstanceMaintenancePolicy: &types.InstanceMaintenancePolicy{MinHealthyPercentage: aws.Int32(100), MaxHealthyPercentage: aws.Int32(150)},
		LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateId: aws.String("lt-1"), Version: aws.String("2")}, VPCZoneIdentifier: aws.String("subnet-c")})
	g := h.group()
	if *g.DesiredCapacity != 2 || *g.DefaultCooldown != 10 || g.DefaultInstanceWarmup != nil || g.CapacityRebalance != nil || *g.MaxInstanceLifetime != 86400 ||
		g.TerminationPolicies[0] != "OldestInstance" || *g.InstanceMaintenancePolicy.MaxHealthyPercentage != 150 || g.MixedInstancesPolicy != nil ||
		*g.LaunchTemplate.Version != "2" || *g.VPCZoneIdentifier != "subnet-c" || g.AvailabilityZones[0] != "us-east-1c" || *g.HealthCheckType != "ELB" {
		t.Errorf("after the update: %+v", g)
	}
	must(h, h.client.UpdateAutoScalingGroup, &client.UpdateAutoScalingGroupInput{AutoScalingGroupName: name,
		InstanceMaintenancePolicy: &types.InstanceMaintenancePolicy{MinHealthyPercentage: aws.Int32(-1), MaxHealthyPercentage: aws.Int32(-1)}})
	if h.group().InstanceMaintenancePolicy != nil {
		t.Error("-1 did not take the maintenance policy away")
	}
	refused(h, h.client.UpdateAutoScalingGroup, &client.UpdateAutoScalingGroupInput{AutoScalingGroupName: aws.String("nobody")}, "ValidationError", "AutoScalingGroup name not found")
	refused(h, h.client.SetDesiredCapacity, &client.SetDesiredCapacityInput{AutoScalingGroupName: name, DesiredCapacity: aws.Int32(3)}, "ValidationError",
		"New SetDesiredCapacity value 3 is above max value 2 for the AutoScalingGroup.")
	refused(h, h.client.SetDesiredCapacity, &client.SetDesiredCapacityInput{AutoScalingGroupName: name, DesiredCapacity: aws.Int32(0)}, "ValidationError",
		"New SetDesiredCapacity value 0 is below min value 1 for the AutoScalingGroup.")
	refused(h, h.client.SetDesiredCapacity, &client.SetDesiredCapacityInput{AutoScalingGroupName: name, DesiredCapacity: aws.Int32(1), HonorCooldown: aws.Bool(true)}, "ScalingActivityInProgress", "cooldown")
}

func TestTags(t *testing.T) {
	h := newHarness(t)
	h.create()
	tag := func(key string, value *string) []types.Tag {
		return []types.Tag{{Key: &key, Value: value, ResourceId: aws.String("shop"), ResourceType: aws.String("auto-scaling-group"), PropagateAtLaunch: aws.Bool(true)}}
	}
	must(h, h.client.CreateOrUpdateTags, &client.CreateOrUpdateTagsInput{Tags: tag("Stage", aws.String("lab"))})
	must(h, h.client.DeleteTags, &client.DeleteTagsInput{Tags: tag("Team", nil)})
	must(h, h.client.DeleteTags, &client.DeleteTagsInput{Tags: tag("Name", aws.String("another value"))})
	out := must(h, h.client.DescribeTags, &client.DescribeTagsInput{Filters: []types.Filter{{Name: aws.String("auto-scaling-group"), Values: []string{"shop"}}}})
	var got []string
	for _, v := range out.Tags {
		got = append(got, *v.Key+"="+*v.Value)
	}
	if s := strings.Join(got, " "); s != "Name=shop Stage=lab" {
		t.Errorf("tags %s", s)
	}
	for filter, want := range map[string]int{"tag:Stage": 1, "tag:Name": 0} {
		out := must(h, h.client.DescribeAutoScalingGroups, &client.DescribeAutoScalingGroupsInput{Filters: []types.Filter{{Name: &filter, Values: []string{"lab"}}}})
		if len(out.AutoScalingGroups) != want {
			t.Errorf("filter %s found %d groups", filter, len(out.AutoScalingGroups))
		}
	}
	refused(h, h.client.DescribeTags, &client.DescribeTagsInput{Filters: []types.Filter{{Name: aws.String("color")}}}, "ValidationError", "Filter type color is not correct")
	h.setDesired(3)
	if got := h.ec2.tags[id(3)]; got["Stage"] != "lab" || got["Team"] != "" || got["aws:autoscaling:groupName"] != "shop" {
		t.Errorf("tags of a new instance: %v", got)
	}
}

// Terraform deletes a group by emptying it first.
func TestDelete(t *testing.T) {
	h := newHarness(t)
	h.create()
	h.elb.slow = true
	remove := &client.DeleteAutoScalingGroupInput{AutoScalingGroupName: aws.String("shop"), ForceDelete: aws.Bool(false)}
	refused(h, h.client.DeleteAutoScalingGroup, remove, "ResourceInUse", "You cannot delete an AutoScalingGroup while there are instances")
	must(h, h.client.UpdateAutoScalingGroup, &client.UpdateAutoScalingGroupInput{AutoScalingGroupName: aws.String("shop"), MinSize: aws.Int32(0), MaxSize: aws.Int32(0), DesiredCapacity: aws.Int32(0)})
	h.settle()
	refused(h, h.client.DeleteAutoScalingGroup, remove, "ScalingActivityInProgress", "scaling activities in progress")
	h.elb.finish()
	h.settle()
	h.wantCause("a user request update of AutoScalingGroup constraints to min: 0, max: 0, desired: 0 changing the desired capacity from 2 to 0.")
	if n := len(h.group().Instances); n != 0 {
		t.Fatalf("%d instances are left", n)
	}
	must(h, h.client.DeleteAutoScalingGroup, remove)
	refused(h, h.client.DeleteAutoScalingGroup, remove, "ValidationError", "not found")
	h.settle()
}

func TestForceDelete(t *testing.T) {
	h := newHarness(t)
	h.create()
	h.elb.slow = true
	must(h, h.client.PutLifecycleHook, &client.PutLifecycleHookInput{AutoScalingGroupName: aws.String("shop"), LifecycleHookName: aws.String("drain"), LifecycleTransition: aws.String("autoscaling:EC2_INSTANCE_TERMINATING")})
	must(h, h.client.DeleteAutoScalingGroup, &client.DeleteAutoScalingGroupInput{AutoScalingGroupName: aws.String("shop"), ForceDelete: aws.Bool(true)})
	if s := aws.ToString(h.group().Status); s != "Delete in progress" {
		t.Errorf("status %q", s)
	}
	refused(h, h.client.SetDesiredCapacity, &client.SetDesiredCapacityInput{AutoScalingGroupName: aws.String("shop"), DesiredCapacity: aws.Int32(0)}, "ValidationError", "pending delete")
	h.settle() // neither draining nor the hook is waited for
	out := must(h, h.client.DescribeAutoScalingGroups, &client.DescribeAutoScalingGroupsInput{})
	for id, i := range h.ec2.instances {
		if *i.State.Name != "terminated" || h.elb.targets[targetGroup][id] == "healthy" {
			t.Errorf("%s was left behind: %s", id, *i.State.Name)
		}
	}
	if len(out.AutoScalingGroups) != 0 {
		t.Errorf("the group is still there: %+v", out.AutoScalingGroups[0].Instances)
	}
	h.create() // the name is free again
	h.after(time.Second)
}
