package e2e

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// openGuards does to the guards of the stack what somebody would who wants to go unnoticed: a key is opened to everybody, the backups to the public and to an early end, and
// the trail ends and signs no more. It returns what a report of drift has to name: properties by resource.
func (d *deployment) openGuards(t *testing.T) map[string][]string {
	t.Helper()
	ctx := t.Context()
	must := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	key := d.out.KeyARNs["backups"]
	must(kms.NewFromConfig(d.aws).PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: &key, Policy: aws.String(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:*","Resource":"*"}]}`)}))
	buckets := s3.NewFromConfig(d.aws, func(o *s3.Options) { o.UsePathStyle = true })
	must(buckets.PutPublicAccessBlock(ctx, &s3.PutPublicAccessBlockInput{Bucket: &d.out.BackupBucket, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{BlockPublicAcls: aws.Bool(true)}}))
	must(buckets.PutObjectLockConfiguration(ctx, &s3.PutObjectLockConfigurationInput{Bucket: &d.out.BackupBucket, ObjectLockConfiguration: &types.ObjectLockConfiguration{ObjectLockEnabled: types.ObjectLockEnabledEnabled}}))
	trails := cloudtrail.NewFromConfig(d.aws)
	must(trails.UpdateTrail(ctx, &cloudtrail.UpdateTrailInput{Name: &d.out.AuditTrailARN, EnableLogFileValidation: aws.Bool(false)}))
	must(trails.StopLogging(ctx, &cloudtrail.StopLoggingInput{Name: &d.out.AuditTrailARN}))
	return map[string][]string{
		"aws:kms/key:Key": {"policy"},
		"aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock":                 {"blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"},
		"aws:s3/bucketObjectLockConfigurationV2:BucketObjectLockConfigurationV2": {"rule"},
		"aws:cloudtrail/trail:Trail":                                             {"enableLogFileValidation", "enableLogging"},
	}
}
