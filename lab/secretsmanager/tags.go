package secretsmanager

import (
	"context"
	"errors"
	"maps"
	"slices"

	api "storefront/lab/api/secretsmanager"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// TagResource implements the operation of that name.
func (s *Service) TagResource(_ context.Context, in *api.TagResourceInput) (*api.TagResourceOutput, error) {
	_, err := s.change(*in.SecretId, func(_ *state.Tx, x *secret) error {
		maps.Copy(x.Tags, tagMap(in.Tags))
		return nil
	})
	return &api.TagResourceOutput{}, err
}

// UntagResource implements the operation of that name.
func (s *Service) UntagResource(_ context.Context, in *api.UntagResourceInput) (*api.UntagResourceOutput, error) {
	_, err := s.change(*in.SecretId, func(_ *state.Tx, x *secret) error {
		for _, key := range in.TagKeys {
			delete(x.Tags, key)
		}
		return nil
	})
	return &api.UntagResourceOutput{}, err
}

func tagMap(tags []api.Tag) map[string]string {
	m := map[string]string{}
	for _, t := range tags {
		m[wire.Value(t.Key)] = wire.Value(t.Value)
	}
	return m
}

func tagList(m map[string]string) []api.Tag {
	tags := []api.Tag{}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		tags = append(tags, api.Tag{Key: new(k), Value: new(m[k])})
	}
	return tags
}

// Tags returns the tags of a secret by its ARN, for the conditions of policies; nil when there is no such secret.
func (s *Service) Tags(tx *state.Tx, arn string) (map[string]string, error) {
	x, err := s.find(tx, arn)
	if errors.Is(err, errNotFound) {
		return nil, nil
	}
	return x.Tags, err
}
