package sqs_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	api "storefront/lab/api/sqs"
	"storefront/lab/kms"
	"storefront/lab/region"
	lab "storefront/lab/sqs"
	"storefront/lab/state"
	"storefront/lab/wire/wiretest"
)

const endpoint = "http://127.0.0.1:4566"

// harness is a service behind a wire server, with a clock of the test's own.
type harness struct {
	*sqs.Client
	t       testing.TB
	service *lab.Service
	keys    *kms.Service
	store   *state.Store
	now     time.Time
	url     string // of the server
	file    string // of the store
	observe func(queue, metric string, value float64)
}

func start(t testing.TB) *harness {
	t.Helper()
	h := &harness{t: t, now: time.Now()}
	h.file = filepath.Join(t.TempDir(), "state")
	h.store = wiretest.Must(state.Open(h.file))
	t.Cleanup(func() { _ = h.store.Close() })
	h.open()
	return h
}

// open starts a service on what the store holds, as after the death of the one before.
func (h *harness) open() {
	h.t.Helper()
	h.keys = kms.New(h.store, region.Default(), func() time.Time { return h.now })
	h.service = wiretest.Must(lab.New(lab.Config{Store: h.store, Region: region.Default(), Endpoint: func() string { return endpoint }, Keys: h.keys, Observe: h.observe, Now: func() time.Time { return h.now }}))
	server := wiretest.New(h.t, api.New(h.service))
	h.url, h.Client = server.URL, sqs.NewFromConfig(server.Config())
}

func (h *harness) pass(d time.Duration) { h.now = h.now.Add(d) }

// queue creates a queue and returns its URL. Attributes come in pairs.
func (h *harness) queue(name string, attributes ...string) *string {
	h.t.Helper()
	set := map[string]string{}
	for i := 0; i < len(attributes); i += 2 {
		set[attributes[i]] = attributes[i+1]
	}
	return wiretest.Must(h.CreateQueue(h.t.Context(), &sqs.CreateQueueInput{QueueName: &name, Attributes: set})).QueueUrl
}

func (h *harness) send(url *string, body string) *sqs.SendMessageOutput {
	h.t.Helper()
	return wiretest.Must(h.SendMessage(h.t.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: &body}))
}

// sendTo sends to a message group, deduplicated by the body.
func (h *harness) sendTo(url *string, group, body string) *sqs.SendMessageOutput {
	h.t.Helper()
	return wiretest.Must(h.SendMessage(h.t.Context(), &sqs.SendMessageInput{QueueUrl: url, MessageBody: &body, MessageGroupId: &group, MessageDeduplicationId: &body}))
}

func (h *harness) receive(url *string, limit int32) []types.Message {
	h.t.Helper()
	return wiretest.Must(h.ReceiveMessage(h.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: url, MaxNumberOfMessages: limit, MessageAttributeNames: []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}})).Messages
}

func (h *harness) delete(url, receipt *string) error {
	_, err := h.DeleteMessage(h.t.Context(), &sqs.DeleteMessageInput{QueueUrl: url, ReceiptHandle: receipt})
	return err
}

// expect receives and compares the bodies.
func (h *harness) expect(url *string, want ...string) []types.Message {
	h.t.Helper()
	found := h.receive(url, 10)
	var bodies []string
	for _, m := range found {
		bodies = append(bodies, *m.Body)
	}
	same := len(bodies) == len(want)
	for i := range min(len(bodies), len(want)) {
		same = same && bodies[i] == want[i]
	}
	if !same {
		h.t.Fatalf("received %q, want %q", bodies, want)
	}
	return found
}

func (h *harness) expectDepth(name string, visible, inFlight, delayed int) {
	h.t.Helper()
	d, ok := h.service.Depth(name)
	if !ok || d.Visible != visible || d.InFlight != inFlight || d.Delayed != delayed {
		h.t.Errorf("%s has %+v, want %d visible, %d in flight, %d delayed", name, d, visible, inFlight, delayed)
	}
}
