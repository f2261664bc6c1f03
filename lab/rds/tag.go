package rds

import (
	"context"
	"maps"
	"slices"
	"strings"

	api "storefront/lab/api/rds"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// tags are kept by the ARN of what they are on.
var tags = state.NewTable[map[string]string]("rds.tag")

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
		return invalidValue("The number of tags exceeds the limit of %d", maxTags)
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
	return state.Change(s.Store, func(tx *state.Tx, _ *api.AddTagsToResourceOutput) error {
		if err := s.checkARN(tx, wire.Value(in.ResourceName)); err != nil {
			return err
		}
		return tag(tx, wire.Value(in.ResourceName), in.Tags)
	})
}

// RemoveTagsFromResource removes tags by their keys.
func (s *Service) RemoveTagsFromResource(_ context.Context, in *api.RemoveTagsFromResourceInput) (*api.RemoveTagsFromResourceOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.RemoveTagsFromResourceOutput) error {
		arn := wire.Value(in.ResourceName)
		if err := s.checkARN(tx, arn); err != nil {
			return err
		}
		has, _, err := tags.Get(tx, arn)
		if err != nil {
			return err
		}
		maps.DeleteFunc(has, func(key, _ string) bool { return slices.Contains(in.TagKeys, key) })
		if len(has) == 0 {
			return tags.Delete(tx, arn)
		}
		return tags.Put(tx, arn, has)
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

// checkARN fails as RDS does when there is no such resource.
func (s *Service) checkARN(tx *state.Tx, arn string) error {
	resource, ours := strings.CutPrefix(arn, s.Region.ARN("rds", ""))
	kind, name, _ := strings.Cut(resource, ":")
	if !ours || name == "" {
		return invalidValue("Invalid resource name: %s", arn)
	}
	var err error
	switch kind {
	case "cluster":
		_, err = findCluster(tx, name)
	case "db":
		_, err = findInstance(tx, name)
	case "subgrp":
		_, err = findSubnetGroup(tx, name)
	case "cluster-pg":
		_, err = s.findGroup(tx, clusterGroups, name)
	case "pg":
		_, err = s.findGroup(tx, instanceGroups, name)
	case "cluster-snapshot":
		_, err = findSnapshot(tx, name)
	case "cluster-endpoint":
		_, err = findEndpoint(tx, name)
	default:
		err = invalidValue("Invalid resource name: %s", arn)
	}
	return err
}

// Tags returns the tags of a resource by its ARN, for the conditions of policies.
func (s *Service) Tags(tx *state.Tx, arn string) (map[string]string, error) {
	has, _, err := tags.Get(tx, arn)
	return has, err
}
