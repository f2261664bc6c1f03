// Package audit makes the account's trail: every management call in every region, and the calls on the objects of given buckets, as files that cannot be changed
// unnoticed, in a private bucket of their own and in a log group. Bucket and policy, log group and role are made before the trail, which CloudTrail refuses otherwise.
//
// Left out: organization trails, Insights, advanced event selectors, event data stores, Object Lock of the log files.
package audit

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudtrail"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/bucket"
	"storefront/components/internal/policy"
	"storefront/components/internal/tags"
)

// Type is the component's type token.
const Type = "storefront:audit:Trail"

// ErrArgs says that the arguments cannot make a trail; the text tells which and why.
var ErrArgs = errors.New("audit arguments")

const service = "cloudtrail.amazonaws.com"

// Args describe a trail.
type Args struct {
	Trail     string // the trail's name, unique in the account: 3 to 128 letters, digits, periods, underscores and hyphens
	Region    string // where the trail is at home
	AccountID pulumi.StringInput
	// KeyARN is a KMS key for the log files and the log group. Its policy must let CloudTrail and CloudWatch Logs use it (encryption.CloudTrail, encryption.Logs).
	KeyARN pulumi.StringInput

	KeepDays int // of the log files; 0 means 400
	LogDays  int // of the log group; 0 means 90
	// DataBuckets are ARNs of buckets; reads and writes of their objects are recorded. Never that of the trail itself: its own files would be events.
	DataBuckets []pulumi.StringInput
	// TopicARN is a topic that is told of every log file; its policy must let CloudTrail publish. Nil is none.
	TopicARN     pulumi.StringInput
	ForceDestroy bool // let a destroy delete the log files

	// AccessLogDays keeps a record of who reads the log files for so many days, in a second bucket. 0 keeps none.
	AccessLogDays int
	// AlarmActions are topics that are told of use of the root user, refused calls and changes of policies, keys, trails and the network. Empty leaves the metric
	// filters and the alarms out.
	AlarmActions []pulumi.StringInput
}

// Trail is a trail with its bucket and log group.
type Trail struct {
	pulumi.ResourceState

	ARN      pulumi.StringOutput `pulumi:"arn"`
	Bucket   pulumi.StringOutput `pulumi:"bucket"`   // name
	LogGroup pulumi.StringOutput `pulumi:"logGroup"` // name

	args Args
}

// New makes a trail that logs. Errors of arguments are ErrArgs.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Trail, error) {
	t := &Trail{args: *args}
	t.args.KeepDays, t.args.LogDays = or(args.KeepDays, 400), or(args.LogDays, 90)
	if err := check(&t.args); err != nil {
		return nil, fmt.Errorf("trail %s: %w", name, err)
	}
	if err := ctx.RegisterComponentResource(Type, name, t, opts...); err != nil {
		return nil, err
	}
	child := pulumi.Parent(t)
	files, err := bucket.New(ctx, name, bucket.Args{
		KeyARN: args.KeyARN, Versioned: true, ExpireDays: t.args.KeepDays, NoncurrentDays: 30, ForceDestroy: t.args.ForceDestroy,
		Statements: t.mayDeliver, Values: []pulumi.StringInput{args.AccountID},
	}, child)
	if err != nil {
		return nil, err
	}
	logs, err := t.makeLogs(ctx, name, child)
	if err != nil {
		return nil, err
	}
	if err := t.recordReaders(ctx, name, files, child); err != nil {
		return nil, err
	}
	if err := announce(ctx, name, files, child); err != nil {
		return nil, err
	}
	if err := t.watch(ctx, name, logs, child); err != nil {
		return nil, err
	}
	a := &cloudtrail.TrailArgs{
		Name:                       pulumi.String(t.args.Trail),
		S3BucketName:               files.Bucket.Bucket,
		KmsKeyId:                   t.args.KeyARN.ToStringOutput().ToStringPtrOutput(),
		IsMultiRegionTrail:         pulumi.Bool(true),
		IncludeGlobalServiceEvents: pulumi.Bool(true),
		EnableLogFileValidation:    pulumi.Bool(true),
		EnableLogging:              pulumi.Bool(true),
		CloudWatchLogsGroupArn:     pulumi.Sprintf("%s:*", logs.group.Arn),
		CloudWatchLogsRoleArn:      logs.role.Arn,
		EventSelectors:             t.selectors(),
		Tags:                       tags.Named(name),
	}
	if t.args.TopicARN != nil {
		a.SnsTopicName = t.args.TopicARN.ToStringOutput().ToStringPtrOutput()
	}
	// CloudTrail asks both policies when the trail is made.
	trail, err := cloudtrail.NewTrail(ctx, name, a, child, pulumi.DependsOn([]pulumi.Resource{files.Policy, logs.policy}))
	if err != nil {
		return nil, fmt.Errorf("creating the trail: %w", err)
	}
	t.ARN, t.Bucket, t.LogGroup = trail.Arn, files.Bucket.Bucket, logs.group.Name
	return t, ctx.RegisterResourceOutputs(t, pulumi.Map{"arn": t.ARN, "bucket": t.Bucket, "logGroup": t.LogGroup})
}

func or(n, otherwise int) int {
	if n == 0 {
		return otherwise
	}
	return n
}

var nameForm = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9]|[._-][A-Za-z0-9])*$`)

func check(a *Args) error {
	switch {
	case a.Region == "" || a.AccountID == nil || a.KeyARN == nil:
		return fmt.Errorf("%w: region, account and key are all needed", ErrArgs)
	case len(a.Trail) < 3 || len(a.Trail) > 128 || !nameForm.MatchString(a.Trail):
		return fmt.Errorf("%w: trail name %q: want 3 to 128 letters and digits, with single periods, underscores or hyphens between them", ErrArgs, a.Trail)
	case a.KeepDays < 1 || a.LogDays < 1 || a.AccessLogDays < 0:
		return fmt.Errorf("%w: log files for %d days and a log group for %d: at least 1 is needed", ErrArgs, a.KeepDays, a.LogDays)
	case len(a.DataBuckets) > 250:
		return fmt.Errorf("%w: %d buckets: at most 250 can be selected", ErrArgs, len(a.DataBuckets))
	}
	return nil
}

// selectors choose all management events and those of the buckets' objects. Without buckets that is what a trail does when nothing is said.
func (t *Trail) selectors() cloudtrail.TrailEventSelectorArray {
	if len(t.args.DataBuckets) == 0 {
		return nil
	}
	var objects pulumi.StringArray
	for _, arn := range t.args.DataBuckets {
		objects = append(objects, pulumi.Sprintf("%s/", arn))
	}
	return cloudtrail.TrailEventSelectorArray{&cloudtrail.TrailEventSelectorArgs{
		ReadWriteType:           pulumi.String("All"),
		IncludeManagementEvents: pulumi.Bool(true),
		DataResources: cloudtrail.TrailEventSelectorDataResourceArray{&cloudtrail.TrailEventSelectorDataResourceArgs{
			Type: pulumi.String("AWS::S3::Object"), Values: objects,
		}},
	}}
}

// mayDeliver lets this trail, and no other, write log files and digests ("Amazon S3 bucket policy for CloudTrail").
func (t *Trail) mayDeliver(bucketARN string, values []string) policy.Document {
	account := values[0]
	arn := strings.Join([]string{"arn", policy.Partition(t.args.Region), "cloudtrail", t.args.Region, account, "trail/" + t.args.Trail}, ":")
	return policy.Document{
		{
			Sid: "CloudTrailAsks", Principal: &policy.Principal{Service: policy.Strings{service}}, Action: policy.Strings{"s3:GetBucketAcl"}, Resource: policy.Strings{bucketARN},
			Condition: policy.Conditions{"StringEquals": {"aws:SourceArn": {arn}}},
		},
		{
			Sid: "CloudTrailWrites", Principal: &policy.Principal{Service: policy.Strings{service}}, Action: policy.Strings{"s3:PutObject"},
			Resource:  policy.Strings{bucketARN + "/AWSLogs/" + account + "/*"},
			Condition: policy.Conditions{"StringEquals": {"aws:SourceArn": {arn}, "s3:x-amz-acl": {"bucket-owner-full-control"}}},
		},
	}
}
