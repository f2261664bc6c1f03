package s3

import (
	"context"

	api "storefront/lab/api/s3"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// GetPublicAccessBlock implements the operation of that name.
func (s *Service) GetPublicAccessBlock(ctx context.Context, in *api.GetPublicAccessBlockInput) (*api.GetPublicAccessBlockOutput, error) {
	out := &api.GetPublicAccessBlockOutput{}
	return out, s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(_ *state.Tx, b bucket) error {
		if out.PublicAccessBlockConfiguration = b.PublicAccess; b.PublicAccess == nil {
			return notFound("NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found", b)
		}
		return nil
	})
}

// PutPublicAccessBlock implements the operation of that name. What is left out is off.
func (s *Service) PutPublicAccessBlock(ctx context.Context, in *api.PutPublicAccessBlockInput) (*api.PutPublicAccessBlockOutput, error) {
	c := *in.PublicAccessBlockConfiguration
	for _, setting := range []**bool{&c.BlockPublicAcls, &c.BlockPublicPolicy, &c.IgnorePublicAcls, &c.RestrictPublicBuckets} {
		if *setting == nil {
			*setting = new(false)
		}
	}
	return &api.PutPublicAccessBlockOutput{}, s.change(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.PublicAccess = &c
		return nil
	})
}

// DeletePublicAccessBlock implements the operation of that name.
func (s *Service) DeletePublicAccessBlock(ctx context.Context, in *api.DeletePublicAccessBlockInput) (*api.DeletePublicAccessBlockOutput, error) {
	return &api.DeletePublicAccessBlockOutput{}, s.change(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.PublicAccess = nil
		return nil
	})
}

// GetBucketOwnershipControls implements the operation of that name.
func (s *Service) GetBucketOwnershipControls(ctx context.Context, in *api.GetBucketOwnershipControlsInput) (*api.GetBucketOwnershipControlsOutput, error) {
	out := &api.GetBucketOwnershipControlsOutput{}
	return out, s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(_ *state.Tx, b bucket) error {
		if out.OwnershipControls = b.Ownership; b.Ownership == nil {
			return notFound("OwnershipControlsNotFoundError", "The bucket ownership controls were not found", b)
		}
		return nil
	})
}

// PutBucketOwnershipControls implements the operation of that name.
func (s *Service) PutBucketOwnershipControls(ctx context.Context, in *api.PutBucketOwnershipControlsInput) (*api.PutBucketOwnershipControlsOutput, error) {
	if len(in.OwnershipControls.Rules) != 1 {
		return nil, malformedXML("one Rule is needed")
	}
	return &api.PutBucketOwnershipControlsOutput{}, s.change(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		enforced := *in.OwnershipControls.Rules[0].ObjectOwnership == "BucketOwnerEnforced"
		if enforced && len(b.ACL) > 0 {
			return wire.Errorf(400, "InvalidBucketAclWithObjectOwnership", "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting")
		}
		b.Ownership = in.OwnershipControls
		return nil
	})
}

// DeleteBucketOwnershipControls implements the operation of that name.
func (s *Service) DeleteBucketOwnershipControls(ctx context.Context, in *api.DeleteBucketOwnershipControlsInput) (*api.DeleteBucketOwnershipControlsOutput, error) {
	return &api.DeleteBucketOwnershipControlsOutput{}, s.change(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.Ownership = nil
		return nil
	})
}

// aclsOff tells whether access control lists have no effect on a bucket and must not be set.
func (b bucket) aclsOff() bool {
	return b.Ownership != nil && *b.Ownership.Rules[0].ObjectOwnership == "BucketOwnerEnforced"
}
