package s3_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func TestBucketNames(t *testing.T) {
	f := serve(t)
	for _, name := range []string{"ab", strings.Repeat("a", 64), "Upper", "under_score", "-dash", "dash-", "two..dots", "192.168.0.1", "xn--x", "a-s3alias"} {
		_, err := f.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &name})
		wantCode(t, err, "InvalidBucketName")
	}
	for _, name := range []string{"abc", "my.bucket-1", strings.Repeat("a", 63)} {
		f.bucket(t, name)
	}
}

func TestBucketLife(t *testing.T) {
	f := serve(t)
	_, err := f.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: str("absent")})
	wantCode(t, err, "NotFound")
	b := f.bucket(t, "shop")
	_, err = f.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: b})
	if e, ok := errors.AsType[*types.BucketAlreadyOwnedByYou](err); !ok {
		t.Errorf("got %v, want %T", err, e)
	}
	head := must(f.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: b}))(t)
	if *head.BucketRegion != "us-east-1" {
		t.Errorf("got region %s", *head.BucketRegion)
	}
	if l := must(f.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: b}))(t); l.LocationConstraint != "" {
		t.Errorf("got location %q, want none in us-east-1", l.LocationConstraint)
	}
	_, err = f.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: str("far"), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"}})
	wantCode(t, err, "IllegalLocationConstraintException")
	f.bucket(t, "blog")
	list := must(f.ListBuckets(ctx, nil))(t)
	if len(list.Buckets) != 2 || *list.Buckets[0].Name != "blog" || *list.Buckets[1].Name != "shop" {
		t.Errorf("got %+v", list.Buckets)
	}
	f.put(t, b, "k", "v")
	_, err = f.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: b})
	wantCode(t, err, "BucketNotEmpty")
	must(f.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: b, Key: str("k")}))(t)
	must(f.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: b}))(t)
	_, err = f.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: b})
	wantCode(t, err, "NoSuchBucket")
}

// TestUnsetConfigurations checks what infrastructure tools read of a new bucket.
func TestUnsetConfigurations(t *testing.T) {
	f := serve(t)
	b := f.bucket(t, "fresh")
	for code, call := range map[string]func() error{
		"NoSuchBucketPolicy":         func() error { _, err := f.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: b}); return err },
		"NoSuchTagSet":               func() error { _, err := f.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: b}); return err },
		"NoSuchCORSConfiguration":    func() error { _, err := f.GetBucketCors(ctx, &s3.GetBucketCorsInput{Bucket: b}); return err },
		"NoSuchWebsiteConfiguration": func() error { _, err := f.GetBucketWebsite(ctx, &s3.GetBucketWebsiteInput{Bucket: b}); return err },
		"ReplicationConfigurationNotFoundError": func() error {
			_, err := f.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: b})
			return err
		},
		"NoSuchLifecycleConfiguration": func() error {
			_, err := f.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: b})
			return err
		},
		"ObjectLockConfigurationNotFoundError": func() error {
			_, err := f.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: b})
			return err
		},
	} {
		wantCode(t, call(), code)
	}
	if v := must(f.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: b}))(t); v.Status != "" {
		t.Errorf("got versioning %q", v.Status)
	}
	e := must(f.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: b}))(t)
	if r := e.ServerSideEncryptionConfiguration.Rules; len(r) != 1 || r[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm != "AES256" {
		t.Errorf("got encryption %+v", r)
	}
	p := must(f.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: b}))(t).PublicAccessBlockConfiguration
	if !*p.BlockPublicAcls || !*p.BlockPublicPolicy || !*p.IgnorePublicAcls || !*p.RestrictPublicBuckets {
		t.Errorf("got %+v", p)
	}
	o := must(f.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: b}))(t)
	if o.OwnershipControls.Rules[0].ObjectOwnership != types.ObjectOwnershipBucketOwnerEnforced {
		t.Errorf("got %+v", o.OwnershipControls)
	}
	acl := must(f.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: b}))(t)
	if len(acl.Grants) != 1 || acl.Grants[0].Permission != "FULL_CONTROL" || *acl.Grants[0].Grantee.ID != *acl.Owner.ID || acl.Grants[0].Grantee.Type != "CanonicalUser" {
		t.Errorf("got %+v", acl)
	}
	if r := must(f.GetBucketRequestPayment(ctx, &s3.GetBucketRequestPaymentInput{Bucket: b}))(t); r.Payer != "BucketOwner" {
		t.Errorf("got %s", r.Payer)
	}
	if l := must(f.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: b}))(t); l.LoggingEnabled != nil {
		t.Errorf("got %+v", l)
	}
	must(f.GetBucketAccelerateConfiguration(ctx, &s3.GetBucketAccelerateConfigurationInput{Bucket: b}))(t)
	must(f.GetBucketNotificationConfiguration(ctx, &s3.GetBucketNotificationConfigurationInput{Bucket: b}))(t)
	if m := must(f.ListBucketMetricsConfigurations(ctx, &s3.ListBucketMetricsConfigurationsInput{Bucket: b}))(t); *m.IsTruncated || len(m.MetricsConfigurationList) != 0 {
		t.Errorf("got %+v", m)
	}
}

func TestDeletedConfigurations(t *testing.T) {
	f := serve(t)
	b := f.bucket(t, "bare")
	must(f.DeletePublicAccessBlock(ctx, &s3.DeletePublicAccessBlockInput{Bucket: b}))(t)
	_, err := f.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: b})
	wantCode(t, err, "NoSuchPublicAccessBlockConfiguration")
	must(f.DeleteBucketOwnershipControls(ctx, &s3.DeleteBucketOwnershipControlsInput{Bucket: b}))(t)
	_, err = f.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: b})
	wantCode(t, err, "OwnershipControlsNotFoundError")
}
