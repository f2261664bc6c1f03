//go:build linux

package conformance

import (
	"crypto/rand"
	"crypto/rsa"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	cloud "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	terratest "github.com/gruntwork-io/terratest/modules/aws"
)

// TestTerratest uses the lab through the helpers that tests of infrastructure are written with. They take the endpoint from the environment, as everything does.
func TestTerratest(t *testing.T) {
	l := lab(t)
	for name, value := range l.env {
		t.Setenv(name, value)
	}
	t.Run("Storage", storage)
	t.Run("Messages", messages)
	t.Run("Secrets", secrets)
	t.Run("Identity", func(t *testing.T) {
		ctx := t.Context()
		if got := terratest.GetAccountIDContext(t, ctx); got != account {
			t.Errorf("account %s", got)
		}
		if got, err := terratest.GetIamCurrentUserArnContextE(t, ctx); err != nil || !strings.HasPrefix(got, "arn:aws:iam::"+account+":user/") {
			t.Errorf("%s, %v", got, err)
		}
		if _, err := terratest.GetIamPolicyDocumentContextE(t, ctx, region, "arn:aws:iam::"+account+":policy/none"); err == nil || !strings.Contains(err.Error(), "NoSuchEntity") {
			t.Errorf("a policy that is not there: %v", err)
		}
	})
	t.Run("Network", func(t *testing.T) { network(t, cloud.NewFromConfig(l.config())) })
	t.Run("Servers", servers)
	t.Run("Protection", func(t *testing.T) { protection(t, l.config()) })
}

// servers asks for what there is to boot, and for servers and databases that are not there.
func servers(t *testing.T) {
	ctx := t.Context()
	if got := terratest.GetMostRecentAmiIDContext(t, ctx, region, "amazon", map[string][]string{"architecture": {"x86_64"}}); !strings.HasPrefix(got, "ami-") {
		t.Errorf("the newest image is %q", got)
	}
	pair := terratest.CreateAndImportEC2KeyPairContext(t, ctx, region, "conformance-terratest")
	terratest.DeleteEC2KeyPairContext(t, ctx, pair)
	if got := terratest.GetEc2InstanceIdsByTagContext(t, ctx, region, "Name", "none"); len(got) != 0 {
		t.Errorf("servers %v", got)
	}
	if got, err := terratest.GetInstanceIdsForAsgContextE(t, ctx, "none", region); err == nil && len(got) != 0 {
		t.Errorf("servers of a group that is not there: %v", got)
	}
	if _, err := terratest.GetPrivateIPOfEc2InstanceContextE(t, ctx, "i-0123456789abcdef0", region); err == nil || !strings.Contains(err.Error(), "InvalidInstanceID.NotFound") {
		t.Errorf("a server that is not there: %v", err)
	}
	if _, err := terratest.GetAddressOfRdsInstanceContextE(t, ctx, "none", region); err == nil {
		t.Error("a database that is not there has an address")
	}
}

// protection finds a key by its alias, a certificate by its domain, and what was logged.
func protection(t *testing.T, config aws.Config) {
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	keys := kms.NewFromConfig(config)
	key, err := keys.CreateKey(ctx, nil)
	must(err)
	_, err = keys.CreateAlias(ctx, &kms.CreateAliasInput{AliasName: aws.String("alias/conformance-terratest"), TargetKeyId: key.KeyMetadata.KeyId})
	must(err)
	if got := terratest.GetCmkArnContext(t, ctx, region, "alias/conformance-terratest"); got != *key.KeyMetadata.Arn {
		t.Errorf("the key is %s", got)
	}
	signer, err := rsa.GenerateKey(rand.Reader, 2048) // certificates of other keys are listed for those who ask for them
	must(err)
	public, private := certificateOf(t, signer)
	imported, err := acm.NewFromConfig(config).ImportCertificate(ctx, &acm.ImportCertificateInput{Certificate: public, PrivateKey: private})
	must(err)
	if got := terratest.GetAcmCertificateArnContext(t, ctx, region, "shop.example.com"); got != *imported.CertificateArn {
		t.Errorf("the certificate is %s", got)
	}
	group, stream, logs := aws.String("conformance-terratest"), aws.String("one"), cloudwatchlogs.NewFromConfig(config)
	_, err = logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group})
	must(err)
	_, err = logs.CreateLogStream(ctx, &cloudwatchlogs.CreateLogStreamInput{LogGroupName: group, LogStreamName: stream})
	must(err)
	_, err = logs.PutLogEvents(ctx, &cloudwatchlogs.PutLogEventsInput{LogGroupName: group, LogStreamName: stream,
		LogEvents: []types.InputLogEvent{{Message: aws.String("hello"), Timestamp: aws.Int64(time.Now().UnixMilli())}}})
	must(err)
	if got := terratest.GetCloudWatchLogEntriesContext(t, ctx, region, *stream, *group); !slices.Equal(got, []string{"hello"}) {
		t.Errorf("the log has %v", got)
	}
}

func storage(t *testing.T) {
	ctx := t.Context()
	const bucket = "conformance-terratest"
	terratest.CreateS3BucketContext(t, ctx, region, bucket)
	terratest.PutS3BucketVersioningContext(t, ctx, region, bucket)
	terratest.AssertS3BucketVersioningExistsContext(t, ctx, region, bucket)
	terratest.PutS3BucketPolicyContext(t, ctx, region, bucket, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::`+account+`:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::`+bucket+`/*"}]}`)
	terratest.AssertS3BucketPolicyExistsContext(t, ctx, region, bucket)
	terratest.PutS3ObjectContentsContext(t, ctx, region, bucket, "a", strings.NewReader("hello"))
	if got := terratest.GetS3ObjectContentsContext(t, ctx, region, bucket, "a"); got != "hello" {
		t.Errorf("the object is %q", got)
	}
	if _, err := terratest.GetS3ObjectContentsContextE(t, ctx, region, bucket, "none"); err == nil || !strings.Contains(err.Error(), "NoSuchKey") {
		t.Errorf("an object that is not there: %v", err)
	}
	terratest.EmptyS3BucketContext(t, ctx, region, bucket)
	terratest.DeleteS3BucketContext(t, ctx, region, bucket)
	if err := terratest.AssertS3BucketExistsContextE(t, ctx, region, bucket); err == nil {
		t.Error("the deleted bucket is there")
	}
}

func messages(t *testing.T) {
	ctx := t.Context()
	queue := terratest.CreateRandomQueueContext(t, ctx, region, "conformance")
	terratest.SendMessageToQueueContext(t, ctx, region, queue, "hello")
	got := terratest.WaitForQueueMessageContext(t, ctx, region, queue, 10)
	if got.Error != nil || got.MessageBody != "hello" {
		t.Errorf("the queue gives %+v", got)
	}
	terratest.DeleteMessageFromQueueContext(t, ctx, region, queue, got.ReceiptHandle)
	terratest.DeleteQueueContext(t, ctx, region, queue)
	if err := terratest.DeleteQueueContextE(t, ctx, region, queue); err == nil || !strings.Contains(err.Error(), "NonExistentQueue") {
		t.Errorf("a queue that is not there: %v", err)
	}
	topic := terratest.CreateSnsTopicContext(t, ctx, region, "conformance-terratest")
	terratest.DeleteSNSTopicContext(t, ctx, region, topic)
}

func secrets(t *testing.T) {
	ctx := t.Context()
	arn := terratest.CreateSecretStringWithDefaultKeyContext(t, ctx, region, "d", "conformance-terratest", "hush")
	if got := terratest.GetSecretValueContext(t, ctx, region, arn); got != "hush" {
		t.Errorf("the secret is %q", got)
	}
	terratest.DeleteSecretContext(t, ctx, region, arn, true)
	terratest.PutParameterContext(t, ctx, region, "/conformance/terratest", "d", "v")
	if got := terratest.GetParameterContext(t, ctx, region, "/conformance/terratest"); got != "v" {
		t.Errorf("the parameter is %q", got)
	}
	terratest.DeleteParameterContext(t, ctx, region, "/conformance/terratest")
	if _, err := terratest.GetParameterContextE(t, ctx, region, "/conformance/terratest"); err == nil || !strings.Contains(err.Error(), "ParameterNotFound") {
		t.Errorf("a parameter that is not there: %v", err)
	}
}

func network(t *testing.T, client *cloud.Client) {
	ctx, cidr := t.Context(), "10.3.0.0/16"
	made, err := client.CreateVpc(ctx, &cloud.CreateVpcInput{CidrBlock: &cidr})
	if err != nil {
		t.Fatal(err)
	}
	id := *made.Vpc.VpcId
	defer func() {
		if _, err := client.DeleteVpc(ctx, &cloud.DeleteVpcInput{VpcId: &id}); err != nil {
			t.Error(err)
		}
	}()
	if got := terratest.GetVpcByIDContext(t, ctx, id, region); got.Id != id || len(got.Subnets) != 0 {
		t.Errorf("the VPC is %+v", got)
	}
	terratest.AddTagsToResourceContext(t, ctx, region, id, map[string]string{"a": "b"})
	if got := terratest.GetTagsForVpcContext(t, ctx, id, region); got["a"] != "b" {
		t.Errorf("its tags are %v", got)
	}
	if _, err := terratest.GetVpcByIDContextE(t, ctx, "vpc-0123456789abcdef0", region); err == nil {
		t.Error("a VPC that is not there is found")
	}
}
