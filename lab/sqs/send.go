package sqs

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	api "storefront/lab/api/sqs"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// deduplicationInterval is how long a FIFO queue knows what it was sent.
const deduplicationInterval = 5 * time.Minute

// duplicate is what a FIFO queue remembers of a message: enough to answer who sends it again.
type duplicate struct {
	ID    string
	Seq   uint64
	Until int64 // milliseconds since the epoch
}

// draft is a message that a request wants to send, checked but for what depends on its queue.
type draft struct {
	content
	sender       string
	delay        *int64
	group, dedup *string
}

// sent answers a message.
type sent struct{ id, sequence, bodyMD5, attributesMD5, systemMD5 *string }

// SendMessage implements the operation of that name.
func (s *Service) SendMessage(ctx context.Context, in *api.SendMessageInput) (*api.SendMessageOutput, error) {
	d, err := newDraft(ctx, &api.SendMessageBatchRequestEntry{DelaySeconds: in.DelaySeconds, MessageAttributes: in.MessageAttributes, MessageBody: in.MessageBody,
		MessageDeduplicationId: in.MessageDeduplicationId, MessageGroupId: in.MessageGroupId, MessageSystemAttributes: in.MessageSystemAttributes})
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if err := cmp.Or(d.check(q), s.prepareKey(q)); err != nil {
		return nil, err
	}
	var a sent
	if err := s.change(func(tx *state.Tx) (err error) { a, err = s.send(tx, q, d); return err }); err != nil {
		return nil, err
	}
	return &api.SendMessageOutput{MessageId: a.id, SequenceNumber: a.sequence, MD5OfMessageBody: a.bodyMD5, MD5OfMessageAttributes: a.attributesMD5, MD5OfMessageSystemAttributes: a.systemMD5}, nil
}

// SendMessageBatch implements the operation of that name. Entries that are valid are sent in one transaction.
func (s *Service) SendMessageBatch(ctx context.Context, in *api.SendMessageBatchInput) (*api.SendMessageBatchOutput, error) {
	if err := checkBatch(in.Entries, func(e *api.SendMessageBatchRequestEntry) *string { return e.Id }); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	out := &api.SendMessageBatchOutput{Successful: []api.SendMessageBatchResultEntry{}, Failed: []api.BatchResultErrorEntry{}}
	drafts, ids, total := []*draft{}, []*string{}, 0
	for i := range in.Entries {
		e := &in.Entries[i]
		d, err := newDraft(ctx, e)
		total += entrySize(e)
		if err == nil {
			err = d.check(q)
		}
		if err != nil {
			out.Failed = append(out.Failed, failure(e.Id, err))
			continue
		}
		drafts, ids = append(drafts, d), append(ids, e.Id)
	}
	if limit := int(numeric["MaximumMessageSize"].high); total > limit {
		return nil, fail("BatchRequestTooLong", "Batch requests cannot be longer than %d bytes. You have sent %d bytes.", limit, total)
	}
	if len(drafts) == 0 {
		return out, nil
	}
	if err := s.prepareKey(q); err != nil {
		return nil, err
	}
	return out, s.change(func(tx *state.Tx) error {
		for i, d := range drafts {
			a, err := s.send(tx, q, d)
			if err != nil {
				return err
			}
			out.Successful = append(out.Successful, api.SendMessageBatchResultEntry{Id: ids[i], MessageId: a.id, SequenceNumber: a.sequence,
				MD5OfMessageBody: a.bodyMD5, MD5OfMessageAttributes: a.attributesMD5, MD5OfMessageSystemAttributes: a.systemMD5})
		}
		return nil
	})
}

// send stores a message, unless a FIFO queue has had it already.
func (s *Service) send(tx *state.Tx, q *queue, d *draft) (sent, error) {
	now := s.Now()
	a := sent{bodyMD5: new(md5Hex(d.Body)), attributesMD5: wire.Optional(attributesMD5(d.Attributes)), systemMD5: wire.Optional(attributesMD5(d.System))}
	r := record{Queue: q.Name, Sent: now.UnixMilli(), Sender: d.sender, Group: wire.Value(d.group), Dedup: d.dedupID(q)}
	r.Due = r.Sent + 1000*wire.Or(d.delay, q.number("DelaySeconds"))
	if q.fifo() {
		if err := q.forget(tx, now); err != nil {
			return a, err
		}
		if old, ok := q.recent[q.scope(&r)]; ok {
			a.id, a.sequence = new(old.ID), new(sequenceNumber(old.Seq))
			return a, nil
		}
	}
	var err error
	if r.ID, err = newMessageID(tx); err != nil {
		return a, err
	}
	a.id = new(r.ID)
	c := d.content
	if err := s.seal(tx, q, &c); err != nil {
		return a, err
	}
	r.Sealed = c.Sealed != nil
	s.measure(q, "NumberOfMessagesSent", 1)
	s.measure(q, "SentMessageSize", float64(d.size()))
	if r.Seq, err = s.place(tx, q, r); err != nil {
		return a, err
	}
	if err := contents.Put(tx, r.ID, c); err != nil || !q.fifo() {
		return a, err
	}
	a.sequence = new(sequenceNumber(r.Seq))
	return a, q.remember(tx, &r)
}

func newMessageID(tx *state.Tx) (string, error) { return region.NewUUID(tx, "sqs-message") }

// sequenceNumber is the order of messages in a FIFO queue as clients see it: twenty digits that grow.
func sequenceNumber(seq uint64) string { return fmt.Sprintf("%020d", 18_000_000_000_000_000_000+seq) }

// dedupID is the deduplication ID of a message: the one given, or the hash of its body.
func (d *draft) dedupID(q *queue) string {
	if q.fifo() && d.dedup == nil {
		sum := sha256.Sum256([]byte(d.Body))
		return hex.EncodeToString(sum[:])
	}
	return wire.Value(d.dedup)
}

// scope is where q remembers a message: by its deduplication ID, for the queue or for each group.
func (q *queue) scope(r *record) string {
	if q.Attributes["DeduplicationScope"] == "messageGroup" {
		return fmt.Sprintf("%d/%s/%s", len(r.Group), r.Group, r.Dedup)
	}
	return r.Dedup
}

func (q *queue) remember(tx *state.Tx, r *record) error {
	id, d := q.scope(r), duplicate{ID: r.ID, Seq: r.Seq, Until: r.Sent + deduplicationInterval.Milliseconds()}
	q.recent[id] = d
	q.recentOrder = append(q.recentOrder, id)
	return duplicates.Put(tx, q.Name+"/"+id, d)
}

// forget drops what is older than the deduplication interval.
func (q *queue) forget(tx *state.Tx, now time.Time) error {
	for len(q.recentOrder) > 0 && q.recent[q.recentOrder[0]].Until <= now.UnixMilli() {
		id := q.recentOrder[0]
		delete(q.recent, id)
		q.recentOrder = q.recentOrder[1:]
		if err := duplicates.Delete(tx, q.Name+"/"+id); err != nil {
			return err
		}
	}
	return nil
}
