package queue

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/sqs"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/alarm"
	"storefront/components/internal/policy"
)

// makePolicies joins the two queues and closes both to plain HTTP. The URL returned is known when all of it is done: no message
// is accepted that could not be dead-lettered.
func (q *Queue) makePolicies(ctx *pulumi.Context, source, dead *sqs.Queue, child pulumi.ResourceOption) (pulumi.StringOutput, error) {
	none := pulumi.StringOutput{}
	allow, err := sqs.NewRedriveAllowPolicy(ctx, q.name, &sqs.RedriveAllowPolicyArgs{
		QueueUrl: dead.Url,
		RedriveAllowPolicy: source.Arn.ApplyT(func(arn string) (string, error) {
			return encode(struct {
				RedrivePermission string   `json:"redrivePermission"`
				SourceQueueArns   []string `json:"sourceQueueArns"`
			}{"byQueue", []string{arn}})
		}).(pulumi.StringOutput),
	}, child)
	if err != nil {
		return none, fmt.Errorf("letting the queue use its dead-letter queue: %w", err)
	}
	redrive, err := sqs.NewRedrivePolicy(ctx, q.name, &sqs.RedrivePolicyArgs{
		QueueUrl: source.Url,
		RedrivePolicy: dead.Arn.ApplyT(func(arn string) (string, error) {
			return encode(struct {
				DeadLetterTargetArn string `json:"deadLetterTargetArn"`
				MaxReceiveCount     int    `json:"maxReceiveCount"`
			}{arn, q.args.MaxReceives})
		}).(pulumi.StringOutput),
	}, child, pulumi.DependsOn([]pulumi.Resource{allow}))
	if err != nil {
		return none, fmt.Errorf("creating the redrive policy: %w", err)
	}
	ready := []any{source.Url, redrive.ID()}
	for _, of := range []struct {
		name  string
		queue *sqs.Queue
	}{{q.name, source}, {q.name + "-dead", dead}} {
		p, err := sqs.NewQueuePolicy(ctx, of.name, &sqs.QueuePolicyArgs{
			QueueUrl: of.queue.Url,
			Policy:   policy.Output(func(v []string) policy.Document { return tlsOnly(v[0]) }, of.queue.Arn),
		}, child)
		if err != nil {
			return none, fmt.Errorf("creating the policy of queue %s: %w", of.name, err)
		}
		ready = append(ready, p.ID())
	}
	return pulumi.All(ready...).ApplyT(func(v []any) string { return v[0].(string) }).(pulumi.StringOutput), nil
}

func encode(v any) (string, error) {
	b, err := json.Marshal(v)
	return string(b), err
}

func tlsOnly(arn string) policy.Document {
	return policy.Document{{
		Sid: "TLSOnly", Effect: policy.Deny, Principal: &policy.Principal{Everyone: true}, Action: policy.Strings{"sqs:*"}, Resource: policy.Strings{arn},
		Condition: policy.Conditions{"Bool": {"aws:SecureTransport": {"false"}}},
	}}
}

func (q *Queue) makeAlarms(ctx *pulumi.Context, source, dead *sqs.Queue, child pulumi.ResourceOption) error {
	of := func(queue *sqs.Queue) pulumi.StringMap { return pulumi.StringMap{"QueueName": queue.Name} }
	return alarm.Each(ctx, q.name, q.args.AlarmActions, []alarm.Named{
		{Name: "oldest-message", Args: alarm.Args{
			Description: fmt.Sprintf("Messages wait for more than %d s: the consumers of %s do not keep up, or fail", q.args.OldestSeconds, q.name),
			Namespace:   "AWS/SQS", Metric: "ApproximateAgeOfOldestMessage", Statistic: "Maximum", Dimensions: of(source),
			Threshold: float64(q.args.OldestSeconds), Periods: 2,
		}},
		{Name: "dead-letters", Args: alarm.Args{
			Description: "Messages of " + q.name + " failed for good: read one in the dead-letter queue, mend the cause, redrive",
			Namespace:   "AWS/SQS", Metric: "ApproximateNumberOfMessagesVisible", Statistic: "Maximum", Dimensions: of(dead),
			Threshold: 1,
		}},
	}, child)
}

// GrantSend returns the policy document that lets a role send messages, and use the key for that only.
func (q *Queue) GrantSend() pulumi.StringOutput {
	return q.grant([]string{"kms:Decrypt", "kms:GenerateDataKey"}, "sqs:GetQueueAttributes", "sqs:SendMessage")
}

// GrantConsume returns the policy document that lets a role receive messages, hold, release and delete them, and use the key for
// that only.
func (q *Queue) GrantConsume() pulumi.StringOutput {
	return q.grant([]string{"kms:Decrypt"},
		"sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage")
}

func (q *Queue) grant(key []string, actions ...string) pulumi.StringOutput {
	if q.args.KeyARN == nil {
		return policy.Output(func(v []string) policy.Document {
			return policy.Document{{Action: actions, Resource: policy.Strings{v[0]}}}
		}, q.ARN)
	}
	return policy.Output(func(v []string) policy.Document {
		return policy.Document{{Action: actions, Resource: policy.Strings{v[0]}}, policy.UseKey(v[1], "sqs", v[0], key...)}
	}, q.ARN, q.args.KeyARN)
}
