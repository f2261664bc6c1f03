package sqs

import (
	"context"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	api "storefront/lab/api/sqs"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// restTime is how long a name rests after its queue was deleted, and a queue after it was purged.
const restTime = time.Minute

var validName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

func (s *Service) names() []string { return slices.Sorted(maps.Keys(s.queues)) }

func (s *Service) arn(name string) string { return s.Region.ARN("sqs", name) }

// url is the address of a queue, at the host that the caller used.
func (s *Service) url(ctx context.Context, name string) string {
	return strings.TrimSuffix(wire.OriginOf(ctx).URL(s.Endpoint()), "/") + "/" + s.Region.Account + "/" + name
}

// find resolves a queue URL. Only its path counts, since a queue has another address inside the lab's network than outside.
func (s *Service) find(address *string) (*queue, error) {
	if wire.Value(address) == "" {
		return nil, missing("QueueUrl")
	}
	u, err := url.Parse(*address)
	if err != nil {
		return nil, fail("InvalidAddress", "The address %s is not valid for this endpoint.", *address)
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(parts) != 2 {
		return nil, fail("InvalidAddress", "The address %s is not valid for this endpoint.", *address)
	}
	if q, ok := s.queues[parts[1]]; ok && parts[0] == s.Region.Account {
		return q, nil
	}
	return nil, errNoQueue()
}

// byARN resolves a queue's ARN.
func (s *Service) byARN(arn string) (*queue, bool) {
	name, ok := strings.CutPrefix(arn, s.arn(""))
	q := s.queues[name]
	return q, ok && q != nil
}

// define stores a queue's definition and puts it into effect.
func (s *Service) define(q *queue, d definition) error {
	d.Modified = s.Now().Unix()
	return s.change(func(tx *state.Tx) error {
		q.definition = d
		return definitions.Put(tx, d.Name, d)
	})
}

// CreateQueue implements the operation of that name.
func (s *Service) CreateQueue(ctx context.Context, in *api.CreateQueueInput) (*api.CreateQueueOutput, error) {
	name := *in.QueueName
	if err := checkName(name, in.Attributes["FifoQueue"] == "true"); err != nil {
		return nil, err
	}
	if in.Attributes["FifoQueue"] == "false" {
		return nil, fail("InvalidAttributeName", "Unknown Attribute FifoQueue.")
	}
	if err := checkAttributes(in.Attributes); err != nil {
		return nil, err
	}
	attributes, err := merge(nil, in.Attributes)
	if err != nil {
		return nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if q, ok := s.queues[name]; ok {
		return &api.CreateQueueOutput{QueueUrl: new(s.url(ctx, name))}, s.same(q, in.Attributes)
	}
	now := s.Now()
	if gone, ok := s.deleted[name]; ok && now.Sub(gone) < restTime {
		return nil, fail("QueueDeletedRecently", "You must wait 60 seconds after deleting a queue before you can create another with the same name.")
	}
	q := newQueue(definition{Name: name, Created: now.Unix(), Attributes: attributes, Tags: in.Tags})
	if err := s.checkRedrive(q, attributes); err != nil {
		return nil, err
	}
	if err := s.define(q, q.definition); err != nil {
		return nil, err
	}
	s.queues[name] = q
	delete(s.deleted, name)
	return &api.CreateQueueOutput{QueueUrl: new(s.url(ctx, name))}, nil
}

func checkName(name string, fifo bool) error {
	base, suffixed := strings.CutSuffix(name, ".fifo")
	switch {
	case !validName.MatchString(base) || len(name) > 80:
		return fail("InvalidParameterValue", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	case fifo && !suffixed:
		return fail("InvalidParameterValue", "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must end with .fifo suffix and be 1 to 80 in length.")
	case !fifo && suffixed:
		return fail("InvalidParameterValue", "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
	}
	return nil
}

// same refuses to create a queue again with attributes that differ from those it has.
func (s *Service) same(q *queue, wanted map[string]string) error {
	has := q.shown("")
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		if has[name] != wanted[name] {
			return fail("QueueNameExists", "A queue already exists with the same name and a different value for attribute %s", name)
		}
	}
	return nil
}

// GetQueueUrl implements the operation of that name.
func (s *Service) GetQueueUrl(ctx context.Context, in *api.GetQueueUrlInput) (*api.GetQueueUrlOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.queues[*in.QueueName]; !ok || wire.Or(in.QueueOwnerAWSAccountId, s.Region.Account) != s.Region.Account {
		return nil, errNoQueue()
	}
	return &api.GetQueueUrlOutput{QueueUrl: new(s.url(ctx, *in.QueueName))}, nil
}

// ListQueues implements the operation of that name.
func (s *Service) ListQueues(ctx context.Context, in *api.ListQueuesInput) (*api.ListQueuesOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	urls, next, err := s.page(ctx, in.MaxResults, in.NextToken, func(q *queue) bool { return strings.HasPrefix(q.Name, wire.Value(in.QueueNamePrefix)) })
	return &api.ListQueuesOutput{QueueUrls: urls, NextToken: next}, err
}

// page lists the URLs of some queues. Only who names a limit gets pages; the others get the first thousand.
func (s *Service) page(ctx context.Context, limit *int64, after *string, want func(*queue) bool) (urls []string, next *string, err error) {
	if n := wire.Or(limit, 1000); n < 1 || n > 1000 {
		return nil, nil, invalid(n, "MaxResults", "Must be an integer between 1 and 1000.")
	}
	all := func(yield func(string, string) bool) {
		for _, name := range s.names() {
			if want(s.queues[name]) && !yield(name, s.url(ctx, name)) {
				return
			}
		}
	}
	urls, next = state.Page(all, wire.Value(after), wire.Or(limit, 1000))
	if limit == nil {
		next = nil
	}
	return urls, next, nil
}

// DeleteQueue implements the operation of that name.
func (s *Service) DeleteQueue(_ context.Context, in *api.DeleteQueueInput) (*api.DeleteQueueOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if err := s.change(func(tx *state.Tx) error {
		if err := q.clear(tx); err != nil {
			return err
		}
		for _, id := range q.recentOrder {
			if err := duplicates.Delete(tx, q.Name+"/"+id); err != nil {
				return err
			}
		}
		return definitions.Delete(tx, q.Name)
	}); err != nil {
		return nil, err
	}
	delete(s.queues, q.Name)
	s.deleted[q.Name] = s.Now()
	q.signal()
	return &api.DeleteQueueOutput{}, nil
}

// clear drops all messages.
func (q *queue) clear(tx *state.Tx) error {
	for m := q.ages.first(); m != nil; m = q.ages.first() {
		if err := q.drop(tx, m); err != nil {
			return err
		}
	}
	return nil
}

// PurgeQueue implements the operation of that name.
func (s *Service) PurgeQueue(_ context.Context, in *api.PurgeQueueInput) (*api.PurgeQueueOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if now := s.Now(); now.Sub(q.purged) < restTime {
		return nil, fail("PurgeQueueInProgress", "Only one PurgeQueue operation on %s is allowed every 60 seconds.", q.Name)
	}
	if err := s.change(q.clear); err != nil {
		return nil, err
	}
	q.purged = s.Now()
	return &api.PurgeQueueOutput{}, nil
}

// SetQueueAttributes implements the operation of that name.
func (s *Service) SetQueueAttributes(_ context.Context, in *api.SetQueueAttributesInput) (*api.SetQueueAttributesOutput, error) {
	if err := checkAttributes(in.Attributes); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	if kind, ok := in.Attributes["FifoQueue"]; ok && kind != strconv.FormatBool(q.fifo()) {
		return nil, fail("InvalidAttributeValue", "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.")
	}
	d := q.definition
	if d.Attributes, err = merge(d.Attributes, in.Attributes); err != nil {
		return nil, err
	}
	if err := s.checkRedrive(q, in.Attributes); err != nil {
		return nil, err
	}
	q.signal()
	return &api.SetQueueAttributesOutput{}, s.define(q, d)
}

// GetQueueAttributes implements the operation of that name.
func (s *Service) GetQueueAttributes(_ context.Context, in *api.GetQueueAttributesInput) (*api.GetQueueAttributesOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	all, depth := q.shown(s.arn(q.Name)), q.depth(s.Now())
	all["ApproximateNumberOfMessages"] = strconv.Itoa(depth.Visible)
	all["ApproximateNumberOfMessagesNotVisible"] = strconv.Itoa(depth.InFlight)
	all["ApproximateNumberOfMessagesDelayed"] = strconv.Itoa(depth.Delayed)
	if slices.Contains(in.AttributeNames, "All") {
		return &api.GetQueueAttributesOutput{Attributes: all}, nil
	}
	var out map[string]string
	for _, name := range in.AttributeNames {
		if !slices.Contains(s.attributeNames, name) {
			return nil, fail("InvalidAttributeName", "Unknown Attribute %s.", name)
		}
		if value, ok := all[name]; ok {
			if out == nil {
				out = map[string]string{}
			}
			out[name] = value
		}
	}
	return &api.GetQueueAttributesOutput{Attributes: out}, nil
}
