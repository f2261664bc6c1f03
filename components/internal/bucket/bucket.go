// Package bucket makes the private S3 bucket that components keep their own things in: no public access, the account owns
// every object, encrypted with S3's own keys or a KMS key, reachable over TLS only. A user-facing bucket component is not this package's job.
package bucket

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/policy"
)

// Args says what differs from bucket to bucket.
type Args struct {
	Versioned      bool // keep what is overwritten or deleted, for NoncurrentDays
	ExpireDays     int  // delete objects after so many days; 0 keeps them
	NoncurrentDays int  // delete old versions after so many days; 0 keeps them
	ForceDestroy   bool // let a destroy delete the bucket with what is in it
	// KeyARN encrypts with a KMS key, and a bucket key under it. Nil means S3's own keys.
	KeyARN pulumi.StringInput
	// Lock keeps every new version from being deleted or overwritten; the bucket must be Versioned. Nil means none.
	Lock *Lock
	// Cold moves objects to other storage classes, by days after their creation.
	Cold map[string]int
	// Statements returns more statements of the bucket policy, given the bucket's ARN and the values of Values.
	Statements func(arn string, values []string) policy.Document
	Values     []pulumi.StringInput
}

// Lock is the default retention of S3 Object Lock.
type Lock struct {
	Mode string // GOVERNANCE, which a permission lifts, or COMPLIANCE, which nothing does
	Days int
}

// Bucket is a private bucket. Whoever writes to it through an AWS service must depend on Policy.
type Bucket struct {
	Bucket *s3.BucketV2
	Policy *s3.BucketPolicy
	// Settings are what the bucket is not as described without: encryption, versions, lock, policy.
	Settings []pulumi.Resource
}

// New makes the bucket and its side resources; opts must name the parent.
func New(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (*Bucket, error) {
	b, err := s3.NewBucketV2(ctx, name, &s3.BucketV2Args{ForceDestroy: pulumi.Bool(args.ForceDestroy), ObjectLockEnabled: locked(args)},
		slices.Concat(opts, within(args.KeyARN))...)
	if err != nil {
		return nil, fmt.Errorf("creating bucket %s: %w", name, err)
	}
	access, err := s3.NewBucketPublicAccessBlock(ctx, name, &s3.BucketPublicAccessBlockArgs{
		Bucket:                b.ID(),
		BlockPublicAcls:       pulumi.Bool(true),
		BlockPublicPolicy:     pulumi.Bool(true),
		IgnorePublicAcls:      pulumi.Bool(true),
		RestrictPublicBuckets: pulumi.Bool(true),
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("blocking public access to bucket %s: %w", name, err)
	}
	_, err = s3.NewBucketOwnershipControls(ctx, name, &s3.BucketOwnershipControlsArgs{
		Bucket: b.ID(),
		Rule:   &s3.BucketOwnershipControlsRuleArgs{ObjectOwnership: pulumi.String("BucketOwnerEnforced")},
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("setting the ownership of bucket %s: %w", name, err)
	}
	made := &Bucket{Bucket: b}
	if err := made.encrypt(ctx, name, args.KeyARN, opts); err != nil {
		return nil, err
	}
	if err := made.keep(ctx, name, args, opts); err != nil {
		return nil, err
	}
	p, err := s3.NewBucketPolicy(ctx, name, &s3.BucketPolicyArgs{
		Bucket: b.ID(),
		Policy: document(b, args),
		// S3 answers 409 when two settings of one bucket change at once.
	}, slices.Concat(opts, []pulumi.ResourceOption{pulumi.DependsOn([]pulumi.Resource{access})})...)
	if err != nil {
		return nil, fmt.Errorf("setting the policy of bucket %s: %w", name, err)
	}
	made.Policy, made.Settings = p, append(made.Settings, p)
	return made, nil
}

// within lets a bucket end before its key, which its own settings do not: what is in a bucket that a lock keeps could not be read without the key.
func within(key pulumi.StringInput) []pulumi.ResourceOption {
	if key == nil {
		return nil
	}
	none := key.ToStringOutput().ApplyT(func(string) []pulumi.Resource { return nil }) // it depends on what the key depends on
	return []pulumi.ResourceOption{pulumi.DependsOnInputs(none.(pulumi.ResourceArrayOutput))}
}

// locked is true or nil: a bucket without a lock leaves the setting out.
func locked(args Args) pulumi.BoolPtrInput {
	if args.Lock == nil {
		return nil
	}
	return pulumi.Bool(true)
}

func (b *Bucket) encrypt(ctx *pulumi.Context, name string, key pulumi.StringInput, opts []pulumi.ResourceOption) error {
	rule := &s3.BucketServerSideEncryptionConfigurationV2RuleArgs{}
	by := &s3.BucketServerSideEncryptionConfigurationV2RuleApplyServerSideEncryptionByDefaultArgs{SseAlgorithm: pulumi.String("AES256")}
	if key != nil {
		by.SseAlgorithm, by.KmsMasterKeyId = pulumi.String("aws:kms"), key.ToStringOutput().ToStringPtrOutput()
		rule.BucketKeyEnabled = pulumi.Bool(true)
	}
	rule.ApplyServerSideEncryptionByDefault = by
	e, err := s3.NewBucketServerSideEncryptionConfigurationV2(ctx, name, &s3.BucketServerSideEncryptionConfigurationV2Args{
		Bucket: b.Bucket.ID(),
		Rules:  s3.BucketServerSideEncryptionConfigurationV2RuleArray{rule},
	}, opts...)
	if err != nil {
		return fmt.Errorf("encrypting bucket %s: %w", name, err)
	}
	b.Settings = append(b.Settings, e)
	return nil
}

// keep sets how long objects and old versions stay.
func (b *Bucket) keep(ctx *pulumi.Context, name string, args Args, opts []pulumi.ResourceOption) error {
	rule := &s3.BucketLifecycleConfigurationV2RuleArgs{
		Id:     pulumi.String("keep"),
		Status: pulumi.String("Enabled"),
		Filter: &s3.BucketLifecycleConfigurationV2RuleFilterArgs{Prefix: pulumi.String("")},
		AbortIncompleteMultipartUpload: &s3.BucketLifecycleConfigurationV2RuleAbortIncompleteMultipartUploadArgs{
			DaysAfterInitiation: pulumi.Int(7),
		},
	}
	if args.ExpireDays > 0 {
		rule.Expiration = &s3.BucketLifecycleConfigurationV2RuleExpirationArgs{Days: pulumi.Int(args.ExpireDays)}
	}
	var cold s3.BucketLifecycleConfigurationV2RuleTransitionArray
	for _, class := range slices.SortedFunc(maps.Keys(args.Cold), func(a, b string) int { return args.Cold[a] - args.Cold[b] }) {
		cold = append(cold, &s3.BucketLifecycleConfigurationV2RuleTransitionArgs{Days: pulumi.Int(args.Cold[class]), StorageClass: pulumi.String(class)})
	}
	if len(cold) > 0 {
		rule.Transitions = cold
	}
	lifecycleOpts := opts
	if args.Versioned {
		v, err := s3.NewBucketVersioningV2(ctx, name, &s3.BucketVersioningV2Args{
			Bucket:                  b.Bucket.ID(),
			VersioningConfiguration: &s3.BucketVersioningV2VersioningConfigurationArgs{Status: pulumi.String("Enabled")},
		}, opts...)
		if err != nil {
			return fmt.Errorf("versioning bucket %s: %w", name, err)
		}
		if args.NoncurrentDays > 0 {
			rule.NoncurrentVersionExpiration = &s3.BucketLifecycleConfigurationV2RuleNoncurrentVersionExpirationArgs{
				NoncurrentDays: pulumi.Int(args.NoncurrentDays),
			}
		}
		lifecycleOpts = slices.Concat(opts, []pulumi.ResourceOption{pulumi.DependsOn([]pulumi.Resource{v})})
		b.Settings = append(b.Settings, v)
		if err := b.lock(ctx, name, args.Lock, lifecycleOpts); err != nil {
			return err
		}
	}
	_, err := s3.NewBucketLifecycleConfigurationV2(ctx, name, &s3.BucketLifecycleConfigurationV2Args{
		Bucket: b.Bucket.ID(),
		Rules:  s3.BucketLifecycleConfigurationV2RuleArray{rule},
	}, lifecycleOpts...)
	if err != nil {
		return fmt.Errorf("setting the lifecycle of bucket %s: %w", name, err)
	}
	return nil
}

// lock sets the default retention. S3 wants versions first.
func (b *Bucket) lock(ctx *pulumi.Context, name string, l *Lock, opts []pulumi.ResourceOption) error {
	if l == nil {
		return nil
	}
	r, err := s3.NewBucketObjectLockConfigurationV2(ctx, name, &s3.BucketObjectLockConfigurationV2Args{
		Bucket: b.Bucket.ID(),
		Rule: &s3.BucketObjectLockConfigurationV2RuleArgs{DefaultRetention: &s3.BucketObjectLockConfigurationV2RuleDefaultRetentionArgs{
			Mode: pulumi.String(l.Mode), Days: pulumi.Int(l.Days),
		}},
	}, opts...)
	if err != nil {
		return fmt.Errorf("locking bucket %s: %w", name, err)
	}
	b.Settings = append(b.Settings, r)
	return nil
}

func document(b *s3.BucketV2, args Args) pulumi.StringOutput {
	return policy.Output(func(values []string) policy.Document {
		arn := values[0]
		d := policy.Document{{
			Sid:       "TLSOnly",
			Effect:    policy.Deny,
			Principal: &policy.Principal{Everyone: true},
			Action:    policy.Strings{"s3:*"},
			Resource:  policy.Strings{arn, arn + "/*"},
			Condition: policy.Conditions{"Bool": {"aws:SecureTransport": {"false"}}},
		}}
		if args.Statements != nil {
			d = append(d, args.Statements(arn, values[1:])...)
		}
		return d
	}, append([]pulumi.StringInput{b.Arn}, args.Values...)...)
}
