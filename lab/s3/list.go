package s3

import (
	"context"

	api "storefront/lab/api/s3"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// ListObjectsV2 implements the operation of that name.
func (s *Service) ListObjectsV2(ctx context.Context, in *api.ListObjectsV2Input) (*api.ListObjectsV2Output, error) {
	limit, err := limitOf("max-keys", in.MaxKeys)
	if err != nil {
		return nil, err
	}
	after, err := decodeToken(in.ContinuationToken)
	if err != nil {
		return nil, err
	}
	if in.ContinuationToken == nil {
		after = wire.Value(in.StartAfter)
	}
	p, err := s.list(ctx, in.Bucket, in.ExpectedBucketOwner, listing{wire.Value(in.Prefix), wire.Value(in.Delimiter), after, limit})
	if err != nil {
		return nil, err
	}
	encode := encoder(in.EncodingType)
	out := &api.ListObjectsV2Output{
		Name: in.Bucket, Prefix: encode(wire.Value(in.Prefix)), MaxKeys: new(int64(limit)), KeyCount: new(int64(len(p.items) + len(p.prefixes))),
		IsTruncated: &p.truncated, ContinuationToken: in.ContinuationToken, EncodingType: in.EncodingType, CommonPrefixes: commonPrefixes(p, encode),
	}
	if in.Delimiter != nil {
		out.Delimiter = encode(*in.Delimiter)
	}
	if in.StartAfter != nil {
		out.StartAfter = encode(*in.StartAfter)
	}
	if p.truncated {
		out.NextContinuationToken = encodeToken(p.last)
	}
	out.Contents = s.objects(p, encode, wire.Value(in.FetchOwner))
	return out, nil
}

// ListObjects implements the operation of that name.
func (s *Service) ListObjects(ctx context.Context, in *api.ListObjectsInput) (*api.ListObjectsOutput, error) {
	limit, err := limitOf("max-keys", in.MaxKeys)
	if err != nil {
		return nil, err
	}
	p, err := s.list(ctx, in.Bucket, in.ExpectedBucketOwner, listing{wire.Value(in.Prefix), wire.Value(in.Delimiter), wire.Value(in.Marker), limit})
	if err != nil {
		return nil, err
	}
	encode := encoder(in.EncodingType)
	out := &api.ListObjectsOutput{
		Name: in.Bucket, Prefix: encode(wire.Value(in.Prefix)), Marker: encode(wire.Value(in.Marker)), MaxKeys: new(int64(limit)),
		IsTruncated: &p.truncated, EncodingType: in.EncodingType, CommonPrefixes: commonPrefixes(p, encode),
	}
	if in.Delimiter != nil {
		out.Delimiter = encode(*in.Delimiter)
		if p.truncated { // without a delimiter the last key itself is the marker
			out.NextMarker = encode(p.last)
		}
	}
	out.Contents = s.objects(p, encode, true)
	return out, nil
}

func (s *Service) list(ctx context.Context, name, owner *string, l listing) (p page, err error) {
	return p, s.view(ctx, name, owner, func(tx *state.Tx, b bucket) error {
		p = l.run(tx, b.Name)
		return nil
	})
}

func (s *Service) objects(p page, encode func(string) *string, withOwner bool) []api.Object {
	out := make([]api.Object, len(p.items))
	for i, v := range p.items {
		out[i] = api.Object{Key: encode(v.Key), ETag: &v.ETag, Size: &v.Size, LastModified: &v.Modified, StorageClass: &v.StorageClass, ChecksumType: v.Checksum.kind()}
		if v.Checksum.Value != "" {
			out[i].ChecksumAlgorithm = []string{v.Checksum.Algorithm}
		}
		if withOwner {
			out[i].Owner = s.owner()
		}
	}
	return out
}

func commonPrefixes(p page, encode func(string) *string) []api.CommonPrefix {
	out := make([]api.CommonPrefix, len(p.prefixes))
	for i, prefix := range p.prefixes {
		out[i] = api.CommonPrefix{Prefix: encode(prefix)}
	}
	return out
}

// ListObjectVersions implements the operation of that name.
func (s *Service) ListObjectVersions(ctx context.Context, in *api.ListObjectVersionsInput) (*api.ListObjectVersionsOutput, error) {
	limit, err := limitOf("max-keys", in.MaxKeys)
	if err != nil {
		return nil, err
	}
	if in.VersionIdMarker != nil && in.KeyMarker == nil {
		return nil, invalidArgument("version-id-marker", "A version-id marker cannot be specified without a key marker.")
	}
	encode := encoder(in.EncodingType)
	out := &api.ListObjectVersionsOutput{
		Name: in.Bucket, Prefix: encode(wire.Value(in.Prefix)), KeyMarker: encode(wire.Value(in.KeyMarker)), VersionIdMarker: in.VersionIdMarker,
		MaxKeys: new(int64(limit)), EncodingType: in.EncodingType,
	}
	if in.Delimiter != nil {
		out.Delimiter = encode(*in.Delimiter)
	}
	l := listing{wire.Value(in.Prefix), wire.Value(in.Delimiter), wire.Value(in.KeyMarker), limit}
	err = s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(tx *state.Tx, b bucket) error {
		p, isLatest, lastID := l.versions(tx, b.Name, in.VersionIdMarker)
		out.IsTruncated, out.CommonPrefixes = &p.truncated, commonPrefixes(p, encode)
		if p.truncated {
			out.NextKeyMarker, out.NextVersionIdMarker = encode(p.last), lastID
		}
		for i, v := range p.items {
			s.addVersion(out, v, isLatest[i], encode)
		}
		return nil
	})
	return out, err
}

func (s *Service) addVersion(out *api.ListObjectVersionsOutput, v version, isLatest bool, encode func(string) *string) {
	if v.DeleteMarker {
		out.DeleteMarkers = append(out.DeleteMarkers, api.DeleteMarkerEntry{Key: encode(v.Key), VersionId: &v.ID, IsLatest: &isLatest, LastModified: &v.Modified, Owner: s.owner()})
		return
	}
	o := api.ObjectVersion{Key: encode(v.Key), VersionId: &v.ID, IsLatest: &isLatest, LastModified: &v.Modified, Owner: s.owner(),
		ETag: &v.ETag, Size: &v.Size, StorageClass: &v.StorageClass, ChecksumType: v.Checksum.kind()}
	if v.Checksum.Value != "" {
		o.ChecksumAlgorithm = []string{v.Checksum.Algorithm}
	}
	out.Versions = append(out.Versions, o)
}

// versions lists all versions, newest first within a key. With a marker it goes on behind that version of the key after.
func (l listing) versions(tx *state.Tx, bucketName string, marker *string) (p page, isLatest []bool, lastID *string) {
	if l.limit == 0 {
		return p, nil, nil
	}
	previous, past := "\x00", marker == nil
	for _, v := range versions.WithPrefix(tx, bucketName+"\x00"+l.prefix) {
		newest := v.Key != previous
		previous = v.Key
		step := l
		if v.Key == l.after && l.commonPrefix(v.Key) == "" {
			if past && marker != nil {
				step.after = "" // an older version than the marker's
			}
			past = past || v.ID == *marker
		}
		count := len(p.items)
		if !step.add(&p, v) {
			break
		}
		if len(p.items) > count {
			isLatest, lastID = append(isLatest, newest), new(v.ID)
		} else if p.last != v.Key {
			lastID = nil
		}
	}
	return p, isLatest, lastID
}
