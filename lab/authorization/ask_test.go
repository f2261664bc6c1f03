package authorization_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	ec2api "storefront/lab/api/ec2"
	elbapi "storefront/lab/api/elbv2"
	iamapi "storefront/lab/api/iam"
	kmsapi "storefront/lab/api/kms"
	logsapi "storefront/lab/api/logs"
	rdsapi "storefront/lab/api/rds"
	s3api "storefront/lab/api/s3"
	sqsapi "storefront/lab/api/sqs"
	stsapi "storefront/lab/api/sts"
	"storefront/lab/authorization"
	"storefront/lab/region"
)

// What calls ask for, from the tables of the "Service Authorization Reference".
func TestAsks(t *testing.T) {
	a := authorization.New(authorization.Config{Region: region.Region{Name: "us-east-1", Account: "123456789012"}})
	const (
		ec2 = "arn:aws:ec2:us-east-1:123456789012:"
		rds = "arn:aws:rds:us-east-1:123456789012:"

		uuid = "00000000-0000-4000-8000-000000000001"
	)
	for _, c := range []struct {
		service, operation string
		input              any
		want               []string // "action resource"
	}{
		{"sqs", "SendMessageBatch", &sqsapi.SendMessageBatchInput{QueueUrl: new("http://127.0.0.1:4566/123456789012/orders")}, []string{"sqs:SendMessage arn:aws:sqs:us-east-1:123456789012:orders"}},
		{"iam", "CreateUser", &iamapi.CreateUserInput{UserName: new("ann")}, []string{"iam:CreateUser arn:aws:iam::123456789012:user/ann"}},
		{"iam", "CreateRole", &iamapi.CreateRoleInput{RoleName: new("app"), Path: new("/team/")}, []string{"iam:CreateRole arn:aws:iam::123456789012:role/team/app"}},
		{"sqs", "ListQueues", &sqsapi.ListQueuesInput{}, []string{"sqs:ListQueues *"}},
		{"ec2", "DescribeVpcs", &ec2api.DescribeVpcsInput{VpcIds: []string{"vpc-00000000000000001"}}, []string{"ec2:DescribeVpcs *"}},
		{"ec2", "CreateSubnet", &ec2api.CreateSubnetInput{VpcId: new("vpc-00000000000000001"), CidrBlock: new("10.0.0.0/24")},
			[]string{"ec2:CreateSubnet " + ec2 + "subnet/*", "ec2:CreateSubnet " + ec2 + "vpc/vpc-00000000000000001"}},
		{"ec2", "AuthorizeSecurityGroupIngress", &ec2api.AuthorizeSecurityGroupIngressInput{GroupId: new("sg-00000000000000002")},
			[]string{"ec2:AuthorizeSecurityGroupIngress " + ec2 + "security-group/sg-00000000000000002"}},
		{"ec2", "CreateTags", &ec2api.CreateTagsInput{Resources: []string{"i-00000000000000003", "vol-00000000000000004"}, Tags: []ec2api.Tag{{Key: new("Name"), Value: new("i-am-no-id")}}},
			[]string{"ec2:CreateTags " + ec2 + "instance/i-00000000000000003", "ec2:CreateTags " + ec2 + "volume/vol-00000000000000004"}},
		{"elasticloadbalancing", "CreateListener", &elbapi.CreateListenerInput{LoadBalancerArn: new("arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/a/1")},
			[]string{"elasticloadbalancing:CreateListener arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/a/1"}},
		{"rds", "CreateDBInstance", &rdsapi.CreateDBInstanceInput{DBClusterIdentifier: new("shop"), DBInstanceIdentifier: new("shop-1"), MonitoringRoleArn: new("arn:aws:iam::123456789012:role/monitor")},
			[]string{"rds:CreateDBInstance " + rds + "cluster:shop", "rds:CreateDBInstance " + rds + "db:shop-1", "iam:PassRole arn:aws:iam::123456789012:role/monitor"}},
		{"kms", "Encrypt", &kmsapi.EncryptInput{KeyId: new("arn:aws:kms:us-east-1:123456789012:key/1")}, []string{"kms:Encrypt arn:aws:kms:us-east-1:123456789012:key/1"}},
		{"kms", "Decrypt", &kmsapi.DecryptInput{CiphertextBlob: append([]byte("\x01"+uuid), make([]byte, 99)...), KeyId: new("alias/other")}, []string{"kms:Decrypt arn:aws:kms:us-east-1:123456789012:key/" + uuid}},
		{"kms", "CreateAlias", &kmsapi.CreateAliasInput{AliasName: new("alias/a"), TargetKeyId: new("1")},
			[]string{"kms:CreateAlias arn:aws:kms:us-east-1:123456789012:alias/a", "kms:CreateAlias arn:aws:kms:us-east-1:123456789012:key/1"}},
		{"logs", "PutLogEvents", &logsapi.PutLogEventsInput{LogGroupName: new("/shop"), LogStreamName: new("a")}, []string{"logs:PutLogEvents arn:aws:logs:us-east-1:123456789012:log-group:/shop:log-stream:a"}},
		{"s3", "HeadObject", &s3api.HeadObjectInput{Bucket: new("b"), Key: new("k/1")}, []string{"s3:GetObject arn:aws:s3:::b/k/1"}},
		{"s3", "GetObject", &s3api.GetObjectInput{Bucket: new("b"), Key: new("k"), VersionId: new("v")}, []string{"s3:GetObjectVersion arn:aws:s3:::b/k"}},
		{"s3", "ListObjectsV2", &s3api.ListObjectsV2Input{Bucket: new("b"), Prefix: new("k/")}, []string{"s3:ListBucket arn:aws:s3:::b"}},
		{"s3", "ListBuckets", &s3api.ListBucketsInput{}, []string{"s3:ListAllMyBuckets *"}},
		{"s3", "CopyObject", &s3api.CopyObjectInput{Bucket: new("b"), Key: new("k"), CopySource: new("/a/with%20space?versionId=v")},
			[]string{"s3:GetObjectVersion arn:aws:s3:::a/with space", "s3:PutObject arn:aws:s3:::b/k"}},
		{"s3", "DeleteObjects", &s3api.DeleteObjectsInput{Bucket: new("b"), Delete: &s3api.Delete{Objects: []s3api.ObjectIdentifier{{Key: new("1")}, {Key: new("2"), VersionId: new("v")}}}},
			[]string{"s3:DeleteObject arn:aws:s3:::b/1", "s3:DeleteObjectVersion arn:aws:s3:::b/2"}},
		{"s3", "PutPublicAccessBlock", &s3api.PutPublicAccessBlockInput{Bucket: new("b")}, []string{"s3:PutBucketPublicAccessBlock arn:aws:s3:::b"}},
		{"sts", "GetCallerIdentity", &stsapi.GetCallerIdentityInput{}, nil},
		{"sts", "AssumeRole", &stsapi.AssumeRoleInput{RoleArn: new("arn:aws:iam::123456789012:role/r")}, []string{"sts:AssumeRole arn:aws:iam::123456789012:role/r"}},
	} {
		var got []string
		for _, ask := range a.Asks(c.service, c.operation, c.input) {
			got = append(got, ask.Action+" "+ask.Resource)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", c.service, c.operation, diff)
		}
	}
}
