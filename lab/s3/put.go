package s3

import (
	"context"

	api "storefront/lab/api/s3"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// PutObject implements the operation of that name.
func (s *Service) PutObject(ctx context.Context, in *api.PutObjectInput) (*api.PutObjectOutput, error) {
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
	if err := checkMetadata(in.Metadata); err != nil {
		return nil, err
	}
	claims, err := newIntegrity(in.Body, in.ContentMD5, checksumValues{in.ChecksumCRC32, in.ChecksumCRC32C, in.ChecksumCRC64NVME, in.ChecksumSHA1, in.ChecksumSHA256}, in.ChecksumAlgorithm)
	if err != nil {
		return nil, err
	}
	content, err := s.save(ctx, in.Body, &v.Encryption, v.Bucket, v.Key, claims)
	if err != nil {
		return nil, err
	}
	v.Segments, v.Size, v.ETag, v.Checksum = []segment{content.segment}, content.segment.Size, content.etag, content.segment.Checksum
	b, err := s.commit(&v, writeCondition{in.IfMatch, in.IfNoneMatch}, nil)
	if err != nil {
		return nil, err
	}
	out := &api.PutObjectOutput{ETag: &v.ETag, VersionId: b.versionID(v), ChecksumType: v.Checksum.kind()}
	out.ServerSideEncryption, out.SSEKMSKeyId, out.BucketKeyEnabled = v.Encryption.headers()
	c := v.Checksum.values()
	out.ChecksumCRC32, out.ChecksumCRC32C, out.ChecksumCRC64NVME, out.ChecksumSHA1, out.ChecksumSHA256 = c.crc32, c.crc32c, c.crc64nvme, c.sha1, c.sha256
	return out, nil
}

// draftRequest is what all ways to write an object have in common.
type draftRequest struct {
	bucket, key, owner, acl, tagging, storageClass *string
	grants                                         []*string
	sse                                            sseRequest
	headers                                        headers
	lock                                           lockRequest
}

// draft checks a write and returns the version that it will make, without its content.
func (s *Service) draft(ctx context.Context, r draftRequest) (version, error) {
	v := version{Bucket: *r.bucket, Key: *r.key, Modified: seconds(s.now()), Headers: r.headers, StorageClass: "STANDARD"}
	if err := checkKey(v.Key); err != nil {
		return v, err
	}
	if r.storageClass != nil {
		v.StorageClass = *r.storageClass
	}
	var err error
	if v.Tags, err = parseTagging(r.tagging); err != nil {
		return v, err
	}
	return v, s.view(ctx, r.bucket, r.owner, func(_ *state.Tx, b bucket) error {
		if v.ACL, err = s.objectACL(b, r.acl, r.grants); err != nil {
			return err
		}
		if err := r.lock.apply(b, &v); err != nil {
			return err
		}
		v.Encryption, err = s.choose(b, r.sse)
		return err
	})
}

func headersOf(contentType, contentEncoding, contentLanguage, contentDisposition, cacheControl, websiteRedirect *string) headers {
	h := headers{ContentType: wire.Value(contentType), ContentEncoding: wire.Value(contentEncoding), ContentLanguage: wire.Value(contentLanguage),
		ContentDisposition: wire.Value(contentDisposition), CacheControl: wire.Value(cacheControl), WebsiteRedirect: wire.Value(websiteRedirect)}
	if h.ContentType == "" {
		h.ContentType = "binary/octet-stream"
	}
	return h
}
