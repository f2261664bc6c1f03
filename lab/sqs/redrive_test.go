package sqs_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"storefront/lab/wire/wiretest"
)

const arn = "arn:aws:sqs:us-east-1:000000000000:"

func redrive(target string, receives int) string {
	return fmt.Sprintf(`{"deadLetterTargetArn":"%s","maxReceiveCount":%d}`, arn+target, receives)
}

func TestDeadLettersAndTheirRedrive(t *testing.T) {
	h := start(t)
	dead := h.queue("dead")
	url := h.queue("q", "VisibilityTimeout", "1", "RedrivePolicy", redrive("dead", 3))
	sentAt := h.send(url, "poison")
	var first string
	for range 3 {
		m := h.expect(url, "poison")[0]
		first = m.Attributes["SentTimestamp"]
		h.pass(time.Second)
		h.open()
	}
	h.expect(url)
	h.expectDepth("q", 0, 0, 0)
	m := h.expect(dead, "poison")[0]
	if *m.MessageId != *sentAt.MessageId || m.Attributes["SentTimestamp"] != first || m.Attributes["DeadLetterQueueSourceArn"] != arn+"q" || m.Attributes["ApproximateReceiveCount"] != "4" {
		t.Errorf("got %+v", m)
	}
	sources := wiretest.Must(h.ListDeadLetterSourceQueues(t.Context(), &sqs.ListDeadLetterSourceQueuesInput{QueueUrl: dead}))
	if len(sources.QueueUrls) != 1 || sources.QueueUrls[0] != h.url+"/000000000000/q" {
		t.Errorf("got %v", sources.QueueUrls)
	}
	h.pass(30 * time.Second)
	task := wiretest.Must(h.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: new(arn + "dead")}))
	_, err := h.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: new(arn + "dead")})
	wiretest.Refused(t, err, "AWS.SimpleQueueService.UnsupportedOperation", "")
	h.open() // a task outlives the service that began it
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.service.Run(ctx) }()
	for deadline := time.Now().Add(5 * time.Second); ; {
		list := wiretest.Must(h.ListMessageMoveTasks(t.Context(), &sqs.ListMessageMoveTasksInput{SourceArn: new(arn + "dead")}))
		if r := list.Results[0]; *r.Status == "COMPLETED" && r.ApproximateNumberOfMessagesMoved == 1 && r.TaskHandle == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatalf("got %+v, want a completed task", r)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	back := h.expect(url, "poison")[0]
	if back.Attributes["ApproximateReceiveCount"] != "1" || *back.MessageId == *m.MessageId {
		t.Errorf("got %+v, want a new message", back)
	}
	_, err = h.CancelMessageMoveTask(t.Context(), &sqs.CancelMessageMoveTaskInput{TaskHandle: task.TaskHandle})
	wiretest.Refused(t, err, "AWS.SimpleQueueService.UnsupportedOperation", "")
	_, err = h.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: new(arn + "q")})
	wiretest.Refused(t, err, "InvalidParameterValue", "Dead Letter Queue")
}

func TestRedrivePoliciesAreChecked(t *testing.T) {
	h := start(t)
	h.queue("open")
	h.queue("shut", "RedriveAllowPolicy", `{"redrivePermission":"denyAll"}`)
	h.queue("some", "RedriveAllowPolicy", `{"redrivePermission":"byQueue","sourceQueueArns":["`+arn+`friend"]}`)
	h.queue("friend", "RedrivePolicy", redrive("some", 1))
	for name, policy := range map[string]string{
		"no queue": redrive("nowhere", 1), "denied": redrive("shut", 1), "not the friend": redrive("some", 1), "zero": redrive("open", 0), "many": redrive("open", 1001), "no target": `{"maxReceiveCount":1}`,
	} {
		_, err := h.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: new("q"), Attributes: map[string]string{"RedrivePolicy": policy}})
		t.Log(name)
		wiretest.Refused(t, err, "InvalidParameterValue", "RedrivePolicy")
	}
	_, err := h.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: new("q.fifo"), Attributes: map[string]string{"FifoQueue": "true", "RedrivePolicy": redrive("open", 1)}})
	wiretest.Refused(t, err, "InvalidParameterValue", "same type")
}
