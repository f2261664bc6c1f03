package sns

import (
	"errors"
	"maps"
	"strings"
	"time"

	"storefront/lab/sqs"
	"storefront/lab/wire"
)

// service is the principal that queue policies name.
const service = "sns.amazonaws.com"

// message is a message on its way.
type message struct {
	draft
	receipt
	topic string // ARN
	text  string // of draft.message what queues get
	dedup string // of FIFO topics
	sent  time.Time
}

// deliver sends a message to the queue of a subscription that wants it. What the queue refuses goes to the subscription's dead-letter queue, if it has one.
func (p *publication) deliver(t *topic, sub *subscription, m *message) error {
	wanted, err := sub.wants(m)
	if err != nil || !wanted {
		return err
	}
	post := &sqs.Post{Queue: sub.Endpoint, Service: service, Source: m.topic, SourceAccount: p.Region.Account, Group: wire.Value(m.group)}
	if strings.HasSuffix(sub.Endpoint, ".fifo") {
		post.Dedup = m.dedup
	}
	if sub.Attributes["RawMessageDelivery"] == "true" {
		post.Body, post.Attributes = m.text, maps.Clone(m.attributes)
	} else if post.Body, err = p.envelope(t, sub, m); err != nil {
		return err
	}
	refused, err := refusal(p.post(post))
	if err != nil || refused == nil {
		return err
	}
	return p.bury(sub, m, post, refused)
}

// bury sends what a queue refused to the subscription's dead-letter queue. AWS does not try again what a client's mistake keeps from arriving.
func (p *publication) bury(sub *subscription, m *message, post *sqs.Post, reason error) error {
	policy := sub.Attributes["RedrivePolicy"]
	if policy == "" {
		p.Log.Warn("message dropped: its queue refuses it", "subscription", sub.ARN, "message", m.id, "error", reason)
		return nil
	}
	target, err := p.deadLetters(policy)
	if err != nil {
		return err
	}
	post.Queue = target
	refused, err := refusal(p.post(post))
	if refused != nil {
		p.Log.Warn("message dropped: its queue and its dead-letter queue refuse it", "subscription", sub.ARN, "message", m.id, "error", errors.Join(reason, refused))
	}
	return err
}

// wants asks the filter policy of a subscription.
func (sub *subscription) wants(m *message) (bool, error) {
	text := sub.Attributes["FilterPolicy"]
	if text == "" {
		return true, nil
	}
	f, err := parseFilter(text)
	if err != nil {
		return false, err
	}
	if sub.Attributes["FilterPolicyScope"] == scopeBody {
		return f.matchesBody(m.text), nil
	}
	return f.matchesAttributes(m.attributes), nil
}
