package cloudtrail_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"storefront/lab/authorization/authtest"
	"storefront/lab/wire/wiretest"
)

// watchFor makes a metric filter in the trail's log group and an alarm that tells a topic, as section 5 of the CIS AWS Foundations Benchmark has it.
func (h *harness) watchFor(name, pattern, topic string) {
	h.t.Helper()
	wiretest.Must(cloudwatchlogs.NewFromConfig(h.config()).PutMetricFilter(h.t.Context(), &cloudwatchlogs.PutMetricFilterInput{LogGroupName: new("audit"), FilterName: &name, FilterPattern: &pattern,
		MetricTransformations: []logtypes.MetricTransformation{{MetricNamespace: new("Trail"), MetricName: &name, MetricValue: new("1")}}}))
	wiretest.Must(cloudwatch.NewFromConfig(h.config()).PutMetricAlarm(h.t.Context(), &cloudwatch.PutMetricAlarmInput{AlarmName: &name, Namespace: new("Trail"), MetricName: &name,
		Statistic: types.StatisticSum, Period: new(int32(300)), EvaluationPeriods: new(int32(1)), Threshold: new(1.0), ComparisonOperator: types.ComparisonOperatorGreaterThanOrEqualToThreshold,
		TreatMissingData: new("notBreaching"), AlarmActions: []string{topic}}))
}

// A refused call is in the trail, from there in the log group, counted by a metric filter, and raises an alarm, which tells a topic; what was not done raises none.
func TestTrailRaisesAlarms(t *testing.T) {
	h := start(t)
	h.wire.Authorize = authtest.New(h.store, h.iam, nil, nil).Authorize
	guarded := wiretest.Start(t, h.wire)

	h.logGroup("cloudtrail.amazonaws.com", `["logs:CreateLogStream","logs:PutLogEvents"]`)
	h.trail(func(in *cloudtrail.CreateTrailInput) {
		in.CloudWatchLogsLogGroupArn, in.CloudWatchLogsRoleArn = new(groupARN+":*"), new(roleARN)
	})
	topics, queues := sns.NewFromConfig(h.config()), sqs.NewFromConfig(h.config())
	topic := *wiretest.Must(topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: new("alarms"), Attributes: map[string]string{"Policy": `{"Version":"2012-10-17","Statement":{"Effect":"Allow",
		"Principal":{"Service":"cloudwatch.amazonaws.com"},"Action":"SNS:Publish","Resource":"arn:aws:sns:us-east-1:` + account + `:alarms"}}`}})).TopicArn
	queue := wiretest.Must(queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: new("alarms"), Attributes: map[string]string{"Policy": `{"Version":"2012-10-17","Statement":{"Effect":"Allow",
		"Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"arn:aws:sqs:us-east-1:` + account + `:alarms"}}`}})).QueueUrl
	wiretest.Must(topics.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: &topic, Protocol: new("sqs"), Endpoint: new("arn:aws:sqs:us-east-1:" + account + ":alarms"), Attributes: map[string]string{"RawMessageDelivery": "true"}}))
	go h.topics.Run(t.Context())

	h.watchFor("refused", `{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }`, topic)
	h.watchFor("groups", `{ ($.eventName = "CreateSecurityGroup") || ($.eventName = "DeleteSecurityGroup") }`, topic)
	h.watchFor("root", `{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }`, topic)
	h.watchFor("acls", `{ ($.eventName = "CreateNetworkAcl") }`, topic)

	stranger := guarded.Config()
	stranger.Credentials = h.config("ASIATEST", "secret", "token").Credentials // a session of a role that there is not, and that is allowed nothing
	_, err := ec2.NewFromConfig(stranger).CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{GroupName: new("open"), Description: new("x"), VpcId: new("vpc-1")})
	wiretest.Refused(t, err, "UnauthorizedOperation", "CreateSecurityGroup")
	_, err = s3.NewFromConfig(stranger, func(o *s3.Options) { o.UsePathStyle = true }).DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: new("trail")})
	wiretest.Refused(t, err, "AccessDenied", "s3:DeleteBucketPolicy")
	_, err = kms.NewFromConfig(stranger).ListKeys(t.Context(), &kms.ListKeysInput{})
	wiretest.Refused(t, err, "AccessDeniedException", "kms:ListKeys")
	h.deliver()

	h.ahead.Store(int64(time.Minute))
	if err := h.watch.Evaluate(); err != nil {
		t.Fatal(err)
	}
	states := map[string]string{}
	for _, a := range wiretest.Must(cloudwatch.NewFromConfig(h.config()).DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{})).MetricAlarms {
		states[*a.AlarmName] = string(a.StateValue) + " " + *a.StateReason
	}
	for name, want := range map[string]string{"refused": "ALARM Threshold Crossed: 1 out of the last 1 datapoints [3.0", "groups": "ALARM", "root": "OK", "acls": "OK"} {
		if !strings.HasPrefix(states[name], want) {
			t.Errorf("alarm %s: %s, want %s", name, states[name], want)
		}
	}
	told := map[string]bool{}
	for deadline := time.Now().Add(10 * time.Second); len(told) < 2 && time.Now().Before(deadline); {
		for _, m := range wiretest.Must(queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: queue, WaitTimeSeconds: 1, MaxNumberOfMessages: 10})).Messages {
			for _, name := range []string{"refused", "groups"} {
				if strings.Contains(*m.Body, `"AlarmName":"`+name+`"`) && strings.Contains(*m.Body, `"NewStateValue":"ALARM"`) {
					told[name] = true
				}
			}
		}
	}
	if len(told) != 2 {
		t.Errorf("the topic was told of %v", told)
	}
}
