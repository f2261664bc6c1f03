package logs

import (
	"context"
	"maps"

	api "storefront/lab/api/logs"
	"storefront/lab/state"
)

func (s *Service) tag(name, arn *string, tags map[string]string) error {
	return s.change(name, arn, func(g *group) error {
		if g.Tags == nil {
			g.Tags = map[string]string{}
		}
		maps.Copy(g.Tags, tags)
		return nil
	})
}

func (s *Service) untag(name, arn *string, keys []string) error {
	return s.change(name, arn, func(g *group) error {
		for _, k := range keys {
			delete(g.Tags, k)
		}
		return nil
	})
}

func (s *Service) tags(name, arn *string) (tags map[string]string, err error) {
	err = s.store.View(func(tx *state.Tx) error {
		g, err := s.find(tx, name, arn)
		tags = g.Tags
		return err
	})
	if tags == nil {
		tags = map[string]string{}
	}
	return tags, err
}

// TagResource implements the operation of that name for log groups.
func (s *Service) TagResource(_ context.Context, in *api.TagResourceInput) (*api.TagResourceOutput, error) {
	return &api.TagResourceOutput{}, s.tag(nil, in.ResourceArn, in.Tags)
}

// UntagResource implements the operation of that name for log groups.
func (s *Service) UntagResource(_ context.Context, in *api.UntagResourceInput) (*api.UntagResourceOutput, error) {
	return &api.UntagResourceOutput{}, s.untag(nil, in.ResourceArn, in.TagKeys)
}

// ListTagsForResource implements the operation of that name for log groups.
func (s *Service) ListTagsForResource(_ context.Context, in *api.ListTagsForResourceInput) (*api.ListTagsForResourceOutput, error) {
	tags, err := s.tags(nil, in.ResourceArn)
	return &api.ListTagsForResourceOutput{Tags: tags}, err
}

// TagLogGroup implements the operation of that name.
func (s *Service) TagLogGroup(_ context.Context, in *api.TagLogGroupInput) (*api.TagLogGroupOutput, error) {
	return &api.TagLogGroupOutput{}, s.tag(in.LogGroupName, nil, in.Tags)
}

// UntagLogGroup implements the operation of that name.
func (s *Service) UntagLogGroup(_ context.Context, in *api.UntagLogGroupInput) (*api.UntagLogGroupOutput, error) {
	return &api.UntagLogGroupOutput{}, s.untag(in.LogGroupName, nil, in.Tags)
}

// ListTagsLogGroup implements the operation of that name.
func (s *Service) ListTagsLogGroup(_ context.Context, in *api.ListTagsLogGroupInput) (*api.ListTagsLogGroupOutput, error) {
	tags, err := s.tags(in.LogGroupName, nil)
	return &api.ListTagsLogGroupOutput{Tags: tags}, err
}

// Tags returns the tags of a log group by its name, for the conditions of policies.
func (s *Service) Tags(tx *state.Tx, name string) (map[string]string, error) {
	g, _, err := groups.Get(tx, name)
	return g.Tags, err
}
