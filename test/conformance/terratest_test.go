//go:build linux

package conformance

import (
	"strings"
	"testing"

	cloud "github.com/aws/aws-sdk-go-v2/service/ec2"
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
