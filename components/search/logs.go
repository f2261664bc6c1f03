package search

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/policy"
)

// logKinds are the logs of a domain: what the log group is called after, and what the API calls it.
var logKinds = []struct{ name, option string }{
	{"index-slow-logs", "INDEX_SLOW_LOGS"},
	{"search-slow-logs", "SEARCH_SLOW_LOGS"},
	{"application-logs", "ES_APPLICATION_LOGS"},
	{"audit-logs", "AUDIT_LOGS"},
}

const logPrefix = "/aws/aes/domains/" // where the service puts its own

// makeLogs makes the log groups, and the policy that lets the service write to them. It returns their ARNs by option.
func (d *Domain) makeLogs(ctx *pulumi.Context, child pulumi.ResourceOption) (map[string]pulumi.StringOutput, error) {
	arns := map[string]pulumi.StringOutput{}
	for _, kind := range logKinds {
		group, err := cloudwatch.NewLogGroup(ctx, d.name+"-"+kind.name, &cloudwatch.LogGroupArgs{
			Name:            pulumi.String(logPrefix + d.args.Name + "/" + kind.name),
			RetentionInDays: pulumi.Int(d.args.LogDays),
			KmsKeyId:        d.args.LogKeyARN.ToStringOutput().ToStringPtrOutput(),
		}, child)
		if err != nil {
			return nil, fmt.Errorf("creating the log group: %w", err)
		}
		arns[kind.option] = group.Arn
	}
	if d.LogPolicy = d.args.LogPolicy; d.LogPolicy != nil {
		return arns, nil
	}
	made, err := cloudwatch.NewLogResourcePolicy(ctx, d.name, &cloudwatch.LogResourcePolicyArgs{
		PolicyName: pulumi.String(d.args.Name + "-search"),
		PolicyDocument: policy.Output(func(v []string) policy.Document {
			return logDocument(policy.Partition(d.args.Region), d.args.Region, v[0])
		}, d.args.AccountID),
	}, child)
	if err != nil {
		return nil, fmt.Errorf("letting the service write logs: %w", err)
	}
	d.LogPolicy = made
	return arns, nil
}

// logDocument covers the groups of all domains of the account in the region.
func logDocument(partition, region, account string) policy.Document {
	groups := "arn:" + partition + ":logs:" + region + ":" + account + ":log-group:" + logPrefix + "*"
	return policy.Document{{
		Principal: &policy.Principal{Service: policy.Strings{"es.amazonaws.com"}},
		Action:    policy.Strings{"logs:CreateLogStream", "logs:PutLogEvents", "logs:PutLogEventsBatch"},
		Resource:  policy.Strings{groups},
		Condition: policy.OnBehalfOf(account, "arn:"+partition+":es:"+region+":"+account+":domain/*"),
	}}
}
