package cloudtrail_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	sqsapi "storefront/lab/api/sqs"
	"storefront/lab/wire"
	"storefront/lab/wire/wiretest"
)

// selectData makes the trail deliver the data events of one resource, or of those of another type.
func (h *harness) selectData(resourceType, arn string) {
	h.t.Helper()
	wiretest.Must(h.PutEventSelectors(h.t.Context(), &cloudtrail.PutEventSelectorsInput{TrailName: new("audit"), AdvancedEventSelectors: []types.AdvancedEventSelector{{FieldSelectors: []types.AdvancedFieldSelector{
		{Field: new("eventCategory"), Equals: []string{"Data"}}, {Field: new("resources.type"), Equals: []string{resourceType}}, {Field: new("resources.ARN"), StartsWith: []string{arn}}}}}}))
}

// A queue's messages are recorded from the call on that selects them to the one that does not, and those of other queues and types never.
func TestDataOfOneQueue(t *testing.T) {
	h := start(t)
	h.trail(nil)
	queues := sqs.NewFromConfig(h.config())
	send := func(name string) {
		url := wiretest.Must(queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name})).QueueUrl
		wiretest.Must(queues.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: new("m")}))
	}
	orders := "arn:aws:sqs:us-east-1:" + account + ":orders"
	send("orders")
	h.selectData("AWS::SQS::Queue", orders)
	send("orders")
	send("other")
	h.deliver()
	h.selectData("AWS::SNS::Topic", orders)
	send("orders")
	h.deliver()
	sent := h.named("SendMessage")
	if len(sent) != 1 {
		t.Fatalf("%d events, want that of the second message: %v", len(sent), sent)
	}
	parameters, _ := sent[0]["requestParameters"].(map[string]any)
	if sent[0]["eventCategory"] != "Data" || parameters["messageBody"] != "HIDDEN_DUE_TO_SECURITY_REASONS" || sent[0]["userIdentity"].(map[string]any)["arn"] != wiretest.Caller().ARN {
		t.Errorf("the event: %v", sent[0])
	}
}

// Calls about alarms are about alarms: no metric is their resource.
func TestAlarmsAreFound(t *testing.T) {
	h := start(t)
	wiretest.Must(cloudwatch.NewFromConfig(h.config()).DeleteAlarms(t.Context(), &cloudwatch.DeleteAlarmsInput{AlarmNames: []string{"late"}}))
	found := wiretest.Must(h.LookupEvents(t.Context(), &cloudtrail.LookupEventsInput{LookupAttributes: by("ResourceName", "late")})).Events
	if len(found) != 1 || *found[0].EventName != "DeleteAlarms" || *found[0].Resources[0].ResourceType != "AWS::CloudWatch::Alarm" {
		t.Errorf("events of the alarm: %v", found)
	}
}

// BenchmarkRecord records a message that a role sends: when no trail wants messages, when one wants those of another queue, and when one wants these.
func BenchmarkRecord(b *testing.B) {
	for _, c := range []struct{ name, resourceType, queue string }{{"OtherType", "AWS::S3::Object", ""}, {"OtherQueue", "AWS::SQS::Queue", "other"}, {"Kept", "AWS::SQS::Queue", "orders"}} {
		b.Run(c.name, func(b *testing.B) {
			h := start(b)
			h.trail(nil)
			h.selectData(c.resourceType, "arn:aws:sqs:us-east-1:"+account+":"+c.queue)
			call := wire.Call{Time: time.Now(), RequestID: "r", Service: sqsapi.New(h.queues), Operation: "SendMessage", Origin: wire.Origin{Address: "127.0.0.1", UserAgent: "shop"},
				Caller: wire.Identity{Account: account, ARN: "arn:aws:sts::" + account + ":assumed-role/shop/i-1", UserID: "AROATEST:i-1", AccessKeyID: "ASIATEST"},
				Input:  &sqsapi.SendMessageInput{QueueUrl: new("http://lab/" + account + "/orders"), MessageBody: new("m")}, Output: &sqsapi.SendMessageOutput{MessageId: new("1")}}
			b.ReportAllocs()
			for b.Loop() {
				h.service.Record(call)
			}
		})
	}
}
