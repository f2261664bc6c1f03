// Package encryption makes KMS keys whose policies split the roles: who administers a key cannot use it, who uses it cannot
// administer it, and AWS services use it on behalf of the account only. NewKeys makes one key for each class of data, open to
// the services of that class alone; NewKey makes one for services of your choice.
//
// Left out: multi-Region keys and replicas; keys for volumes from encrypted images, which Spot's service-linked role would need.
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
	Backup         Service = "backup" // vaults of AWS Backup; for what is in them its role uses the stores' keys, through the stores
	SQS            Service = "sqs"
	SNS            Service = "sns"
	ElastiCache    Service = "elasticache"
	Search         Service = "es" // Elasticsearch and OpenSearch domains
)

// Services that act by themselves.
const (
	Logs   Service = "logs"   // for log groups of the account
	Alarms Service = "alarms" // CloudWatch, for alarms of the account that publish to an encrypted topic
	Topics Service = "topics" // SNS, for topics of the account that deliver to an encrypted queue

	CloudTrail  Service = "cloudtrail"  // for trails of the account; who reads their log files uses the key through S3
	AutoScaling Service = "autoscaling" // for encrypted volumes of the groups of the account
)

var (
	throughCaller = []Service{RDS, SecretsManager, S3, Backup, SQS, SNS, ElastiCache, Search}
	withGrants    = []Service{RDS, Backup, ElastiCache, Search} // they use the key when their caller is gone
)

// byThemselves has what the policy says for each service that acts by itself.
var byThemselves = map[Service]func(*writer){
	Logs: (*writer).logs, Alarms: (*writer).alarms, Topics: (*writer).topics, CloudTrail: (*writer).trails, AutoScaling: (*writer).autoScaling,
}

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
		if byThemselves[s] == nil && !slices.Contains(throughCaller, s) {
			return fmt.Errorf("%w: unknown service %q", ErrArgs, s)
		}
	}
	return nil
}
