package s3

import (
	"context"
	"errors"
	"fmt"

	api "storefront/lab/api/s3"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// DeleteObject implements the operation of that name.
func (s *Service) DeleteObject(ctx context.Context, in *api.DeleteObjectInput) (*api.DeleteObjectOutput, error) {
	if err := s.permit(ctx, in.ExpectedBucketOwner); err != nil {
		return nil, err
	}
	d, err := s.remove(*in.Bucket, *in.Key, in.VersionId, in.IfMatch, wire.Value(in.BypassGovernanceRetention))
	if err != nil {
		return nil, err
	}
	return &api.DeleteObjectOutput{DeleteMarker: d.marker, VersionId: d.versionID}, nil
}

// DeleteObjects implements the operation of that name.
func (s *Service) DeleteObjects(ctx context.Context, in *api.DeleteObjectsInput) (*api.DeleteObjectsOutput, error) {
	if n := len(in.Delete.Objects); n == 0 || n > 1000 {
		return nil, malformedXML(fmt.Sprintf("%d objects, not 1 to 1000", n))
	}
	if err := s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(*state.Tx, bucket) error { return nil }); err != nil {
		return nil, err
	}
	out := &api.DeleteObjectsOutput{}
	for _, o := range in.Delete.Objects {
		d, err := s.remove(*in.Bucket, *o.Key, o.VersionId, nil, wire.Value(in.BypassGovernanceRetention))
		if e, ok := errors.AsType[*wire.Error](err); ok {
			out.Errors = append(out.Errors, api.Error{Code: &e.Code, Message: &e.Message, Key: o.Key, VersionId: o.VersionId})
			continue
		}
		if err != nil {
			return nil, err
		}
		if wire.Value(in.Delete.Quiet) {
			continue
		}
		deleted := api.DeletedObject{Key: o.Key, VersionId: o.VersionId, DeleteMarker: d.marker}
		if d.marker != nil {
			deleted.DeleteMarkerVersionId = d.versionID
		}
		out.Deleted = append(out.Deleted, deleted)
	}
	return out, nil
}

// deletion tells what a delete did: the version that it removed, or the marker that it set or removed.
type deletion struct {
	marker    *bool
	versionID *string
}

// remove deletes one version for good, or hides a key behind a delete marker. What is not there is deleted already.
func (s *Service) remove(bucketName, key string, id, ifMatch *string, bypass bool) (deletion, error) {
	var d deletion
	var gone []segment
	err := s.store.Update(func(tx *state.Tx) error {
		b, err := getBucket(tx, bucketName)
		if err != nil {
			return err
		}
		if err := (writeCondition{ifMatch: ifMatch}).check(tx, bucketName, key); err != nil {
			return err
		}
		if id == nil && b.Versioning != "" {
			marker := version{Bucket: bucketName, Key: key, DeleteMarker: true, Modified: seconds(s.now())}
			gone, err = s.insert(tx, b, &marker)
			d = deletion{marker: new(true), versionID: &marker.ID}
			return err
		}
		v, ok := byID(tx, bucketName, key, orNull(id))
		d.versionID = id
		if !ok {
			return nil
		}
		if v.DeleteMarker {
			d.marker = new(true)
		}
		if err := s.mayDelete(v, bypass); err != nil {
			return err
		}
		gone = v.Segments
		return versions.Delete(tx, v.tableKey())
	})
	if err != nil {
		return d, err
	}
	return d, s.bodies.remove(gone)
}

func orNull(id *string) string {
	if id == nil {
		return nullVersion
	}
	return *id
}
