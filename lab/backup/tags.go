package backup

import (
	"context"
	"maps"
	"strings"

	api "storefront/lab/api/backup"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// tags are kept by the ARN of the vault, plan or recovery point that they are on.
var tags = state.NewTable[map[string]string]("backup.tag")

const maxTags = 50

func tag(tx *state.Tx, arn string, more map[string]string) error {
	has, _, err := tags.Get(tx, arn)
	if err != nil || len(more) == 0 {
		return err
	}
	all := maps.Clone(more)
	for key, value := range has {
		if _, changed := more[key]; !changed {
			all[key] = value
		}
	}
	for key, value := range all {
		if key == "" || len(key) > 128 || len(value) > 256 || strings.HasPrefix(strings.ToLower(key), "aws:") {
			return invalidValue("Invalid tag key %q or value: keys have 1 to 128 characters and do not start with aws:, values have at most 256", key)
		}
	}
	if len(all) > maxTags {
		return wire.Errorf(400, "LimitExceededException", "A resource has at most %d tags", maxTags)
	}
	return tags.Put(tx, arn, all)
}

// checkARN wants the ARN of something that is there.
func (s *Service) checkARN(tx *state.Tx, arn string) error {
	resource, _ := strings.CutPrefix(arn, s.Region.ARN("backup", ""))
	kind, id, _ := strings.Cut(resource, ":")
	switch kind {
	case "backup-vault":
		_, err := findVault(tx, &id)
		return err
	case "backup-plan":
		_, err := findPlan(tx, &id)
		return err
	}
	if _, ok, err := points.Get(tx, arn); err != nil || ok {
		return err
	}
	return notFound("Resource %s does not exist", arn)
}

// TagResource implements the operation of that name.
func (s *Service) TagResource(_ context.Context, in *api.TagResourceInput) (*api.TagResourceOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.TagResourceOutput) error {
		if err := s.checkARN(tx, *in.ResourceArn); err != nil {
			return err
		}
		return tag(tx, *in.ResourceArn, in.Tags)
	})
}

// UntagResource implements the operation of that name.
func (s *Service) UntagResource(_ context.Context, in *api.UntagResourceInput) (*api.UntagResourceOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.UntagResourceOutput) error {
		if err := s.checkARN(tx, *in.ResourceArn); err != nil {
			return err
		}
		has, _, err := tags.Get(tx, *in.ResourceArn)
		if err != nil || has == nil {
			return err
		}
		for _, key := range in.TagKeyList {
			delete(has, key)
		}
		return tags.Put(tx, *in.ResourceArn, has)
	})
}

// ListTags implements the operation of that name.
func (s *Service) ListTags(_ context.Context, in *api.ListTagsInput) (*api.ListTagsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListTagsOutput) error {
		if err := s.checkARN(tx, *in.ResourceArn); err != nil {
			return err
		}
		has, _, err := tags.Get(tx, *in.ResourceArn)
		out.Tags = map[string]string{}
		maps.Copy(out.Tags, has)
		return err
	})
}

// Tags returns the tags of a resource by its ARN, for the conditions of policies.
func (s *Service) Tags(tx *state.Tx, arn string) (map[string]string, error) {
	has, _, err := tags.Get(tx, arn)
	return has, err
}
