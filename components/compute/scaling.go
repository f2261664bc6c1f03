package compute

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// makeScaling makes the target tracking policies. With several, the group is as large as the largest answer.
func (f *Fleet) makeScaling(ctx *pulumi.Context, group *autoscaling.Group, child pulumi.ResourceOption) error {
	track := func(key string, target float64, args *autoscaling.PolicyTargetTrackingConfigurationArgs) error {
		args.TargetValue = pulumi.Float64(target)
		_, err := autoscaling.NewPolicy(ctx, f.name+"-"+key, &autoscaling.PolicyArgs{
			AutoscalingGroupName:        group.Name,
			PolicyType:                  pulumi.String("TargetTrackingScaling"),
			TargetTrackingConfiguration: args,
		}, child)
		if err != nil {
			return fmt.Errorf("creating the scaling policy for %s: %w", key, err)
		}
		return nil
	}
	s := f.args.Scaling
	if s.CPU > 0 {
		if err := track("cpu", s.CPU, predefined("ASGAverageCPUUtilization", nil)); err != nil {
			return err
		}
	}
	if s.Requests > 0 {
		if err := track("requests", s.Requests, predefined("ALBRequestCountPerTarget", s.RequestLabel.ToStringOutput().ToStringPtrOutput())); err != nil {
			return err
		}
	}
	if s.Backlog > 0 {
		return track("backlog", s.Backlog, backlog(s.BacklogQueue, group.Name))
	}
	return nil
}

func predefined(metric string, label pulumi.StringPtrInput) *autoscaling.PolicyTargetTrackingConfigurationArgs {
	return &autoscaling.PolicyTargetTrackingConfigurationArgs{
		PredefinedMetricSpecification: &autoscaling.PolicyTargetTrackingConfigurationPredefinedMetricSpecificationArgs{
			PredefinedMetricType: pulumi.String(metric), ResourceLabel: label,
		},
	}
}

// backlog divides the messages that wait by the instances in service, in CloudWatch itself: no program has to publish a metric of
// its own.
func backlog(queue, group pulumi.StringInput) *autoscaling.PolicyTargetTrackingConfigurationArgs {
	metric := func(id, namespace, name, dimension string, of pulumi.StringInput) *autoscaling.PolicyTargetTrackingConfigurationCustomizedMetricSpecificationMetricArgs {
		return &autoscaling.PolicyTargetTrackingConfigurationCustomizedMetricSpecificationMetricArgs{
			Id: pulumi.String(id),
			MetricStat: &autoscaling.PolicyTargetTrackingConfigurationCustomizedMetricSpecificationMetricMetricStatArgs{
				Stat: pulumi.String("Average"),
				Metric: &autoscaling.PolicyTargetTrackingConfigurationCustomizedMetricSpecificationMetricMetricStatMetricArgs{
					Namespace: pulumi.String(namespace), MetricName: pulumi.String(name),
					Dimensions: autoscaling.PolicyTargetTrackingConfigurationCustomizedMetricSpecificationMetricMetricStatMetricDimensionArray{
						&autoscaling.PolicyTargetTrackingConfigurationCustomizedMetricSpecificationMetricMetricStatMetricDimensionArgs{
							Name: pulumi.String(dimension), Value: of,
						},
					},
				},
			},
			ReturnData: pulumi.Bool(false),
		}
	}
	return &autoscaling.PolicyTargetTrackingConfigurationArgs{
		CustomizedMetricSpecification: &autoscaling.PolicyTargetTrackingConfigurationCustomizedMetricSpecificationArgs{
			Metrics: autoscaling.PolicyTargetTrackingConfigurationCustomizedMetricSpecificationMetricArray{
				metric("m1", "AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", queue),
				metric("m2", "AWS/AutoScaling", "GroupInServiceInstances", "AutoScalingGroupName", group),
				&autoscaling.PolicyTargetTrackingConfigurationCustomizedMetricSpecificationMetricArgs{
					Id: pulumi.String("e1"), Expression: pulumi.String("m1 / m2"), Label: pulumi.String("Messages that wait, by instance"), ReturnData: pulumi.Bool(true),
				},
			},
		},
	}
}
