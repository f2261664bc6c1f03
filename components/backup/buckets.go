package backup

import (
	"fmt"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/bucket"
	"storefront/components/internal/naming"
	"storefront/components/internal/policy"
)

const (
	coldClass  = "GLACIER_IR" // read in milliseconds: a restore does not wait for hours
	reportDays = 90           // inventories are kept for
)

func (b *Backup) makeBuckets(ctx *pulumi.Context, child pulumi.ResourceOption) error {
	replica, err := bucket.New(ctx, b.name+"-replica", b.locked(), child)
	if err != nil {
		return err
	}
	source, err := bucket.New(ctx, b.name, b.locked(), child)
	if err != nil {
		return err
	}
	reports, err := bucket.New(ctx, b.name+"-reports", bucket.Args{
		ExpireDays: reportDays, ForceDestroy: b.args.ForceDestroy, Statements: takeInventory, Values: []pulumi.StringInput{source.Bucket.Arn, b.args.AccountID},
	}, child)
	if err != nil {
		return err
	}
	ready, err := b.replicate(ctx, source, replica, child)
	if err != nil {
		return err
	}
	_, err = s3.NewInventory(ctx, b.name, &s3.InventoryArgs{
		Bucket:                 source.Bucket.ID(),
		Name:                   pulumi.String("weekly"),
		IncludedObjectVersions: pulumi.String("All"),
		Schedule:               &s3.InventoryScheduleArgs{Frequency: pulumi.String("Weekly")},
		OptionalFields: pulumi.ToStringArray([]string{
			"ETag", "EncryptionStatus", "LastModifiedDate", "ObjectLockLegalHoldStatus", "ObjectLockMode", "ObjectLockRetainUntilDate", "ReplicationStatus", "Size", "StorageClass",
		}),
		Destination: &s3.InventoryDestinationArgs{Bucket: &s3.InventoryDestinationBucketArgs{
			BucketArn: reports.Bucket.Arn, Format: pulumi.String("CSV"), Prefix: pulumi.String("inventory"), AccountId: b.args.AccountID.ToStringOutput().ToStringPtrOutput(),
			Encryption: &s3.InventoryDestinationBucketEncryptionArgs{SseS3: &s3.InventoryDestinationBucketEncryptionSseS3Args{}},
		}},
	}, child, pulumi.DependsOn([]pulumi.Resource{reports.Policy}))
	if err != nil {
		return fmt.Errorf("asking for inventories: %w", err)
	}
	b.Bucket = pulumi.All(source.Bucket.Bucket, ready).ApplyT(func(v []any) string { return v[0].(string) }).(pulumi.StringOutput)
	b.ARNs = pulumi.StringArray{source.Bucket.Arn, replica.Bucket.Arn}
	b.Replica, b.Reports = replica.Bucket.Bucket, reports.Bucket.Bucket
	return nil
}

// locked describes both buckets of dumps.
func (b *Backup) locked() bucket.Args {
	return bucket.Args{
		Versioned: true, ExpireDays: b.args.KeepDays, NoncurrentDays: b.args.OldDays, ForceDestroy: b.args.ForceDestroy, KeyARN: b.args.KeyARN,
		Lock: &bucket.Lock{Mode: b.args.Mode, Days: b.args.LockDays}, Cold: map[string]int{coldClass: b.args.ColdDays},
		Statements: ownKeyOnly, Values: []pulumi.StringInput{b.args.KeyARN},
	}
}

// ownKeyOnly refuses to store anything that asks for another encryption than the bucket's. A request that names none gets that of the bucket: a condition holds for a key
// that is not there, so each asks first whether it is.
func ownKeyOnly(arn string, v []string) policy.Document {
	other := func(sid, key, value string) policy.Statement {
		return policy.Statement{
			Sid: sid, Effect: policy.Deny, Principal: &policy.Principal{Everyone: true}, Action: policy.Strings{"s3:PutObject"}, Resource: policy.Strings{arn + "/*"},
			Condition: policy.Conditions{"Null": {key: {"false"}}, "StringNotEquals": {key: {value}}},
		}
	}
	return policy.Document{
		other("OwnEncryptionOnly", "s3:x-amz-server-side-encryption", "aws:kms"),
		other("OwnKeyOnly", "s3:x-amz-server-side-encryption-aws-kms-key-id", v[0]),
	}
}

// takeInventory lets S3 deliver inventories of one bucket: "Granting permissions for S3 Inventory and S3 analytics".
func takeInventory(arn string, v []string) policy.Document {
	on := policy.OnBehalfOf(v[1], v[0])
	on["StringEquals"]["s3:x-amz-acl"] = policy.Strings{"bucket-owner-full-control"}
	return policy.Document{{
		Sid: "Inventory", Effect: policy.Allow, Principal: &policy.Principal{Service: policy.Strings{"s3.amazonaws.com"}}, Action: policy.Strings{"s3:PutObject"},
		Resource: policy.Strings{arn + "/inventory/*"}, Condition: on,
	}}
}

// replicate copies every new version, and no delete marker: who hides a dump hides it in one place. The output returned is known when it is so.
func (b *Backup) replicate(ctx *pulumi.Context, source, replica *bucket.Bucket, child pulumi.ResourceOption) (pulumi.IDOutput, error) {
	role, err := iam.NewRole(ctx, naming.Logical(naming.RoleLimit, b.name, "replication"), &iam.RoleArgs{
		Description: pulumi.String("Replication of " + b.name),
		AssumeRolePolicy: policy.Output(func(v []string) policy.Document {
			return policy.Trust("s3.amazonaws.com", policy.OnBehalfOf(v[1], v[0]))
		}, source.Bucket.Arn, b.args.AccountID),
	}, child)
	if err != nil {
		return pulumi.IDOutput{}, fmt.Errorf("creating the role of replication: %w", err)
	}
	may, err := iam.NewRolePolicy(ctx, b.name+"-replication", &iam.RolePolicyArgs{
		Role:   role.ID(),
		Policy: policy.Output(b.replicationPolicy, source.Bucket.Arn, replica.Bucket.Arn, b.args.KeyARN),
	}, child)
	if err != nil {
		return pulumi.IDOutput{}, fmt.Errorf("letting the role replicate: %w", err)
	}
	r, err := s3.NewBucketReplicationConfig(ctx, b.name, &s3.BucketReplicationConfigArgs{
		Bucket: source.Bucket.ID(),
		Role:   role.Arn,
		Rules: s3.BucketReplicationConfigRuleArray{&s3.BucketReplicationConfigRuleArgs{
			Id: pulumi.String("all"), Status: pulumi.String("Enabled"), Priority: pulumi.Int(1),
			Filter:                  &s3.BucketReplicationConfigRuleFilterArgs{Prefix: pulumi.String("")},
			DeleteMarkerReplication: &s3.BucketReplicationConfigRuleDeleteMarkerReplicationArgs{Status: pulumi.String("Disabled")},
			SourceSelectionCriteria: &s3.BucketReplicationConfigRuleSourceSelectionCriteriaArgs{
				SseKmsEncryptedObjects: &s3.BucketReplicationConfigRuleSourceSelectionCriteriaSseKmsEncryptedObjectsArgs{Status: pulumi.String("Enabled")},
			},
			Destination: &s3.BucketReplicationConfigRuleDestinationArgs{
				Bucket:                  replica.Bucket.Arn,
				EncryptionConfiguration: &s3.BucketReplicationConfigRuleDestinationEncryptionConfigurationArgs{ReplicaKmsKeyId: b.args.KeyARN},
			},
		}},
	}, child, pulumi.DependsOn(slices.Concat(source.Settings, replica.Settings, []pulumi.Resource{may})))
	if err != nil {
		return pulumi.IDOutput{}, fmt.Errorf("replicating: %w", err)
	}
	return r.ID(), nil
}

// replicationPolicy is that of "Setting up permissions for live replication", for one pair of buckets. With a bucket key, S3 gives KMS the bucket as context.
func (b *Backup) replicationPolicy(v []string) policy.Document {
	source, replica, key := v[0], v[1], v[2]
	use := func(bucket string, actions ...string) policy.Statement {
		return policy.Statement{Action: actions, Resource: policy.Strings{key}, Condition: policy.Conditions{
			"StringEquals": {"kms:ViaService": {"s3." + b.args.Region + ".amazonaws.com"}},
			"StringLike":   {"kms:EncryptionContext:aws:s3:arn": {bucket, bucket + "/*"}},
		}}
	}
	return policy.Document{
		{Action: policy.Strings{"s3:GetReplicationConfiguration", "s3:ListBucket"}, Resource: policy.Strings{source}},
		{
			Action: policy.Strings{
				"s3:GetObjectLegalHold", "s3:GetObjectRetention", "s3:GetObjectVersionAcl", "s3:GetObjectVersionForReplication", "s3:GetObjectVersionTagging",
			},
			Resource: policy.Strings{source + "/*"},
		},
		{Action: policy.Strings{"s3:ReplicateObject", "s3:ReplicateTags"}, Resource: policy.Strings{replica + "/*"}},
		use(source, "kms:Decrypt"),
		use(replica, "kms:Encrypt", "kms:GenerateDataKey"),
	}
}
