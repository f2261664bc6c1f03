package backup_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/backup"
	"storefront/components/internal/componenttest"
)

const (
	key     = "arn:aws:kms:us-east-1:123456789012:key/k"
	cluster = "arn:aws:rds:us-east-1:123456789012:cluster:shop"
	source  = "arn:aws:s3:::shop-0a1b2c3"
	replica = "arn:aws:s3:::shop-replica-0a1b2c3"
	reports = "arn:aws:s3:::shop-reports-0a1b2c3"
)

func args() *backup.Args {
	return &backup.Args{Region: componenttest.Region, AccountID: pulumi.String(componenttest.Account), KeyARN: pulumi.String(key), ClusterARN: pulumi.String(cluster)}
}

func run(t *testing.T, a *backup.Args) *componenttest.Recorder {
	t.Helper()
	return componenttest.Run(t, func(ctx *pulumi.Context, p *aws.Provider) error {
		_, err := backup.New(ctx, "shop", a, pulumi.Provider(p))
		return err
	})
}

func TestBackup(t *testing.T) {
	r := run(t, args())
	r.CheckTree(t, "shop")
	r.GoldenURNs(t, "testdata/urns.txt")
	want := map[string]int{
		"aws:s3/bucketV2:BucketV2": 3, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": 3, "aws:s3/bucketPolicy:BucketPolicy": 3,
		"aws:s3/bucketOwnershipControls:BucketOwnershipControls": 3, "aws:s3/bucketVersioningV2:BucketVersioningV2": 2,
		"aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2": 3,
		"aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2":                       3,
		"aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2":                     2,
		"aws:s3/bucketReplicationConfig:BucketReplicationConfig":                                     1,
		"aws:s3/inventory:Inventory": 1, "aws:iam/role:Role": 2, "aws:iam/rolePolicy:RolePolicy": 2,
		"aws:backup/vault:Vault": 1, "aws:backup/vaultPolicy:VaultPolicy": 1, "aws:backup/plan:Plan": 1, "aws:backup/selection:Selection": 1,
	}
	r.CheckCounts(t, want)
}

func TestBuckets(t *testing.T) {
	a := args()
	a.Mode, a.LockDays, a.KeepDays = backup.Compliance, 30, 400
	r := run(t, a)
	for _, name := range []string{"shop", "shop-replica"} {
		r.One(t, "aws:s3/bucketV2:BucketV2", name).CheckInputs(t, map[string]any{"objectLockEnabled": true, "forceDestroy": false})
		r.One(t, "aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2", name).CheckInputs(t, map[string]any{
			"rule.defaultRetention.mode": "COMPLIANCE", "rule.defaultRetention.days": 30.0,
		})
		r.One(t, "aws:s3/bucketServerSideEncryptionConfigurationV2:BucketServerSideEncryptionConfigurationV2", name).CheckInputs(t, map[string]any{
			"rules[0].applyServerSideEncryptionByDefault.sseAlgorithm": "aws:kms", "rules[0].applyServerSideEncryptionByDefault.kmsMasterKeyId": key, "rules[0].bucketKeyEnabled": true,
		})
		r.One(t, "aws:s3/bucketLifecycleConfigurationV2:BucketLifecycleConfigurationV2", name).CheckInputs(t, map[string]any{
			"rules[0].transitions[0].storageClass": "GLACIER_IR", "rules[0].transitions[0].days": 30.0, "rules[0].expiration.days": 400.0,
			"rules[0].noncurrentVersionExpiration.noncurrentDays": 30.0, "rules[0].abortIncompleteMultipartUpload.daysAfterInitiation": 7.0,
		})
		arn := "arn:aws:s3:::" + name + "-0a1b2c3"
		r.One(t, "aws:s3/bucketPolicy:BucketPolicy", name).CheckInputs(t, map[string]any{"policy": `{"Version":"2012-10-17","Statement":[` +
			`{"Sid":"TLSOnly","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["` + arn + `","` + arn + `/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}},` +
			`{"Sid":"OwnEncryptionOnly","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"` + arn + `/*","Condition":{"Null":{"s3:x-amz-server-side-encryption":"false"},"StringNotEquals":{"s3:x-amz-server-side-encryption":"aws:kms"}}},` +
			`{"Sid":"OwnKeyOnly","Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"` + arn + `/*","Condition":{"Null":{"s3:x-amz-server-side-encryption-aws-kms-key-id":"false"},"StringNotEquals":{"s3:x-amz-server-side-encryption-aws-kms-key-id":"` + key + `"}}}]}`})
	}
	r.One(t, "aws:s3/inventory:Inventory", "shop").CheckInputs(t, map[string]any{
		"bucket": "shop-0a1b2c3", "destination.bucket.bucketArn": reports, "includedObjectVersions": "All", "schedule.frequency": "Weekly", "destination.bucket.format": "CSV",
	})
	r.One(t, "aws:s3/bucketPolicy:BucketPolicy", "shop-reports").CheckInputs(t, map[string]any{"policy": `{"Version":"2012-10-17","Statement":[` +
		`{"Sid":"TLSOnly","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["` + reports + `","` + reports + `/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}},` +
		`{"Sid":"Inventory","Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"s3:PutObject","Resource":"` + reports + `/inventory/*",` +
		`"Condition":{"ArnLike":{"aws:SourceArn":"` + source + `"},"StringEquals":{"aws:SourceAccount":"123456789012","s3:x-amz-acl":"bucket-owner-full-control"}}}]}`})
}

func TestReplication(t *testing.T) {
	r := run(t, args())
	c := r.One(t, "aws:s3/bucketReplicationConfig:BucketReplicationConfig", "shop")
	c.CheckInputs(t, map[string]any{
		"bucket": "shop-0a1b2c3", "role": "arn:aws:iam::123456789012:role/shop-replication", "rules[0].status": "Enabled", "rules[0].filter.prefix": "",
		"rules[0].deleteMarkerReplication.status": "Disabled", "rules[0].sourceSelectionCriteria.sseKmsEncryptedObjects.status": "Enabled",
		"rules[0].destination.bucket": replica, "rules[0].destination.encryptionConfiguration.replicaKmsKeyId": key,
	})
	if !slices.Contains(c.DependsOn, "shop-replication") {
		t.Errorf("replication depends on %v, not on what its role may", c.DependsOn)
	}
	r.One(t, "aws:iam/role:Role", "shop-replication").CheckInputs(t, map[string]any{"assumeRolePolicy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
		`"Principal":{"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"ArnLike":{"aws:SourceArn":"` + source + `"},"StringEquals":{"aws:SourceAccount":"123456789012"}}}]}`})
	via := func(actions, bucket string) string {
		return `{"Effect":"Allow","Action":` + actions + `,"Resource":"` + key + `","Condition":{"StringEquals":{"kms:ViaService":"s3.us-east-1.amazonaws.com"},` +
			`"StringLike":{"kms:EncryptionContext:aws:s3:arn":["` + bucket + `","` + bucket + `/*"]}}}`
	}
	r.One(t, "aws:iam/rolePolicy:RolePolicy", "shop-replication").CheckInputs(t, map[string]any{"policy": `{"Version":"2012-10-17","Statement":[` +
		`{"Effect":"Allow","Action":["s3:GetReplicationConfiguration","s3:ListBucket"],"Resource":"` + source + `"},` +
		`{"Effect":"Allow","Action":["s3:GetObjectLegalHold","s3:GetObjectRetention","s3:GetObjectVersionAcl","s3:GetObjectVersionForReplication","s3:GetObjectVersionTagging"],"Resource":"` + source + `/*"},` +
		`{"Effect":"Allow","Action":["s3:ReplicateObject","s3:ReplicateTags"],"Resource":"` + replica + `/*"},` +
		via(`"kms:Decrypt"`, source) + `,` + via(`["kms:Encrypt","kms:GenerateDataKey"]`, replica) + `]}`})
}

func TestVault(t *testing.T) {
	a := args()
	a.VaultLock, a.VaultDays, a.ClusterKeyARN = true, 14, pulumi.String(key+"-cluster")
	r := run(t, a)
	r.One(t, "aws:backup/vault:Vault", "shop").CheckInputs(t, map[string]any{"kmsKeyArn": key, "forceDestroy": false})
	const own = `{"Sid":"OwnAccountOnly","Effect":"Deny","Principal":"*","Action":"backup:*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalAccount":"123456789012"}}}`
	r.One(t, "aws:backup/vaultPolicy:VaultPolicy", "shop").CheckInputs(t, map[string]any{"backupVaultName": "shop", "policy": `{"Version":"2012-10-17","Statement":[` + own +
		`,{"Sid":"KeepSnapshots","Effect":"Deny","Principal":"*","Action":["backup:DeleteRecoveryPoint","backup:UpdateRecoveryPointLifecycle"],"Resource":"*"}]}`})
	r.One(t, "aws:backup/vaultLockConfiguration:VaultLockConfiguration", "shop").CheckInputs(t, map[string]any{"minRetentionDays": 14.0, "changeableForDays": 3.0})
	r.One(t, "aws:backup/plan:Plan", "shop").CheckInputs(t, map[string]any{
		"rules[0].targetVaultName": "shop", "rules[0].schedule": "cron(0 5 ? * * *)", "rules[0].lifecycle.deleteAfter": 14.0, "rules[0].lifecycle.coldStorageAfter": nil,
	})
	s := r.One(t, "aws:backup/selection:Selection", "shop")
	s.CheckInputs(t, map[string]any{"resources[0]": cluster, "iamRoleArn": "arn:aws:iam::123456789012:role/shop-snapshots"})
	if !slices.Contains(s.DependsOn, "shop-snapshots") {
		t.Errorf("the selection depends on %v, not on what its role may", s.DependsOn)
	}
	r.One(t, "aws:iam/role:Role", "shop-snapshots").CheckInputs(t, map[string]any{"assumeRolePolicy": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
		`"Principal":{"Service":"backup.amazonaws.com"},"Action":"sts:AssumeRole","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:backup:us-east-1:123456789012:*"},"StringEquals":{"aws:SourceAccount":"123456789012"}}}]}`})
	r.One(t, "aws:iam/rolePolicy:RolePolicy", "shop-snapshots").CheckInputs(t, map[string]any{"policy": `{"Version":"2012-10-17","Statement":[` +
		`{"Effect":"Allow","Action":["rds:CreateDBClusterSnapshot","rds:DescribeDBClusters","rds:ListTagsForResource"],"Resource":"` + cluster + `"},` +
		`{"Effect":"Allow","Action":["rds:AddTagsToResource","rds:CreateDBClusterSnapshot","rds:DeleteDBClusterSnapshot","rds:DescribeDBClusterSnapshots","rds:ListTagsForResource"],` +
		`"Resource":"arn:aws:rds:us-east-1:123456789012:cluster-snapshot:awsbackup:*"},` +
		`{"Effect":"Allow","Action":["kms:CreateGrant","kms:DescribeKey"],"Resource":"` + key + `-cluster","Condition":{"StringEquals":{"kms:ViaService":"rds.us-east-1.amazonaws.com"}}}]}`})

	a.ForceDestroy = true
	r = run(t, a)
	r.One(t, "aws:backup/vaultPolicy:VaultPolicy", "shop").CheckInputs(t, map[string]any{"policy": `{"Version":"2012-10-17","Statement":[` + own + `]}`})
	r.One(t, "aws:s3/bucketV2:BucketV2", "shop").CheckInputs(t, map[string]any{"forceDestroy": true})
}

// Who is told the bucket's name may write to it at once: what it writes is locked, encrypted and copied.
func TestBucketIsKnownWhenItIsReady(t *testing.T) {
	r := componenttest.Run(t, func(ctx *pulumi.Context, p *aws.Provider) error {
		b, err := backup.New(ctx, "shop", args(), pulumi.Provider(p))
		if err != nil {
			return err
		}
		a := args()
		a.ClusterARN = b.Bucket // any input that takes the name
		_, err = backup.New(ctx, "after", a, pulumi.Provider(p))
		return err
	})
	if got := r.One(t, "aws:backup/selection:Selection", "after").DependsOn; len(got) < 4 {
		t.Errorf("what has the name depends on %v", got)
	}
}

func TestRefusals(t *testing.T) {
	for name, change := range map[string]func(*backup.Args){
		"mode":      func(a *backup.Args) { a.Mode = "LOCKED" },
		"lock":      func(a *backup.Args) { a.LockDays = -1 },
		"retention": func(a *backup.Args) { a.LockDays, a.KeepDays = 30, 29 },
		"old":       func(a *backup.Args) { a.OldDays = -1 },
		"cold":      func(a *backup.Args) { a.ColdDays = 29 },
		"snapshots": func(a *backup.Args) { a.VaultDays = 36 },
		"schedule":  func(a *backup.Args) { a.Schedule = "rate(1 day)" },
	} {
		t.Run(name, func(t *testing.T) {
			a := args()
			change(a)
			_, err := componenttest.Try(func(ctx *pulumi.Context, p *aws.Provider) error {
				_, err := backup.New(ctx, "shop", a, pulumi.Provider(p))
				if !errors.Is(err, backup.ErrArgs) {
					t.Errorf("got %v, want ErrArgs", err)
				}
				return err
			})
			if err == nil {
				t.Error("no error")
			}
		})
	}
}
