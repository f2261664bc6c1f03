package sqs

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	api "storefront/lab/api/sqs"
	"storefront/lab/state"
)

// redrivePolicy says where messages go that were received too often. The count may be written as a number or as a string.
type redrivePolicy struct {
	Target   string      `json:"deadLetterTargetArn"`
	Receives json.Number `json:"maxReceiveCount"`
}

// redriveAllowPolicy says which queues may name this one as their dead-letter queue.
type redriveAllowPolicy struct {
	Permission string   `json:"redrivePermission"`
	Sources    []string `json:"sourceQueueArns"`
}

func parseRedrive(text string) (target string, receives int64, err error) {
	var p redrivePolicy
	bad := func(reason string) error {
		return fail("InvalidParameterValue", "Value %s for parameter RedrivePolicy is invalid. Reason: %s", text, reason)
	}
	if err := json.Unmarshal([]byte(text), &p); err != nil {
		return "", 0, bad("Redrive policy is not a valid JSON map.")
	}
	if p.Target == "" || p.Receives == "" {
		return "", 0, bad("Redrive policy must contain deadLetterTargetArn and maxReceiveCount.")
	}
	receives, err = strconv.ParseInt(p.Receives.String(), 10, 64)
	if err != nil || receives < 1 || receives > 1000 {
		return "", 0, bad("Invalid value for maxReceiveCount: " + p.Receives.String() + ", valid values are from 1 to 1000 both inclusive.")
	}
	return p.Target, receives, nil
}

// checkRedrive checks the redrive policies that a request sets on q.
func (s *Service) checkRedrive(q *queue, set map[string]string) error {
	if text := set["RedriveAllowPolicy"]; text != "" {
		var p redriveAllowPolicy
		if json.Unmarshal([]byte(text), &p) != nil || !slices.Contains([]string{"allowAll", "denyAll", "byQueue"}, p.Permission) ||
			(p.Permission == "byQueue") != (len(p.Sources) > 0) || len(p.Sources) > 10 {
			return invalid(text, "RedriveAllowPolicy", "Amazon SQS can't create the redrive allow policy, as it's in an unsupported format.")
		}
	}
	text := set["RedrivePolicy"]
	if text == "" {
		return nil
	}
	arn, _, err := parseRedrive(text)
	if err != nil {
		return err
	}
	target, ok := s.byARN(arn)
	switch {
	case !ok:
		return invalid(text, "RedrivePolicy", "Dead letter target does not exist.")
	case strings.HasSuffix(q.Name, ".fifo") != target.fifo():
		return invalid(text, "RedrivePolicy", "Dead-letter queue must be same type of queue as the source.")
	case !target.admits(s.arn(q.Name)):
		return invalid(text, "RedrivePolicy", "Queue "+q.Name+" is not permitted to use "+target.Name+" as its dead-letter queue by the RedriveAllowPolicy.")
	}
	return nil
}

// admits tells whether the redrive allow policy lets the queue source send its dead letters here.
func (q *queue) admits(source string) bool {
	text := q.Attributes["RedriveAllowPolicy"]
	if text == "" {
		return true
	}
	var p redriveAllowPolicy
	if json.Unmarshal([]byte(text), &p) != nil {
		return false
	}
	return p.Permission == "allowAll" || p.Permission == "byQueue" && slices.Contains(p.Sources, source)
}

// deadLetters is the queue that takes a message which was received as often as q allows, or nil.
func (s *Service) deadLetters(q *queue, m *message) *queue {
	text := q.Attributes["RedrivePolicy"]
	if text == "" || m.Received == m.Before {
		return nil
	}
	arn, receives, err := parseRedrive(text)
	if err != nil || m.Received-m.Before < receives {
		return nil
	}
	target, _ := s.byARN(arn)
	return target // nil when it was deleted: then the message stays, as at AWS
}

// bury moves a message to a dead-letter queue. A standard queue's message keeps the time at which it was sent, so that it does not outlive its
// retention period; a FIFO queue's does not.
func (s *Service) bury(tx *state.Tx, q, target *queue, m *message) error {
	q.remove(m)
	if err := records.Delete(tx, m.key()); err != nil {
		return err
	}
	r := m.record
	r.Queue, r.Source, r.Before, r.Receipt, r.Due = target.Name, s.arn(q.Name), m.Received, "", 0
	if target.fifo() {
		r.Sent = s.Now().UnixMilli()
	}
	_, err := s.place(tx, target, r)
	return err
}

// place gives a record its number and puts it into a queue.
func (s *Service) place(tx *state.Tx, q *queue, r record) (seq uint64, err error) {
	if r.Seq, err = tx.Sequence("sqs.message"); err != nil {
		return 0, err
	}
	m := &message{record: r}
	q.add(m, s.Now())
	return r.Seq, m.put(tx)
}

// sources tells for each queue whether target is its dead-letter queue.
func (s *Service) sources(target string) func(*queue) bool {
	return func(q *queue) bool {
		if q.Attributes["RedrivePolicy"] == "" {
			return false
		}
		arn, _, err := parseRedrive(q.Attributes["RedrivePolicy"])
		return err == nil && arn == target
	}
}

// ListDeadLetterSourceQueues implements the operation of that name.
func (s *Service) ListDeadLetterSourceQueues(ctx context.Context, in *api.ListDeadLetterSourceQueuesInput) (*api.ListDeadLetterSourceQueuesOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	urls, next, err := s.page(ctx, in.MaxResults, in.NextToken, s.sources(s.arn(q.Name)))
	return &api.ListDeadLetterSourceQueuesOutput{QueueUrls: append([]string{}, urls...), NextToken: next}, err
}
