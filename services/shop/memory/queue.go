package memory

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"storefront/services/shop"
)

// Queue is a shop.Queue and shop.Inbox in memory, with a dead-letter queue. It reads the clock of the time package, so that testing/synctest
// can move it. The zero value is empty and never gives a message up.
type Queue struct {
	MaxReceive int // after so many receipts a message goes to the dead letters; 0 means never

	mu       sync.Mutex
	messages []*entry
	dead     []shop.Message
	last     int           // number of the last message or receipt
	changed  chan struct{} // closed and replaced when a message becomes visible before its time
}

type entry struct {
	message shop.Message
	visible time.Time // from when on it can be received
}

// Send implements shop.Queue.
func (q *Queue) Send(_ context.Context, body []byte) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.last++
	q.messages = append(q.messages, &entry{message: shop.Message{ID: fmt.Sprintf("message-%d", q.last), Body: slices.Clone(body)}})
	q.wake()
	return nil
}

// Receive implements shop.Inbox.
func (q *Queue) Receive(ctx context.Context, limit int, wait, visibility time.Duration) ([]shop.Message, error) {
	deadline := time.Now().Add(wait)
	for {
		got, next, changed := q.take(limit, visibility)
		now := time.Now()
		if len(got) > 0 || !now.Before(deadline) {
			return got, nil
		}
		if next.IsZero() || next.After(deadline) {
			next = deadline
		}
		select {
		case <-ctx.Done():
			return nil, &shop.Error{Code: shop.Unavailable, Message: "receiving was given up", Err: ctx.Err()}
		case <-changed:
		case <-time.After(next.Sub(now)):
		}
	}
}

// take receives what is visible now. If that is nothing, it tells when the next message becomes visible and what is closed if one does earlier.
func (q *Queue) take(limit int, visibility time.Duration) (got []shop.Message, next time.Time, changed <-chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := time.Now()
	q.bury(now)
	for _, e := range q.messages {
		switch {
		case e.visible.After(now):
			if next.IsZero() || e.visible.Before(next) {
				next = e.visible
			}
		case len(got) < limit:
			q.last++
			e.message.Received++
			e.message.Receipt = shop.Receipt(fmt.Sprintf("receipt-%d", q.last))
			e.visible = now.Add(visibility)
			m := e.message
			m.Body = slices.Clone(m.Body)
			got = append(got, m)
		}
	}
	if q.changed == nil {
		q.changed = make(chan struct{})
	}
	return got, next, q.changed
}

// bury moves what is visible again after its last receipt to the dead letters.
func (q *Queue) bury(now time.Time) {
	q.messages = slices.DeleteFunc(q.messages, func(e *entry) bool {
		if q.MaxReceive == 0 || e.message.Received < q.MaxReceive || e.visible.After(now) {
			return false
		}
		q.dead = append(q.dead, e.message)
		return true
	})
}

// Extend implements shop.Inbox.
func (q *Queue) Extend(_ context.Context, r shop.Receipt, visibility time.Duration) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range q.messages {
		if e.message.Receipt == r {
			e.visible = time.Now().Add(visibility)
			if visibility == 0 {
				q.wake()
			}
			return nil
		}
	}
	return &shop.Error{Code: shop.Invalid, Field: "receipt", Message: "is not the newest of a message in the queue"}
}

// Release implements shop.Inbox.
func (q *Queue) Release(ctx context.Context, r shop.Receipt) error { return q.Extend(ctx, r, 0) }

// Delete implements shop.Inbox.
func (q *Queue) Delete(_ context.Context, receipts []shop.Receipt) []error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.messages = slices.DeleteFunc(q.messages, func(e *entry) bool { return slices.Contains(receipts, e.message.Receipt) })
	return make([]error, len(receipts))
}

// Len returns how many messages are in the queue, hidden ones included and dead ones not.
func (q *Queue) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.bury(time.Now())
	return len(q.messages)
}

// Dead returns the dead letters.
func (q *Queue) Dead() []shop.Message {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.bury(time.Now())
	return slices.Clone(q.dead)
}

func (q *Queue) wake() {
	if q.changed != nil {
		close(q.changed)
		q.changed = nil
	}
}
