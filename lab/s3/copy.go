package s3

import (
	"context"
	"net/url"
	"strconv"
	"strings"

	api "storefront/lab/api/s3"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// CopyObject implements the operation of that name.
func (s *Service) CopyObject(ctx context.Context, in *api.CopyObjectInput) (*api.CopyObjectOutput, error) {
	from, err := s.source(ctx, in.CopySource, in.CopySourceSSECustomerKey, in.ExpectedSourceBucketOwner,
		readCondition{in.CopySourceIfMatch, in.CopySourceIfNoneMatch, in.CopySourceIfModifiedSince, in.CopySourceIfUnmodifiedSince})
	if err != nil {
		return nil, err
	}
	if err := checkSelfCopy(in, from); err != nil {
		return nil, err
	}
	v, err := s.draft(ctx, draftRequest{
		bucket: in.Bucket, key: in.Key, owner: in.ExpectedBucketOwner, acl: in.ACL, tagging: in.Tagging, storageClass: in.StorageClass,
		grants:  []*string{in.GrantFullControl, in.GrantRead, in.GrantReadACP, in.GrantWriteACP},
		sse:     sseRequest{in.ServerSideEncryption, in.SSEKMSKeyId, in.BucketKeyEnabled, in.SSECustomerKey, in.SSEKMSEncryptionContext},
		headers: headersOf(in.ContentType, in.ContentEncoding, in.ContentLanguage, in.ContentDisposition, in.CacheControl, in.WebsiteRedirectLocation),
		lock:    lockRequest{in.ObjectLockMode, in.ObjectLockRetainUntilDate, in.ObjectLockLegalHoldStatus},
	})
	if err != nil {
		return nil, err
	}
	v.Headers.Expires, v.Headers.Metadata = in.Expires, in.Metadata
	if wire.Value(in.MetadataDirective) != api.MetadataDirectiveReplace {
		v.Headers = from.version.Headers
		v.Headers.WebsiteRedirect = wire.Value(in.WebsiteRedirectLocation)
	}
	if wire.Value(in.TaggingDirective) != api.TaggingDirectiveReplace {
		v.Tags = from.version.Tags
	}
	if err := checkMetadata(v.Headers.Metadata); err != nil {
		return nil, err
	}
	content, err := s.copyContent(ctx, from, span{0, from.version.Size}, &v, in.ChecksumAlgorithm)
	if err != nil {
		return nil, err
	}
	v.Segments, v.Size, v.ETag, v.Checksum = []segment{content.segment}, content.segment.Size, content.etag, content.segment.Checksum
	b, err := s.commit(&v, writeCondition{}, nil)
	if err != nil {
		return nil, err
	}
	c := v.Checksum.values()
	out := &api.CopyObjectOutput{VersionId: b.versionID(v), CopySourceVersionId: from.versionID, CopyObjectResult: &api.CopyObjectResult{
		ETag: &v.ETag, LastModified: &v.Modified, ChecksumCRC32: c.crc32, ChecksumCRC32C: c.crc32c, ChecksumCRC64NVME: c.crc64nvme, ChecksumSHA1: c.sha1, ChecksumSHA256: c.sha256,
		ChecksumType: v.Checksum.kind()}}
	out.ServerSideEncryption, out.SSEKMSKeyId, out.BucketKeyEnabled = v.Encryption.headers()
	return out, nil
}

// checkSelfCopy refuses to copy an object onto itself when that changes nothing.
func checkSelfCopy(in *api.CopyObjectInput, from source) error {
	same := from.version.Bucket == *in.Bucket && from.version.Key == *in.Key && !from.byID
	changes := wire.Value(in.MetadataDirective) == api.MetadataDirectiveReplace || in.StorageClass != nil || in.ServerSideEncryption != nil ||
		in.WebsiteRedirectLocation != nil || wire.Value(in.TaggingDirective) == api.TaggingDirectiveReplace || in.ChecksumAlgorithm != nil
	if same && !changes {
		return invalidRequest("This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.")
	}
	return nil
}

// source is what a copy reads.
type source struct {
	version   version
	versionID *string
	byID      bool
}

// source finds the object that x-amz-copy-source names: "bucket/key" or "/bucket/key", percent-encoded, with "?versionId=" perhaps.
func (s *Service) source(ctx context.Context, header, customerKey, owner *string, c readCondition) (source, error) {
	var out source
	if customerKey != nil {
		return out, notImplemented("x-amz-copy-source-server-side-encryption-customer-key")
	}
	path, id, byID := strings.Cut(*header, "?versionId=")
	path, err := url.PathUnescape(strings.TrimPrefix(path, "/"))
	bucketName, key, ok := strings.Cut(path, "/")
	if err != nil || !ok || key == "" {
		return out, invalidArgument("x-amz-copy-source", "Invalid copy source object key")
	}
	var wanted *string
	if out.byID = byID; byID {
		wanted = &id
	}
	return out, s.view(ctx, &bucketName, owner, func(tx *state.Tx, b bucket) (err error) {
		if out.version, err = find(tx, b.Name, key, wanted); err != nil {
			return err
		}
		out.versionID = b.versionID(out.version)
		return c.checkCopy(out.version)
	})
}

// copyContent writes a stretch of a source as a body of v, under v's own encryption. The checksum is of the source's algorithm unless
// the client names another.
func (s *Service) copyContent(ctx context.Context, from source, r span, v *version, algorithm *string) (stored, error) {
	if r.length > maxSize {
		return stored{}, invalidRequest("The specified copy source is larger than the maximum allowable size for a copy source: " + strconv.Itoa(maxSize))
	}
	in, err := s.read(ctx, from.version, r.offset, r.length)
	if err != nil {
		return stored{}, err
	}
	defer in.Close()
	claims := integrity{algorithm: from.version.Checksum.Algorithm}
	if algorithm != nil {
		claims.algorithm = *algorithm
	}
	return s.save(ctx, in, &v.Encryption, v.Bucket, v.Key, claims)
}
