package ssm

import (
	"context"
	"maps"
	"slices"
	"strings"

	api "storefront/lab/api/ssm"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// tagged edits the tags of a parameter.
func (s *Service) tagged(kind, id string, edit func(map[string]string)) error {
	return s.store.Update(func(tx *state.Tx) error {
		p, err := s.tagTarget(tx, kind, id)
		if err != nil {
			return err
		}
		if p.Tags == nil {
			p.Tags = map[string]string{}
		}
		edit(p.Tags)
		return parameters.Put(tx, p.Name, p)
	})
}

func (s *Service) tagTarget(tx *state.Tx, kind, id string) (parameter, error) {
	if kind != "Parameter" {
		return parameter{}, wire.Errorf(400, "InvalidResourceType", "The lab serves tags of the resource type Parameter only.")
	}
	p, ok, err := parameters.Get(tx, id)
	if err == nil && !ok {
		err = wire.Errorf(400, "InvalidResourceId", "The resource ID isn't valid. Verify that you entered the correct ID and try again.")
	}
	return p, err
}

// AddTagsToResource implements the operation of that name for parameters.
func (s *Service) AddTagsToResource(_ context.Context, in *api.AddTagsToResourceInput) (*api.AddTagsToResourceOutput, error) {
	return &api.AddTagsToResourceOutput{}, s.tagged(*in.ResourceType, *in.ResourceId, func(tags map[string]string) { maps.Copy(tags, tagMap(in.Tags)) })
}

// RemoveTagsFromResource implements the operation of that name for parameters.
func (s *Service) RemoveTagsFromResource(_ context.Context, in *api.RemoveTagsFromResourceInput) (*api.RemoveTagsFromResourceOutput, error) {
	return &api.RemoveTagsFromResourceOutput{}, s.tagged(*in.ResourceType, *in.ResourceId, func(tags map[string]string) {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
	})
}

// ListTagsForResource implements the operation of that name for parameters.
func (s *Service) ListTagsForResource(_ context.Context, in *api.ListTagsForResourceInput) (*api.ListTagsForResourceOutput, error) {
	out := &api.ListTagsForResourceOutput{TagList: []api.Tag{}}
	return out, s.store.View(func(tx *state.Tx) error {
		p, err := s.tagTarget(tx, *in.ResourceType, *in.ResourceId)
		for _, key := range slices.Sorted(maps.Keys(p.Tags)) {
			out.TagList = append(out.TagList, api.Tag{Key: new(key), Value: new(p.Tags[key])})
		}
		return err
	})
}

func tagMap(tags []api.Tag) map[string]string {
	m := map[string]string{}
	for _, t := range tags {
		m[*t.Key] = *t.Value
	}
	return m
}

// Tags returns the tags of a parameter by its ARN, for the conditions of policies. The name in an ARN lacks the slash at its beginning.
func (s *Service) Tags(tx *state.Tx, arn string) (map[string]string, error) {
	name := strings.TrimPrefix(arn, s.region.ARN("ssm", "parameter/"))
	p, ok, err := parameters.Get(tx, "/"+name)
	if err == nil && !ok {
		p, _, err = parameters.Get(tx, name)
	}
	return p.Tags, err
}
