package acm

import (
	"context"
	"maps"
	"slices"
	"strings"

	api "storefront/lab/api/acm"
	"storefront/lab/state"
	"storefront/lab/wire"
)

const maxTags = 50

// tag adds tags to a certificate, or changes those that it has.
func (c *certificate) tag(tags []api.Tag) error {
	all := map[string]string{}
	maps.Copy(all, c.Tags)
	for _, t := range tags {
		if strings.HasPrefix(strings.ToLower(*t.Key), "aws:") {
			return fault("InvalidTagException", "Tag keys that begin with aws: are reserved: %s.", *t.Key)
		}
		all[*t.Key] = wire.Value(t.Value)
	}
	if len(all) > maxTags {
		return fault("TooManyTagsException", "A certificate can have at most %d tags.", maxTags)
	}
	c.Tags = all
	return nil
}

// AddTagsToCertificate implements the operation of that name.
func (s *Service) AddTagsToCertificate(_ context.Context, in *api.AddTagsToCertificateInput) (*api.AddTagsToCertificateOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.AddTagsToCertificateOutput) error {
		c, err := s.find(tx, in.CertificateArn)
		if err != nil {
			return err
		}
		if err := c.tag(in.Tags); err != nil {
			return err
		}
		return certificates.Put(tx, c.ARN, c)
	})
}

// RemoveTagsFromCertificate implements the operation of that name. A tag given with a value goes only if it has that value.
func (s *Service) RemoveTagsFromCertificate(_ context.Context, in *api.RemoveTagsFromCertificateInput) (*api.RemoveTagsFromCertificateOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.RemoveTagsFromCertificateOutput) error {
		c, err := s.find(tx, in.CertificateArn)
		if err != nil {
			return err
		}
		for _, t := range in.Tags {
			if t.Value == nil || *t.Value == c.Tags[*t.Key] {
				delete(c.Tags, *t.Key)
			}
		}
		return certificates.Put(tx, c.ARN, c)
	})
}

// ListTagsForCertificate implements the operation of that name.
func (s *Service) ListTagsForCertificate(_ context.Context, in *api.ListTagsForCertificateInput) (*api.ListTagsForCertificateOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListTagsForCertificateOutput) error {
		c, err := s.find(tx, in.CertificateArn)
		out.Tags = []api.Tag{}
		for _, key := range slices.Sorted(maps.Keys(c.Tags)) {
			out.Tags = append(out.Tags, api.Tag{Key: &key, Value: new(c.Tags[key])})
		}
		return err
	})
}
