package autoscaling

import (
	"context"

	api "storefront/lab/api/autoscaling"
	"storefront/lab/state"
)

func terminationPolicies() []string {
	return []string{"AllocationStrategy", "ClosestToNextInstanceHour", "Default", "NewestInstance", "OldestInstance", "OldestLaunchConfiguration", "OldestLaunchTemplate"}
}

// each maps names to what an operation answers.
func each[T any](names []string, f func(name *string) T) []T {
	var out []T
	for _, name := range names {
		out = append(out, f(new(name)))
	}
	return out
}

// DescribeAccountLimits implements the operation of that name.
func (s *Service) DescribeAccountLimits(context.Context, *api.DescribeAccountLimitsInput) (*api.DescribeAccountLimitsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeAccountLimitsOutput) error {
		out.MaxNumberOfAutoScalingGroups, out.NumberOfAutoScalingGroups = new(int64(500)), new(int64(groups.Len(tx)))
		out.MaxNumberOfLaunchConfigurations, out.NumberOfLaunchConfigurations = new(int64(0)), new(int64(0))
		return nil
	})
}

// DescribeAdjustmentTypes implements the operation of that name.
func (s *Service) DescribeAdjustmentTypes(context.Context, *api.DescribeAdjustmentTypesInput) (*api.DescribeAdjustmentTypesOutput, error) {
	return &api.DescribeAdjustmentTypesOutput{AdjustmentTypes: each(adjustmentTypes(), func(name *string) api.AdjustmentType { return api.AdjustmentType{AdjustmentType: name} })}, nil
}

// DescribeAutoScalingNotificationTypes implements the operation of that name. The lab sends none of them.
func (s *Service) DescribeAutoScalingNotificationTypes(context.Context, *api.DescribeAutoScalingNotificationTypesInput) (*api.DescribeAutoScalingNotificationTypesOutput, error) {
	return &api.DescribeAutoScalingNotificationTypesOutput{AutoScalingNotificationTypes: []string{
		"autoscaling:EC2_INSTANCE_LAUNCH", "autoscaling:EC2_INSTANCE_LAUNCH_ERROR", "autoscaling:EC2_INSTANCE_TERMINATE", "autoscaling:EC2_INSTANCE_TERMINATE_ERROR",
		"autoscaling:TEST_NOTIFICATION",
	}}, nil
}

// DescribeLifecycleHookTypes implements the operation of that name.
func (s *Service) DescribeLifecycleHookTypes(context.Context, *api.DescribeLifecycleHookTypesInput) (*api.DescribeLifecycleHookTypesOutput, error) {
	return &api.DescribeLifecycleHookTypesOutput{LifecycleHookTypes: []string{launching, terminating}}, nil
}

// DescribeMetricCollectionTypes implements the operation of that name.
func (s *Service) DescribeMetricCollectionTypes(context.Context, *api.DescribeMetricCollectionTypesInput) (*api.DescribeMetricCollectionTypesOutput, error) {
	return &api.DescribeMetricCollectionTypesOutput{
		Granularities: []api.MetricGranularityType{{Granularity: new(granularity)}},
		Metrics:       each(groupMetrics(), func(name *string) api.MetricCollectionType { return api.MetricCollectionType{Metric: name} }),
	}, nil
}

// DescribeScalingProcessTypes implements the operation of that name.
func (s *Service) DescribeScalingProcessTypes(context.Context, *api.DescribeScalingProcessTypesInput) (*api.DescribeScalingProcessTypesOutput, error) {
	return &api.DescribeScalingProcessTypesOutput{Processes: each(processes(), func(name *string) api.ProcessType { return api.ProcessType{ProcessName: name} })}, nil
}

// DescribeTerminationPolicyTypes implements the operation of that name.
func (s *Service) DescribeTerminationPolicyTypes(context.Context, *api.DescribeTerminationPolicyTypesInput) (*api.DescribeTerminationPolicyTypesOutput, error) {
	return &api.DescribeTerminationPolicyTypesOutput{TerminationPolicyTypes: terminationPolicies()}, nil
}

// DescribeWarmPool implements the operation of that name: no group of the lab has a warm pool.
func (s *Service) DescribeWarmPool(_ context.Context, in *api.DescribeWarmPoolInput) (*api.DescribeWarmPoolOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeWarmPoolOutput) error {
		_, err := findGroup(tx, in.AutoScalingGroupName)
		out.Instances = []api.Instance{}
		return err
	})
}
