package s3_test

import (
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

func TestPolicy(t *testing.T) {
	f := serve(t)
	b := f.bucket(t, "guarded")
	put := func(policy string) error {
		_, err := f.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: b, Policy: &policy})
		return err
	}
	tlsOnly := `{"Version": "2012-10-17", "Statement": [{"Sid": "TLS", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
		"Resource": ["arn:aws:s3:::guarded", "arn:aws:s3:::guarded/*"], "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}`
	if err := put(tlsOnly); err != nil {
		t.Fatal(err)
	}
	got := must(f.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: b}))(t)
	want := `{"Version":"2012-10-17","Statement":[{"Sid":"TLS","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::guarded","arn:aws:s3:::guarded/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`
	if *got.Policy != want {
		t.Errorf("got  %s\nwant %s", *got.Policy, want)
	}
	for _, bad := range []string{
		`not json`,
		`{"Version":"2012-10-17"}`,
		`{"Version":"2020-01-01","Statement":[]}`,
		`{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::guarded"}]}`,
		`{"Statement":[{"Effect":"Allow","Principal":"nobody","Action":"s3:*","Resource":"arn:aws:s3:::guarded"}]}`,
		`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"s3:*","Resource":"arn:aws:s3:::other/*"}]}`,
		`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"ec2:*","Resource":"arn:aws:s3:::guarded"}]}`,
		`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Actions":"s3:*","Resource":"arn:aws:s3:::guarded"}]}`,
	} {
		wantCode(t, put(bad), "MalformedPolicy")
	}
	public := `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::guarded/*"}]}`
	wantCode(t, put(public), "AccessDenied")
	must(f.DeletePublicAccessBlock(ctx, &s3.DeletePublicAccessBlockInput{Bucket: b}))(t)
	if err := put(public); err != nil {
		t.Error(err)
	}
	if s := must(f.GetBucketPolicyStatus(ctx, &s3.GetBucketPolicyStatusInput{Bucket: b}))(t); !*s.PolicyStatus.IsPublic {
		t.Error("a policy for everybody is not public")
	}
	must(f.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: b}))(t)
	_, err := f.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: b})
	wantCode(t, err, "NoSuchBucketPolicy")
}

func TestLifecycle(t *testing.T) {
	f := serve(t)
	b := f.bucket(t, "aging")
	put := func(rules ...types.LifecycleRule) error {
		rules = append([]types.LifecycleRule{}, rules...) // the client refuses nil itself
		_, err := f.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: b, LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: rules}})
		return err
	}
	rules := []types.LifecycleRule{
		{ID: str("logs"), Status: "Enabled", Filter: &types.LifecycleRuleFilter{Prefix: str("logs/")}, Expiration: &types.LifecycleExpiration{Days: aws.Int32(30)},
			Transitions: []types.Transition{{Days: aws.Int32(10), StorageClass: "STANDARD_IA"}}},
		{ID: str("all"), Status: "Enabled", Filter: &types.LifecycleRuleFilter{Prefix: str("")}, AbortIncompleteMultipartUpload: &types.AbortIncompleteMultipartUpload{DaysAfterInitiation: aws.Int32(7)},
			NoncurrentVersionExpiration: &types.NoncurrentVersionExpiration{NoncurrentDays: aws.Int32(90)}},
		{ID: str("tagged"), Status: "Disabled", Filter: &types.LifecycleRuleFilter{And: &types.LifecycleRuleAndOperator{Prefix: str("a"), Tags: []types.Tag{{Key: str("k"), Value: str("v")}}}},
			Expiration: &types.LifecycleExpiration{ExpiredObjectDeleteMarker: aws.Bool(true)}},
	}
	if err := put(rules...); err != nil {
		t.Fatal(err)
	}
	got := must(f.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: b}))(t)
	if !reflect.DeepEqual(got.Rules, rules) || got.TransitionDefaultMinimumObjectSize != "all_storage_classes_128K" {
		t.Errorf("got %+v", got)
	}
	rule := func() types.LifecycleRule {
		return types.LifecycleRule{ID: str("r"), Status: "Enabled", Filter: &types.LifecycleRuleFilter{}}
	}
	noAction, zero, twice := rule(), rule(), rule()
	zero.Expiration = &types.LifecycleExpiration{Days: aws.Int32(0)}
	twice.Expiration = &types.LifecycleExpiration{Days: aws.Int32(1)}
	wantCode(t, put(noAction), "InvalidRequest")
	wantCode(t, put(zero), "InvalidArgument")
	wantCode(t, put(twice, twice), "InvalidArgument")
	wantCode(t, put(), "MalformedXML")
	must(f.DeleteBucketLifecycle(ctx, &s3.DeleteBucketLifecycleInput{Bucket: b}))(t)
	_, err := f.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: b})
	wantCode(t, err, "NoSuchLifecycleConfiguration")
}

func TestTagsCORSAndLogging(t *testing.T) {
	f := serve(t)
	b := f.bucket(t, "marked")
	tags := []types.Tag{{Key: str("env"), Value: str("lab")}, {Key: str("team"), Value: str("")}}
	must(f.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{Bucket: b, Tagging: &types.Tagging{TagSet: tags}}))(t)
	if got := must(f.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: b}))(t); !reflect.DeepEqual(got.TagSet, tags) {
		t.Errorf("got %+v", got.TagSet)
	}
	_, err := f.PutBucketTagging(ctx, &s3.PutBucketTaggingInput{Bucket: b, Tagging: &types.Tagging{TagSet: append(tags, tags...)}})
	wantCode(t, err, "InvalidTag")

	rules := []types.CORSRule{{AllowedMethods: []string{"GET"}, AllowedOrigins: []string{"https://shop.example"}, MaxAgeSeconds: aws.Int32(60)}}
	must(f.PutBucketCors(ctx, &s3.PutBucketCorsInput{Bucket: b, CORSConfiguration: &types.CORSConfiguration{CORSRules: rules}}))(t)
	if got := must(f.GetBucketCors(ctx, &s3.GetBucketCorsInput{Bucket: b}))(t); !reflect.DeepEqual(got.CORSRules, rules) {
		t.Errorf("got %+v", got.CORSRules)
	}

	log := &types.BucketLoggingStatus{LoggingEnabled: &types.LoggingEnabled{TargetBucket: str("nowhere"), TargetPrefix: str("s3/")}}
	_, err = f.PutBucketLogging(ctx, &s3.PutBucketLoggingInput{Bucket: b, BucketLoggingStatus: log})
	wantCode(t, err, "InvalidTargetBucketForLogging")
	log.LoggingEnabled.TargetBucket = f.bucket(t, "logs-here")
	must(f.PutBucketLogging(ctx, &s3.PutBucketLoggingInput{Bucket: b, BucketLoggingStatus: log}))(t)
	if got := must(f.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: b}))(t); *got.LoggingEnabled.TargetBucket != "logs-here" {
		t.Errorf("got %+v", got.LoggingEnabled)
	}
}

func TestAccessControlLists(t *testing.T) {
	f := serve(t)
	b := f.bucket(t, "listed")
	_, err := f.PutBucketAcl(ctx, &s3.PutBucketAclInput{Bucket: b, ACL: "public-read"})
	wantCode(t, err, "AccessControlListNotSupported")
	must(f.PutBucketOwnershipControls(ctx, &s3.PutBucketOwnershipControlsInput{Bucket: b, OwnershipControls: &types.OwnershipControls{Rules: []types.OwnershipControlsRule{{ObjectOwnership: "BucketOwnerPreferred"}}}}))(t)
	_, err = f.PutBucketAcl(ctx, &s3.PutBucketAclInput{Bucket: b, ACL: "public-read"})
	wantCode(t, err, "AccessDenied")
	must(f.PutBucketAcl(ctx, &s3.PutBucketAclInput{Bucket: b, ACL: "log-delivery-write"}))(t)
	if got := must(f.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: b}))(t); len(got.Grants) != 3 || got.Grants[1].Grantee.Type != "Group" || got.Grants[1].Permission != "WRITE" {
		t.Errorf("got %+v", got.Grants)
	}
	must(f.PutBucketAcl(ctx, &s3.PutBucketAclInput{Bucket: b, ACL: "private"}))(t)
	if got := must(f.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: b}))(t); len(got.Grants) != 1 {
		t.Errorf("got %+v", got.Grants)
	}
}

func TestRefusedConfigurations(t *testing.T) {
	f := serve(t)
	b := f.bucket(t, "refusing")
	_, err := f.PutBucketWebsite(ctx, &s3.PutBucketWebsiteInput{Bucket: b, WebsiteConfiguration: &types.WebsiteConfiguration{IndexDocument: &types.IndexDocument{Suffix: str("i")}}})
	wantCode(t, err, "NotImplemented")
	_, err = f.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{Bucket: b, NotificationConfiguration: &types.NotificationConfiguration{
		QueueConfigurations: []types.QueueConfiguration{{QueueArn: str("arn:aws:sqs:us-east-1:000000000000:q"), Events: []types.Event{"s3:ObjectCreated:*"}}}}})
	wantCode(t, err, "InvalidArgument")
	_, err = f.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: b, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
		Rules: []types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: "aws:kms"}}}}})
	wantCode(t, err, "NotImplemented")
	_, err = f.GetObjectTorrent(ctx, &s3.GetObjectTorrentInput{Bucket: b, Key: str("k")})
	wantCode(t, err, "NotImplemented")
	if got := f.server.Unsupported(); len(got) != 1 || got[0].Operation != "GET ?torrent" {
		t.Errorf("got %v", got)
	}
}

func TestNamedConfigurations(t *testing.T) {
	f := serve(t)
	b := f.bucket(t, "measured")
	must(f.PutBucketMetricsConfiguration(ctx, &s3.PutBucketMetricsConfigurationInput{Bucket: b, Id: str("all"), MetricsConfiguration: &types.MetricsConfiguration{Id: str("all")}}))(t)
	if got := must(f.ListBucketMetricsConfigurations(ctx, &s3.ListBucketMetricsConfigurationsInput{Bucket: b}))(t); len(got.MetricsConfigurationList) != 1 {
		t.Errorf("got %+v", got)
	}
	if got := must(f.GetBucketMetricsConfiguration(ctx, &s3.GetBucketMetricsConfigurationInput{Bucket: b, Id: str("all")}))(t); *got.MetricsConfiguration.Id != "all" {
		t.Errorf("got %+v", got)
	}
	must(f.DeleteBucketMetricsConfiguration(ctx, &s3.DeleteBucketMetricsConfigurationInput{Bucket: b, Id: str("all")}))(t)
	_, err := f.GetBucketMetricsConfiguration(ctx, &s3.GetBucketMetricsConfigurationInput{Bucket: b, Id: str("all")})
	wantCode(t, err, "NoSuchConfiguration")
}
