package s3

import (
	"context"
	"time"

	api "storefront/lab/api/s3"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// GetObjectLockConfiguration implements the operation of that name.
func (s *Service) GetObjectLockConfiguration(ctx context.Context, in *api.GetObjectLockConfigurationInput) (*api.GetObjectLockConfigurationOutput, error) {
	out := &api.GetObjectLockConfigurationOutput{}
	return out, s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(_ *state.Tx, b bucket) error {
		if out.ObjectLockConfiguration = b.ObjectLock; b.ObjectLock == nil {
			return notFound("ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket", b)
		}
		return nil
	})
}

// PutObjectLockConfiguration implements the operation of that name.
func (s *Service) PutObjectLockConfiguration(ctx context.Context, in *api.PutObjectLockConfigurationInput) (*api.PutObjectLockConfigurationOutput, error) {
	c := in.ObjectLockConfiguration
	if c == nil || c.ObjectLockEnabled == nil {
		return nil, malformedXML("ObjectLockEnabled is missing")
	}
	if c.Rule != nil {
		d := c.Rule.DefaultRetention
		if d == nil || d.Mode == nil || (d.Days == nil) == (d.Years == nil) || wire.Value(d.Days)+wire.Value(d.Years) <= 0 {
			return nil, malformedXML("a DefaultRetention has a Mode and one of Days and Years, over 0")
		}
	}
	return &api.PutObjectLockConfigurationOutput{}, s.change(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		if b.Versioning != "Enabled" {
			return wire.Errorf(409, "InvalidBucketState", "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration")
		}
		b.ObjectLock = c
		return nil
	})
}

// lockRequest is what the headers of a write say about object lock.
type lockRequest struct {
	mode  *string
	until *time.Time
	hold  *string
}

func (r lockRequest) apply(b bucket, v *version) error {
	if r.mode == nil && r.until == nil && r.hold == nil {
		return nil
	}
	if b.ObjectLock == nil {
		return missingLock()
	}
	if (r.mode == nil) != (r.until == nil) {
		return invalidArgument("x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied")
	}
	if r.mode != nil {
		v.Retention = &api.ObjectLockRetention{Mode: r.mode, RetainUntilDate: r.until}
		if !r.until.After(v.Modified) {
			return invalidArgument("x-amz-object-lock-retain-until-date", "The retain until date must be in the future!")
		}
	}
	v.LegalHold = wire.Value(r.hold)
	return nil
}

func missingLock() error { return invalidRequest("Bucket is missing Object Lock Configuration") }

// GetObjectRetention implements the operation of that name.
func (s *Service) GetObjectRetention(ctx context.Context, in *api.GetObjectRetentionInput) (*api.GetObjectRetentionOutput, error) {
	out := &api.GetObjectRetentionOutput{}
	return out, s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(tx *state.Tx, b bucket) error {
		v, err := lockable(tx, b, *in.Key, in.VersionId)
		if out.Retention = v.Retention; err == nil && v.Retention == nil {
			return wire.Errorf(404, "NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration")
		}
		return err
	})
}

// PutObjectRetention implements the operation of that name.
func (s *Service) PutObjectRetention(ctx context.Context, in *api.PutObjectRetentionInput) (*api.PutObjectRetentionOutput, error) {
	r := in.Retention
	if r != nil && r.Mode == nil && r.RetainUntilDate == nil {
		r = nil
	}
	if r != nil && (r.Mode == nil || r.RetainUntilDate == nil) {
		return nil, malformedXML("a Retention has both Mode and RetainUntilDate")
	}
	_, err := s.changeVersion(ctx, in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner, func(b bucket, v *version) error {
		if b.ObjectLock == nil {
			return missingLock()
		}
		shortens := r == nil || v.Retention != nil && (r.RetainUntilDate.Before(*v.Retention.RetainUntilDate) || *r.Mode != *v.Retention.Mode)
		if shortens {
			if err := s.mayDelete(version{Retention: v.Retention}, wire.Value(in.BypassGovernanceRetention)); err != nil {
				return err
			}
		}
		v.Retention = r
		return nil
	})
	return &api.PutObjectRetentionOutput{}, err
}

// GetObjectLegalHold implements the operation of that name.
func (s *Service) GetObjectLegalHold(ctx context.Context, in *api.GetObjectLegalHoldInput) (*api.GetObjectLegalHoldOutput, error) {
	out := &api.GetObjectLegalHoldOutput{}
	return out, s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(tx *state.Tx, b bucket) error {
		v, err := lockable(tx, b, *in.Key, in.VersionId)
		if err == nil && v.LegalHold == "" {
			return wire.Errorf(404, "NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration")
		}
		out.LegalHold = &api.ObjectLockLegalHold{Status: &v.LegalHold}
		return err
	})
}

// PutObjectLegalHold implements the operation of that name.
func (s *Service) PutObjectLegalHold(ctx context.Context, in *api.PutObjectLegalHoldInput) (*api.PutObjectLegalHoldOutput, error) {
	if in.LegalHold == nil || in.LegalHold.Status == nil {
		return nil, malformedXML("a LegalHold has a Status")
	}
	_, err := s.changeVersion(ctx, in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner, func(b bucket, v *version) error {
		if b.ObjectLock == nil {
			return missingLock()
		}
		v.LegalHold = *in.LegalHold.Status
		return nil
	})
	return &api.PutObjectLegalHoldOutput{}, err
}

func lockable(tx *state.Tx, b bucket, key string, id *string) (version, error) {
	if b.ObjectLock == nil {
		return version{}, missingLock()
	}
	return find(tx, b.Name, key, id)
}

// mayDelete refuses to delete a version under a legal hold or a retention that has not ended; bypass lifts governance, not compliance.
func (s *Service) mayDelete(v version, bypass bool) error {
	retained := v.Retention != nil && v.Retention.RetainUntilDate.After(s.now()) && !(bypass && *v.Retention.Mode == "GOVERNANCE")
	if v.LegalHold == "ON" || retained {
		return wire.Errorf(403, "AccessDenied", "Access Denied because object protected by object lock.")
	}
	return nil
}
