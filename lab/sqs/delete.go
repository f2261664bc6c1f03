package sqs

import (
	"context"
	"time"

	api "storefront/lab/api/sqs"
	"storefront/lab/state"
)

// received finds the message of a receipt handle. A message that is gone, or was received again since, is nil: its handle is worth nothing any more.
func (q *queue) received(handle string) (*message, error) {
	seq, err := q.readReceipt(handle)
	if err != nil {
		return nil, err
	}
	if m := q.all[seq]; m != nil && m.Receipt == handle {
		return m, nil
	}
	return nil, nil
}

// delete deletes the message of a receipt handle. With a handle that is worth nothing it succeeds and does nothing, as AWS documents; a FIFO
// queue, which promises an order, refuses a handle whose visibility timeout is over.
func (s *Service) delete(tx *state.Tx, q *queue, handle string) error {
	m, err := q.received(handle)
	if err != nil {
		return err
	}
	if m != nil && q.fifo() && !m.waiting {
		return invalid(handle, "ReceiptHandle", "The receipt handle has expired.")
	}
	s.measure(q, "NumberOfMessagesDeleted", 1)
	if m == nil {
		return nil
	}
	return q.drop(tx, m)
}

// DeleteMessage implements the operation of that name.
func (s *Service) DeleteMessage(_ context.Context, in *api.DeleteMessageInput) (*api.DeleteMessageOutput, error) {
	failed, err := s.each(in.QueueUrl, []*string{in.ReceiptHandle}, func(tx *state.Tx, q *queue, _ int) error { return s.delete(tx, q, *in.ReceiptHandle) })
	if err == nil {
		err = failed[0]
	}
	return &api.DeleteMessageOutput{}, err
}

// DeleteMessageBatch implements the operation of that name.
func (s *Service) DeleteMessageBatch(_ context.Context, in *api.DeleteMessageBatchInput) (*api.DeleteMessageBatchOutput, error) {
	if err := checkBatch(in.Entries, func(e *api.DeleteMessageBatchRequestEntry) *string { return e.Id }); err != nil {
		return nil, err
	}
	handles := make([]*string, len(in.Entries))
	for i := range in.Entries {
		handles[i] = in.Entries[i].ReceiptHandle
	}
	failed, err := s.each(in.QueueUrl, handles, func(tx *state.Tx, q *queue, i int) error { return s.delete(tx, q, *handles[i]) })
	if err != nil {
		return nil, err
	}
	out := &api.DeleteMessageBatchOutput{Successful: []api.DeleteMessageBatchResultEntry{}, Failed: []api.BatchResultErrorEntry{}}
	for i, e := range in.Entries {
		if failed[i] != nil {
			out.Failed = append(out.Failed, failure(e.Id, failed[i]))
		} else {
			out.Successful = append(out.Successful, api.DeleteMessageBatchResultEntry{Id: e.Id})
		}
	}
	return out, nil
}

// checkVisibility checks a visibility timeout.
func checkVisibility(seconds int64) error {
	if high := numeric["VisibilityTimeout"].high; seconds < 0 || seconds > high {
		return invalid(seconds, "VisibilityTimeout", "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]")
	}
	return nil
}

// reschedule makes a message in flight visible after a time from now.
func (q *queue) reschedule(tx *state.Tx, handle string, seconds int64, now time.Time) error {
	m, err := q.received(handle)
	switch {
	case err != nil:
		return err
	case m == nil || !m.waiting:
		return fail("MessageNotInflight", "The specified message isn't in flight.")
	}
	q.leave(m)
	m.Due = now.Add(time.Duration(seconds) * time.Second).UnixMilli()
	q.wait(m)
	q.advance(now)
	return m.put(tx)
}

// ChangeMessageVisibility implements the operation of that name.
func (s *Service) ChangeMessageVisibility(_ context.Context, in *api.ChangeMessageVisibilityInput) (*api.ChangeMessageVisibilityOutput, error) {
	if err := checkVisibility(*in.VisibilityTimeout); err != nil {
		return nil, err
	}
	failed, err := s.each(in.QueueUrl, []*string{in.ReceiptHandle}, func(tx *state.Tx, q *queue, _ int) error {
		return q.reschedule(tx, *in.ReceiptHandle, *in.VisibilityTimeout, s.Now())
	})
	if err == nil {
		err = failed[0]
	}
	return &api.ChangeMessageVisibilityOutput{}, err
}

// ChangeMessageVisibilityBatch implements the operation of that name.
func (s *Service) ChangeMessageVisibilityBatch(_ context.Context, in *api.ChangeMessageVisibilityBatchInput) (*api.ChangeMessageVisibilityBatchOutput, error) {
	if err := checkBatch(in.Entries, func(e *api.ChangeMessageVisibilityBatchRequestEntry) *string { return e.Id }); err != nil {
		return nil, err
	}
	handles := make([]*string, len(in.Entries))
	for i := range in.Entries {
		handles[i] = in.Entries[i].ReceiptHandle
	}
	failed, err := s.each(in.QueueUrl, handles, func(tx *state.Tx, q *queue, i int) error {
		e := &in.Entries[i]
		if e.VisibilityTimeout == nil {
			return missing("VisibilityTimeout")
		}
		if err := checkVisibility(*e.VisibilityTimeout); err != nil {
			return err
		}
		return q.reschedule(tx, *e.ReceiptHandle, *e.VisibilityTimeout, s.Now())
	})
	if err != nil {
		return nil, err
	}
	out := &api.ChangeMessageVisibilityBatchOutput{Successful: []api.ChangeMessageVisibilityBatchResultEntry{}, Failed: []api.BatchResultErrorEntry{}}
	for i, e := range in.Entries {
		if failed[i] != nil {
			out.Failed = append(out.Failed, failure(e.Id, failed[i]))
		} else {
			out.Successful = append(out.Successful, api.ChangeMessageVisibilityBatchResultEntry{Id: e.Id})
		}
	}
	return out, nil
}
