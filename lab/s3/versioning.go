package s3

import (
	"context"

	api "storefront/lab/api/s3"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// GetBucketVersioning implements the operation of that name.
func (s *Service) GetBucketVersioning(ctx context.Context, in *api.GetBucketVersioningInput) (*api.GetBucketVersioningOutput, error) {
	out := &api.GetBucketVersioningOutput{}
	return out, s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(_ *state.Tx, b bucket) error {
		out.Status, out.MFADelete = text(b.Versioning), b.MFADelete
		return nil
	})
}

// PutBucketVersioning implements the operation of that name.
func (s *Service) PutBucketVersioning(ctx context.Context, in *api.PutBucketVersioningInput) (*api.PutBucketVersioningOutput, error) {
	c := in.VersioningConfiguration
	if c.Status == nil {
		return nil, wire.Errorf(400, "IllegalVersioningConfigurationException", "The Versioning element must be specified")
	}
	if wire.Value(c.MFADelete) == "Enabled" {
		return nil, notImplemented("x-amz-mfa")
	}
	return &api.PutBucketVersioningOutput{}, s.change(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		if b.ObjectLock != nil && *c.Status != "Enabled" {
			return wire.Errorf(409, "InvalidBucketState", "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.")
		}
		if b.Replication != nil && *c.Status != "Enabled" {
			return wire.Errorf(409, "InvalidBucketState", "A replication configuration is present on this bucket, so the versioning state cannot be changed. To change the versioning state, first delete the replication configuration.")
		}
		b.Versioning, b.MFADelete = *c.Status, c.MFADelete
		return nil
	})
}
