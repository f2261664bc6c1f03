package audit

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/alarm"
	"storefront/components/internal/bucket"
	"storefront/components/internal/policy"
)

// watched are the events that somebody is told of: section 5 of the CIS AWS Foundations Benchmark. The patterns are those of "Filter pattern syntax".
func watched() []struct{ name, description, pattern string } {
	return []struct{ name, description, pattern string }{
		{"root", "Somebody used the root user", `{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }`},
		{"refused", "Calls were refused", `{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }`},
		{"console", "Somebody signed in without a second factor", `{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") }`},
		{"identities", "Policies of identities changed", calls("AttachRolePolicy", "AttachUserPolicy", "AttachGroupPolicy", "DetachRolePolicy", "DetachUserPolicy", "DetachGroupPolicy",
			"PutRolePolicy", "PutUserPolicy", "PutGroupPolicy", "DeleteRolePolicy", "DeleteUserPolicy", "DeleteGroupPolicy", "CreatePolicyVersion", "DeletePolicyVersion")},
		{"trails", "A trail changed", calls("CreateTrail", "UpdateTrail", "DeleteTrail", "StartLogging", "StopLogging")},
		{"keys", "A key was disabled, or is to be deleted", calls("DisableKey", "ScheduleKeyDeletion")},
		{"buckets", "Access to a bucket changed", calls("PutBucketAcl", "PutBucketPolicy", "PutBucketCors", "PutBucketLifecycle", "PutBucketReplication", "DeleteBucketPolicy",
			"DeleteBucketCors", "DeleteBucketLifecycle", "DeleteBucketReplication")},
		{"groups", "A security group changed", calls("AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress", "RevokeSecurityGroupIngress", "RevokeSecurityGroupEgress",
			"CreateSecurityGroup", "DeleteSecurityGroup")},
		{"acls", "A network ACL changed", calls("CreateNetworkAcl", "CreateNetworkAclEntry", "DeleteNetworkAcl", "DeleteNetworkAclEntry", "ReplaceNetworkAclEntry", "ReplaceNetworkAclAssociation")},
		{"gateways", "A gateway changed", calls("CreateCustomerGateway", "DeleteCustomerGateway", "AttachInternetGateway", "CreateInternetGateway", "DeleteInternetGateway", "DetachInternetGateway")},
		{"routes", "A route changed", calls("CreateRoute", "CreateRouteTable", "ReplaceRoute", "ReplaceRouteTableAssociation", "DeleteRouteTable", "DeleteRoute", "DisassociateRouteTable")},
		{"networks", "A VPC changed", calls("CreateVpc", "DeleteVpc", "ModifyVpcAttribute", "AcceptVpcPeeringConnection", "CreateVpcPeeringConnection", "DeleteVpcPeeringConnection")},
	}
}

// calls is the pattern of calls of some names.
func calls(names ...string) string {
	var all []string
	for _, name := range names {
		all = append(all, `($.eventName = "`+name+`")`)
	}
	return "{ " + strings.Join(all, " || ") + " }"
}

// watch counts what is watched in the log group, and makes an alarm of each.
func (t *Trail) watch(ctx *pulumi.Context, name string, l logs, child pulumi.ResourceOption) error {
	if len(t.args.AlarmActions) == 0 {
		return nil
	}
	var alarms []alarm.Named
	for _, w := range watched() {
		_, err := cloudwatch.NewLogMetricFilter(ctx, name+"-"+w.name, &cloudwatch.LogMetricFilterArgs{
			LogGroupName: l.group.Name,
			Pattern:      pulumi.String(w.pattern),
			MetricTransformation: &cloudwatch.LogMetricFilterMetricTransformationArgs{
				Namespace: pulumi.String(t.namespace()), Name: pulumi.String(w.name), Value: pulumi.String("1"),
			},
		}, child)
		if err != nil {
			return fmt.Errorf("watching for %s: %w", w.name, err)
		}
		alarms = append(alarms, alarm.Named{Name: w.name, Args: alarm.Args{
			Description: w.description + ": the log group of the trail " + t.args.Trail + " says who, when and from where", Namespace: t.namespace(), Metric: w.name,
			Statistic: "Sum", Threshold: 1, Seconds: 300,
		}})
	}
	return alarm.Each(ctx, name, t.args.AlarmActions, alarms, child)
}

func (t *Trail) namespace() string { return "Trail/" + t.args.Trail }

// recordReaders keeps a record of who reads the log files, in a bucket of its own: S3 writes it under its own keys only ("Enabling Amazon S3 server access logging").
func (t *Trail) recordReaders(ctx *pulumi.Context, name string, files *bucket.Bucket, child pulumi.ResourceOption) error {
	if t.args.AccessLogDays == 0 {
		return nil
	}
	records, err := bucket.New(ctx, name+"-access-logs", bucket.Args{
		ExpireDays: t.args.AccessLogDays, ForceDestroy: t.args.ForceDestroy, Values: []pulumi.StringInput{t.args.AccountID, files.Bucket.Arn},
		Statements: func(arn string, v []string) policy.Document {
			return policy.Document{{
				Sid: "AccessLogs", Principal: &policy.Principal{Service: policy.Strings{"logging.s3.amazonaws.com"}}, Action: policy.Strings{"s3:PutObject"},
				Resource: policy.Strings{arn + "/*"}, Condition: policy.OnBehalfOf(v[0], v[1]),
			}}
		},
	}, child)
	if err != nil {
		return err
	}
	_, err = s3.NewBucketLoggingV2(ctx, name, &s3.BucketLoggingV2Args{
		Bucket: files.Bucket.ID(), TargetBucket: records.Bucket.Bucket, TargetPrefix: pulumi.String("trail/"),
	}, child, pulumi.DependsOn([]pulumi.Resource{records.Policy}))
	if err != nil {
		return fmt.Errorf("recording who reads the log files: %w", err)
	}
	return nil
}

// announce tells EventBridge of what happens to the log files, so that a deletion can be noticed as it happens.
func announce(ctx *pulumi.Context, name string, files *bucket.Bucket, child pulumi.ResourceOption) error {
	_, err := s3.NewBucketNotification(ctx, name, &s3.BucketNotificationArgs{Bucket: files.Bucket.ID(), Eventbridge: pulumi.Bool(true)}, child)
	if err != nil {
		return fmt.Errorf("announcing what happens to the log files: %w", err)
	}
	return nil
}
