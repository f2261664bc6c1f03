package cloudtrail

import (
	"context"
	"maps"
	"slices"

	api "storefront/lab/api/cloudtrail"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// maxTags is the quota of tags on a trail.
const maxTags = 50

// tag puts tags on a trail.
func (t *trail) tag(list []api.Tag) error {
	tags := maps.Clone(t.Tags)
	for _, tag := range list {
		tags[wire.Value(tag.Key)] = wire.Value(tag.Value)
	}
	if len(tags) > maxTags {
		return refuse("TagsLimitExceededException", "The number of tags per trail has exceeded the permitted amount: %d.", maxTags)
	}
	t.Tags = tags
	return nil
}

// AddTags implements the operation of that name.
func (s *Service) AddTags(_ context.Context, in *api.AddTagsInput) (*api.AddTagsOutput, error) {
	_, err := s.change(in.ResourceId, func(t *trail) error { return t.tag(in.TagsList) })
	return &api.AddTagsOutput{}, err
}

// RemoveTags implements the operation of that name. A tag with a value is removed whatever its value is, as on AWS.
func (s *Service) RemoveTags(_ context.Context, in *api.RemoveTagsInput) (*api.RemoveTagsOutput, error) {
	_, err := s.change(in.ResourceId, func(t *trail) error {
		for _, tag := range in.TagsList {
			delete(t.Tags, wire.Value(tag.Key))
		}
		return nil
	})
	return &api.RemoveTagsOutput{}, err
}

// ListTags implements the operation of that name.
func (s *Service) ListTags(_ context.Context, in *api.ListTagsInput) (*api.ListTagsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListTagsOutput) error {
		for _, id := range in.ResourceIdList {
			t, err := s.find(tx, id)
			if err != nil {
				return err
			}
			list := []api.Tag{}
			for _, name := range slices.Sorted(maps.Keys(t.Tags)) {
				list = append(list, api.Tag{Key: new(name), Value: new(t.Tags[name])})
			}
			out.ResourceTagList = append(out.ResourceTagList, api.ResourceTag{ResourceId: new(id), TagsList: list})
		}
		return nil
	})
}
