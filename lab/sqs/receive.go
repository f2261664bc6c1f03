package sqs

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	api "storefront/lab/api/sqs"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// maxInFlight is the quota of messages in flight of a standard queue.
const maxInFlight = 120_000

// ReceiveMessage implements the operation of that name.
func (s *Service) ReceiveMessage(ctx context.Context, in *api.ReceiveMessageInput) (*api.ReceiveMessageOutput, error) {
	if err := checkReceive(in); err != nil {
		return nil, err
	}
	start := s.Now()
	for {
		out, again, err := s.receive(in, start)
		if err != nil || len(out.Messages) > 0 || again == nil {
			return out, err
		}
		timer := time.NewTimer(again.after)
		select {
		case <-again.changed:
		case <-timer.C:
		case <-ctx.Done(): // the caller is gone: nothing must go into flight for it
			timer.Stop()
			return out, nil
		}
		timer.Stop()
	}
}

// wait says when a receive that found nothing should look again.
type wait struct {
	changed <-chan struct{}
	after   time.Duration
}

func checkReceive(in *api.ReceiveMessageInput) error {
	if n := wire.Or(in.MaxNumberOfMessages, 1); n < 1 || n > maxBatch {
		return invalid(n, "MaxNumberOfMessages", "Must be between 1 and 10, if provided.")
	}
	if n := wire.Value(in.WaitTimeSeconds); n < 0 || n > numeric["ReceiveMessageWaitTimeSeconds"].high {
		return invalid(n, "WaitTimeSeconds", "Must be >= 0 and <= 20, if provided.")
	}
	if err := checkVisibility(wire.Value(in.VisibilityTimeout)); err != nil {
		return err
	}
	if in.ReceiveRequestAttemptId != nil {
		return fail("UnsupportedOperation", "The lab does not serve ReceiveRequestAttemptId.")
	}
	return nil
}

// receive takes what is there, or says when to look again before the wait that began at start is over.
func (s *Service) receive(in *api.ReceiveMessageInput, start time.Time) (*api.ReceiveMessageOutput, *wait, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &api.ReceiveMessageOutput{}
	q, err := s.find(in.QueueUrl)
	if err != nil {
		return out, nil, err
	}
	now := s.Now()
	q.advance(now)
	limit := int(wire.Or(in.MaxNumberOfMessages, 1))
	if !q.fifo() && q.inFlight+limit > maxInFlight {
		return out, nil, fail("OverLimit", "Too many messages in flight. The limit of a standard queue is %d.", maxInFlight)
	}
	if err := s.checkKey(q); err != nil {
		return out, nil, err
	}
	if q.ready.Len() > 0 {
		if err := s.change(func(tx *state.Tx) error { return s.take(tx, q, in, limit, now, out) }); err != nil {
			return out, nil, err
		}
	}
	left := start.Add(time.Duration(wire.Or(in.WaitTimeSeconds, q.number("ReceiveMessageWaitTimeSeconds"))) * time.Second).Sub(now)
	if len(out.Messages) > 0 {
		return out, nil, nil
	}
	if left <= 0 {
		s.measure(q, "NumberOfEmptyReceives", 1)
		s.observe()
		return out, nil, nil
	}
	if m := q.timers.first(); m != nil {
		left = min(left, time.UnixMilli(m.Due).Sub(now))
	}
	if q.changed == nil {
		q.changed = make(chan struct{})
	}
	return out, &wait{q.changed, left}, nil
}

// take puts up to limit messages into flight. What is too old, or was received too often, leaves the queue on the way.
func (s *Service) take(tx *state.Tx, q *queue, in *api.ReceiveMessageInput, limit int, now time.Time, out *api.ReceiveMessageOutput) error {
	for m := q.expired(now); m != nil; m = q.expired(now) {
		if err := q.drop(tx, m); err != nil {
			return err
		}
	}
	due := now.Add(time.Duration(wire.Or(in.VisibilityTimeout, q.number("VisibilityTimeout"))) * time.Second).UnixMilli()
	for len(out.Messages) < limit {
		found := q.next(limit - len(out.Messages))
		if len(found) == 0 {
			break
		}
		for _, m := range found {
			if target := s.deadLetters(q, m); target != nil {
				if err := s.bury(tx, q, target, m); err != nil {
					return err
				}
				continue
			}
			m.Received, m.Due, m.Receipt = m.Received+1, due, q.newReceipt(m)
			if m.First == 0 {
				m.First = now.UnixMilli()
			}
			q.wait(m)
			answer, err := s.show(tx, q, in, m)
			if err != nil {
				return err
			}
			out.Messages = append(out.Messages, answer)
			s.measure(q, "NumberOfMessagesReceived", 1)
			if err := m.put(tx); err != nil {
				return err
			}
		}
	}
	q.advance(now) // with a visibility timeout of 0 they are visible again, but not for this receive
	return nil
}

// newReceipt makes a receipt handle. Its random part makes each receive's another one, and none can be guessed.
func (q *queue) newReceipt(m *message) string {
	return base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%s %d %s", q.Name, m.Seq, rand.Text()))
}

// readReceipt returns the sequence number in a receipt handle of q.
func (q *queue) readReceipt(handle string) (uint64, error) {
	text, err := base64.StdEncoding.DecodeString(handle)
	parts := strings.Split(string(text), " ")
	if err != nil || len(parts) != 3 || parts[0] != q.Name {
		return 0, errReceipt(handle)
	}
	seq, err := strconv.ParseUint(parts[1], 10, 64)
	if err != nil {
		return 0, errReceipt(handle)
	}
	return seq, nil
}

func errReceipt(handle string) error {
	return fail("ReceiptHandleIsInvalid", "The input receipt handle %q is not a valid receipt handle.", handle)
}

// show is a message as a receive answers it.
func (s *Service) show(tx *state.Tx, q *queue, in *api.ReceiveMessageInput, m *message) (api.Message, error) {
	c, ok, err := contents.Get(tx, m.ID)
	if err != nil || !ok {
		return api.Message{}, fmt.Errorf("content of message %s (there: %t): %w", m.ID, ok, err)
	}
	if err := s.open(tx, q, &c); err != nil {
		return api.Message{}, err
	}
	out := api.Message{MessageId: new(m.ID), Body: new(c.Body), MD5OfBody: new(md5Hex(c.Body)), ReceiptHandle: new(m.Receipt)}
	asked := slices.Concat(in.AttributeNames, in.MessageSystemAttributeNames)
	for name, value := range m.system(&c) {
		if value != "" && (slices.Contains(asked, "All") || slices.Contains(asked, name)) {
			if out.Attributes == nil {
				out.Attributes = map[string]string{}
			}
			out.Attributes[name] = value
		}
	}
	wanted := map[string]Attribute{}
	for name, a := range c.Attributes {
		if wantsAttribute(in.MessageAttributeNames, name) {
			wanted[name] = a
		}
	}
	if len(wanted) == 0 {
		return out, nil
	}
	out.MD5OfMessageAttributes, out.MessageAttributes = new(attributesMD5(wanted)), map[string]api.MessageAttributeValue{}
	for name, a := range wanted {
		out.MessageAttributes[name] = api.MessageAttributeValue{DataType: new(a.Type), StringValue: wire.Optional(a.Text), BinaryValue: a.Bytes}
	}
	return out, nil
}

// system are a message's system attributes; "" for those it does not have.
func (m *message) system(c *content) map[string]string {
	all := map[string]string{
		"SenderId": m.Sender, "SentTimestamp": strconv.FormatInt(m.Sent, 10), "ApproximateReceiveCount": strconv.FormatInt(m.Received, 10),
		"ApproximateFirstReceiveTimestamp": strconv.FormatInt(m.First, 10), "MessageGroupId": m.Group, "MessageDeduplicationId": m.Dedup,
		"AWSTraceHeader": c.System[api.MessageSystemAttributeNameForSendsAWSTraceHeader].Text, "DeadLetterQueueSourceArn": m.Source,
	}
	if m.Dedup != "" {
		all["SequenceNumber"] = sequenceNumber(m.Seq)
	}
	return all
}

// wantsAttribute tells whether a receive asks for a message attribute: by name, by "prefix.*", or with "All" or ".*".
func wantsAttribute(asked []string, name string) bool {
	return slices.ContainsFunc(asked, func(a string) bool {
		prefix, wild := strings.CutSuffix(a, ".*")
		return a == "All" || a == name || wild && strings.HasPrefix(name, prefix)
	})
}
