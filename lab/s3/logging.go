package s3

import (
	"context"
	"errors"

	api "storefront/lab/api/s3"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// GetBucketLogging implements the operation of that name.
func (s *Service) GetBucketLogging(ctx context.Context, in *api.GetBucketLoggingInput) (*api.GetBucketLoggingOutput, error) {
	out := &api.GetBucketLoggingOutput{}
	return out, s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(_ *state.Tx, b bucket) error {
		out.LoggingEnabled = b.Logging
		return nil
	})
}

// PutBucketLogging implements the operation of that name. Access logs are not delivered.
func (s *Service) PutBucketLogging(ctx context.Context, in *api.PutBucketLoggingInput) (*api.PutBucketLoggingOutput, error) {
	enabled := in.BucketLoggingStatus.LoggingEnabled
	if enabled != nil {
		err := s.view(ctx, enabled.TargetBucket, nil, func(*state.Tx, bucket) error { return nil })
		if errors.Is(err, &wire.Error{Code: "NoSuchBucket"}) {
			return nil, &wire.Error{Status: 400, Code: "InvalidTargetBucketForLogging", Message: "The target bucket for logging does not exist", Fields: map[string]string{"TargetBucket": *enabled.TargetBucket}}
		}
		if err != nil {
			return nil, err
		}
	}
	return &api.PutBucketLoggingOutput{}, s.change(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.Logging = enabled
		return nil
	})
}
