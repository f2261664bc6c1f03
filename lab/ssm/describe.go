package ssm

import (
	"context"
	"encoding/base64"
	"maps"
	"slices"
	"strings"

	api "storefront/lab/api/ssm"
	"storefront/lab/state"
	"storefront/lab/wire"
)

var encoding = base64.StdEncoding

// DescribeParameters implements the operation of that name with the filters Name, Type and Path.
func (s *Service) DescribeParameters(_ context.Context, in *api.DescribeParametersInput) (*api.DescribeParametersOutput, error) {
	if len(in.Filters) > 0 {
		return nil, wire.Errorf(400, "InvalidFilterKey", "The lab serves ParameterFilters, not the older Filters.")
	}
	for _, f := range in.ParameterFilters {
		if !slices.Contains([]string{"Name", "Type", "Path"}, *f.Key) {
			return nil, wire.Errorf(400, "InvalidFilterKey", "The lab does not serve the filter key %s.", *f.Key)
		}
	}
	out := &api.DescribeParametersOutput{Parameters: []api.ParameterMetadata{}}
	return out, s.store.View(func(tx *state.Tx) error {
		matching := func(yield func(string, parameter) bool) {
			for name, p := range parameters.All(tx) {
				if p.matches(in.ParameterFilters) && !yield(name, p) {
					return
				}
			}
		}
		limit := int64(50)
		if in.MaxResults != nil {
			limit = *in.MaxResults
		}
		items, next := state.Page(matching, wire.Value(in.NextToken), limit)
		for _, p := range items {
			out.Parameters = append(out.Parameters, s.metadata(p))
		}
		out.NextToken = next
		return nil
	})
}

func (p parameter) matches(filters []api.ParameterStringFilter) bool {
	for _, f := range filters {
		field, prefix := p.Name, wire.Value(f.Option) == "BeginsWith"
		switch *f.Key {
		case "Type":
			field = p.Type
		case "Path":
			prefix = true
		}
		if !slices.ContainsFunc(f.Values, func(v string) bool { return v == field || prefix && strings.HasPrefix(field, v) }) {
			return false
		}
	}
	return true
}

func (s *Service) metadata(p parameter) api.ParameterMetadata {
	v := p.latest()
	m := api.ParameterMetadata{ARN: new(s.arn(p.Name)), Name: new(p.Name), Type: new(p.Type), Tier: new(p.Tier), DataType: new(p.DataType), Version: new(v.Number), LastModifiedDate: new(v.Modified),
		LastModifiedUser: new(v.User), Policies: []api.ParameterInlinePolicy{}}
	for target, text := range map[**string]string{&m.Description: p.Description, &m.AllowedPattern: p.AllowedPattern, &m.KeyId: p.KeyID} {
		if text != "" {
			*target = new(text)
		}
	}
	return m
}

// GetParameterHistory implements the operation of that name.
func (s *Service) GetParameterHistory(_ context.Context, in *api.GetParameterHistoryInput) (*api.GetParameterHistoryOutput, error) {
	out := &api.GetParameterHistoryOutput{Parameters: []api.ParameterHistory{}}
	return out, s.store.View(func(tx *state.Tx) error {
		p, _, _, err := s.find(tx, *in.Name)
		if err != nil {
			return err
		}
		for _, v := range p.Versions {
			value, err := s.value(tx, p, v, wire.Value(in.WithDecryption))
			if err != nil {
				return err
			}
			out.Parameters = append(out.Parameters, api.ParameterHistory{Name: new(p.Name), Type: new(p.Type), Tier: new(p.Tier), DataType: new(p.DataType), Value: new(value), Version: new(v.Number), LastModifiedDate: new(v.Modified), LastModifiedUser: new(v.User)})
		}
		return nil
	})
}

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
