package queue_test

import (
	"slices"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/componenttest"
	"storefront/components/queue"
)

const (
	key      = "arn:aws:kms:us-east-1:123456789012:key/k"
	topic    = "arn:aws:sns:us-east-1:123456789012:alarms"
	arn      = "arn:aws:sqs:us-east-1:123456789012:orders"
	url      = "https://sqs.us-east-1.amazonaws.com/123456789012/orders"
	sqsQueue = "aws:sqs/queue:Queue"
	alarm    = "aws:cloudwatch/metricAlarm:MetricAlarm"
)

func args() *queue.Args {
	return &queue.Args{KeyARN: pulumi.String(key), VisibilitySeconds: 60, AlarmActions: []pulumi.StringInput{pulumi.String(topic)}}
}

func run(t *testing.T, a *queue.Args, then ...func(*queue.Queue)) *componenttest.Recorder {
	t.Helper()
	return componenttest.Run(t, func(ctx *pulumi.Context, p *aws.Provider) error {
		q, err := queue.New(ctx, "orders", a, pulumi.Provider(p))
		if err == nil {
			for _, f := range then {
				f(q)
			}
		}
		return err
	})
}

func TestQueue(t *testing.T) {
	r := run(t, args())
	r.CheckTree(t, "orders")
	r.GoldenURNs(t, "testdata/urns.txt")
	want := map[string]int{
		sqsQueue: 2, "aws:sqs/queuePolicy:QueuePolicy": 2, "aws:sqs/redrivePolicy:RedrivePolicy": 1,
		"aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": 1, alarm: 2,
	}
	r.CheckCounts(t, want)
	source, dead := r.One(t, sqsQueue, "orders"), r.One(t, sqsQueue, "orders-dead")
	source.CheckInputs(t, map[string]any{
		"kmsMasterKeyId": key, "kmsDataKeyReusePeriodSeconds": 300.0, "sqsManagedSseEnabled": nil, "visibilityTimeoutSeconds": 60.0,
		"receiveWaitTimeSeconds": 20.0, "messageRetentionSeconds": 345600.0, "maxMessageSize": 262144.0, "delaySeconds": 0.0,
		"fifoQueue": nil, "policy": nil, "redrivePolicy": nil, "redriveAllowPolicy": nil,
	})
	dead.CheckInputs(t, map[string]any{"kmsMasterKeyId": key, "messageRetentionSeconds": 1209600.0, "delaySeconds": nil})
}

func TestPolicies(t *testing.T) {
	r := run(t, args())
	redrive := r.One(t, "aws:sqs/redrivePolicy:RedrivePolicy", "orders")
	redrive.CheckInputs(t, map[string]any{
		"queueUrl": url, "redrivePolicy": `{"deadLetterTargetArn":"` + arn + `-dead","maxReceiveCount":5}`,
	})
	r.One(t, "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy", "orders").CheckInputs(t, map[string]any{
		"queueUrl": url + "-dead", "redriveAllowPolicy": `{"redrivePermission":"byQueue","sourceQueueArns":["` + arn + `"]}`,
	})
	for _, suffix := range []string{"", "-dead"} {
		r.One(t, "aws:sqs/queuePolicy:QueuePolicy", "orders"+suffix).CheckInputs(t, map[string]any{
			"queueUrl": url + suffix,
			"policy": `{"Version":"2012-10-17","Statement":[{"Sid":"TLSOnly","Effect":"Deny","Principal":"*","Action":"sqs:*","Resource":"` + arn + suffix +
				`","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`,
		})
	}
}

func TestFIFO(t *testing.T) {
	r := run(t, &queue.Args{FIFO: true, Deduplicate: true, MaxReceives: 3})
	for _, name := range []string{"orders", "orders-dead"} {
		r.One(t, sqsQueue, name).CheckInputs(t, map[string]any{
			"fifoQueue": true, "contentBasedDeduplication": true, "deduplicationScope": "messageGroup", "fifoThroughputLimit": "perMessageGroupId",
			"sqsManagedSseEnabled": true, "kmsMasterKeyId": nil,
		})
	}
	r.One(t, "aws:sqs/redrivePolicy:RedrivePolicy", "orders").CheckInputs(t, map[string]any{
		"redrivePolicy": `{"deadLetterTargetArn":"` + arn + `-dead.fifo","maxReceiveCount":3}`,
	})
}

func TestAlarms(t *testing.T) {
	r := run(t, args())
	r.One(t, alarm, "orders-oldest-message").CheckInputs(t, map[string]any{
		"namespace": "AWS/SQS", "metricName": "ApproximateAgeOfOldestMessage", "dimensions.QueueName": "orders", "statistic": "Maximum",
		"comparisonOperator": "GreaterThanOrEqualToThreshold", "threshold": 300.0, "period": 60.0, "evaluationPeriods": 2.0,
		"treatMissingData": "notBreaching", "alarmActions[0]": topic, "okActions[0]": topic,
	})
	r.One(t, alarm, "orders-dead-letters").CheckInputs(t, map[string]any{
		"metricName": "ApproximateNumberOfMessagesVisible", "dimensions.QueueName": "orders-dead", "threshold": 1.0, "evaluationPeriods": 1.0,
	})
}

func TestGrants(t *testing.T) {
	const own = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":`
	const via = `,"Condition":{"StringEquals":{"kms:ViaService":"sqs.us-east-1.amazonaws.com"}}}]}`
	check := func(what string, got pulumi.StringOutput, want string) {
		got.ApplyT(func(got string) error {
			if got != want {
				t.Errorf("%s:\ngot  %s\nwant %s", what, got, want)
			}
			return nil
		})
	}
	const consume = own + `["sqs:ChangeMessageVisibility","sqs:DeleteMessage","sqs:GetQueueAttributes","sqs:ReceiveMessage"],"Resource":"` + arn + `"}`
	run(t, args(), func(q *queue.Queue) {
		check("send", q.GrantSend(), own+`["sqs:GetQueueAttributes","sqs:SendMessage"],"Resource":"`+arn+`"},`+
			`{"Effect":"Allow","Action":["kms:Decrypt","kms:GenerateDataKey"],"Resource":"`+key+`"`+via)
		check("consume", q.GrantConsume(), consume+`,{"Effect":"Allow","Action":"kms:Decrypt","Resource":"`+key+`"`+via)
	})
	run(t, &queue.Args{}, func(q *queue.Queue) { check("consume without a key", q.GrantConsume(), consume+`]}`) })
}

// The URL is known when a message could be dead-lettered, and both queues are closed to plain HTTP.
func TestURLWaitsForThePolicies(t *testing.T) {
	r := componenttest.Run(t, func(ctx *pulumi.Context, p *aws.Provider) error {
		q, err := queue.New(ctx, "orders", args(), pulumi.Provider(p))
		if err != nil {
			return err
		}
		_, err = queue.New(ctx, "after", &queue.Args{KeyARN: q.URL}, pulumi.Provider(p)) // any input that takes the URL
		return err
	})
	got := r.One(t, sqsQueue, "after").DependsOn
	if want := []string{"orders", "orders-dead"}; !slices.Equal(slices.Compact(slices.Sorted(slices.Values(got))), want) {
		t.Errorf("what has the URL depends on %v, want %v", got, want)
	}
	if n := len(got); n < 4 {
		t.Errorf("depends on %v, want the queue, its redrive policy and both policies", got)
	}
}

func TestRefusals(t *testing.T) {
	for name, change := range map[string]func(*queue.Args){
		"visibility":  func(a *queue.Args) { a.VisibilitySeconds = 43201 },
		"wait":        func(a *queue.Args) { a.WaitSeconds = 21 },
		"delay":       func(a *queue.Args) { a.DelaySeconds = 901 },
		"retention":   func(a *queue.Args) { a.RetentionDays = 14 },
		"receives":    func(a *queue.Args) { a.MaxReceives = -1 },
		"size":        func(a *queue.Args) { a.MaxMessageBytes = 1023 },
		"age":         func(a *queue.Args) { a.OldestSeconds = -1 },
		"deduplicate": func(a *queue.Args) { a.Deduplicate = true },
	} {
		t.Run(name, func(t *testing.T) {
			a := args()
			change(a)
			componenttest.CheckRefused(t, queue.ErrArgs, func(ctx *pulumi.Context, p *aws.Provider) error {
				_, err := queue.New(ctx, "orders", a, pulumi.Provider(p))
				return err
			})
		})
	}
}
