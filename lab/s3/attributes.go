package s3

import (
	"context"
	"slices"
	"strings"

	api "storefront/lab/api/s3"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// GetObjectAttributes implements the operation of that name.
func (s *Service) GetObjectAttributes(ctx context.Context, in *api.GetObjectAttributesInput) (*api.GetObjectAttributesOutput, error) {
	if in.SSECustomerKey != nil {
		return nil, notImplemented("x-amz-server-side-encryption-customer-key")
	}
	limit, err := limitOf("x-amz-max-parts", in.MaxParts)
	if err != nil {
		return nil, err
	}
	var v version
	out := &api.GetObjectAttributesOutput{}
	err = s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(tx *state.Tx, b bucket) error {
		v, err = find(tx, b.Name, *in.Key, in.VersionId)
		out.VersionId, out.LastModified = b.versionID(v), &v.Modified
		return err
	})
	if err != nil {
		return nil, err
	}
	wants := func(name string) bool { return slices.Contains(in.ObjectAttributes, name) }
	if wants("ETag") {
		out.ETag = new(strings.Trim(v.ETag, `"`))
	}
	if wants("ObjectSize") {
		out.ObjectSize = &v.Size
	}
	if wants("StorageClass") {
		out.StorageClass = &v.StorageClass
	}
	if wants("Checksum") && v.Checksum.Value != "" {
		c := v.Checksum.values()
		out.Checksum = &api.Checksum{ChecksumCRC32: c.crc32, ChecksumCRC32C: c.crc32c, ChecksumCRC64NVME: c.crc64nvme, ChecksumSHA1: c.sha1, ChecksumSHA256: c.sha256, ChecksumType: v.Checksum.kind()}
	}
	if wants("ObjectParts") && v.Multipart {
		out.ObjectParts = objectParts(v, wire.Value(in.PartNumberMarker), limit)
	}
	return out, nil
}

// objectParts lists the parts after a marker. S3 lists them only where they have checksums, which in the lab is always.
func objectParts(v version, marker int64, limit int) *api.GetObjectAttributesParts {
	out := &api.GetObjectAttributesParts{PartNumberMarker: &marker, MaxParts: new(int64(limit)), TotalPartsCount: new(int64(len(v.Segments))), IsTruncated: new(false)}
	for _, seg := range v.Segments {
		if seg.Number <= marker {
			continue
		}
		if len(out.Parts) == limit {
			out.IsTruncated = new(true)
			break
		}
		c := seg.Checksum.values()
		out.Parts = append(out.Parts, api.ObjectPart{PartNumber: &seg.Number, Size: &seg.Size,
			ChecksumCRC32: c.crc32, ChecksumCRC32C: c.crc32c, ChecksumCRC64NVME: c.crc64nvme, ChecksumSHA1: c.sha1, ChecksumSHA256: c.sha256})
		out.NextPartNumberMarker = &seg.Number
	}
	return out
}
