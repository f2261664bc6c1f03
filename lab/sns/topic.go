package sns

import (
	"context"
	"errors"
	"iter"
	"maps"
	"regexp"
	"strings"

	api "storefront/lab/api/sns"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// pageSize is how many topics or subscriptions a list answers at once.
const pageSize = 100

var validName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

// CreateTopic implements the operation of that name. A topic that exists with these attributes and tags is answered as it is.
func (s *Service) CreateTopic(_ context.Context, in *api.CreateTopicInput) (*api.CreateTopicOutput, error) {
	name, fifo := *in.Name, in.Attributes["FifoTopic"] == "true"
	if base, suffixed := strings.CutSuffix(name, ".fifo"); !validName.MatchString(base) || len(name) > 256 {
		return nil, invalid("Topic Name")
	} else if fifo != suffixed {
		return nil, invalid("Topic Name", "a FIFO topic, and no other, has a name that ends with .fifo")
	}
	if wire.Value(in.DataProtectionPolicy) != "" {
		return nil, invalid("DataProtectionPolicy", "the lab does not serve data protection policies")
	}
	set := maps.Clone(in.Attributes)
	if !fifo {
		delete(set, "FifoTopic") // "false" is what a topic without it is
	}
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	return state.Change(s.Store, func(tx *state.Tx, out *api.CreateTopicOutput) error {
		out.TopicArn = new(s.arn(name))
		old, exists, err := topics.Get(tx, name)
		if err != nil {
			return err
		}
		t := topic{Name: name, Attributes: map[string]string{}, Tags: tags}
		for attribute, value := range set {
			if err := s.setTopicAttribute(&t, attribute, value); err != nil {
				return err
			}
		}
		if !exists {
			return topics.Put(tx, name, t)
		}
		for attribute, value := range t.Attributes {
			if old.Attributes[attribute] != value {
				return invalid("Attributes", "Topic already exists with different attributes")
			}
		}
		if len(tags) > 0 && !maps.Equal(tags, old.Tags) {
			return invalid("Tags", "Topic already exists with different tags")
		}
		return nil
	})
}

// DeleteTopic implements the operation of that name: its subscriptions go with it, and a topic that does not exist is no error.
func (s *Service) DeleteTopic(_ context.Context, in *api.DeleteTopicInput) (*api.DeleteTopicOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DeleteTopicOutput) error {
		t, err := s.find(tx, *in.TopicArn)
		switch {
		case errors.Is(err, errNoTopic()):
			return nil
		case err != nil:
			return err
		}
		for _, sub := range s.subscribers(tx, t.Name) {
			if err := subscriptions.Delete(tx, sub.key()); err != nil {
				return err
			}
		}
		var known []string
		for key := range duplicates.WithPrefix(tx, t.Name+"/") {
			known = append(known, key)
		}
		for _, key := range known {
			if err := duplicates.Delete(tx, key); err != nil {
				return err
			}
		}
		return topics.Delete(tx, t.Name)
	})
}

// ListTopics implements the operation of that name.
func (s *Service) ListTopics(_ context.Context, in *api.ListTopicsInput) (*api.ListTopicsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListTopicsOutput) error {
		list, next, err := page(topics.All(tx), func(t topic) string { return t.Name }, in.NextToken)
		out.Topics, out.NextToken = []api.Topic{}, next
		for _, t := range list {
			out.Topics = append(out.Topics, api.Topic{TopicArn: new(s.arn(t.Name))})
		}
		return err
	})
}

// page cuts a list, which is in the order of its keys, to one answer's worth.
func page[T any](all iter.Seq2[string, T], key func(T) string, token *string) ([]T, *string, error) {
	var list []T
	for _, v := range all {
		list = append(list, v)
	}
	list, next, ok := state.Cut(list, key, wire.Value(token), pageSize)
	if !ok {
		return nil, nil, invalid("NextToken")
	}
	return list, next, nil
}
