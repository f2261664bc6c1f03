package compute

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// makeScaling makes the target tracking policies. With several, the group is as large as the largest answer.
func (f *Fleet) makeScaling(ctx *pulumi.Context, group *autoscaling.Group, child pulumi.ResourceOption) error {
	track := func(key, metric string, target float64, label pulumi.StringPtrInput) error {
		_, err := autoscaling.NewPolicy(ctx, f.name+"-"+key, &autoscaling.PolicyArgs{
			AutoscalingGroupName: group.Name,
			PolicyType:           pulumi.String("TargetTrackingScaling"),
			TargetTrackingConfiguration: &autoscaling.PolicyTargetTrackingConfigurationArgs{
				TargetValue: pulumi.Float64(target),
				PredefinedMetricSpecification: &autoscaling.PolicyTargetTrackingConfigurationPredefinedMetricSpecificationArgs{
					PredefinedMetricType: pulumi.String(metric), ResourceLabel: label,
				},
			},
		}, child)
		if err != nil {
			return fmt.Errorf("creating the scaling policy for %s: %w", key, err)
		}
		return nil
	}
	s := f.args.Scaling
	if s.CPU > 0 {
		if err := track("cpu", "ASGAverageCPUUtilization", s.CPU, nil); err != nil {
			return err
		}
	}
	if s.Requests > 0 {
		return track("requests", "ALBRequestCountPerTarget", s.Requests, s.RequestLabel.ToStringOutput().ToStringPtrOutput())
	}
	return nil
}
