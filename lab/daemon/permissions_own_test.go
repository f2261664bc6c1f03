//go:build linux

package daemon_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/backup"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"storefront/lab/wire/wiretest"
)

// until asks again and again, for 20 seconds at most, and returns the last answer.
func until(t *testing.T, done func() bool) bool {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.After(20 * time.Second); ; {
		if done() {
			return true
		}
		select {
		case <-end:
			return false
		case <-tick.C:
		}
	}
}

// The access policy of a vault decides like that of any resource.
func TestVaultPoliciesDecide(t *testing.T) {
	g := guard(t)
	ctx := t.Context()
	owner, vault := backup.NewFromConfig(g.Config), aws.String("orders")
	wiretest.Must(owner.CreateBackupVault(ctx, &backup.CreateBackupVaultInput{BackupVaultName: vault}))
	admin, guest := backup.NewFromConfig(g.user("admin", allow("backup:*", "*"))), backup.NewFromConfig(g.user("guest"))
	describe := func(c *backup.Client) error {
		_, err := c.DescribeBackupVault(ctx, &backup.DescribeBackupVaultInput{BackupVaultName: vault})
		return err
	}
	check(t, "a guest describes", "AccessDeniedException: "+me+"guest is not authorized to perform: backup:DescribeBackupVault", describe(guest))
	wiretest.Must(owner.PutBackupVaultAccessPolicy(ctx, &backup.PutBackupVaultAccessPolicyInput{BackupVaultName: vault, Policy: statement(
		`"Effect":"Allow","Principal":{"AWS":"` + me + `guest"},"Action":"backup:DescribeBackupVault","Resource":"*"},{"Effect":"Deny","Principal":"*","Action":"backup:DeleteBackupVault","Resource":"*"`)}))
	check(t, "a guest describes whom the vault lets", "", describe(guest))
	remove := func() error {
		_, err := admin.DeleteBackupVault(ctx, &backup.DeleteBackupVaultInput{BackupVaultName: vault})
		return err
	}
	check(t, "an administrator deletes what the vault keeps", "AccessDeniedException: with an explicit deny in a resource-based policy", remove())
	wiretest.Must(admin.DeleteBackupVaultAccessPolicy(ctx, &backup.DeleteBackupVaultAccessPolicyInput{BackupVaultName: vault}))
	check(t, "an administrator deletes", "", remove())
}

// What S3 does on its own needs the permissions that it needs on AWS: replication those of its role, an inventory that of the bucket's policy.
func TestServicesOnTheirOwn(t *testing.T) {
	g := guard(t)
	ctx := t.Context()
	c := objects(g.Config)
	for _, b := range []string{"source", "replica", "reports"} {
		wiretest.Must(c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &b}))
		wiretest.Must(c.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: &b, VersioningConfiguration: &s3types.VersioningConfiguration{Status: "Enabled"}}))
	}
	roles := iam.NewFromConfig(g.Config)
	role := wiretest.Must(roles.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("replication"), AssumeRolePolicyDocument: statement(`"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole"`)})).Role
	wiretest.Must(c.PutBucketReplication(ctx, &s3.PutBucketReplicationInput{Bucket: aws.String("source"), ReplicationConfiguration: &s3types.ReplicationConfiguration{Role: role.Arn, Rules: []s3types.ReplicationRule{{
		Status: "Enabled", Priority: aws.Int32(1), Filter: &s3types.ReplicationRuleFilter{Prefix: aws.String("")}, DeleteMarkerReplication: &s3types.DeleteMarkerReplication{Status: "Disabled"},
		Destination: &s3types.Destination{Bucket: aws.String("arn:aws:s3:::replica")}}}}}))
	copied := func() (status s3types.ReplicationStatus) {
		t.Helper()
		wiretest.Must(c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("source"), Key: aws.String("k"), Body: strings.NewReader("x")}))
		until(t, func() bool {
			status = wiretest.Must(c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: aws.String("source"), Key: aws.String("k")})).ReplicationStatus
			return status != "PENDING"
		})
		return status
	}
	if got := copied(); got != "FAILED" {
		t.Errorf("in a role without permissions: %s", got)
	}
	wiretest.Must(roles.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: aws.String("replication"), PolicyName: aws.String("p"), PolicyDocument: statement(
		`"Effect":"Allow","Action":["s3:GetReplicationConfiguration","s3:ListBucket","s3:GetObjectVersionForReplication","s3:GetObjectVersionAcl"],"Resource":["arn:aws:s3:::source","arn:aws:s3:::source/*"]},
		{"Effect":"Allow","Action":"s3:ReplicateObject","Resource":"arn:aws:s3:::replica/*"`)}))
	if got := copied(); got != "COMPLETED" {
		t.Errorf("in a role with permissions: %s", got)
	}

	wiretest.Must(c.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: aws.String("reports"), Policy: statement(`"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::reports/*",
		"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:s3:::source"},"StringEquals":{"aws:SourceAccount":"000000000000","s3:x-amz-acl":"bucket-owner-full-control"}}`)}))
	wiretest.Must(c.PutBucketInventoryConfiguration(ctx, &s3.PutBucketInventoryConfigurationInput{Bucket: aws.String("source"), Id: aws.String("daily"), InventoryConfiguration: &s3types.InventoryConfiguration{
		Id: aws.String("daily"), IsEnabled: aws.Bool(true), IncludedObjectVersions: "All", Schedule: &s3types.InventorySchedule{Frequency: "Daily"},
		Destination: &s3types.InventoryDestination{S3BucketDestination: &s3types.InventoryS3BucketDestination{Bucket: aws.String("arn:aws:s3:::reports"), Format: "CSV"}}}}))
	var files int
	if !until(t, func() bool {
		files = len(wiretest.Must(c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: aws.String("reports"), Prefix: aws.String("source/daily/")})).Contents)
		return files == 4
	}) {
		t.Errorf("the first report has %d files", files)
	}
}
