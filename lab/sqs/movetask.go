package sqs

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"slices"
	"time"

	api "storefront/lab/api/sqs"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// task is a message move task.
type task struct {
	Number                      uint64 // in the order of their start
	Handle, Source, Destination string // ARNs; without a destination each message goes back to where it came from
	Rate                        int64  // messages a second; 0 is as fast as it goes
	Started                     int64  // milliseconds since the epoch
	Status                      string
	Failure                     string
	Moved, ToMove               int64
	Last                        uint64 // messages up to this number are moved; what arrives later is left alone
}

// The statuses of a task, as ListMessageMoveTasks has them.
const (
	running   = "RUNNING"
	completed = "COMPLETED"
	cancelled = "CANCELLED"
	failed    = "FAILED"
)

// moveBatch is how many messages one transaction moves when the task has no rate.
const moveBatch = 100

// StartMessageMoveTask implements the operation of that name. Run moves the messages.
func (s *Service) StartMessageMoveTask(ctx context.Context, in *api.StartMessageMoveTaskInput) (*api.StartMessageMoveTaskOutput, error) {
	if n := in.MaxNumberOfMessagesPerSecond; n != nil && (*n < 1 || *n > 500) {
		return nil, invalid(*n, "MaxNumberOfMessagesPerSecond", "Must be between 1 and 500, if provided.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q, ok := s.byARN(*in.SourceArn)
	if !ok {
		return nil, errNoSource()
	}
	urls, _, err := s.page(ctx, nil, nil, s.sources(*in.SourceArn))
	if err != nil {
		return nil, err
	}
	if len(urls) == 0 {
		return nil, fail("InvalidParameterValue", "Source queue must be configured as a Dead Letter Queue.")
	}
	if in.DestinationArn != nil {
		target, ok := s.byARN(*in.DestinationArn)
		switch {
		case !ok:
			return nil, fail("ResourceNotFoundException", "The resource that you specified for the DestinationArn parameter doesn't exist.")
		case target == q:
			return nil, fail("InvalidParameterValue", "Source queue arn and destination queue arn cannot be the same.")
		case target.fifo() != q.fifo():
			return nil, fail("InvalidParameterValue", "Source and destination queues must be of the same type.")
		}
	}
	t := task{Source: *in.SourceArn, Destination: wire.Value(in.DestinationArn), Rate: wire.Value(in.MaxNumberOfMessagesPerSecond), Started: s.Now().UnixMilli(),
		Status: running, ToMove: int64(q.depth(s.Now()).Visible)}
	for seq := range q.all {
		t.Last = max(t.Last, seq)
	}
	if err := s.Store.Update(func(tx *state.Tx) error { return t.start(tx) }); err != nil {
		return nil, err
	}
	select {
	case s.moving <- struct{}{}:
	default:
	}
	return &api.StartMessageMoveTaskOutput{TaskHandle: new(t.Handle)}, nil
}

func errNoSource() error {
	return fail("ResourceNotFoundException", "The resource that you specified for the SourceArn parameter doesn't exist.")
}

func (t *task) start(tx *state.Tx) error {
	for _, other := range tasks.All(tx) {
		if other.Source == t.Source && other.Status == running {
			return fail("UnsupportedOperation", "There is already a task running. Only one active task is allowed for a source queue arn at a given time.")
		}
	}
	var err error
	if t.Number, err = tx.Sequence("sqs.task"); err != nil {
		return err
	}
	t.Handle = base64.StdEncoding.EncodeToString(fmt.Appendf(nil, "%d %s", t.Number, t.Source))
	return tasks.Put(tx, t.Handle, *t)
}

// CancelMessageMoveTask implements the operation of that name.
func (s *Service) CancelMessageMoveTask(_ context.Context, in *api.CancelMessageMoveTaskInput) (*api.CancelMessageMoveTaskOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.CancelMessageMoveTaskOutput) error {
		t, ok, err := tasks.Get(tx, *in.TaskHandle)
		switch {
		case err != nil:
			return err
		case !ok:
			return fail("ResourceNotFoundException", "Task does not exist.")
		case t.Status != running:
			return fail("UnsupportedOperation", "Only active tasks can be cancelled.")
		}
		t.Status, out.ApproximateNumberOfMessagesMoved = cancelled, new(t.Moved)
		return tasks.Put(tx, t.Handle, t)
	})
}

// ListMessageMoveTasks implements the operation of that name: the latest tasks first.
func (s *Service) ListMessageMoveTasks(_ context.Context, in *api.ListMessageMoveTasksInput) (*api.ListMessageMoveTasksOutput, error) {
	limit := wire.Or(in.MaxResults, 1)
	if limit < 1 || limit > 10 {
		return nil, invalid(limit, "MaxResults", "Must be between 1 and 10, if provided.")
	}
	s.mu.Lock()
	_, ok := s.byARN(*in.SourceArn)
	s.mu.Unlock()
	if !ok {
		return nil, errNoSource()
	}
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListMessageMoveTasksOutput) error {
		var found []task
		for _, t := range tasks.All(tx) {
			if t.Source == *in.SourceArn {
				found = append(found, t)
			}
		}
		slices.SortFunc(found, func(a, b task) int { return cmp.Compare(b.Number, a.Number) })
		for _, t := range found[:min(len(found), int(limit))] {
			e := api.ListMessageMoveTasksResultEntry{SourceArn: new(t.Source), DestinationArn: wire.Optional(t.Destination), Status: new(t.Status), StartedTimestamp: new(t.Started),
				MaxNumberOfMessagesPerSecond: wire.Optional(t.Rate), ApproximateNumberOfMessagesMoved: new(t.Moved), ApproximateNumberOfMessagesToMove: new(t.ToMove),
				FailureReason: wire.Optional(t.Failure)}
			if t.Status == running {
				e.TaskHandle = new(t.Handle)
			}
			out.Results = append(out.Results, e)
		}
		return nil
	})
}

// Run moves the messages of move tasks until ctx ends. Tasks go on where they were when the lab ended.
func (s *Service) Run(ctx context.Context) error {
	due := map[string]time.Time{} // when a task with a rate may move its next messages, by handle
	for {
		more, err := s.moveAll(due)
		if err != nil {
			return err
		}
		pause := time.NewTimer(time.Second)
		if !more {
			pause.Stop()
		}
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil
		case <-s.moving:
			pause.Stop()
		case <-pause.C:
		}
	}
}

// moveAll moves a second's worth of each running task that is due, and all of those without a rate. more says that some go on.
func (s *Service) moveAll(due map[string]time.Time) (more bool, err error) {
	var open []task
	if err := s.Store.View(func(tx *state.Tx) error {
		for _, t := range tasks.All(tx) {
			if t.Status == running {
				open = append(open, t)
			}
		}
		return nil
	}); err != nil {
		return false, err
	}
	for _, t := range open {
		if t.Rate > 0 {
			if s.Now().Before(due[t.Handle]) {
				more = true
				continue
			}
			due[t.Handle] = s.Now().Add(time.Second)
		}
		for goesOn := true; goesOn; {
			if goesOn, err = s.move(t.Handle); err != nil {
				return false, fmt.Errorf("moving messages of %s: %w", t.Source, err)
			}
			if t.Rate > 0 {
				more = more || goesOn
				break
			}
		}
	}
	return more, nil
}

// move moves one batch of a task, and tells whether there may be more.
func (s *Service) move(handle string) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	goesOn := false
	err := s.change(func(tx *state.Tx) error {
		t, ok, err := tasks.Get(tx, handle)
		if err != nil || !ok || t.Status != running {
			return err
		}
		q, ok := s.byARN(t.Source)
		if !ok {
			t.Status, t.Failure = failed, "AWS.SimpleQueueService.NonExistentQueue"
			return tasks.Put(tx, handle, t)
		}
		q.advance(s.Now())
		for range wire.Or(wire.Optional(t.Rate), moveBatch) {
			m := q.ready.first()
			if m == nil || m.Seq > t.Last {
				t.Status = completed
				break
			}
			target, ok := s.byARN(wire.Or(wire.Optional(t.Destination), m.Source))
			if !ok {
				t.Status, t.Failure = failed, "CouldNotDetermineMessageSource"
				break
			}
			if err := s.resend(tx, q, target, m); err != nil {
				return err
			}
			t.Moved++
		}
		goesOn = t.Status == running
		return tasks.Put(tx, handle, t)
	})
	return goesOn, err
}

// resend moves a message to another queue as a new one: with a new ID, sent now, never received.
func (s *Service) resend(tx *state.Tx, q, target *queue, m *message) error {
	c, _, err := contents.Get(tx, m.ID)
	if err != nil {
		return err
	}
	if err := q.drop(tx, m); err != nil {
		return err
	}
	now := s.Now().UnixMilli()
	r := record{Queue: target.Name, Sent: now, Due: now, Sender: m.Sender, Group: m.Group, Dedup: m.Dedup, Sealed: m.Sealed}
	if r.ID, err = newMessageID(tx); err != nil {
		return err
	}
	if err := contents.Put(tx, r.ID, c); err != nil {
		return err
	}
	_, err = s.place(tx, target, r)
	return err
}
