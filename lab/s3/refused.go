package s3

import (
	"context"

	api "storefront/lab/api/s3"
	"storefront/lab/state"
)

// This file holds what the lab does not do: websites. Reading answers that there is none; setting one is refused.

// GetBucketWebsite implements the operation of that name.
func (s *Service) GetBucketWebsite(ctx context.Context, in *api.GetBucketWebsiteInput) (*api.GetBucketWebsiteOutput, error) {
	return nil, s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(_ *state.Tx, b bucket) error {
		return notFound("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration", b)
	})
}

// PutBucketWebsite refuses: the lab serves no website endpoints.
func (s *Service) PutBucketWebsite(context.Context, *api.PutBucketWebsiteInput) (*api.PutBucketWebsiteOutput, error) {
	return nil, notImplemented("website")
}

// DeleteBucketWebsite implements the operation of that name.
func (s *Service) DeleteBucketWebsite(ctx context.Context, in *api.DeleteBucketWebsiteInput) (*api.DeleteBucketWebsiteOutput, error) {
	return &api.DeleteBucketWebsiteOutput{}, s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(*state.Tx, bucket) error { return nil })
}
