package audit

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/naming"
	"storefront/components/internal/policy"
)

// logs is where events can be searched and alarmed on.
type logs struct {
	group  *cloudwatch.LogGroup
	role   *iam.Role
	policy *iam.RolePolicy
}

// makeLogs makes the log group, and the role that CloudTrail writes to its own streams with ("Role policy document for CloudTrail to use CloudWatch Logs for monitoring").
func (t *Trail) makeLogs(ctx *pulumi.Context, name string, child pulumi.ResourceOption) (l logs, err error) {
	l.group, err = cloudwatch.NewLogGroup(ctx, name+"-trail", &cloudwatch.LogGroupArgs{
		RetentionInDays: pulumi.Int(t.args.LogDays),
		KmsKeyId:        t.args.KeyARN.ToStringOutput().ToStringPtrOutput(),
	}, child)
	if err != nil {
		return l, fmt.Errorf("creating the log group: %w", err)
	}
	l.role, err = iam.NewRole(ctx, naming.Logical(naming.RoleLimit, name, "trail"), &iam.RoleArgs{
		Description:      pulumi.String("Writes the events of " + name),
		AssumeRolePolicy: policy.Output(func([]string) policy.Document { return policy.Trust(service, nil) }),
	}, child)
	if err != nil {
		return l, fmt.Errorf("creating the role: %w", err)
	}
	l.policy, err = iam.NewRolePolicy(ctx, name+"-trail", &iam.RolePolicyArgs{
		Role: l.role.ID(),
		Policy: policy.Output(func(v []string) policy.Document {
			streams := v[0] + ":log-stream:" + v[1] + "_CloudTrail_" + t.args.Region + "*"
			return policy.Document{{Action: policy.Strings{"logs:CreateLogStream", "logs:PutLogEvents"}, Resource: policy.Strings{streams}}}
		}, l.group.Arn, t.args.AccountID),
	}, child)
	if err != nil {
		return l, fmt.Errorf("letting the role write: %w", err)
	}
	return l, nil
}
