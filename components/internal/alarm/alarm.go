// Package alarm makes the CloudWatch alarms of components: one metric against a threshold, told to the topics given when it is
// crossed and when it is over ("Using Amazon CloudWatch alarms").
package alarm

import (
	"cmp"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Args describe an alarm. Where no data comes, nothing is wrong: an idle queue or a balancer without errors reports nothing.
type Args struct {
	Description string // what is wrong, and what to look at
	Namespace   string // "AWS/SQS"
	Metric      string
	Statistic   string // Maximum, Minimum, Average or Sum over a period
	Dimensions  pulumi.StringMap
	Below       bool // alarm at the threshold or below; otherwise at the threshold or above
	Threshold   float64
	Seconds     int // period; 0 means 60
	Periods     int // so many in a row; 0 means 1
}

// Named is an alarm of a list.
type Named struct {
	Name string
	Args
}

// Each makes the alarms of a list, each under its own name after the prefix. Actions are the topics that are told; without any
// there are no alarms, which cost money and which nobody would see.
func Each(ctx *pulumi.Context, prefix string, actions []pulumi.StringInput, list []Named, opts ...pulumi.ResourceOption) error {
	if len(actions) == 0 {
		return nil
	}
	for _, a := range list {
		if err := one(ctx, prefix+"-"+a.Name, &a.Args, actions, opts); err != nil {
			return err
		}
	}
	return nil
}

func one(ctx *pulumi.Context, name string, args *Args, topics []pulumi.StringInput, opts []pulumi.ResourceOption) error {
	var actions pulumi.Array
	for _, t := range topics {
		actions = append(actions, t)
	}
	comparison := "GreaterThanOrEqualToThreshold"
	if args.Below {
		comparison = "LessThanOrEqualToThreshold"
	}
	_, err := cloudwatch.NewMetricAlarm(ctx, name, &cloudwatch.MetricAlarmArgs{
		AlarmDescription:   pulumi.String(args.Description),
		Namespace:          pulumi.String(args.Namespace),
		MetricName:         pulumi.String(args.Metric),
		Dimensions:         args.Dimensions,
		Statistic:          pulumi.String(args.Statistic),
		ComparisonOperator: pulumi.String(comparison),
		Threshold:          pulumi.Float64(args.Threshold),
		Period:             pulumi.Int(cmp.Or(args.Seconds, 60)),
		EvaluationPeriods:  pulumi.Int(cmp.Or(args.Periods, 1)),
		TreatMissingData:   pulumi.String("notBreaching"),
		AlarmActions:       actions,
		OkActions:          actions,
	}, opts...)
	if err != nil {
		return fmt.Errorf("creating alarm %s: %w", name, err)
	}
	return nil
}
