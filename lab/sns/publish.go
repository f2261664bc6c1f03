package sns

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"time"

	api "storefront/lab/api/sns"
	"storefront/lab/sqs"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// deduplicationInterval is how long a FIFO topic knows what was published.
const deduplicationInterval = 5 * time.Minute

// duplicate is what a FIFO topic remembers of a message: enough to answer who publishes it again.
type duplicate struct {
	ID, Sequence string
	Until        int64 // milliseconds since the epoch
}

// receipt answers a message.
type receipt struct{ id, sequence string }

// publication is the transaction in which messages are published.
type publication struct {
	*Service
	tx   *state.Tx
	post func(*sqs.Post) error
}

// publishing runs f in a transaction that reaches the queues.
func (s *Service) publishing(f func(*publication) error) error {
	return s.Queues.Posting(func(tx *state.Tx, post func(*sqs.Post) error) error { return f(&publication{s, tx, post}) })
}

// publish delivers a message to a topic's subscriptions. When it refuses, with a *wire.Error, nothing has happened.
func (p *publication) publish(arn string, d *draft) (receipt, error) {
	t, err := p.find(p.tx, arn)
	if err != nil {
		return receipt{}, err
	}
	dedup, err := t.check(d)
	if err != nil {
		return receipt{}, err
	}
	if err := p.checkKey(&t); err != nil {
		return receipt{}, err
	}
	m := &message{draft: *d, receipt: receipt{id: newUUID()}, topic: arn, dedup: dedup, sent: p.Now()}
	if m.text, err = d.body(); err != nil {
		return receipt{}, err
	}
	if t.fifo() {
		known, ok, err := duplicates.Get(p.tx, t.Name+"/"+dedup)
		if err != nil {
			return receipt{}, err
		}
		if ok && m.sent.UnixMilli() < known.Until {
			return receipt{known.ID, known.Sequence}, nil
		}
		number, err := p.tx.Sequence("sns.message")
		if err != nil {
			return receipt{}, err
		}
		m.sequence = fmt.Sprintf("1%019d", number)
		if err := duplicates.Put(p.tx, t.Name+"/"+dedup, duplicate{m.id, m.sequence, m.sent.Add(deduplicationInterval).UnixMilli()}); err != nil {
			return receipt{}, err
		}
	}
	for _, sub := range p.subscribers(p.tx, t.Name) {
		if err := p.deliver(&t, &sub, m); err != nil {
			return receipt{}, err
		}
	}
	return m.receipt, nil
}

// check checks what depends on the topic, and returns the deduplication ID of a FIFO topic's message.
func (t *topic) check(d *draft) (dedup string, err error) {
	if d.group != nil && !validToken.MatchString(*d.group) {
		return "", invalid("MessageGroupId", "it has 1 to 128 alphanumeric characters and punctuation marks")
	}
	if !t.fifo() {
		if d.dedup != nil {
			return "", invalid("MessageDeduplicationId", "The request includes MessageDeduplicationId parameter that is not valid for this topic type")
		}
		return "", nil
	}
	switch {
	case d.group == nil:
		return "", invalid("The MessageGroupId parameter is required for FIFO topics")
	case d.dedup != nil && !validToken.MatchString(*d.dedup):
		return "", invalid("MessageDeduplicationId", "it has 1 to 128 alphanumeric characters and punctuation marks")
	case d.dedup != nil:
		return *d.dedup, nil
	case t.Attributes["ContentBasedDeduplication"] != "true":
		return "", invalid("The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly")
	}
	sum := sha256.Sum256([]byte(d.message))
	return hex.EncodeToString(sum[:]), nil
}

// checkKey sees that the topic's KMS key can be used. Messages rest in queues, which encrypt them with keys of their own.
func (p *publication) checkKey(t *topic) error {
	key := t.Attributes["KmsMasterKeyId"]
	if key == "" {
		return nil
	}
	_, _, err := p.Keys.Seal(p.tx, key, map[string]string{"aws:sns:topicArn": p.arn(t.Name)}, []byte{0})
	refused, ok := errors.AsType[*wire.Error](err)
	if !ok {
		return err
	}
	code, known := map[string]string{"NotFoundException": "KMSNotFound", "DisabledException": "KMSDisabled", "KMSInvalidStateException": "KMSInvalidState"}[refused.Code]
	if !known {
		return err
	}
	return fail(code, "%s", refused.Message)
}

// Publish implements the operation of that name. When it is answered, the message is in the queues.
func (s *Service) Publish(_ context.Context, in *api.PublishInput) (*api.PublishOutput, error) {
	topic := wire.Or(in.TopicArn, wire.Value(in.TargetArn))
	switch {
	case in.PhoneNumber != nil:
		return nil, invalid("PhoneNumber", "the lab sends no text messages")
	case topic == "" || in.TopicArn != nil && in.TargetArn != nil:
		return nil, invalid("TopicArn or TargetArn", "exactly one of them says where to publish")
	}
	d, err := newDraft(&api.PublishBatchRequestEntry{Message: in.Message, Subject: in.Subject, MessageStructure: in.MessageStructure, MessageAttributes: in.MessageAttributes,
		MessageGroupId: in.MessageGroupId, MessageDeduplicationId: in.MessageDeduplicationId})
	if err != nil {
		return nil, err
	}
	var r receipt
	var refused error
	if err := s.publishing(func(p *publication) (err error) {
		r, err = p.publish(topic, d)
		refused, err = refusal(err)
		return err
	}); err != nil || refused != nil {
		return nil, errors.Join(err, refused)
	}
	return &api.PublishOutput{MessageId: &r.id, SequenceNumber: wire.Optional(r.sequence)}, nil
}

// refusal tells a client's mistake, after which a transaction can go on, from what must undo it.
func refusal(err error) (refused, failed error) {
	if e, ok := errors.AsType[*wire.Error](err); ok {
		return e, nil
	}
	return nil, err
}

// maxBatch is the most entries of a batch.
const maxBatch = 10

var validEntryID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

func checkBatch(entries []api.PublishBatchRequestEntry) error {
	if len(entries) == 0 {
		return fail("EmptyBatchRequest", "The batch request doesn't contain any entries.")
	}
	if len(entries) > maxBatch {
		return fail("TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible.")
	}
	seen, size := map[string]bool{}, 0
	for _, e := range entries {
		switch {
		case !validEntryID.MatchString(*e.Id):
			return fail("InvalidBatchEntryId", "The Id of a batch entry in a batch request doesn't abide by the specification.")
		case seen[*e.Id]:
			return fail("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")
		}
		seen[*e.Id] = true
		size += len(*e.Message)
		for name, v := range e.MessageAttributes {
			size += len(name) + len(*v.DataType) + len(wire.Value(v.StringValue)) + len(v.BinaryValue)
		}
	}
	if size > maxMessage {
		return fail("BatchRequestTooLong", "The length of all the batch messages put together is more than the limit.")
	}
	return nil
}

// PublishBatch implements the operation of that name. Entries that are valid are published in one transaction.
func (s *Service) PublishBatch(_ context.Context, in *api.PublishBatchInput) (*api.PublishBatchOutput, error) {
	if err := checkBatch(in.PublishBatchRequestEntries); err != nil {
		return nil, err
	}
	out := &api.PublishBatchOutput{Successful: []api.PublishBatchResultEntry{}, Failed: []api.BatchResultErrorEntry{}}
	var gone error
	if err := s.publishing(func(p *publication) error {
		if _, err := p.find(p.tx, *in.TopicArn); err != nil {
			gone, err = refusal(err)
			return err
		}
		for _, e := range in.PublishBatchRequestEntries {
			var r receipt
			d, err := newDraft(&e)
			if err == nil {
				r, err = p.publish(*in.TopicArn, d)
			}
			if refused, ok := errors.AsType[*wire.Error](err); ok {
				out.Failed = append(out.Failed, api.BatchResultErrorEntry{Id: e.Id, Code: &refused.Code, Message: &refused.Message, SenderFault: new(true)})
				continue
			} else if err != nil {
				return err
			}
			out.Successful = append(out.Successful, api.PublishBatchResultEntry{Id: e.Id, MessageId: &r.id, SequenceNumber: wire.Optional(r.sequence)})
		}
		return nil
	}); err != nil || gone != nil {
		return nil, errors.Join(err, gone)
	}
	return out, nil
}

// Expire forgets what FIFO topics need not know any more.
func (s *Service) Expire() error {
	now := s.Now().UnixMilli()
	return s.Store.Update(func(tx *state.Tx) error {
		var over []string
		for key, d := range duplicates.All(tx) {
			if d.Until <= now {
				over = append(over, key)
			}
		}
		for _, key := range over {
			if err := duplicates.Delete(tx, key); err != nil {
				return err
			}
		}
		return nil
	})
}
