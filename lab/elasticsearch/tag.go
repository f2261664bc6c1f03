package elasticsearch

import (
	"context"
	"maps"
	"slices"
	"strings"

	api "storefront/lab/api/opensearch"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// tags are kept by the ARN of the domain.
var tags = state.NewTable[map[string]string]("es.tag")

// maxTags is the number of tags that one domain can have, from the API reference of AddTags.
const maxTags = 50

// tag adds tags to a domain.
func tag(tx *state.Tx, arn string, list []api.Tag) error {
	if len(list) == 0 {
		return nil
	}
	has, _, err := tags.Get(tx, arn)
	if err != nil {
		return err
	}
	if has == nil {
		has = map[string]string{}
	}
	for _, t := range list {
		if key := wire.Value(t.Key); strings.HasPrefix(strings.ToLower(key), "aws:") {
			return invalid("Tag keys cannot start with aws: as %q does", key)
		}
		has[*t.Key] = wire.Value(t.Value)
	}
	if len(has) > maxTags {
		return conflict("LimitExceededException", "A domain cannot have more than %d tags.", maxTags)
	}
	return tags.Put(tx, arn, has)
}

// AddTags adds tags, or changes their values.
func (s *Service) AddTags(_ context.Context, in *api.AddTagsInput) (*api.AddTagsOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.AddTagsOutput) error {
		if err := s.checkARN(tx, *in.ARN); err != nil {
			return err
		}
		return tag(tx, *in.ARN, in.TagList)
	})
}

// RemoveTags removes tags by their keys.
func (s *Service) RemoveTags(_ context.Context, in *api.RemoveTagsInput) (*api.RemoveTagsOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.RemoveTagsOutput) error {
		if err := s.checkARN(tx, *in.ARN); err != nil {
			return err
		}
		has, ok, err := tags.Get(tx, *in.ARN)
		if err != nil || !ok {
			return err
		}
		maps.DeleteFunc(has, func(key, _ string) bool { return slices.Contains(in.TagKeys, key) })
		return tags.Put(tx, *in.ARN, has)
	})
}

// ListTags lists the tags of a domain.
func (s *Service) ListTags(_ context.Context, in *api.ListTagsInput) (*api.ListTagsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListTagsOutput) error {
		if err := s.checkARN(tx, *in.ARN); err != nil {
			return err
		}
		has, _, err := tags.Get(tx, *in.ARN)
		out.TagList = []api.Tag{}
		for _, key := range slices.Sorted(maps.Keys(has)) {
			out.TagList = append(out.TagList, api.Tag{Key: &key, Value: new(has[key])})
		}
		return err
	})
}

// checkARN fails as the service does when the ARN is not that of a domain.
func (s *Service) checkARN(tx *state.Tx, arn string) error {
	name, ours := strings.CutPrefix(arn, s.arn(""))
	if !ours {
		return invalid("Invalid ARN: %s", arn)
	}
	_, err := s.find(tx, &name)
	return err
}

// Tags returns the tags of a resource by its ARN, for the conditions of policies.
func (s *Service) Tags(tx *state.Tx, arn string) (map[string]string, error) {
	has, _, err := tags.Get(tx, arn)
	return has, err
}
