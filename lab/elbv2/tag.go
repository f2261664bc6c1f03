package elbv2

import (
	"context"
	"maps"
	"slices"
	"strings"

	api "storefront/lab/api/elbv2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// setTags adds tags to a resource, replacing those of the same key.
func setTags(tx *state.Tx, arn string, add []api.Tag) error {
	if len(add) == 0 {
		return nil
	}
	current, _, err := tags.Get(tx, arn)
	if err != nil {
		return err
	}
	if current == nil {
		current = map[string]string{}
	}
	seen := map[string]bool{}
	for _, t := range add {
		key := wire.Value(t.Key)
		if seen[key] {
			return fault("DuplicateTagKeys", "Tag key '%s' was specified more than once", key)
		}
		if strings.HasPrefix(strings.ToLower(key), "aws:") {
			return invalid("Tag key '%s' cannot begin with 'aws:'", key)
		}
		seen[key] = true
		current[key] = wire.Value(t.Value)
	}
	if len(current) > 50 {
		return fault("TooManyTags", "The maximum number of tags for resource '%s' has been reached", arn)
	}
	return tags.Put(tx, arn, current)
}

// exists fails with the error of the resource's kind when there is no such resource.
func exists(tx *state.Tx, arn string) error {
	var err error
	switch {
	case strings.Contains(arn, ":loadbalancer/"):
		_, err = findLoadBalancer(tx, arn)
	case strings.Contains(arn, ":targetgroup/"):
		_, err = findGroup(tx, arn)
	case strings.Contains(arn, ":listener/"):
		_, err = findListener(tx, arn)
	case strings.Contains(arn, ":listener-rule/"):
		_, err = findRule(tx, arn)
	default:
		err = invalid("'%s' is not a valid resource ARN", arn)
	}
	return err
}

// AddTags adds tags to resources.
func (s *Service) AddTags(_ context.Context, in *api.AddTagsInput) (*api.AddTagsOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.AddTagsOutput) error {
		for _, arn := range in.ResourceArns {
			if err := exists(tx, arn); err != nil {
				return err
			}
			if err := setTags(tx, arn, in.Tags); err != nil {
				return err
			}
		}
		return nil
	})
}

// RemoveTags removes tags from resources by key.
func (s *Service) RemoveTags(_ context.Context, in *api.RemoveTagsInput) (*api.RemoveTagsOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.RemoveTagsOutput) error {
		for _, arn := range in.ResourceArns {
			if err := exists(tx, arn); err != nil {
				return err
			}
			current, _, err := tags.Get(tx, arn)
			if err != nil {
				return err
			}
			for _, key := range in.TagKeys {
				delete(current, key)
			}
			if err := tags.Put(tx, arn, current); err != nil {
				return err
			}
		}
		return nil
	})
}

// DescribeTags describes the tags of up to 20 resources.
func (s *Service) DescribeTags(_ context.Context, in *api.DescribeTagsInput) (*api.DescribeTagsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeTagsOutput) error {
		if len(in.ResourceArns) > 20 {
			return invalid("At most 20 resources can be described at a time")
		}
		for _, arn := range in.ResourceArns {
			if err := exists(tx, arn); err != nil {
				return err
			}
			current, _, err := tags.Get(tx, arn)
			if err != nil {
				return err
			}
			d := api.TagDescription{ResourceArn: &arn, Tags: []api.Tag{}}
			for _, key := range slices.Sorted(maps.Keys(current)) {
				d.Tags = append(d.Tags, api.Tag{Key: &key, Value: new(current[key])})
			}
			out.TagDescriptions = append(out.TagDescriptions, d)
		}
		return nil
	})
}
