package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

// poison sends what is no order. It goes to the dead-letter queue after exactly as many receipts as the queue allows; a redrive gives it another round.
func poison(t *testing.T, d *deployment) {
	api := sqs.NewFromConfig(d.aws)
	const body = `{"id":"this is no order"}`
	if _, err := api.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: &d.out.QueueURL, MessageBody: new(body)}); err != nil {
		t.Fatal(err)
	}
	limit := d.maxReceives(t)
	for _, turn := range []string{"sent", "redriven"} {
		m := d.awaitDeadLetter(t, body)
		// The receipt of this test counts, too.
		if received := m.Attributes[string(types.MessageSystemAttributeNameApproximateReceiveCount)]; received != strconv.Itoa(limit+1) {
			t.Errorf("%s: received %s times when this test has it, want %d times by the shop and once by the test", turn, received, limit)
		}
		if turn == "sent" {
			d.redrive(t, m)
			continue
		}
		if _, err := api.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &d.out.DeadLetterURL, ReceiptHandle: m.ReceiptHandle}); err != nil {
			t.Errorf("cleaning up: %v", err)
		}
	}
	for _, queue := range []string{d.out.QueueURL, d.out.DeadLetterURL} {
		if n, err := d.backlog(t, queue); err != nil || n != 0 {
			t.Errorf("%d messages are left in %s, %v", n, queue, err)
		}
	}
}

// maxReceives is how often the queue lets a message be received.
func (d *deployment) maxReceives(t *testing.T) int {
	t.Helper()
	out, err := sqs.NewFromConfig(d.aws).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
		QueueUrl: &d.out.QueueURL, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameRedrivePolicy}})
	if err != nil {
		t.Fatal(err)
	}
	var policy struct {
		MaxReceiveCount json.Number
	}
	if err := json.Unmarshal([]byte(out.Attributes["RedrivePolicy"]), &policy); err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(policy.MaxReceiveCount.String())
	if err != nil || n < 2 {
		t.Fatalf("the queue's redrive policy is %q", out.Attributes["RedrivePolicy"])
	}
	return n
}

// awaitDeadLetter receives the one message of the dead-letter queue.
func (d *deployment) awaitDeadLetter(t *testing.T, body string) (m types.Message) {
	t.Helper()
	eventually(t, "wait for the dead letter", 2*time.Minute, func() error {
		out, err := sqs.NewFromConfig(d.aws).ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &d.out.DeadLetterURL, WaitTimeSeconds: 1, VisibilityTimeout: 300,
			MessageSystemAttributeNames: []types.MessageSystemAttributeName{types.MessageSystemAttributeNameApproximateReceiveCount}})
		switch {
		case err != nil:
			return err
		case len(out.Messages) == 0:
			return errors.New("none yet")
		case *out.Messages[0].Body != body:
			return fmt.Errorf("another one: %s", *out.Messages[0].Body)
		}
		m = out.Messages[0]
		return nil
	})
	return m
}

// redrive moves the dead letters back to where they came from. What this test has received must be visible for that.
func (d *deployment) redrive(t *testing.T, m types.Message) {
	t.Helper()
	api := sqs.NewFromConfig(d.aws)
	if _, err := api.ChangeMessageVisibility(t.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: &d.out.DeadLetterURL, ReceiptHandle: m.ReceiptHandle}); err != nil {
		t.Fatal(err)
	}
	arn, err := api.GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{QueueUrl: &d.out.DeadLetterURL, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameQueueArn}})
	if err != nil {
		t.Fatal(err)
	}
	source := arn.Attributes["QueueArn"]
	if _, err := api.StartMessageMoveTask(t.Context(), &sqs.StartMessageMoveTaskInput{SourceArn: &source}); err != nil {
		t.Fatalf("redriving: %v", err)
	}
	eventually(t, "wait for the end of the redrive", 30*time.Second, func() error {
		out, err := api.ListMessageMoveTasks(t.Context(), &sqs.ListMessageMoveTasksInput{SourceArn: &source})
		if err != nil || len(out.Results) == 0 {
			return fmt.Errorf("no task: %w", err)
		}
		if task := out.Results[0]; *task.Status != "COMPLETED" || task.ApproximateNumberOfMessagesMoved != 1 {
			return fmt.Errorf("%s, %d moved", *task.Status, task.ApproximateNumberOfMessagesMoved)
		}
		return nil
	})
}
