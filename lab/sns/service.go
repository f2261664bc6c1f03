// Package sns is the lab's Amazon SNS: standard and FIFO topics that deliver to SQS queues, with filter policies, raw delivery, dead-letter queues of
// subscriptions and signed messages.
//
// A message that is published is in its queues in the same transaction: there is nothing to retry, and what a queue refuses goes to the subscription's dead-letter
// queue at once. Other protocols than sqs are refused, so no subscription waits for a confirmation. The UnsubscribeURL in a message leads to the operation, which
// needs a signature here. Message archiving, data protection policies and delivery status logs are not served.
package sns

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	api "storefront/lab/api/sns"
	"storefront/lab/region"
	"storefront/lab/sqs"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Queues takes deliveries. sqs.Service implements it.
type Queues interface {
	Posting(f func(tx *state.Tx, post func(*sqs.Post) error) error) error
}

// Keys are the customer's keys. kms.Service implements it.
type Keys interface {
	Seal(tx *state.Tx, ref string, encryptionContext map[string]string, plaintext []byte) (ciphertext []byte, keyARN string, err error)
}

// Config is what a Service is built from. All fields but KeyAdmits are required.
type Config struct {
	Store  *state.Store
	Region region.Region
	Now    func() time.Time
	Queues Queues
	Keys   Keys
	Log    *slog.Logger
	// KeyAdmits tells whether a key's policy lets another service, which publishes to a topic for a source, use the key. Nil lets every service.
	KeyAdmits func(tx *state.Tx, service, source, key string, encryptionContext map[string]string) error
}

// Service answers the SNS API.
type Service struct {
	Config
	signer signer
}

var _ api.API = (*Service)(nil)

// New makes the service on the store's state.
func New(c Config) *Service { return &Service{Config: c} }

// topic is what the store keeps of a topic.
type topic struct {
	Name       string
	Attributes map[string]string // those that were set
	Tags       map[string]string
}

// subscription is what the store keeps of a subscription.
type subscription struct {
	ARN, Topic, Protocol, Endpoint string
	Attributes                     map[string]string // those that were set
}

var (
	topics        = state.NewTable[topic]("sns.topic")               // by name
	subscriptions = state.NewTable[subscription]("sns.subscription") // by "<topic>/<ID>"
	duplicates    = state.NewTable[duplicate]("sns.deduplication")   // by "<topic>/<scope and ID>"
	outbox        = state.NewTable[entry]("sns.outbox")              // by number, in hexadecimal
)

func (s *Service) arn(name string) string { return s.Region.ARN("sns", name) }

// find resolves a topic's ARN.
func (s *Service) find(tx *state.Tx, arn string) (topic, error) {
	name, ours := strings.CutPrefix(arn, s.arn(""))
	if !ours {
		if strings.Count(arn, ":") != 5 || !strings.HasPrefix(arn, "arn:") {
			return topic{}, invalid("TopicArn")
		}
		return topic{}, errNoTopic()
	}
	t, ok, err := topics.Get(tx, name)
	if err == nil && !ok {
		err = errNoTopic()
	}
	return t, err
}

func (t *topic) fifo() bool { return t.Attributes["FifoTopic"] == "true" }

func fail(code, format string, args ...any) *wire.Error {
	return wire.Errorf(http.StatusBadRequest, code, format, args...)
}

// invalid refuses a parameter. SNS's messages all begin alike.
func invalid(parameter string, reason ...string) *wire.Error {
	return fail("InvalidParameter", "Invalid parameter: %s", strings.Join(append([]string{parameter}, reason...), " Reason: "))
}

func missing(what string) *wire.Error {
	return wire.Errorf(http.StatusNotFound, "NotFound", "%s does not exist", what)
}

func errNoTopic() *wire.Error { return missing("Topic") }
