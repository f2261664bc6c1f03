package sns

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	api "storefront/lab/api/sns"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// maxTags is how many tags a topic can have.
const maxTags = 50

func readTags(list []api.Tag) (map[string]string, error) {
	tags := map[string]string{}
	for _, t := range list {
		key, value := *t.Key, *t.Value
		switch _, twice := tags[key]; {
		case twice:
			return nil, invalid("Tags", "Duplicate keys are not allowed.")
		case key == "" || utf8.RuneCountInString(key) > 128 || utf8.RuneCountInString(value) > 256:
			return nil, invalid("Tags", "Keys have 1 to 128 characters, values at most 256")
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return nil, invalid("Tags", "Keys must not begin with aws:")
		}
		tags[key] = value
	}
	return tags, checkTagCount(tags)
}

func checkTagCount(tags map[string]string) error {
	if len(tags) > maxTags {
		return fail("TagLimitExceeded", "Could not complete request: tag quota of per resource exceeded")
	}
	return nil
}

func errNoResource() error {
	return wire.Errorf(http.StatusNotFound, "ResourceNotFound", "Resource does not exist")
}

// retag changes the tags of a topic.
func (s *Service) retag(tx *state.Tx, arn string, edit func(map[string]string)) error {
	t, err := s.find(tx, arn)
	if err != nil {
		return errNoResource()
	}
	if t.Tags == nil {
		t.Tags = map[string]string{}
	}
	if edit(t.Tags); checkTagCount(t.Tags) != nil {
		return checkTagCount(t.Tags)
	}
	return topics.Put(tx, t.Name, t)
}

// TagResource implements the operation of that name.
func (s *Service) TagResource(_ context.Context, in *api.TagResourceInput) (*api.TagResourceOutput, error) {
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	return state.Change(s.Store, func(tx *state.Tx, _ *api.TagResourceOutput) error {
		return s.retag(tx, *in.ResourceArn, func(all map[string]string) { maps.Copy(all, tags) })
	})
}

// UntagResource implements the operation of that name.
func (s *Service) UntagResource(_ context.Context, in *api.UntagResourceInput) (*api.UntagResourceOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.UntagResourceOutput) error {
		return s.retag(tx, *in.ResourceArn, func(all map[string]string) {
			for _, key := range in.TagKeys {
				delete(all, key)
			}
		})
	})
}

// ListTagsForResource implements the operation of that name.
func (s *Service) ListTagsForResource(_ context.Context, in *api.ListTagsForResourceInput) (*api.ListTagsForResourceOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListTagsForResourceOutput) error {
		t, err := s.find(tx, *in.ResourceArn)
		if err != nil {
			return errNoResource()
		}
		out.Tags = []api.Tag{}
		for _, key := range slices.Sorted(maps.Keys(t.Tags)) {
			out.Tags = append(out.Tags, api.Tag{Key: new(key), Value: new(t.Tags[key])})
		}
		return nil
	})
}

// Tags returns the tags of a topic by its name, for the conditions of policies.
func (s *Service) Tags(tx *state.Tx, name string) (map[string]string, error) {
	t, _, err := topics.Get(tx, name)
	return t.Tags, err
}
