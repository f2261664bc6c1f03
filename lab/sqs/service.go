// Package sqs is the lab's Amazon SQS: standard and FIFO queues, with dead-letter queues and their redrive, over AWS's JSON protocol and the query protocol.
//
// The store holds every message, and every change is in the store before it is acknowledged. What receives need to find at once (which message is next, which
// one becomes visible when) is an index in memory, built from the store when the service starts. The bodies of queues with a KMS key are encrypted; SSE-SQS,
// whose keys nobody sees, is a setting that the lab keeps. Queue policies decide about AWS services that send. ReceiveRequestAttemptId is not served.
package sqs

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	api "storefront/lab/api/sqs"
	"storefront/lab/region"
	"storefront/lab/state"
)

// Config is what the service needs.
type Config struct {
	Store    *state.Store
	Region   region.Region
	Endpoint func() string // base of queue URLs for callers within the lab, such as "http://127.0.0.1:4566"; others get the host that they called
	Now      func() time.Time
	Keys     Keys
	// KeyAdmits tells whether a key's policy lets another service, which delivers to a queue for a source, use the key. Nil lets every service.
	KeyAdmits func(tx *state.Tx, service, source, key string, encryptionContext map[string]string) error
	// Observe is told the values of the metrics NumberOfMessagesSent, SentMessageSize, NumberOfMessagesReceived, NumberOfEmptyReceives and
	// NumberOfMessagesDeleted as they happen. It must be quick and must not call the service. Nil is nobody.
	Observe func(queue, metric string, value float64)
}

// Service implements the SQS API. It is safe for concurrent use.
type Service struct {
	Config

	mu      sync.Mutex // held for all of an operation, over its transaction: the index and the store change together
	queues  map[string]*queue
	deleted map[string]time.Time // names that must rest for a minute
	moving  chan struct{}        // wakes Run

	writing, reading map[string]dataKey // by queue, and by the key encrypted

	measured []observation // by the transaction that goes on

	attributeNames []string // those of queues, as AWS's model has them
}

var _ api.API = (*Service)(nil)

var (
	definitions = state.NewTable[definition]("sqs.queue")        // by name
	records     = state.NewTable[record]("sqs.message")          // by sequence number, in hexadecimal
	contents    = state.NewTable[content]("sqs.content")         // by message ID
	duplicates  = state.NewTable[duplicate]("sqs.deduplication") // by "<queue>/<scope and ID>"
	tasks       = state.NewTable[task]("sqs.task")               // by handle
)

// New returns the service with the queues that the store holds.
func New(c Config) (*Service, error) {
	s := &Service{Config: c, deleted: map[string]time.Time{}, moving: make(chan struct{}, 1), writing: map[string]dataKey{}, reading: map[string]dataKey{}}
	s.attributeNames = api.New(s).Enums["QueueAttributeName"]
	return s, s.load()
}

// load builds the index from the store.
func (s *Service) load() error {
	queues, now := map[string]*queue{}, s.Now()
	err := s.Store.View(func(tx *state.Tx) error {
		for name, d := range definitions.All(tx) {
			queues[name] = newQueue(d)
		}
		for key, r := range records.All(tx) {
			q, ok := queues[r.Queue]
			if !ok {
				return fmt.Errorf("message %s is in queue %s, which does not exist", key, r.Queue)
			}
			q.add(&message{record: r}, now)
		}
		for key, d := range duplicates.All(tx) {
			name, id, _ := strings.Cut(key, "/")
			if q, ok := queues[name]; ok {
				q.recent[id] = d
				q.recentOrder = append(q.recentOrder, id)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("reading the queues: %w", err)
	}
	for _, q := range queues {
		slices.SortFunc(q.recentOrder, func(a, b string) int { return cmp.Compare(q.recent[a].Until, q.recent[b].Until) })
	}
	for _, q := range s.queues { // those who wait look again
		q.signal()
	}
	s.queues = queues
	return nil
}

// change runs f in a transaction. f changes the index as it goes; should the transaction fail, the index is built anew from what the store kept.
// Requests must be checked before.
func (s *Service) change(f func(*state.Tx) error) error {
	s.measured = s.measured[:0]
	if err := s.Store.Update(f); err != nil {
		return errors.Join(err, s.load())
	}
	s.observe()
	return nil
}

// Depth is how full a queue is, as the metrics of the same meaning in CloudWatch's namespace AWS/SQS tell it.
type Depth struct {
	Visible   int           // ApproximateNumberOfMessagesVisible: the backlog
	InFlight  int           // ApproximateNumberOfMessagesNotVisible
	Delayed   int           // ApproximateNumberOfMessagesDelayed
	OldestAge time.Duration // ApproximateAgeOfOldestMessage; 0 for an empty queue
}

// Depth returns the depth of a queue, and whether there is one of that name.
func (s *Service) Depth(name string) (Depth, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, ok := s.queues[name]
	if !ok {
		return Depth{}, false
	}
	return q.depth(s.Now()), true
}

// Names returns the names of all queues, sorted.
func (s *Service) Names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.names()
}
