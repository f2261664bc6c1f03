// Package topic makes an SNS topic that tells people and programs about alarms: encrypted with the caller's key, spoken to over
// TLS only, published to by CloudWatch alarms of the account and by who is granted it.
//
// Left out: subscriptions (who is told is decided where it is read: a mail address must be confirmed by a person), FIFO topics,
// delivery policies and status logs, message archives, data protection policies.
package topic

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sns"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/policy"
	"storefront/components/internal/tags"
)

// Type is the component's type token.
const Type = "storefront:topic:Topic"

// ErrArgs says that the arguments cannot make a topic; the text tells which and why.
var ErrArgs = errors.New("topic arguments")

// Args describe a topic.
type Args struct {
	Region    string
	AccountID pulumi.StringInput // whose alarms may publish
	// KeyARN is a KMS key whose policy lets cloudwatch.amazonaws.com use it: AWS's own key for SNS does not, and alarms
	// would then fail in silence.
	KeyARN pulumi.StringInput
}

// Topic is an SNS topic.
type Topic struct {
	pulumi.ResourceState

	ARN  pulumi.StringOutput `pulumi:"arn"` // known once the policy is there
	Name pulumi.StringOutput `pulumi:"name"`

	args Args
}

// New makes a topic. Errors of arguments are ErrArgs.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Topic, error) {
	if args.Region == "" || args.AccountID == nil || args.KeyARN == nil {
		return nil, fmt.Errorf("topic %s: %w: region, account and key are all needed", name, ErrArgs)
	}
	t := &Topic{args: *args}
	if err := ctx.RegisterComponentResource(Type, name, t, opts...); err != nil {
		return nil, err
	}
	made, err := sns.NewTopic(ctx, name, &sns.TopicArgs{
		KmsMasterKeyId: args.KeyARN.ToStringOutput().ToStringPtrOutput(),
		Tags:           tags.Named(name),
	}, pulumi.Parent(t))
	if err != nil {
		return nil, fmt.Errorf("creating the topic: %w", err)
	}
	access, err := sns.NewTopicPolicy(ctx, name, &sns.TopicPolicyArgs{
		Arn: made.Arn,
		Policy: policy.Output(func(v []string) policy.Document {
			return document(v[0], v[1], args.Region)
		}, made.Arn, args.AccountID),
	}, pulumi.Parent(t))
	if err != nil {
		return nil, fmt.Errorf("creating the topic policy: %w", err)
	}
	t.ARN, t.Name = access.Arn, made.Name
	return t, ctx.RegisterResourceOutputs(t, pulumi.Map{"arn": t.ARN, "name": t.Name})
}

// document is the topic's policy. Topic policies know no wildcard for all actions of SNS; publishing is what there is to protect.
func document(topic, account, region string) policy.Document {
	publish := policy.Strings{"sns:Publish"}
	return policy.Document{
		{
			Sid: "TLSOnly", Effect: policy.Deny, Principal: &policy.Principal{Everyone: true}, Action: publish, Resource: policy.Strings{topic},
			Condition: policy.Conditions{"Bool": {"aws:SecureTransport": {"false"}}},
		},
		{
			Sid: "Alarms", Principal: &policy.Principal{Service: policy.Strings{"cloudwatch.amazonaws.com"}}, Action: publish, Resource: policy.Strings{topic},
			Condition: policy.OnBehalfOf(account, "arn:"+policy.Partition(region)+":cloudwatch:"+region+":"+account+":alarm:*"),
		},
	}
}

// GrantPublish returns the policy document that lets a role publish, and use the key for that only.
func (t *Topic) GrantPublish() pulumi.StringOutput {
	return policy.Output(func(v []string) policy.Document {
		return policy.Document{
			{Action: policy.Strings{"sns:Publish"}, Resource: policy.Strings{v[0]}},
			policy.UseKey(v[1], "sns", v[0], "kms:Decrypt", "kms:GenerateDataKey"),
		}
	}, t.ARN, t.args.KeyARN)
}
