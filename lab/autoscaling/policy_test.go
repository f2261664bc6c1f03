package autoscaling_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"storefront/lab/metrics"
)

const label = "app/web/fedcba9876543210/targetgroup/shop/0123456789abcdef"

func tracking(name, metric string, target float64, label *string) *client.PutScalingPolicyInput {
	return &client.PutScalingPolicyInput{AutoScalingGroupName: aws.String("shop"), PolicyName: &name, PolicyType: aws.String("TargetTrackingScaling"), Enabled: aws.Bool(true),
		TargetTrackingConfiguration: &types.TargetTrackingConfiguration{TargetValue: &target,
			PredefinedMetricSpecification: &types.PredefinedMetricSpecification{PredefinedMetricType: types.MetricType(metric), ResourceLabel: label}}}
}

func cpu(target float64) *client.PutScalingPolicyInput {
	return tracking("cpu", "ASGAverageCPUUtilization", target, nil)
}

func requests(target float64) *client.PutScalingPolicyInput {
	return tracking("requests", "ALBRequestCountPerTarget", target, aws.String(label))
}

func TestPolicyReadsBack(t *testing.T) {
	h := newHarness(t)
	h.create()
	out := must(h, h.client.PutScalingPolicy, requests(1000))
	const arn = "arn:aws:autoscaling:us-east-1:000000000000:scalingPolicy:00000000-0000-4000-8000-000000000001:autoScalingGroupName/shop:policyName/requests"
	if *out.PolicyARN != arn || len(out.Alarms) != 2 || *out.Alarms[0].AlarmName != "TargetTracking-shop-AlarmHigh-00000000-0000-4000-8000-000000000001" {
		t.Errorf("policy %s with alarms %+v", *out.PolicyARN, out.Alarms)
	}
	want := []types.ScalingPolicy{{
		AutoScalingGroupName: aws.String("shop"), PolicyARN: aws.String(arn), PolicyName: aws.String("requests"), PolicyType: aws.String("TargetTrackingScaling"),
		Alarms: out.Alarms, Enabled: aws.Bool(true), TargetTrackingConfiguration: requests(1000).TargetTrackingConfiguration,
	}}
	got := must(h, h.client.DescribePolicies, &client.DescribePoliciesInput{AutoScalingGroupName: aws.String("shop"), PolicyNames: []string{"requests"}}).ScalingPolicies
	ignore := cmpopts.IgnoreUnexported(types.ScalingPolicy{}, types.Alarm{}, types.TargetTrackingConfiguration{}, types.PredefinedMetricSpecification{})
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), ignore); diff != "" {
		t.Errorf("policy (-want +got):\n%s", diff)
	}
	if again := must(h, h.client.PutScalingPolicy, requests(500)); *again.PolicyARN != arn {
		t.Errorf("a changed policy has another ARN: %s", *again.PolicyARN)
	}
	remove := &client.DeletePolicyInput{AutoScalingGroupName: aws.String("shop"), PolicyName: aws.String("requests")}
	must(h, h.client.DeletePolicy, remove)
	refused(h, h.client.DeletePolicy, remove, "ValidationError", "PolicyName not found")
}

func TestPolicyRefusals(t *testing.T) {
	h := newHarness(t)
	h.create()
	for text, in := range map[string]*client.PutScalingPolicyInput{
		"policy type PredictiveScaling is not supported":  {PolicyType: aws.String("PredictiveScaling")},
		"Unsupported policy type":                         {PolicyType: aws.String("Magic")},
		"Unsupported AdjustmentType":                      {ScalingAdjustment: aws.Int32(1)},
		"ScalingAdjustment, and no StepAdjustments":       {AdjustmentType: aws.String("ChangeInCapacity")},
		"StepAdjustments, and neither":                    {AdjustmentType: aws.String("ChangeInCapacity"), PolicyType: aws.String("StepScaling")},
		"TargetTrackingConfiguration must be specified":   {PolicyType: aws.String("TargetTrackingScaling")},
		"The target value must be greater than 0":         cpu(0),
		"ResourceLabel is not allowed":                    tracking("cpu", "ASGAverageCPUUtilization", 50, aws.String(label)),
		"The resource label 'shop' is not valid":          tracking("requests", "ALBRequestCountPerTarget", 50, aws.String("shop")),
		"The metric ASGAverageNetworkIn is not supported": tracking("net", "ASGAverageNetworkIn", 50, nil),
	} {
		in.AutoScalingGroupName, in.PolicyName = aws.String("shop"), aws.String("p")
		refused(h, h.client.PutScalingPolicy, in, "ValidationError", text)
	}
}

// minutes lets time pass; in each minute every instance in service has the load, and the target group gets the requests.
func (h *harness) minutes(n int, load float64, requests int) {
	h.Helper()
	for range n {
		for _, id := range h.inService() {
			if load >= 0 {
				h.metrics.Add(metrics.CPUUtilization(id), load)
			}
		}
		for range requests {
			h.metrics.Add(metrics.RequestCount("app/web/fedcba9876543210", "targetgroup/shop/0123456789abcdef"), 1)
		}
		h.clock.t = h.clock.t.Add(time.Minute)
		for range 5 {
			h.turn()
		}
	}
}

func TestTargetTrackingOfProcessors(t *testing.T) {
	h := newHarness(t)
	h.create(func(in *client.CreateAutoScalingGroupInput) { in.MaxSize = aws.Int32(6) })
	must(h, h.client.PutScalingPolicy, cpu(50))
	h.minutes(3, 90, 0)
	if n := len(h.inService()); n != 2 {
		t.Errorf("%d in service after less than 3 whole minutes", n)
	}
	h.minutes(1, 90, 0)
	if n := len(h.inService()); n != 4 { // 2 * 90 / 50, rounded up
		t.Errorf("%d in service, want 4", n)
	}
	h.wantCause("a monitor alarm TargetTracking-shop-AlarmHigh-00000000-0000-4000-8000-000000000001 in state ALARM triggered policy cpu changing the desired capacity from 2 to 4.")
	h.minutes(14, 20, 0)
	if n := len(h.inService()); n != 4 {
		t.Errorf("%d in service after less than 15 minutes below the target", n)
	}
	h.minutes(3, 20, 0)
	if n := len(h.inService()); n != 2 { // 4 * 20 / 50, rounded up
		t.Errorf("%d in service, want 2", n)
	}
	h.wantCause("AlarmLow-00000000-0000-4000-8000-000000000001 in state ALARM triggered policy cpu changing the desired capacity from 4 to 2.")
}

// The group is as large as the largest answer, and shrinks only when all agree.
func TestTargetTrackingOfRequests(t *testing.T) {
	h := newHarness(t)
	h.create()
	must(h, h.client.PutScalingPolicy, cpu(50))
	must(h, h.client.PutScalingPolicy, requests(10))
	h.minutes(5, 10, 29)
	if n := len(h.inService()); n != 3 {
		t.Errorf("%d in service, want 3 for 29 requests", n)
	}
	h.minutes(20, 48, 0)
	if n := len(h.inService()); n != 3 {
		t.Errorf("%d in service: the group shrank against the other policy", n)
	}
	h.minutes(20, -1, 0)
	if n := len(h.inService()); n != 3 {
		t.Errorf("%d in service: the group shrank without data of the other policy", n)
	}
	h.minutes(17, 10, 0)
	if n := len(h.inService()); n != 2 {
		t.Errorf("%d in service, want the minimum", n)
	}
	quiet := requests(10)
	quiet.Enabled = aws.Bool(false)
	must(h, h.client.PutScalingPolicy, quiet)
	h.minutes(5, 10, 100)
	if n := len(h.inService()); n != 2 {
		t.Errorf("%d in service: a policy that is off scaled", n)
	}
}

func TestScaleInCanBeOff(t *testing.T) {
	h := newHarness(t)
	h.create(func(in *client.CreateAutoScalingGroupInput) { in.DesiredCapacity = aws.Int32(4) })
	in := cpu(50)
	in.TargetTrackingConfiguration.DisableScaleIn = aws.Bool(true)
	if out := must(h, h.client.PutScalingPolicy, in); len(out.Alarms) != 1 {
		t.Errorf("alarms: %+v", out.Alarms)
	}
	h.minutes(18, 1, 0)
	if n := len(h.inService()); n != 4 {
		t.Errorf("%d in service", n)
	}
}

func TestExecutePolicy(t *testing.T) {
	h := newHarness(t)
	h.create()
	put := func(name, kind, adjustment string, by *int32, steps ...types.StepAdjustment) {
		t.Helper()
		must(h, h.client.PutScalingPolicy, &client.PutScalingPolicyInput{AutoScalingGroupName: aws.String("shop"), PolicyName: &name, PolicyType: &kind, AdjustmentType: &adjustment, ScalingAdjustment: by, StepAdjustments: steps})
	}
	put("more", "SimpleScaling", "ChangeInCapacity", aws.Int32(1))
	put("exactly", "SimpleScaling", "ExactCapacity", aws.Int32(2))
	put("percent", "SimpleScaling", "PercentChangeInCapacity", aws.Int32(10))
	put("steps", "StepScaling", "ChangeInCapacity", nil, types.StepAdjustment{MetricIntervalLowerBound: aws.Float64(0), MetricIntervalUpperBound: aws.Float64(10), ScalingAdjustment: aws.Int32(1)},
		types.StepAdjustment{MetricIntervalLowerBound: aws.Float64(10), ScalingAdjustment: aws.Int32(2)})
	run := func(name string, value float64, want int32) {
		t.Helper()
		must(h, h.client.ExecutePolicy, &client.ExecutePolicyInput{AutoScalingGroupName: aws.String("shop"), PolicyName: &name, MetricValue: &value, BreachThreshold: aws.Float64(50)})
		if got := *h.group().DesiredCapacity; got != want {
			t.Errorf("%s: desired capacity %d, want %d", name, got, want)
		}
	}
	run("more", 0, 3)
	run("exactly", 0, 2)
	run("percent", 0, 3) // at least one
	run("exactly", 0, 2)
	run("steps", 59, 3)
	run("exactly", 0, 2)
	run("steps", 60, 4)
	run("more", 0, 4) // the maximum
	h.settle()
	h.wantCause("a user request executed policy steps changing the desired capacity from 2 to 4.")
	refused(h, h.client.ExecutePolicy, &client.ExecutePolicyInput{AutoScalingGroupName: aws.String("shop"), PolicyName: aws.String("steps"), MetricValue: aws.Float64(1), BreachThreshold: aws.Float64(50)},
		"ValidationError", "No step adjustment found")
	refused(h, h.client.ExecutePolicy, &client.ExecutePolicyInput{AutoScalingGroupName: aws.String("shop"), PolicyName: aws.String("more"), HonorCooldown: aws.Bool(true)}, "ScalingActivityInProgress", "cooldown")
}

func TestTypes(t *testing.T) {
	h := newHarness(t)
	h.create()
	if got := must(h, h.client.DescribeTerminationPolicyTypes, &client.DescribeTerminationPolicyTypesInput{}); len(got.TerminationPolicyTypes) != 7 {
		t.Errorf("%v", got.TerminationPolicyTypes)
	}
	if got := must(h, h.client.DescribeScalingProcessTypes, &client.DescribeScalingProcessTypesInput{}); len(got.Processes) != 9 {
		t.Errorf("%v", got.Processes)
	}
	if got := must(h, h.client.DescribeAccountLimits, &client.DescribeAccountLimitsInput{}); *got.NumberOfAutoScalingGroups != 1 {
		t.Errorf("%d groups", *got.NumberOfAutoScalingGroups)
	}
	if got := must(h, h.client.DescribeWarmPool, &client.DescribeWarmPoolInput{AutoScalingGroupName: aws.String("shop")}); got.WarmPoolConfiguration != nil {
		t.Error("a warm pool")
	}
	shop := aws.String("shop")
	must(h, h.client.EnableMetricsCollection, &client.EnableMetricsCollectionInput{AutoScalingGroupName: shop, Granularity: aws.String("1Minute"), Metrics: []string{"GroupMinSize", "GroupMaxSize"}})
	must(h, h.client.DisableMetricsCollection, &client.DisableMetricsCollectionInput{AutoScalingGroupName: shop, Metrics: []string{"GroupMaxSize"}})
	if got := h.group().EnabledMetrics; len(got) != 1 || *got[0].Metric != "GroupMinSize" || *got[0].Granularity != "1Minute" {
		t.Errorf("metrics: %+v", got)
	}
	refused(h, h.client.EnableMetricsCollection, &client.EnableMetricsCollectionInput{AutoScalingGroupName: shop, Granularity: aws.String("1Second")}, "ValidationError", "Granularity '1Second' is not valid")
	_, err := h.client.PutWarmPool(t.Context(), &client.PutWarmPoolInput{AutoScalingGroupName: shop})
	if err == nil {
		t.Error("PutWarmPool, which the lab does not serve, was accepted")
	}
}
