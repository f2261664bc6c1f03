package secretsmanager

import (
	"context"
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
