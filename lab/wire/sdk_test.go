package wire_test

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	asapi "storefront/lab/api/autoscaling"
	ec2api "storefront/lab/api/ec2"
	kmsapi "storefront/lab/api/kms"
	stsapi "storefront/lab/api/sts"
	"storefront/lab/wire"
	"storefront/lab/wire/wiretest"
)

// The services of this file answer one operation each; the embedded interface panics for all others.
type (
	ec2Service struct{ ec2api.API }
	kmsService struct{ kmsapi.API }
	stsService struct{ stsapi.API }
	asgService struct{ asapi.API }
)

func (ec2Service) CreateVpc(_ context.Context, in *ec2api.CreateVpcInput) (*ec2api.CreateVpcOutput, error) {
	tags := []ec2api.Tag{}
	for _, s := range in.TagSpecifications {
		tags = append(tags, s.Tags...)
	}
	return &ec2api.CreateVpcOutput{Vpc: &ec2api.Vpc{VpcId: new("vpc-1"), CidrBlock: in.CidrBlock, IsDefault: new(false), Tags: tags}}, nil
}

func (ec2Service) DescribeVpcs(context.Context, *ec2api.DescribeVpcsInput) (*ec2api.DescribeVpcsOutput, error) {
	return nil, wire.Errorf(400, "InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", "vpc-2")
}

func (ec2Service) DeleteVpc(context.Context, *ec2api.DeleteVpcInput) (*ec2api.DeleteVpcOutput, error) {
	return nil, errors.New("a secret of the lab's own")
}

func (kmsService) Encrypt(_ context.Context, in *kmsapi.EncryptInput) (*kmsapi.EncryptOutput, error) {
	return &kmsapi.EncryptOutput{KeyId: in.KeyId, CiphertextBlob: append([]byte("sealed:"), in.Plaintext...)}, nil
}

func (stsService) GetCallerIdentity(ctx context.Context, _ *stsapi.GetCallerIdentityInput) (*stsapi.GetCallerIdentityOutput, error) {
	id := wire.Caller(ctx)
	return &stsapi.GetCallerIdentityOutput{Account: &id.Account, Arn: &id.ARN, UserId: &id.UserID}, nil
}

func serve(t *testing.T) *wiretest.Server {
	return wiretest.New(t, ec2api.New(ec2Service{}), kmsapi.New(kmsService{}), stsapi.New(stsService{}), asapi.New(asgService{}))
}

func wantCode(t *testing.T, err error, code, message string) {
	t.Helper()
	e, ok := errors.AsType[smithy.APIError](err)
	if !ok || e.ErrorCode() != code || message != "" && e.ErrorMessage() != message {
		t.Errorf("got error %v, want %s: %s", err, code, message)
	}
}

func TestClientsOfTheSDK(t *testing.T) {
	s, ctx := serve(t), t.Context()
	id, err := sts.NewFromConfig(s.Config()).GetCallerIdentity(ctx, nil)
	if err != nil || aws.ToString(id.Arn) != wiretest.Caller().ARN {
		t.Errorf("got %+v, %v", id, err)
	}
	vpc, err := ec2.NewFromConfig(s.Config()).CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16"),
		TagSpecifications: []ec2types.TagSpecification{{ResourceType: "vpc", Tags: []ec2types.Tag{{Key: aws.String("Name"), Value: aws.String("a & b")}}}}})
	if err != nil || aws.ToString(vpc.Vpc.CidrBlock) != "10.0.0.0/16" || len(vpc.Vpc.Tags) != 1 || *vpc.Vpc.Tags[0].Value != "a & b" {
		t.Errorf("got %+v, %v", vpc, err)
	}
	sealed, err := kms.NewFromConfig(s.Config()).Encrypt(ctx, &kms.EncryptInput{KeyId: aws.String("k"), Plaintext: []byte("x")})
	if err != nil || string(sealed.CiphertextBlob) != "sealed:x" {
		t.Errorf("got %+v, %v", sealed, err)
	}
}

func TestErrorsOfTheSDK(t *testing.T) {
	s, ctx := serve(t), t.Context()
	client := ec2.NewFromConfig(s.Config())
	_, err := client.DescribeVpcs(ctx, nil)
	wantCode(t, err, "InvalidVpcID.NotFound", "The vpc ID 'vpc-2' does not exist")
	_, err = client.DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: aws.String("v")})
	wantCode(t, err, "InternalError", "Internal Server Error")
	_, err = client.DescribeSubnets(ctx, nil) // the embedded nil interface panics
	wantCode(t, err, "InternalError", "Internal Server Error")
	_, err = client.DescribeCarrierGateways(ctx, nil)
	wantCode(t, err, "InvalidAction", "The action DescribeCarrierGateways is not valid for this web service.")
	if got := s.Unsupported(); len(got) != 1 || got[0] != (wire.Count{Service: "ec2", Operation: "DescribeCarrierGateways", Times: 1}) {
		t.Errorf("got unsupported %v", got)
	}
	_, err = autoscaling.NewFromConfig(s.Config()).DeletePolicy(ctx, &autoscaling.DeletePolicyInput{PolicyName: aws.String("")})
	wantCode(t, err, "ValidationError", "1 validation error detected: Value '' at 'policyName' failed to satisfy constraint: Member must have length greater than or equal to 1")
}
