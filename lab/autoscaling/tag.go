package autoscaling

import (
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	api "storefront/lab/api/autoscaling"
	"storefront/lab/state"
	"storefront/lab/wire"
)

const (
	resourceType = "auto-scaling-group"
	maxTags      = 50
)

// setTags adds tags to a group, overwriting those of the same key.
func setTags(g *group, tags []api.Tag) error {
	if g.Tags == nil {
		g.Tags = map[string]groupTag{}
	}
	for _, t := range tags {
		if strings.HasPrefix(strings.ToLower(*t.Key), "aws:") {
			return invalid("Tag keys cannot start with the reserved prefix 'aws:'")
		}
		g.Tags[*t.Key] = groupTag{Value: wire.Value(t.Value), Propagate: wire.Or(t.PropagateAtLaunch, true)}
	}
	if len(g.Tags) > maxTags {
		return fault("LimitExceeded", "The maximum number of tags (%d) for an Auto Scaling group has been exceeded.", maxTags)
	}
	return nil
}

func (g group) describeTags() []api.TagDescription {
	tags := []api.TagDescription{}
	for _, key := range slices.Sorted(maps.Keys(g.Tags)) {
		t := g.Tags[key]
		tags = append(tags, api.TagDescription{Key: new(key), Value: new(t.Value), PropagateAtLaunch: new(t.Propagate), ResourceId: new(g.Name), ResourceType: new(resourceType)})
	}
	return tags
}

// CreateOrUpdateTags implements the operation of that name.
func (s *Service) CreateOrUpdateTags(_ context.Context, in *api.CreateOrUpdateTagsInput) (*api.CreateOrUpdateTagsOutput, error) {
	return &api.CreateOrUpdateTagsOutput{}, s.eachTag(in.Tags, func(g *group, t api.Tag) error { return setTags(g, []api.Tag{t}) })
}

// DeleteTags implements the operation of that name. A tag with a value goes only when it has that value.
func (s *Service) DeleteTags(_ context.Context, in *api.DeleteTagsInput) (*api.DeleteTagsOutput, error) {
	return &api.DeleteTagsOutput{}, s.eachTag(in.Tags, func(g *group, t api.Tag) error {
		if t.Value == nil || g.Tags[*t.Key].Value == *t.Value {
			delete(g.Tags, *t.Key)
		}
		return nil
	})
}

// eachTag applies f to the group of each tag, all or none.
func (s *Service) eachTag(tags []api.Tag, f func(*group, api.Tag) error) error {
	return s.Store.Update(func(tx *state.Tx) error {
		for _, t := range tags {
			if wire.Or(t.ResourceType, resourceType) != resourceType {
				return invalid("The resource type '%s' is not valid: it must be %s.", *t.ResourceType, resourceType)
			}
			g, err := liveGroup(tx, t.ResourceId)
			if err != nil {
				return err
			}
			if err := f(&g, t); err != nil {
				return err
			}
			if err := groups.Put(tx, g.Name, g); err != nil {
				return err
			}
		}
		return nil
	})
}

// DescribeTags implements the operation of that name.
func (s *Service) DescribeTags(_ context.Context, in *api.DescribeTagsInput) (*api.DescribeTagsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeTagsOutput) error {
		values := map[string]func(api.TagDescription) string{
			"auto-scaling-group":  func(t api.TagDescription) string { return *t.ResourceId },
			"key":                 func(t api.TagDescription) string { return *t.Key },
			"value":               func(t api.TagDescription) string { return *t.Value },
			"propagate-at-launch": func(t api.TagDescription) string { return strconv.FormatBool(*t.PropagateAtLaunch) },
		}
		for _, f := range in.Filters {
			if values[wire.Value(f.Name)] == nil {
				return invalid("Filter type %s is not correct. Allowed Filter types are: auto-scaling-group key value propagate-at-launch", wire.Value(f.Name))
			}
		}
		var found []api.TagDescription
		for _, g := range groups.All(tx) {
			for _, t := range g.describeTags() {
				if !slices.ContainsFunc(in.Filters, func(f api.Filter) bool { return !slices.Contains(f.Values, values[wire.Value(f.Name)](t)) }) {
					found = append(found, t)
				}
			}
		}
		var err error
		found, out.NextToken, err = page(found, in.NextToken, in.MaxRecords, 100)
		out.Tags = append([]api.TagDescription{}, found...)
		return err
	})
}

// tagFilters makes the condition that the filters of DescribeAutoScalingGroups stand for.
func tagFilters(filters []api.Filter) (func(group) bool, error) {
	for _, f := range filters {
		if name := wire.Value(f.Name); name != "tag-key" && name != "tag-value" && !strings.HasPrefix(name, "tag:") {
			return nil, invalid("Filter type %s is not correct. Allowed Filter types are: tag-key tag-value tag:<key>", name)
		}
	}
	return func(g group) bool {
		return !slices.ContainsFunc(filters, func(f api.Filter) bool {
			for key, t := range g.Tags {
				name, byKey := strings.CutPrefix(wire.Value(f.Name), "tag:")
				switch {
				case byKey && key == name && slices.Contains(f.Values, t.Value),
					wire.Value(f.Name) == "tag-key" && slices.Contains(f.Values, key),
					wire.Value(f.Name) == "tag-value" && slices.Contains(f.Values, t.Value):
					return false
				}
			}
			return true
		})
	}, nil
}

// Tags returns the tags of a group by its name, for the conditions of policies.
func (s *Service) Tags(tx *state.Tx, name string) (map[string]string, error) {
	g, _, err := groups.Get(tx, name)
	tags := map[string]string{}
	for key, t := range g.Tags {
		tags[key] = t.Value
	}
	return tags, err
}
