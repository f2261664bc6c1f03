// Package encryption makes a KMS key whose policy splits the roles: who administers it cannot use it, who uses it cannot
// administer it, and AWS services use it on behalf of the account only.
//
// Left out, for later issues: multi-Region keys and replicas. Auto scaling's service-linked role gets no grant: root volumes
// use the account's own EBS key, because the role need not exist before the first auto scaling group and KMS refuses a
// policy that names it then.
package encryption

import (
	"errors"
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/policy"
)

// Type is the component's type token.
const Type = "storefront:encryption:Key"

// ErrArgs says that the arguments cannot make a key; the text tells which and why.
var ErrArgs = errors.New("encryption arguments")

// Service is an AWS service that uses the key.
type Service string

// Services that act with their caller's permissions, or with a grant that the caller makes (kms:ViaService).
const (
	RDS            Service = "rds"
	SecretsManager Service = "secretsmanager"
	S3             Service = "s3"
	SQS            Service = "sqs"
	SNS            Service = "sns"
	ElastiCache    Service = "elasticache"
	Search         Service = "es" // Elasticsearch and OpenSearch domains
)

// Services that act by themselves.
const (
	Logs   Service = "logs"   // for log groups of the account
	Alarms Service = "alarms" // CloudWatch, for alarms of the account that publish to an encrypted topic

	CloudTrail Service = "cloudtrail" // for trails of the account; who reads their log files uses the key through S3
)

var (
	throughCaller = []Service{RDS, SecretsManager, S3, SQS, SNS, ElastiCache, Search}
	byThemselves  = []Service{Logs, Alarms, CloudTrail}
)

// Args describe a key.
type Args struct {
	Region    string
	AccountID pulumi.StringInput
	Admins    []string  // ARNs of who administers the key; empty means who the account's IAM policies let
	Users     []string  // ARNs of who uses the key directly, not through a service
	Services  []Service // services that may use it
	// DeletionDays is how long a deleted key can be restored, 7 to 30; 0 means 30.
	DeletionDays int
}

// Key is a KMS key with an alias.
type Key struct {
	pulumi.ResourceState

	ARN   pulumi.StringOutput `pulumi:"arn"`
	Alias pulumi.StringOutput `pulumi:"alias"`
}

// NewKey makes a key with yearly rotation. Errors of arguments are ErrArgs.
func NewKey(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Key, error) {
	if err := check(args); err != nil {
		return nil, fmt.Errorf("key %s: %w", name, err)
	}
	k := &Key{}
	if err := ctx.RegisterComponentResource(Type, name, k, opts...); err != nil {
		return nil, err
	}
	days := args.DeletionDays
	if days == 0 {
		days = 30
	}
	key, err := kms.NewKey(ctx, name, &kms.KeyArgs{
		Description:          pulumi.String("Data of " + name),
		EnableKeyRotation:    pulumi.Bool(true),
		DeletionWindowInDays: pulumi.Int(days),
		Policy: policy.Output(func(v []string) policy.Document {
			return document(args, v[0])
		}, args.AccountID),
	}, pulumi.Parent(k))
	if err != nil {
		return nil, fmt.Errorf("creating the key: %w", err)
	}
	alias, err := kms.NewAlias(ctx, name, &kms.AliasArgs{
		Name:        pulumi.String("alias/" + name),
		TargetKeyId: key.KeyId,
	}, pulumi.Parent(k))
	if err != nil {
		return nil, fmt.Errorf("creating the alias: %w", err)
	}
	k.ARN, k.Alias = key.Arn, alias.Name
	return k, ctx.RegisterResourceOutputs(k, pulumi.Map{"arn": k.ARN, "alias": k.Alias})
}

func check(args *Args) error {
	if d := args.DeletionDays; d != 0 && (d < 7 || d > 30) {
		return fmt.Errorf("%w: deletion after %d days: 7 to 30 are allowed", ErrArgs, d)
	}
	for _, s := range args.Services {
		if !slices.Contains(throughCaller, s) && !slices.Contains(byThemselves, s) {
			return fmt.Errorf("%w: unknown service %q", ErrArgs, s)
		}
	}
	return nil
}

var (
	administer = policy.Strings{
		"kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey", "kms:DisableKeyRotation",
		"kms:EnableKey", "kms:EnableKeyRotation", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListGrants", "kms:ListKeyPolicies",
		"kms:ListResourceTags", "kms:PutKeyPolicy", "kms:RevokeGrant", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource",
		"kms:UpdateAlias", "kms:UpdateKeyDescription",
	}
	use     = policy.Strings{"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"}
	anyKey  = policy.Strings{"*"} // in a key policy: this key
	viaName = "kms:ViaService"
)

// document returns the key policy ("Key policies in AWS KMS"). Statements for the account delegate to its IAM policies.
func document(args *Args, account string) policy.Document {
	partition := policy.Partition(args.Region)
	root := policy.Strings{"arn:" + partition + ":iam::" + account + ":root"}
	admins := policy.Strings(args.Admins)
	if len(admins) == 0 {
		admins = root
	}
	d := policy.Document{{Sid: "Administer", Principal: &policy.Principal{AWS: admins}, Action: administer, Resource: anyKey}}
	if len(args.Users) > 0 {
		d = append(d, policy.Statement{Sid: "Use", Principal: &policy.Principal{AWS: args.Users}, Action: use, Resource: anyKey})
	}
	var via policy.Strings
	for _, s := range args.Services {
		if slices.Contains(throughCaller, s) {
			via = append(via, string(s)+"."+args.Region+".amazonaws.com")
		}
	}
	if len(via) > 0 {
		d = append(d,
			policy.Statement{
				Sid: "UseThroughServices", Principal: &policy.Principal{AWS: root}, Action: use, Resource: anyKey,
				Condition: policy.Conditions{"StringEquals": {viaName: via}},
			},
			policy.Statement{
				Sid: "GrantToServices", Principal: &policy.Principal{AWS: root},
				Action: policy.Strings{"kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"}, Resource: anyKey,
				Condition: policy.Conditions{"Bool": {"kms:GrantIsForAWSResource": {"true"}}, "StringEquals": {viaName: via}},
			})
	}
	if slices.Contains(args.Services, Logs) {
		d = append(d, policy.Statement{
			Sid: "Logs", Principal: &policy.Principal{Service: policy.Strings{"logs." + args.Region + ".amazonaws.com"}}, Action: use, Resource: anyKey,
			Condition: policy.Conditions{"ArnLike": {
				"kms:EncryptionContext:aws:logs:arn": {"arn:" + partition + ":logs:" + args.Region + ":" + account + ":log-group:*"},
			}},
		})
	}
	if slices.Contains(args.Services, Alarms) {
		d = append(d, policy.Statement{ // "Encrypting an Amazon SNS topic": event sources
			Sid: "Alarms", Principal: &policy.Principal{Service: policy.Strings{"cloudwatch.amazonaws.com"}},
			Action: policy.Strings{"kms:Decrypt", "kms:GenerateDataKey*"}, Resource: anyKey,
			Condition: policy.OnBehalfOf(account, "arn:"+partition+":cloudwatch:"+args.Region+":"+account+":alarm:*"),
		})
	}
	if slices.Contains(args.Services, CloudTrail) {
		d = append(d, trails(partition, account)...)
	}
	return d
}

// trails lets CloudTrail encrypt, and never decrypt, for trails of the account at home in any region ("Configure AWS KMS key policies for CloudTrail").
func trails(partition, account string) policy.Document {
	cloudTrail, trail := &policy.Principal{Service: policy.Strings{"cloudtrail.amazonaws.com"}}, policy.Strings{"arn:" + partition + ":cloudtrail:*:" + account + ":trail/*"}
	return policy.Document{
		{
			Sid: "TrailsEncrypt", Principal: cloudTrail, Action: policy.Strings{"kms:GenerateDataKey*"}, Resource: anyKey,
			Condition: policy.Conditions{"ArnLike": {"aws:SourceArn": trail}, "StringLike": {"kms:EncryptionContext:aws:cloudtrail:arn": trail}},
		},
		{Sid: "TrailsDescribe", Principal: cloudTrail, Action: policy.Strings{"kms:DescribeKey"}, Resource: anyKey, Condition: policy.Conditions{"ArnLike": {"aws:SourceArn": trail}}},
	}
}
