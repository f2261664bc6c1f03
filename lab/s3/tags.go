package s3

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	api "storefront/lab/api/s3"
	"storefront/lab/state"
	"storefront/lab/wire"
)

const (
	maxObjectTags = 10
	maxBucketTags = 50
)

// GetBucketTagging implements the operation of that name.
func (s *Service) GetBucketTagging(ctx context.Context, in *api.GetBucketTaggingInput) (*api.GetBucketTaggingOutput, error) {
	out := &api.GetBucketTaggingOutput{}
	return out, s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(_ *state.Tx, b bucket) error {
		if out.TagSet = b.Tags; len(b.Tags) == 0 {
			return notFound("NoSuchTagSet", "The TagSet does not exist", b)
		}
		return nil
	})
}

// PutBucketTagging implements the operation of that name.
func (s *Service) PutBucketTagging(ctx context.Context, in *api.PutBucketTaggingInput) (*api.PutBucketTaggingOutput, error) {
	if err := checkTags(in.Tagging.TagSet, maxBucketTags); err != nil {
		return nil, err
	}
	return &api.PutBucketTaggingOutput{}, s.change(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.Tags = in.Tagging.TagSet
		return nil
	})
}

// DeleteBucketTagging implements the operation of that name.
func (s *Service) DeleteBucketTagging(ctx context.Context, in *api.DeleteBucketTaggingInput) (*api.DeleteBucketTaggingOutput, error) {
	return &api.DeleteBucketTaggingOutput{}, s.change(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.Tags = nil
		return nil
	})
}

// GetObjectTagging implements the operation of that name.
func (s *Service) GetObjectTagging(ctx context.Context, in *api.GetObjectTaggingInput) (*api.GetObjectTaggingOutput, error) {
	out := &api.GetObjectTaggingOutput{TagSet: []api.Tag{}}
	return out, s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(tx *state.Tx, b bucket) error {
		v, err := find(tx, b.Name, *in.Key, in.VersionId)
		out.TagSet, out.VersionId = append(out.TagSet, v.Tags...), b.versionID(v)
		return err
	})
}

// PutObjectTagging implements the operation of that name.
func (s *Service) PutObjectTagging(ctx context.Context, in *api.PutObjectTaggingInput) (*api.PutObjectTaggingOutput, error) {
	if err := checkTags(in.Tagging.TagSet, maxObjectTags); err != nil {
		return nil, err
	}
	id, err := s.changeVersion(ctx, in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner, func(_ bucket, v *version) error {
		v.Tags = in.Tagging.TagSet
		return nil
	})
	return &api.PutObjectTaggingOutput{VersionId: id}, err
}

// DeleteObjectTagging implements the operation of that name.
func (s *Service) DeleteObjectTagging(ctx context.Context, in *api.DeleteObjectTaggingInput) (*api.DeleteObjectTaggingOutput, error) {
	id, err := s.changeVersion(ctx, in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner, func(_ bucket, v *version) error {
		v.Tags = nil
		return nil
	})
	return &api.DeleteObjectTaggingOutput{VersionId: id}, err
}

// changeVersion stores what f makes of a version, and returns the version's ID to show.
func (s *Service) changeVersion(ctx context.Context, bucketName, key, id, owner *string, f func(b bucket, v *version) error) (shown *string, err error) {
	if err := s.permit(ctx, owner); err != nil {
		return nil, err
	}
	return shown, s.store.Update(func(tx *state.Tx) error {
		b, err := getBucket(tx, *bucketName)
		if err != nil {
			return err
		}
		v, err := find(tx, b.Name, *key, id)
		if err != nil {
			return err
		}
		if err := f(b, &v); err != nil {
			return err
		}
		shown = b.versionID(v)
		if v.Replication != "" { // tags and locks follow the object
			if err := enqueue(tx, b, &v); err != nil {
				return err
			}
		}
		return versions.Put(tx, v.tableKey(), v)
	})
}

// parseTagging reads x-amz-tagging, which has the form of a query string.
func parseTagging(header *string) ([]api.Tag, error) {
	if header == nil || *header == "" {
		return nil, nil
	}
	values, err := url.ParseQuery(*header)
	if err != nil {
		return nil, invalidArgument("x-amz-tagging", "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters without tag name duplicates.")
	}
	var tags []api.Tag
	for name, list := range values {
		for _, value := range list {
			tags = append(tags, api.Tag{Key: &name, Value: &value})
		}
	}
	slices.SortFunc(tags, func(a, b api.Tag) int { return strings.Compare(*a.Key, *b.Key) })
	return tags, checkTags(tags, maxObjectTags)
}

// checkTags applies S3's limits on tags.
func checkTags(tags []api.Tag, limit int) error {
	if len(tags) > limit {
		if limit == maxObjectTags {
			return wire.Errorf(400, "BadRequest", "Object tags cannot be greater than %d", limit)
		}
		return wire.Errorf(400, "BadRequest", "Bucket tag count cannot be greater than %d", limit)
	}
	seen := map[string]bool{}
	for _, t := range tags {
		fields := map[string]string{"TagKey": *t.Key}
		switch {
		case seen[*t.Key]:
			return &wire.Error{Status: 400, Code: "InvalidTag", Message: "Cannot provide multiple Tags with the same key", Fields: fields}
		case *t.Key == "" || utf8.RuneCountInString(*t.Key) > 128:
			return &wire.Error{Status: 400, Code: "InvalidTag", Message: "The TagKey you have provided is invalid", Fields: fields}
		case utf8.RuneCountInString(*t.Value) > 256:
			return &wire.Error{Status: 400, Code: "InvalidTag", Message: "The TagValue you have provided is invalid", Fields: fields}
		case strings.HasPrefix(*t.Key, "aws:"):
			return &wire.Error{Status: 400, Code: "InvalidTag", Message: fmt.Sprintf("System tags cannot be added/updated by requester: %s", *t.Key), Fields: fields}
		}
		seen[*t.Key] = true
	}
	return nil
}

// Tags returns the tags of an object's current version, for the conditions of policies; nil when there is no such object.
func (s *Service) Tags(tx *state.Tx, bucket, key string) (map[string]string, error) {
	v, err := find(tx, bucket, key, nil)
	if _, none := errors.AsType[*wire.Error](err); none {
		return nil, nil
	}
	tags := map[string]string{}
	for _, t := range v.Tags {
		tags[wire.Value(t.Key)] = wire.Value(t.Value)
	}
	return tags, err
}
