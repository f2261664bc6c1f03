package s3

import (
	"context"
	"errors"
	"io/fs"

	api "storefront/lab/api/s3"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// readTries is how often a read starts again because the version that it found was replaced before its file was open.
const readTries = 5

// GetObject implements the operation of that name.
func (s *Service) GetObject(ctx context.Context, in *api.GetObjectInput) (*api.GetObjectOutput, error) {
	for try := 1; ; try++ {
		out, err := s.getObject(ctx, in)
		if errors.Is(err, fs.ErrNotExist) && try < readTries {
			continue
		}
		return out, err
	}
}

func (s *Service) getObject(ctx context.Context, in *api.GetObjectInput) (*api.GetObjectOutput, error) {
	h, err := s.head(ctx, headRequest{in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner, in.Range, in.ChecksumMode, in.SSECustomerKey, in.PartNumber,
		readCondition{in.IfMatch, in.IfNoneMatch, in.IfModifiedSince, in.IfUnmodifiedSince}})
	if err != nil {
		return nil, err
	}
	v := h.version
	if class := v.StorageClass; class == "GLACIER" || class == "DEEP_ARCHIVE" {
		return nil, &wire.Error{Status: 403, Code: "InvalidObjectState", Message: "The operation is not valid for the object's storage class", Fields: map[string]string{"StorageClass": class}}
	}
	body, err := s.read(ctx, v, h.span.offset, h.span.length)
	if err != nil {
		return nil, err
	}
	out := &api.GetObjectOutput{
		Body: body, AcceptRanges: new("bytes"), ContentLength: &h.span.length, ContentRange: h.contentRange, ETag: &v.ETag, LastModified: &v.Modified,
		VersionId: h.versionID, Metadata: v.Headers.Metadata, Expires: v.Headers.Expires, PartsCount: h.partsCount, StorageClass: h.storageClass(),
		ContentType: text(v.Headers.ContentType), ContentEncoding: text(v.Headers.ContentEncoding), ContentLanguage: text(v.Headers.ContentLanguage),
		ContentDisposition: text(v.Headers.ContentDisposition), CacheControl: text(v.Headers.CacheControl), WebsiteRedirectLocation: text(v.Headers.WebsiteRedirect),
		ObjectLockLegalHoldStatus: text(v.LegalHold), ReplicationStatus: text(v.Replication),
	}
	if len(v.Tags) > 0 {
		out.TagCount = new(int64(len(v.Tags)))
	}
	if v.Retention != nil {
		out.ObjectLockMode, out.ObjectLockRetainUntilDate = v.Retention.Mode, v.Retention.RetainUntilDate
	}
	override(&out.ContentType, in.ResponseContentType)
	override(&out.ContentEncoding, in.ResponseContentEncoding)
	override(&out.ContentLanguage, in.ResponseContentLanguage)
	override(&out.ContentDisposition, in.ResponseContentDisposition)
	override(&out.CacheControl, in.ResponseCacheControl)
	override(&out.Expires, in.ResponseExpires)
	out.ServerSideEncryption, out.SSEKMSKeyId, out.BucketKeyEnabled = v.Encryption.headers()
	c := h.checksum.values()
	out.ChecksumCRC32, out.ChecksumCRC32C, out.ChecksumCRC64NVME, out.ChecksumSHA1, out.ChecksumSHA256 = c.crc32, c.crc32c, c.crc64nvme, c.sha1, c.sha256
	out.ChecksumType = h.checksum.kind()
	return out, nil
}

// HeadObject implements the operation of that name.
func (s *Service) HeadObject(ctx context.Context, in *api.HeadObjectInput) (*api.HeadObjectOutput, error) {
	h, err := s.head(ctx, headRequest{in.Bucket, in.Key, in.VersionId, in.ExpectedBucketOwner, in.Range, in.ChecksumMode, in.SSECustomerKey, in.PartNumber,
		readCondition{in.IfMatch, in.IfNoneMatch, in.IfModifiedSince, in.IfUnmodifiedSince}})
	if err != nil {
		return nil, err
	}
	v := h.version
	out := &api.HeadObjectOutput{
		AcceptRanges: new("bytes"), ContentLength: &h.span.length, ContentRange: h.contentRange, ETag: &v.ETag, LastModified: &v.Modified,
		VersionId: h.versionID, Metadata: v.Headers.Metadata, Expires: v.Headers.Expires, PartsCount: h.partsCount, StorageClass: h.storageClass(),
		ContentType: text(v.Headers.ContentType), ContentEncoding: text(v.Headers.ContentEncoding), ContentLanguage: text(v.Headers.ContentLanguage),
		ContentDisposition: text(v.Headers.ContentDisposition), CacheControl: text(v.Headers.CacheControl), WebsiteRedirectLocation: text(v.Headers.WebsiteRedirect),
		ObjectLockLegalHoldStatus: text(v.LegalHold), ReplicationStatus: text(v.Replication),
	}
	if v.Retention != nil {
		out.ObjectLockMode, out.ObjectLockRetainUntilDate = v.Retention.Mode, v.Retention.RetainUntilDate
	}
	out.ServerSideEncryption, out.SSEKMSKeyId, out.BucketKeyEnabled = v.Encryption.headers()
	c := h.checksum.values()
	out.ChecksumCRC32, out.ChecksumCRC32C, out.ChecksumCRC64NVME, out.ChecksumSHA1, out.ChecksumSHA256 = c.crc32, c.crc32c, c.crc64nvme, c.sha1, c.sha256
	out.ChecksumType = h.checksum.kind()
	return out, nil
}

// headRequest is what GetObject and HeadObject ask for.
type headRequest struct {
	bucket, key, versionID, owner, byteRange, checksumMode, customerKey *string
	partNumber                                                          *int64
	condition                                                           readCondition
}

// found is the answer to a headRequest.
type found struct {
	version      version
	versionID    *string
	span         span
	contentRange *string
	partsCount   *int64
	checksum     checksum // zero unless it was asked for
}

func (s *Service) head(ctx context.Context, r headRequest) (found, error) {
	var f found
	if r.customerKey != nil {
		return f, notImplemented("x-amz-server-side-encryption-customer-key")
	}
	err := s.view(ctx, r.bucket, r.owner, func(tx *state.Tx, b bucket) (err error) {
		if f.version, err = find(tx, b.Name, *r.key, r.versionID); err != nil {
			return err
		}
		f.versionID = b.versionID(f.version)
		return r.condition.check(f.version)
	})
	if err != nil {
		return f, err
	}
	var partial bool
	if f.span, partial, err = selectSpan(f.version, r.byteRange, r.partNumber); err != nil {
		return f, err
	}
	if partial {
		f.contentRange = f.span.header(f.version.Size)
	}
	if r.partNumber != nil && f.version.Multipart {
		f.partsCount = new(int64(len(f.version.Segments)))
	}
	if r.checksumMode != nil && f.span.length == f.version.Size {
		f.checksum = f.version.Checksum
	}
	return f, nil
}

// storageClass is not told for STANDARD.
func (f found) storageClass() *string {
	if f.version.StorageClass == "STANDARD" {
		return nil
	}
	return &f.version.StorageClass
}

// text is nil for "".
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func override[T any](header **T, with *T) {
	if with != nil {
		*header = with
	}
}
