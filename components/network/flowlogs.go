package network

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/naming"
	"storefront/components/internal/policy"
	"storefront/components/internal/tags"
)

// makeFlowLogs keeps a record of all traffic in a log group, written under a role that can write there and nowhere else
// (Amazon VPC User Guide, "Publish flow logs to CloudWatch Logs").
func (n *Network) makeFlowLogs(ctx *pulumi.Context, _ netip.Prefix, child pulumi.ResourceOption) error {
	name := n.name + "-flow-logs"
	group, err := logGroup(ctx, name, n.args.FlowLogDays, n.args.LogKeyARN, child)
	if err != nil {
		return fmt.Errorf("creating the flow log group: %w", err)
	}
	n.FlowLogGroup = group.Name
	role, err := iam.NewRole(ctx, naming.Logical(naming.RoleLimit, name), &iam.RoleArgs{
		Description: pulumi.String("Writes the flow logs of " + n.name),
		AssumeRolePolicy: policy.Output(func(v []string) policy.Document {
			arn := strings.Split(v[0], ":") // arn:partition:logs:region:account:...
			source := strings.Join([]string{"arn", arn[1], "ec2", arn[3], arn[4], "vpc-flow-log/*"}, ":")
			return policy.Trust("vpc-flow-logs.amazonaws.com", policy.OnBehalfOf(arn[4], source))
		}, group.Arn),
	}, child)
	if err != nil {
		return fmt.Errorf("creating the flow log role: %w", err)
	}
	write, err := iam.NewRolePolicy(ctx, name, &iam.RolePolicyArgs{
		Role: role.ID(),
		Policy: policy.Output(func(v []string) policy.Document {
			return policy.Document{
				{Action: policy.Strings{"logs:CreateLogStream", "logs:PutLogEvents"}, Resource: policy.Strings{v[0] + ":*"}},
				{Action: policy.Strings{"logs:DescribeLogGroups", "logs:DescribeLogStreams"}, Resource: policy.Strings{"*"}},
			}
		}, group.Arn),
	}, child)
	if err != nil {
		return fmt.Errorf("letting the flow log role write: %w", err)
	}
	_, err = ec2.NewFlowLog(ctx, n.name, &ec2.FlowLogArgs{
		VpcId:                  n.vpc.ID(),
		TrafficType:            pulumi.String("ALL"),
		LogDestinationType:     pulumi.String("cloud-watch-logs"),
		LogDestination:         group.Arn,
		IamRoleArn:             role.Arn,
		MaxAggregationInterval: pulumi.Int(60),
		Tags:                   tags.Named(n.name),
	}, child, pulumi.DependsOn([]pulumi.Resource{write}))
	if err != nil {
		return fmt.Errorf("creating the flow log: %w", err)
	}
	return nil
}
