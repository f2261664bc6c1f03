package sqs_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"storefront/lab/wire/wiretest"
)

func TestVisibilityAndReceipts(t *testing.T) {
	h := start(t)
	url := h.queue("q", "VisibilityTimeout", "10")
	h.send(url, "a")
	first := h.expect(url, "a")[0]
	h.expect(url)
	h.expectDepth("q", 0, 1, 0)
	h.pass(10 * time.Second)
	second := h.expect(url, "a")[0]
	if *first.ReceiptHandle == *second.ReceiptHandle || second.Attributes["ApproximateReceiveCount"] != "2" {
		t.Errorf("got %v after %v", second, first)
	}
	if err := h.delete(url, first.ReceiptHandle); err != nil {
		t.Errorf("an old handle: %v", err)
	}
	h.expectDepth("q", 0, 1, 0)
	change := func(receipt *string, seconds int32) error {
		_, err := h.ChangeMessageVisibility(t.Context(), &sqs.ChangeMessageVisibilityInput{QueueUrl: url, ReceiptHandle: receipt, VisibilityTimeout: seconds})
		return err
	}
	if err := change(second.ReceiptHandle, 100); err != nil {
		t.Fatal(err)
	}
	h.pass(99 * time.Second)
	h.open() // what was acknowledged outlives the service
	h.expect(url)
	h.pass(time.Second)
	third := h.expect(url, "a")[0]
	if err := change(third.ReceiptHandle, 0); err != nil {
		t.Fatal(err)
	}
	wiretest.Refused(t, change(third.ReceiptHandle, 5), "AWS.SimpleQueueService.MessageNotInflight", "")
	if err := h.delete(url, third.ReceiptHandle); err != nil {
		t.Fatal(err)
	}
	h.expectDepth("q", 0, 0, 0)
	if err := h.delete(url, third.ReceiptHandle); err != nil {
		t.Errorf("deleting twice: %v", err)
	}
	wiretest.Refused(t, h.delete(url, new("no handle")), "ReceiptHandleIsInvalid", "no handle")
	wiretest.Refused(t, change(third.ReceiptHandle, 43201), "InvalidParameterValue", "VisibilityTimeout")
}

func TestDelayAndRetention(t *testing.T) {
	h := start(t)
	url := h.queue("q", "DelaySeconds", "5", "MessageRetentionPeriod", "60")
	h.send(url, "slow")
	wiretest.Must(h.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: new("slower"), DelaySeconds: 20}))
	h.expectDepth("q", 0, 0, 2)
	h.expect(url)
	h.pass(5 * time.Second)
	h.open()
	h.expect(url, "slow")
	h.pass(15 * time.Second)
	h.expect(url, "slower")
	h.pass(time.Minute)
	h.expect(url)
	h.expectDepth("q", 0, 0, 0)
}

func TestAttributesAndChecksums(t *testing.T) {
	h := start(t)
	url := h.queue("q")
	// The SDK compares the checksums of bodies itself.
	sent := wiretest.Must(h.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: new("body"), MessageAttributes: map[string]types.MessageAttributeValue{
		"city": {DataType: new("String"), StringValue: new("Any City")}, "population": {DataType: new("Number"), StringValue: new("1250800")},
		"raw.x": {DataType: new("Binary.gif"), BinaryValue: []byte{0, 1, 2}}},
		MessageSystemAttributes: map[string]types.MessageSystemAttributeValue{"AWSTraceHeader": {DataType: new("String"), StringValue: new("Root=1")}}}))
	got := h.expect(url, "body")[0]
	if *sent.MD5OfMessageBody != "841a2d689ad86bd1611447453c22c6fc" || *got.MD5OfBody != *sent.MD5OfMessageBody || *got.MD5OfMessageAttributes != *sent.MD5OfMessageAttributes {
		t.Errorf("sent %+v, got %+v", sent, got)
	}
	if len(got.MessageAttributes) != 3 || string(got.MessageAttributes["raw.x"].BinaryValue) != "\x00\x01\x02" || got.Attributes["AWSTraceHeader"] != "Root=1" || got.Attributes["SenderId"] != "AIDATEST" {
		t.Errorf("got %+v", got)
	}
	for name, in := range map[string]struct {
		body, attribute, kind, value, code string
	}{
		"control character": {"a\x01", "x", "String", "v", "InvalidMessageContents"},
		"reserved":          {"a", "AWS.x", "String", "v", "InvalidParameterValue"},
		"two dots":          {"a", "x..y", "String", "v", "InvalidParameterValue"},
		"type":              {"a", "x", "Text", "v", "InvalidParameterValue"},
		"empty":             {"a", "x", "String", "", "InvalidParameterValue"},
		"number":            {"a", "x", "Number", "one", "InvalidParameterValue"},
		"size":              {strings.Repeat("a", 1<<20), "x", "String", "v", "InvalidParameterValue"},
		"no body":           {"", "x", "String", "v", "MissingParameter"},
	} {
		_, err := h.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: &in.body, MessageAttributes: map[string]types.MessageAttributeValue{
			in.attribute: {DataType: &in.kind, StringValue: &in.value}}})
		t.Log(name)
		wiretest.Refused(t, err, in.code, "")
	}
	h.expectDepth("q", 0, 1, 0)
}

func TestBatches(t *testing.T) {
	h := start(t)
	url := h.queue("q")
	entries := func(ids ...string) (all []types.SendMessageBatchRequestEntry) {
		for _, id := range ids {
			all = append(all, types.SendMessageBatchRequestEntry{Id: new(id), MessageBody: new("body " + id)})
		}
		return all
	}
	batch := func(all []types.SendMessageBatchRequestEntry) (*sqs.SendMessageBatchOutput, error) {
		return h.SendMessageBatch(t.Context(), &sqs.SendMessageBatchInput{QueueUrl: url, Entries: all})
	}
	_, err := batch([]types.SendMessageBatchRequestEntry{})
	wiretest.Refused(t, err, "AWS.SimpleQueueService.EmptyBatchRequest", "")
	_, err = batch(entries("a", "b", "a"))
	wiretest.Refused(t, err, "AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "a")
	_, err = batch(entries("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"))
	wiretest.Refused(t, err, "AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "11")
	_, err = batch(entries("a b"))
	wiretest.Refused(t, err, "AWS.SimpleQueueService.InvalidBatchEntryId", "")
	long := entries("a", "b")
	long[0].MessageBody, long[1].MessageBody = new(strings.Repeat("a", 1<<19)), new(strings.Repeat("a", 1<<19+1))
	_, err = batch(long)
	wiretest.Refused(t, err, "AWS.SimpleQueueService.BatchRequestTooLong", "")
	h.expectDepth("q", 0, 0, 0)

	mixed := entries("a", "b")
	mixed[1].MessageBody = new("\x02")
	out := wiretest.Must(batch(mixed))
	if len(out.Successful) != 1 || *out.Successful[0].Id != "a" || len(out.Failed) != 1 || *out.Failed[0].Code != "InvalidMessageContents" || !out.Failed[0].SenderFault {
		t.Errorf("got %+v", out)
	}
	got := h.expect(url, "body a")[0]
	deleted := wiretest.Must(h.DeleteMessageBatch(t.Context(), &sqs.DeleteMessageBatchInput{QueueUrl: url, Entries: []types.DeleteMessageBatchRequestEntry{
		{Id: new("x"), ReceiptHandle: got.ReceiptHandle}, {Id: new("y"), ReceiptHandle: new("?")}}}))
	if len(deleted.Successful) != 1 || len(deleted.Failed) != 1 || *deleted.Failed[0].Code != "ReceiptHandleIsInvalid" {
		t.Errorf("got %+v", deleted)
	}
	h.expectDepth("q", 0, 0, 0)
}

// TestEveryMessageOnce lets senders and receivers race, and checks the history: each acknowledged message is received and deleted by exactly one.
func TestEveryMessageOnce(t *testing.T) {
	h := start(t)
	url := h.queue("q")
	const senders, each = 4, 50
	var sending, receiving sync.WaitGroup
	var mu sync.Mutex
	sent, deleted := map[string]bool{}, map[string]int{}
	for n := range senders {
		sending.Go(func() {
			for i := range each {
				a := h.send(url, fmt.Sprintf("%d/%d", n, i))
				mu.Lock()
				sent[*a.MessageId] = true
				mu.Unlock()
			}
		})
	}
	done := func() bool { mu.Lock(); defer mu.Unlock(); return len(deleted) == senders*each }
	for range senders {
		receiving.Go(func() {
			for deadline := time.Now().Add(20 * time.Second); !done() && time.Now().Before(deadline); {
				for _, m := range h.receive(url, 3) {
					if err := h.delete(url, m.ReceiptHandle); err != nil {
						t.Error(err)
					}
					mu.Lock()
					deleted[*m.MessageId]++
					mu.Unlock()
				}
			}
		})
	}
	sending.Wait()
	receiving.Wait()
	for id := range sent {
		if deleted[id] != 1 {
			t.Errorf("message %s was received %d times", id, deleted[id])
		}
	}
	if len(sent) != senders*each {
		t.Errorf("%d message IDs for %d messages", len(sent), senders*each)
	}
	h.open()
	h.expectDepth("q", 0, 0, 0)
}

func FuzzReceiptsAndAttributes(f *testing.F) {
	h := start(f)
	url := h.queue("q")
	other := h.queue("other")
	h.send(url, "kept")
	receipt := *h.receive(url, 1)[0].ReceiptHandle
	f.Add("", "x", "String")
	f.Add("cSAxIHg=", "a.b", "Number.int")
	f.Fuzz(func(t *testing.T, handle, name, value string) {
		if handle == receipt {
			return
		}
		if handle != "" {
			_, err := h.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: &handle})
			if err != nil && !errors.As(err, new(*types.ReceiptHandleIsInvalid)) {
				t.Errorf("handle %q: %v", handle, err)
			}
		}
		if _, err := h.SetQueueAttributes(t.Context(), &sqs.SetQueueAttributesInput{QueueUrl: url, Attributes: map[string]string{name: value}}); err != nil && strings.Contains(err.Error(), "InternalFailure") {
			t.Errorf("attribute %q=%q: %v", name, value, err)
		}
		if _, err := h.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: other, MessageBody: &value, MessageAttributes: map[string]types.MessageAttributeValue{
			name: {DataType: &value, StringValue: &handle}}}); err != nil && strings.Contains(err.Error(), "InternalFailure") {
			t.Errorf("message attribute %q: %v", name, err)
		}
		if d, _ := h.service.Depth("q"); d.InFlight != 1 {
			t.Fatalf("handle %q deleted a message that it does not belong to", handle)
		}
	})
}
