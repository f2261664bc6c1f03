package sns_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	snsapi "storefront/lab/api/sns"
	sqsapi "storefront/lab/api/sqs"
	"storefront/lab/kms"
	"storefront/lab/region"
	lab "storefront/lab/sns"
	"storefront/lab/sqs"
	"storefront/lab/state"
	"storefront/lab/wire/wiretest"
)

const (
	topicARN = "arn:aws:sns:us-east-1:000000000000:"
	queueARN = "arn:aws:sqs:us-east-1:000000000000:"
)

// harness is both services on one store, SNS behind a wire server, with a clock of the test's own.
type harness struct {
	*sns.Client
	t       testing.TB
	service *lab.Service
	queues  *sqs.Service
	keys    *kms.Service
	store   *state.Store
	now     time.Time
}

func start(t testing.TB) *harness {
	t.Helper()
	h := &harness{t: t, now: time.Date(2026, 7, 1, 12, 0, 0, 5e6, time.UTC)}
	h.store = wiretest.Must(state.Open(filepath.Join(t.TempDir(), "state")))
	t.Cleanup(func() { _ = h.store.Close() })
	h.open()
	return h
}

// open starts the services on what the store holds, as after the death of those before.
func (h *harness) open() {
	h.t.Helper()
	clock := func() time.Time { return h.now }
	h.keys = kms.New(h.store, region.Default(), clock)
	h.queues = wiretest.Must(sqs.New(sqs.Config{Store: h.store, Region: region.Default(), Endpoint: func() string { return "http://lab" }, Keys: h.keys, Now: clock}))
	h.service = lab.New(lab.Config{Store: h.store, Region: region.Default(), Now: clock, Queues: h.queues, Keys: h.keys, Log: slog.New(slog.DiscardHandler)})
	h.Client = sns.NewFromConfig(wiretest.New(h.t, snsapi.New(h.service)).Config())
}

// topic creates a topic and returns its ARN. Attributes come in pairs.
func (h *harness) topic(name string, attributes ...string) *string {
	h.t.Helper()
	return wiretest.Must(h.CreateTopic(h.t.Context(), &sns.CreateTopicInput{Name: &name, Attributes: pairs(attributes)})).TopicArn
}

func pairs(list []string) map[string]string {
	m := map[string]string{}
	for i := 0; i < len(list); i += 2 {
		m[list[i]] = list[i+1]
	}
	return m
}

// allow is a queue policy that lets a topic send.
func allow(queue, topic string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"` + queueARN + queue +
		`","Condition":{"ArnEquals":{"aws:SourceArn":"` + topic + `"}}},
		{"Effect":"Deny","Principal":"*","Action":"sqs:*","Resource":"` + queueARN + queue + `","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`
}

// queue creates a queue that a topic may send to.
func (h *harness) queue(name, topic string, attributes ...string) {
	h.t.Helper()
	set := pairs(append(attributes, "Policy", allow(name, topic)))
	wiretest.Must(h.queues.CreateQueue(h.t.Context(), &sqsapi.CreateQueueInput{QueueName: &name, Attributes: set}))
}

// subscribe subscribes a queue and returns the subscription's ARN.
func (h *harness) subscribe(topic *string, queue string, attributes ...string) *string {
	h.t.Helper()
	return wiretest.Must(h.Subscribe(h.t.Context(), &sns.SubscribeInput{TopicArn: topic, Protocol: new("sqs"), Endpoint: new(queueARN + queue), Attributes: pairs(attributes),
		ReturnSubscriptionArn: true})).SubscriptionArn
}

func (h *harness) publish(topic *string, message string) *sns.PublishOutput {
	h.t.Helper()
	return wiretest.Must(h.Publish(h.t.Context(), &sns.PublishInput{TopicArn: topic, Message: &message}))
}

// received takes what is in a queue.
func (h *harness) received(queue string) []sqsapi.Message {
	h.t.Helper()
	return wiretest.Must(h.queues.ReceiveMessage(context.Background(), &sqsapi.ReceiveMessageInput{QueueUrl: new("http://lab/000000000000/" + queue), MaxNumberOfMessages: new(int64(10)),
		MessageAttributeNames: []string{"All"}, AttributeNames: []string{"All"}})).Messages
}

// expect compares what raw deliveries left in a queue.
func (h *harness) expect(queue string, want ...string) []sqsapi.Message {
	h.t.Helper()
	found := h.received(queue)
	bodies := []string{}
	for _, m := range found {
		bodies = append(bodies, *m.Body)
	}
	got, wanted := wiretest.Must(json.Marshal(bodies)), wiretest.Must(json.Marshal(append([]string{}, want...)))
	if string(got) != string(wanted) {
		h.t.Errorf("%s has %s, want %s", queue, got, wanted)
	}
	return found
}

func text(value string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: new("String"), StringValue: &value}
}
