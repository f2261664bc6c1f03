package sqs

import (
	"context"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"storefront/services/shop"
)

const (
	sendingOne = "sending a message"
	maxSends   = 4         // calls under way at once; what is to be sent meanwhile goes together
	maxBytes   = 256 << 10 // of the bodies in one call: the most that a queue of any age takes
)

// outgoing is a message that is to be sent.
type outgoing struct {
	body string
	sent chan error // takes one
}

// sending holds the messages that wait for a call. The zero value is ready for use.
type sending struct {
	mu      sync.Mutex
	waiting []*outgoing
	calls   int
}

// Send implements shop.Queue. SQS answers once it has stored the message on several servers. In a calm moment a message goes at once and alone; when
// many are sent, or SQS is slow, a call takes along all that came while it could not start.
func (q *Queue) Send(ctx context.Context, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, callFor)
	defer cancel()
	m := &outgoing{body: string(body), sent: make(chan error, 1)}
	if q.sending.add(m) {
		go q.sendWaiting()
	}
	select {
	case err := <-m.sent:
		return err
	case <-ctx.Done():
		q.sending.drop(m)
		return wrap(sendingOne, ctx.Err())
	}
}

// add puts m at the end and reports whether another call may start for it.
func (s *sending) add(m *outgoing) (start bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = append(s.waiting, m)
	if start = s.calls < maxSends; start {
		s.calls++
	}
	return start
}

// drop takes m out, unless it is on its way: who was told that it was not sent shall not find it in the queue much later.
func (s *sending) drop(m *outgoing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = slices.DeleteFunc(s.waiting, func(w *outgoing) bool { return w == m })
}

// next takes out what one call can send; nothing ends the caller's turn.
func (s *sending) next() []*outgoing {
	s.mu.Lock()
	defer s.mu.Unlock()
	n, size := 0, 0
	for n < min(len(s.waiting), maxBatch) && (n == 0 || size+len(s.waiting[n].body) <= maxBytes) {
		size += len(s.waiting[n].body)
		n++
	}
	if n == 0 {
		s.calls--
	}
	batch := slices.Clone(s.waiting[:n])
	s.waiting = slices.Delete(s.waiting, 0, n)
	return batch
}

// sendWaiting sends until nothing waits.
func (q *Queue) sendWaiting() {
	for batch := q.sending.next(); len(batch) > 0; batch = q.sending.next() {
		q.send(batch)
	}
}

// send tells each message of a batch what became of it. What SQS failed at by a fault of its own is sent again, alone; and so is everything when the
// batch was refused as a whole, be it for the sake of one.
func (q *Queue) send(batch []*outgoing) {
	// No customer's context: it would end the others' call as well.
	ctx, cancel := context.WithTimeout(context.Background(), callFor)
	defer cancel()
	alone := batch
	if len(batch) > 1 {
		alone = q.sendBatch(ctx, batch)
	}
	for _, m := range alone {
		_, err := q.client.SendMessage(ctx, &sqs.SendMessageInput{QueueUrl: &q.url, MessageBody: &m.body})
		m.sent <- wrap(sendingOne, err)
	}
}

// sendBatch tells what is settled and returns the messages that may be sent alone.
func (q *Queue) sendBatch(ctx context.Context, batch []*outgoing) (alone []*outgoing) {
	entries := make([]types.SendMessageBatchRequestEntry, len(batch))
	for i, m := range batch {
		entries[i] = types.SendMessageBatchRequestEntry{Id: entryID(i), MessageBody: &m.body}
	}
	out, err := q.client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &q.url, Entries: entries})
	err = wrap(sendingOne, err)
	switch {
	case shop.CodeOf(err) == shop.Internal:
		return batch
	case err != nil:
		for _, m := range batch {
			m.sent <- err
		}
		return nil
	}
	a := answers{failed: out.Failed}
	for _, e := range out.Successful {
		a.done = append(a.done, e.Id)
	}
	errs := make([]error, len(batch))
	again := a.note(sendingOne, upTo(len(batch)), errs)
	for i, m := range batch {
		if slices.Contains(again, i) {
			alone = append(alone, m)
		} else {
			m.sent <- errs[i]
		}
	}
	return alone
}
