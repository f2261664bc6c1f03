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
	"storefront/lab/state"
)

// backlog is the policy of "Scaling based on Amazon SQS": messages for each instance in service.
func backlog(target float64, change ...func(*types.CustomizedMetricSpecification)) *client.PutScalingPolicyInput {
	stat := func(id, namespace, metric, statistic, dimension, value string) types.TargetTrackingMetricDataQuery {
		return types.TargetTrackingMetricDataQuery{Id: &id, ReturnData: aws.Bool(false), MetricStat: &types.TargetTrackingMetricStat{Stat: &statistic, Metric: &types.Metric{
			Namespace: &namespace, MetricName: &metric, Dimensions: []types.MetricDimension{{Name: &dimension, Value: &value}}}}}
	}
	spec := &types.CustomizedMetricSpecification{Metrics: []types.TargetTrackingMetricDataQuery{
		stat("m1", "AWS/SQS", "ApproximateNumberOfMessagesVisible", "Sum", "QueueName", "orders"),
		stat("m2", "AWS/AutoScaling", "GroupInServiceInstances", "Average", "AutoScalingGroupName", "shop"),
		{Id: aws.String("e1"), Expression: aws.String("m1 / m2"), Label: aws.String("backlog per instance"), ReturnData: aws.Bool(true)},
	}}
	for _, f := range change {
		f(spec)
	}
	return &client.PutScalingPolicyInput{AutoScalingGroupName: aws.String("shop"), PolicyName: aws.String("backlog"), PolicyType: aws.String("TargetTrackingScaling"), Enabled: aws.Bool(true),
		TargetTrackingConfiguration: &types.TargetTrackingConfiguration{TargetValue: &target, CustomizedMetricSpecification: spec}}
}

// depth lets time pass in which the queue is as deep, and the group collects its metrics.
func (h *harness) depth(minutes int, visible float64) {
	h.Helper()
	for range minutes {
		all, err := h.service.GroupMetrics()
		if err != nil {
			h.Fatal(err)
		}
		for metric, v := range all["shop"] {
			h.metrics.Set(metrics.Name{Namespace: "AWS/AutoScaling", Metric: metric, Dimensions: metrics.By("AutoScalingGroupName", "shop")}, v)
		}
		for range 3 {
			h.metrics.Set(metrics.Name{Namespace: "AWS/SQS", Metric: "ApproximateNumberOfMessagesVisible", Dimensions: metrics.By("QueueName", "orders")}, visible)
		}
		h.clock.t = h.clock.t.Add(time.Minute)
		for range 5 {
			h.turn()
		}
	}
}

func TestBacklogPerInstanceScales(t *testing.T) {
	h := newHarness(t)
	h.create(func(in *client.CreateAutoScalingGroupInput) { in.MaxSize = aws.Int32(6) })
	must(h, h.client.PutScalingPolicy, backlog(100))
	h.depth(5, 500)
	if n := len(h.inService()); n != 2 {
		t.Fatalf("%d in service without metrics of the group", n)
	}
	must(h, h.client.EnableMetricsCollection, &client.EnableMetricsCollectionInput{AutoScalingGroupName: aws.String("shop"), Granularity: aws.String("1Minute")})
	h.depth(3, 500)
	if n := len(h.inService()); n != 5 { // 2 instances with 250 each, 100 wanted
		t.Errorf("%d in service, want 5", n)
	}
	h.depth(20, 0)
	if n := len(h.inService()); n != 2 {
		t.Errorf("%d in service after the queue was empty for 20 minutes, want the minimum", n)
	}
}

func TestCustomizedMetricReadsBack(t *testing.T) {
	h := newHarness(t)
	h.create()
	want := backlog(100)
	must(h, h.client.PutScalingPolicy, want)
	got := must(h, h.client.DescribePolicies, &client.DescribePoliciesInput{PolicyNames: []string{"backlog"}}).ScalingPolicies
	if diff := cmp.Diff(want.TargetTrackingConfiguration, got[0].TargetTrackingConfiguration, cmpopts.EquateEmpty(), cmpopts.IgnoreUnexported(types.TargetTrackingConfiguration{}, types.CustomizedMetricSpecification{},
		types.TargetTrackingMetricDataQuery{}, types.TargetTrackingMetricStat{}, types.Metric{}, types.MetricDimension{})); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
	single := &types.CustomizedMetricSpecification{MetricName: aws.String("Depth"), Namespace: aws.String("Shop"), Statistic: types.MetricStatisticAverage, Unit: aws.String("Count"),
		Dimensions: []types.MetricDimension{{Name: aws.String("Queue"), Value: aws.String("orders")}}}
	must(h, h.client.PutScalingPolicy, backlog(100, func(s *types.CustomizedMetricSpecification) { *s = *single }))
	for text, change := range map[string]func(*types.CustomizedMetricSpecification){
		"either Metrics or the members": func(s *types.CustomizedMetricSpecification) { s.MetricName = aws.String("x") },
		"Exactly one element":           func(s *types.CustomizedMetricSpecification) { s.Metrics[0].ReturnData = nil },
		"MetricName, Namespace and Statistic": func(s *types.CustomizedMetricSpecification) {
			*s = types.CustomizedMetricSpecification{MetricName: aws.String("x")}
		},
		"SEARCH is not supported":             func(s *types.CustomizedMetricSpecification) { s.Metrics[2].Expression = aws.String("SEARCH('x')") },
		"no metric or expression with the ID": func(s *types.CustomizedMetricSpecification) { s.Metrics[2].Expression = aws.String("m1 / m3") },
		"not one time series":                 func(s *types.CustomizedMetricSpecification) { s.Metrics[2].Expression = aws.String("METRICS()") },
	} {
		refused(h, h.client.PutScalingPolicy, backlog(100, change), "ValidationError", text)
	}
}

// An alarm that goes on adds nothing while what it added warms up, unless it asks for a larger step.
func TestStepScalingForAlarms(t *testing.T) {
	h := newHarness(t)
	h.create(func(in *client.CreateAutoScalingGroupInput) { in.MaxSize = aws.Int32(9) })
	h.after(2 * time.Minute)
	out := must(h, h.client.PutScalingPolicy, &client.PutScalingPolicyInput{AutoScalingGroupName: aws.String("shop"), PolicyName: aws.String("steps"), PolicyType: aws.String("StepScaling"),
		AdjustmentType: aws.String("ChangeInCapacity"), EstimatedInstanceWarmup: aws.Int32(300), StepAdjustments: []types.StepAdjustment{
			{MetricIntervalLowerBound: aws.Float64(0), MetricIntervalUpperBound: aws.Float64(10), ScalingAdjustment: aws.Int32(1)},
			{MetricIntervalLowerBound: aws.Float64(10), ScalingAdjustment: aws.Int32(3)}}})
	h.after(5 * time.Minute)
	alarm := func(value float64) int {
		h.Helper()
		if err := h.store.Update(func(tx *state.Tx) error { return h.service.ExecuteForAlarm(tx, *out.PolicyARN, "deep", value, 100) }); err != nil {
			t.Fatal(err)
		}
		h.after(time.Minute)
		return len(h.inService())
	}
	for i, want := range []int{3, 3, 5, 5} {
		if got := alarm([]float64{105, 105, 120, 105}[i]); got != want {
			t.Errorf("step %d: %d in service, want %d", i, got, want)
		}
	}
	h.after(10 * time.Minute)
	if got := alarm(105); got != 6 {
		t.Errorf("%d in service after the warmup, want 6", got)
	}
	h.wantCause("a monitor alarm deep in state ALARM triggered policy steps changing the desired capacity from 5 to 6.")
}
