package cloudwatch

import (
	"context"
	"maps"
	"slices"
	"strings"

	api "storefront/lab/api/cloudwatch"
	"storefront/lab/state"
	"storefront/lab/wire"
)

const maxTags = 50

// tagged returns tags with more of them.
func tagged(tags map[string]string, more []api.Tag) (map[string]string, error) {
	all := map[string]string{}
	maps.Copy(all, tags)
	for _, t := range more {
		if strings.HasPrefix(strings.ToLower(*t.Key), "aws:") {
			return nil, wrong("Tag keys must not begin with aws:, which is reserved.")
		}
		all[*t.Key] = *t.Value
	}
	if len(all) > maxTags {
		return nil, wrong("A resource can have at most %d tags.", maxTags)
	}
	return all, nil
}

// taggedAlarm finds the alarm that an ARN of a tag operation names; alarms are what the lab tags.
func (s *Service) taggedAlarm(tx *state.Tx, arn string) (alarm, error) {
	name, ok := strings.CutPrefix(arn, s.Region.ARN("cloudwatch", "alarm:"))
	if !ok {
		return alarm{}, wrong("Value %s for parameter ResourceARN is invalid: it must be the ARN of an alarm.", arn)
	}
	a, ok, err := alarms.Get(tx, name)
	if err == nil && !ok {
		err = wire.Errorf(404, "ResourceNotFoundException", "Unable to find the resource %s.", arn)
	}
	return a, err
}

// ListTagsForResource implements the operation of that name for alarms.
func (s *Service) ListTagsForResource(_ context.Context, in *api.ListTagsForResourceInput) (*api.ListTagsForResourceOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListTagsForResourceOutput) error {
		a, err := s.taggedAlarm(tx, *in.ResourceARN)
		out.Tags = []api.Tag{}
		for _, key := range slices.Sorted(maps.Keys(a.Tags)) {
			out.Tags = append(out.Tags, api.Tag{Key: new(key), Value: new(a.Tags[key])})
		}
		return err
	})
}

// TagResource implements the operation of that name for alarms.
func (s *Service) TagResource(_ context.Context, in *api.TagResourceInput) (*api.TagResourceOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.TagResourceOutput) error {
		a, err := s.taggedAlarm(tx, *in.ResourceARN)
		if err != nil {
			return err
		}
		if a.Tags, err = tagged(a.Tags, in.Tags); err != nil {
			return err
		}
		return alarms.Put(tx, a.Name, a)
	})
}

// UntagResource implements the operation of that name for alarms.
func (s *Service) UntagResource(_ context.Context, in *api.UntagResourceInput) (*api.UntagResourceOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.UntagResourceOutput) error {
		a, err := s.taggedAlarm(tx, *in.ResourceARN)
		if err != nil {
			return err
		}
		for _, key := range in.TagKeys {
			delete(a.Tags, key)
		}
		return alarms.Put(tx, a.Name, a)
	})
}
