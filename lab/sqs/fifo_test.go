package sqs_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"storefront/lab/wire/wiretest"
)

func TestGroupsInOrder(t *testing.T) {
	h := start(t)
	url := h.queue("q.fifo", "FifoQueue", "true", "VisibilityTimeout", "10")
	for _, m := range [][2]string{{"a", "a1"}, {"a", "a2"}, {"b", "b1"}, {"a", "a3"}} {
		h.sendTo(url, m[0], m[1])
	}
	first := h.receive(url, 2)
	if len(first) != 2 || *first[0].Body != "a1" || *first[1].Body != "a2" || first[0].Attributes["SequenceNumber"] >= first[1].Attributes["SequenceNumber"] {
		t.Fatalf("got %+v, want a1 and a2", first)
	}
	b := h.expect(url, "b1") // a3 waits for its group
	if err := h.delete(url, first[1].ReceiptHandle); err != nil {
		t.Fatal(err)
	}
	h.expect(url)
	h.open()
	h.expect(url)
	h.pass(10 * time.Second)
	again := h.expect(url, "a1", "a3", "b1")
	wiretest.Refused(t, h.delete(url, new("?")), "ReceiptHandleIsInvalid", "?")
	if err := h.delete(url, b[0].ReceiptHandle); err != nil {
		t.Errorf("an old handle: %v", err)
	}
	for _, m := range again {
		if err := h.delete(url, m.ReceiptHandle); err != nil {
			t.Error(err)
		}
	}
	h.expectDepth("q.fifo", 0, 0, 0)
	h.sendTo(url, "a", "late")
	late := h.expect(url, "late")[0]
	h.pass(10 * time.Second)
	wiretest.Refused(t, h.delete(url, late.ReceiptHandle), "InvalidParameterValue", "expired")
}

func TestDeduplication(t *testing.T) {
	h := start(t)
	url := h.queue("q.fifo", "FifoQueue", "true", "ContentBasedDeduplication", "true")
	first, same := h.sendTo(url, "g", "x"), h.sendTo(url, "h", "x")
	if *first.MessageId != *same.MessageId || *first.SequenceNumber != *same.SequenceNumber {
		t.Errorf("got %+v and %+v, want one message", first, same)
	}
	content := func() string {
		return *wiretest.Must(h.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: new("y"), MessageGroupId: new("g")})).MessageId
	}
	y := content()
	got := h.expect(url, "x", "y")
	if err := h.delete(url, got[0].ReceiptHandle); err != nil {
		t.Fatal(err)
	}
	h.pass(5*time.Minute - time.Second)
	h.open() // deleted or not, and across restarts
	if content() != y || *h.sendTo(url, "g", "x").MessageId != *first.MessageId {
		t.Error("a message was taken twice within five minutes")
	}
	h.pass(time.Second)
	if content() == y {
		t.Error("a message was still known after five minutes")
	}
	scoped := h.queue("s.fifo", "FifoQueue", "true", "DeduplicationScope", "messageGroup")
	if a, b := h.sendTo(scoped, "g", "x"), h.sendTo(scoped, "h", "x"); *a.MessageId == *b.MessageId {
		t.Error("groups share their deduplication IDs")
	}
	_, err := h.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: scoped, MessageBody: new("y"), MessageGroupId: new("g")})
	wiretest.Refused(t, err, "InvalidParameterValue", "ContentBasedDeduplication")
	_, err = h.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: scoped, MessageBody: new("y")})
	wiretest.Refused(t, err, "MissingParameter", "MessageGroupId")
}
