package shop

import (
	"context"
	"time"
)

// Queue takes messages in.
type Queue interface {
	// Send stores body durably before it returns nil. After an error the message may or may not be in the queue.
	Send(ctx context.Context, body []byte) error
}

// Inbox hands messages out, each at least once and in no certain order: a message that is received is hidden until its visibility ends, and
// then handed out again unless it was deleted. One that was received too often goes to the dead-letter queue.
// Every implementation together with its Queue passes shoptest.Queue.
type Inbox interface {
	// Receive waits up to wait (at most 20 s) for messages and returns up to limit (1 to 10) of them, hidden for the given visibility (whole
	// seconds). None is no error.
	Receive(ctx context.Context, limit int, wait, visibility time.Duration) ([]Message, error)
	// Extend hides a received message for the visibility from now (whole seconds). SQS ends a message's extensions 12 hours after it was received.
	Extend(ctx context.Context, r Receipt, visibility time.Duration) error
	// Release makes a received message visible at once.
	Release(ctx context.Context, r Receipt) error
	// Delete takes received messages, 1 to 10, out of the queue, and returns what became of each, in their order: nil for one that is gone. Deleting
	// it again is no error.
	Delete(ctx context.Context, receipts []Receipt) []error
}

// Receipt stands for one receipt of a message. An older one of the same message may be refused.
type Receipt string

// Message is a message that was received.
type Message struct {
	ID       string // the same in every receipt
	Body     []byte
	Receipt  Receipt
	Received int // how often it has been received, this time included; approximate
}
