package wafv2

import (
	"context"
	"maps"

	api "storefront/lab/api/wafv2"
	"storefront/lab/state"
)

func (s *Service) retag(tx *state.Tx, arn string, edit func(map[string]string) (map[string]string, error)) error {
	switch {
	case acls.holds(arn):
		return acls.retag(tx, arn, edit)
	case ipSets.holds(arn):
		return ipSets.retag(tx, arn, edit)
	case patternSets.holds(arn):
		return patternSets.retag(tx, arn, edit)
	case ruleGroups.holds(arn):
		return ruleGroups.retag(tx, arn, edit)
	}
	return errMissing()
}

// TagResource implements the operation of that name.
func (s *Service) TagResource(_ context.Context, in *api.TagResourceInput) (*api.TagResourceOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.TagResourceOutput) error {
		return s.retag(tx, *in.ResourceARN, func(tags map[string]string) (map[string]string, error) { return merge(tags, in.Tags) })
	})
}

// UntagResource implements the operation of that name.
func (s *Service) UntagResource(_ context.Context, in *api.UntagResourceInput) (*api.UntagResourceOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.UntagResourceOutput) error {
		return s.retag(tx, *in.ResourceARN, func(tags map[string]string) (map[string]string, error) {
			left := maps.Clone(tags)
			for _, key := range in.TagKeys {
				delete(left, key)
			}
			return left, nil
		})
	})
}

// ListTagsForResource implements the operation of that name.
func (s *Service) ListTagsForResource(_ context.Context, in *api.ListTagsForResourceInput) (*api.ListTagsForResourceOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListTagsForResourceOutput) error {
		tags, err := s.Tags(tx, *in.ResourceARN)
		out.TagInfoForResource = &api.TagInfoForResource{ResourceARN: in.ResourceARN, TagList: tagList(tags)}
		return err
	})
}
