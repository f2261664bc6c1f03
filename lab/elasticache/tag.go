package elasticache

import (
	"context"
	"maps"
	"slices"
	"strings"

	api "storefront/lab/api/elasticache"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// tags are kept by the ARN of what they are on.
var tags = state.NewTable[map[string]string]("elasticache.tag")

// maxTags is the number of tags that one resource can have.
const maxTags = 50

// tag adds tags to a resource.
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
		key := wire.Value(t.Key)
		if key == "" || len(key) > 128 || len(wire.Value(t.Value)) > 256 || strings.HasPrefix(strings.ToLower(key), "aws:") {
			return invalidValue("Invalid tag key %q or value: keys have 1 to 128 characters and do not start with aws:, values have at most 256", key)
		}
		has[key] = wire.Value(t.Value)
	}
	if len(has) > maxTags {
		return fault("TagQuotaPerResourceExceeded", "The number of tags exceeds the limit of %d", maxTags)
	}
	return tags.Put(tx, arn, has)
}

func showTags(tx *state.Tx, arn string) ([]api.Tag, error) {
	has, _, err := tags.Get(tx, arn)
	list := []api.Tag{}
	for _, key := range slices.Sorted(maps.Keys(has)) {
		list = append(list, api.Tag{Key: &key, Value: new(has[key])})
	}
	return list, err
}

// AddTagsToResource adds tags, or changes their values.
func (s *Service) AddTagsToResource(_ context.Context, in *api.AddTagsToResourceInput) (*api.AddTagsToResourceOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.AddTagsToResourceOutput) (err error) {
		arn := wire.Value(in.ResourceName)
		if err := s.checkARN(tx, arn); err != nil {
			return err
		}
		if err := tag(tx, arn, in.Tags); err != nil {
			return err
		}
		out.TagList, err = showTags(tx, arn)
		return err
	})
}

// RemoveTagsFromResource removes tags by their keys.
func (s *Service) RemoveTagsFromResource(_ context.Context, in *api.RemoveTagsFromResourceInput) (*api.RemoveTagsFromResourceOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.RemoveTagsFromResourceOutput) error {
		arn := wire.Value(in.ResourceName)
		if err := s.checkARN(tx, arn); err != nil {
			return err
		}
		has, _, err := tags.Get(tx, arn)
		if err != nil {
			return err
		}
		for _, key := range in.TagKeys {
			if _, ok := has[key]; !ok {
				return missing("TagNotFound", "The tag %s is not on the resource.", key)
			}
			delete(has, key)
		}
		if err := tags.Put(tx, arn, has); err != nil {
			return err
		}
		out.TagList, err = showTags(tx, arn)
		return err
	})
}

// ListTagsForResource lists the tags of a resource.
func (s *Service) ListTagsForResource(_ context.Context, in *api.ListTagsForResourceInput) (*api.ListTagsForResourceOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListTagsForResourceOutput) (err error) {
		if err := s.checkARN(tx, wire.Value(in.ResourceName)); err != nil {
			return err
		}
		out.TagList, err = showTags(tx, wire.Value(in.ResourceName))
		return err
	})
}

// checkARN fails as ElastiCache does when there is no such resource.
func (s *Service) checkARN(tx *state.Tx, arn string) error {
	resource, ours := strings.CutPrefix(arn, s.Region.ARN("elasticache", ""))
	kind, name, _ := strings.Cut(resource, ":")
	if !ours || name == "" {
		return fault("InvalidARN", "The ARN %s is not of an ElastiCache resource in this region.", arn)
	}
	var err error
	switch kind {
	case "replicationgroup":
		_, err = findGroup(tx, name)
	case "cluster":
		_, err = findNode(tx, name)
	case "subnetgroup":
		_, err = findSubnetGroup(tx, name)
	case "parametergroup":
		_, err = findParameterGroup(tx, name)
	case "snapshot":
		_, err = findSnapshot(tx, name)
	case "user":
		_, err = findUser(tx, name)
	case "usergroup":
		_, err = findUserGroup(tx, name)
	default:
		err = fault("InvalidARN", "The ARN %s is not of an ElastiCache resource.", arn)
	}
	return err
}

// Tags returns the tags of a resource by its ARN, for the conditions of policies.
func (s *Service) Tags(tx *state.Tx, arn string) (map[string]string, error) {
	has, _, err := tags.Get(tx, arn)
	return has, err
}
