package s3

import (
	"context"

	api "storefront/lab/api/s3"
	"storefront/lab/state"
	"storefront/lab/wire"
)

func (s *Service) initiator() *api.Initiator {
	o := s.owner()
	return &api.Initiator{ID: o.ID, DisplayName: o.DisplayName}
}

// ListParts implements the operation of that name.
func (s *Service) ListParts(ctx context.Context, in *api.ListPartsInput) (*api.ListPartsOutput, error) {
	limit, err := limitOf("max-parts", in.MaxParts)
	if err != nil {
		return nil, err
	}
	marker := wire.Value(in.PartNumberMarker)
	out := &api.ListPartsOutput{Bucket: in.Bucket, Key: in.Key, UploadId: in.UploadId, MaxParts: new(int64(limit)), PartNumberMarker: &marker,
		IsTruncated: new(false), Owner: s.owner(), Initiator: s.initiator()}
	return out, s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(tx *state.Tx, b bucket) error {
		u, err := getUpload(tx, b.Name, *in.Key, *in.UploadId)
		if err != nil {
			return err
		}
		out.StorageClass, out.ChecksumAlgorithm, out.ChecksumType = &u.Template.StorageClass, text(u.Algorithm), text(u.ChecksumType)
		for _, p := range parts.WithPrefix(tx, u.ID+"/") {
			if p.Number <= marker {
				continue
			}
			if len(out.Parts) == limit {
				out.IsTruncated = new(true)
				break
			}
			c := p.Segment.Checksum.values()
			out.Parts = append(out.Parts, api.Part{PartNumber: &p.Number, ETag: &p.ETag, Size: &p.Segment.Size, LastModified: &p.Modified,
				ChecksumCRC32: c.crc32, ChecksumCRC32C: c.crc32c, ChecksumCRC64NVME: c.crc64nvme, ChecksumSHA1: c.sha1, ChecksumSHA256: c.sha256})
			out.NextPartNumberMarker = &p.Number
		}
		return nil
	})
}

// ListMultipartUploads implements the operation of that name.
func (s *Service) ListMultipartUploads(ctx context.Context, in *api.ListMultipartUploadsInput) (*api.ListMultipartUploadsOutput, error) {
	limit, err := limitOf("max-uploads", in.MaxUploads)
	if err != nil {
		return nil, err
	}
	encode := encoder(in.EncodingType)
	out := &api.ListMultipartUploadsOutput{Bucket: in.Bucket, Prefix: encode(wire.Value(in.Prefix)), KeyMarker: encode(wire.Value(in.KeyMarker)), UploadIdMarker: in.UploadIdMarker,
		MaxUploads: new(int64(limit)), EncodingType: in.EncodingType, IsTruncated: new(false)}
	if in.Delimiter != nil {
		out.Delimiter = encode(*in.Delimiter)
	}
	l := listing{prefix: wire.Value(in.Prefix), delimiter: wire.Value(in.Delimiter), limit: limit}
	return out, s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(tx *state.Tx, b bucket) error {
		var p page
		for _, u := range uploads.WithPrefix(tx, b.Name+"\x00"+l.prefix) {
			if u.Key < wire.Value(in.KeyMarker) || u.Key == wire.Value(in.KeyMarker) && u.ID <= wire.Value(in.UploadIdMarker) {
				continue
			}
			if limit == 0 {
				break
			}
			items := len(p.items)
			if !l.add(&p, version{Key: u.Key}) {
				out.IsTruncated = new(true)
				break
			}
			out.NextKeyMarker, out.NextUploadIdMarker = encode(u.Key), &u.ID
			if len(p.items) > items {
				out.Uploads = append(out.Uploads, api.MultipartUpload{Key: encode(u.Key), UploadId: &u.ID, Initiated: &u.Initiated, Initiator: s.initiator(), Owner: s.owner(),
					StorageClass: &u.Template.StorageClass, ChecksumAlgorithm: text(u.Algorithm), ChecksumType: text(u.ChecksumType)})
			}
		}
		out.CommonPrefixes = commonPrefixes(p, encode)
		return nil
	})
}
