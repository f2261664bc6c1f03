package topic_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/componenttest"
	"storefront/components/topic"
)

const (
	key = "arn:aws:kms:us-east-1:123456789012:key/k"
	arn = "arn:aws:sns:us-east-1:123456789012:alarms"
)

func args() *topic.Args {
	return &topic.Args{Region: "us-east-1", AccountID: pulumi.String(componenttest.Account), KeyARN: pulumi.String(key)}
}

func TestTopic(t *testing.T) {
	r := componenttest.Run(t, func(ctx *pulumi.Context, p *aws.Provider) error {
		made, err := topic.New(ctx, "alarms", args(), pulumi.Provider(p))
		if err != nil {
			return err
		}
		made.GrantPublish().ApplyT(func(got string) error {
			const want = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sns:Publish","Resource":"` + arn + `"},` +
				`{"Effect":"Allow","Action":["kms:Decrypt","kms:GenerateDataKey"],"Resource":"` + key + `",` +
				`"Condition":{"StringEquals":{"kms:ViaService":"sns.us-east-1.amazonaws.com"}}}]}`
			if got != want {
				t.Errorf("grant:\ngot  %s\nwant %s", got, want)
			}
			return nil
		})
		return nil
	})
	r.CheckTree(t, "alarms")
	r.GoldenURNs(t, "testdata/urns.txt")
	if diff := cmp.Diff(map[string]int{"aws:sns/topic:Topic": 1, "aws:sns/topicPolicy:TopicPolicy": 1}, r.Counts()); diff != "" {
		t.Errorf("resources (-want +got):\n%s", diff)
	}
	if got := r.One(t, "aws:sns/topic:Topic", "alarms").Input("kmsMasterKeyId"); got != key {
		t.Errorf("the topic's key is %v", got)
	}
	const want = `{"Version":"2012-10-17","Statement":[{"Sid":"TLSOnly","Effect":"Deny","Principal":"*","Action":"sns:Publish","Resource":"` + arn + `",` +
		`"Condition":{"Bool":{"aws:SecureTransport":"false"}}},` +
		`{"Sid":"Alarms","Effect":"Allow","Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"sns:Publish","Resource":"` + arn + `",` +
		`"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:cloudwatch:us-east-1:123456789012:alarm:*"},"StringEquals":{"aws:SourceAccount":"123456789012"}}}]}`
	if got := r.One(t, "aws:sns/topicPolicy:TopicPolicy", "alarms").Input("policy"); got != want {
		t.Errorf("policy:\ngot  %v\nwant %s", got, want)
	}
}

func TestRefusals(t *testing.T) {
	for name, change := range map[string]func(*topic.Args){
		"region":  func(a *topic.Args) { a.Region = "" },
		"account": func(a *topic.Args) { a.AccountID = nil },
		"key":     func(a *topic.Args) { a.KeyARN = nil },
	} {
		t.Run(name, func(t *testing.T) {
			a := args()
			change(a)
			componenttest.CheckRefused(t, topic.ErrArgs, func(ctx *pulumi.Context, p *aws.Provider) error {
				_, err := topic.New(ctx, "alarms", a, pulumi.Provider(p))
				return err
			})
		})
	}
}
