package sqs_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	kmsapi "storefront/lab/api/kms"
	"storefront/lab/wire/wiretest"
)

func TestKMSEncryption(t *testing.T) {
	h := start(t)
	key := wiretest.Must(h.keys.CreateKey(t.Context(), &kmsapi.CreateKeyInput{})).KeyMetadata
	dead := h.queue("dead")
	url := h.queue("q", "KmsMasterKeyId", *key.Arn, "KmsDataKeyReusePeriodSeconds", "60", "VisibilityTimeout", "0", "RedrivePolicy", redrive("dead", 2))
	if a := h.attributes(url); a["KmsMasterKeyId"] != *key.Arn || a["KmsDataKeyReusePeriodSeconds"] != "60" || a["SqsManagedSseEnabled"] != "false" {
		t.Errorf("got %v", a)
	}
	const secret = "a body that must not be readable on disk"
	if sent := h.send(url, secret); *sent.MD5OfMessageBody != "d584528a4abdce7bb4e1724c14c87565" {
		t.Errorf("got MD5 %s", *sent.MD5OfMessageBody)
	}
	h.open()
	h.send(url, "a")
	h.expect(url, secret, "a")
	if data := wiretest.Must(os.ReadFile(h.file)); strings.Contains(string(data), secret) || !strings.Contains(string(data), "sqs.content") {
		t.Error("the body is on disk in plain")
	}
	disable := func() {
		wiretest.Must(h.keys.DisableKey(t.Context(), &kmsapi.DisableKeyInput{KeyId: key.KeyId}))
	}
	sending := func() error {
		_, err := h.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: new("b")})
		return err
	}
	disable()
	if err := sending(); err != nil {
		t.Errorf("refused before the reuse period was over: %v", err)
	}
	h.pass(time.Minute)
	err := sending()
	if wiretest.Refused(t, err, "KMS.DisabledException", "is disabled"); !errors.As(err, new(*types.KmsDisabled)) {
		t.Errorf("got %T", err)
	}
	_, err = h.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url})
	wiretest.Refused(t, err, "KMS.DisabledException", "is disabled")
	h.expectDepth("q", 3, 0, 0)
	wiretest.Must(h.keys.EnableKey(t.Context(), &kmsapi.EnableKeyInput{KeyId: key.KeyId}))
	h.expect(url, secret, "a", "b")
	h.expect(url, "b")
	disable() // a dead letter is still under the key of the queue that it was sent to
	h.pass(5 * time.Minute)
	_, err = h.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: dead})
	wiretest.Refused(t, err, "KMS.DisabledException", "is disabled")
	wiretest.Must(h.keys.EnableKey(t.Context(), &kmsapi.EnableKeyInput{KeyId: key.KeyId}))
	h.expect(dead, secret, "a")
	h.queue("lost", "KmsMasterKeyId", "00000000-0000-0000-0000-000000000000")
	_, err = h.SendMessage(t.Context(), &sqs.SendMessageInput{QueueUrl: new(h.url + "/000000000000/lost"), MessageBody: new("b")})
	wiretest.Refused(t, err, "KMS.NotFoundException", "does not exist")
}

// TestObserve: the metrics of CloudWatch's namespace AWS/SQS that are about what happens.
func TestObserve(t *testing.T) {
	h := start(t)
	seen := map[string]float64{}
	h.observe = func(queue, metric string, value float64) { seen[queue+" "+metric] += value }
	h.open()
	url := h.queue("q")
	h.send(url, "four")
	h.send(url, "fives")
	found := h.receive(url, 10)
	h.receive(url, 10)
	if err := h.delete(url, found[0].ReceiptHandle); err != nil {
		t.Fatal(err)
	}
	for metric, want := range map[string]float64{"NumberOfMessagesSent": 2, "SentMessageSize": 9, "NumberOfMessagesReceived": 2, "NumberOfEmptyReceives": 1, "NumberOfMessagesDeleted": 1} {
		if got := seen["q "+metric]; got != want {
			t.Errorf("%s is %v, want %v", metric, got, want)
		}
	}
}
