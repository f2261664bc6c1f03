package sqs

import (
	"context"
	"maps"
	"storefront/lab/state"
	"strings"
	"unicode/utf8"

	api "storefront/lab/api/sqs"
)

// maxTags is how many tags a queue can have.
const maxTags = 50

func checkTags(tags map[string]string) error {
	for key, value := range tags {
		switch {
		case key == "" || utf8.RuneCountInString(key) > 128:
			return fail("InvalidParameterValue", "Tag keys must be between 1 and 128 characters in length.")
		case utf8.RuneCountInString(value) > 256:
			return fail("InvalidParameterValue", "Tag values must be between 0 and 256 characters in length.")
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return fail("InvalidParameterValue", "Tag keys may not start with reserved prefix 'aws:'.")
		}
	}
	if len(tags) > maxTags {
		return fail("InvalidParameterValue", "Too many tags added for queue. Maximum number of tags allowed is %d.", maxTags)
	}
	return nil
}

// TagQueue implements the operation of that name.
func (s *Service) TagQueue(_ context.Context, in *api.TagQueueInput) (*api.TagQueueOutput, error) {
	return &api.TagQueueOutput{}, s.retag(in.QueueUrl, func(tags map[string]string) { maps.Copy(tags, in.Tags) })
}

// UntagQueue implements the operation of that name.
func (s *Service) UntagQueue(_ context.Context, in *api.UntagQueueInput) (*api.UntagQueueOutput, error) {
	return &api.UntagQueueOutput{}, s.retag(in.QueueUrl, func(tags map[string]string) {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
	})
}

func (s *Service) retag(address *string, edit func(map[string]string)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(address)
	if err != nil {
		return err
	}
	d := q.definition
	if d.Tags = maps.Clone(d.Tags); d.Tags == nil {
		d.Tags = map[string]string{}
	}
	edit(d.Tags)
	if err := checkTags(d.Tags); err != nil {
		return err
	}
	return s.define(q, d)
}

// ListQueueTags implements the operation of that name.
func (s *Service) ListQueueTags(_ context.Context, in *api.ListQueueTagsInput) (*api.ListQueueTagsOutput, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q, err := s.find(in.QueueUrl)
	if err != nil {
		return nil, err
	}
	return &api.ListQueueTagsOutput{Tags: maps.Clone(q.Tags)}, nil
}

// Tags returns the tags of a queue by its name, for the conditions of policies. It reads what the store keeps, so that it can be asked in any transaction.
func (s *Service) Tags(tx *state.Tx, name string) (map[string]string, error) {
	d, _, err := definitions.Shared(tx, name)
	return d.Tags, err
}
