package s3

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"strings"

	api "storefront/lab/api/s3"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// CreateMultipartUpload implements the operation of that name.
func (s *Service) CreateMultipartUpload(ctx context.Context, in *api.CreateMultipartUploadInput) (*api.CreateMultipartUploadOutput, error) {
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
	if v.Encryption.Algorithm == sseKMS { // the ARN of the key, and whether it can be used, must be known now
		if _, _, v.Encryption.KeyARN, err = s.keys.GenerateDataKey(ctx, v.Encryption.KeyARN, sealContext(v.Bucket, v.Key)); err != nil {
			return nil, err
		}
	}
	u := upload{Bucket: v.Bucket, Key: v.Key, ID: newUploadID(), Initiated: seconds(s.now()), Template: v}
	if u.Algorithm, u.ChecksumType, err = multipartChecksum(in.ChecksumAlgorithm, in.ChecksumType); err != nil {
		return nil, err
	}
	err = s.store.Update(func(tx *state.Tx) error {
		if _, err := getBucket(tx, u.Bucket); err != nil {
			return err
		}
		return uploads.Put(tx, u.tableKey(), u)
	})
	out := &api.CreateMultipartUploadOutput{Bucket: in.Bucket, Key: in.Key, UploadId: &u.ID, ChecksumAlgorithm: text(u.Algorithm), ChecksumType: text(u.ChecksumType)}
	out.ServerSideEncryption, out.SSEKMSKeyId, out.BucketKeyEnabled = v.Encryption.headers()
	return out, err
}

// multipartChecksum checks that an algorithm can have the type that is asked for: SHA digests cannot be of the full object, CRC-64 not composite.
func multipartChecksum(algorithm, kind *string) (string, string, error) {
	if algorithm == nil {
		if kind != nil {
			return "", "", invalidRequest("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.")
		}
		return "", "", nil
	}
	t := wire.Value(kind)
	if t == "" {
		t = composite
		if *algorithm == crc64NVME {
			t = fullObject
		}
	}
	if t == fullObject && strings.HasPrefix(*algorithm, "SHA") || t == composite && *algorithm == crc64NVME {
		return "", "", invalidRequest("The " + t + " checksum type cannot be used with the " + strings.ToLower(*algorithm) + " checksum algorithm.")
	}
	return *algorithm, t, nil
}

// newUploadID is unguessable and never used again, so that a part that arrives late cannot join another upload.
func newUploadID() string {
	var b [48]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func noSuchUpload(id string) error {
	return &wire.Error{Status: 404, Code: "NoSuchUpload", Message: "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
		Fields: map[string]string{"UploadId": id}}
}

func getUpload(tx *state.Tx, bucketName, key, id string) (upload, error) {
	u, ok, err := uploads.Get(tx, upload{Bucket: bucketName, Key: key, ID: id}.tableKey())
	if err == nil && !ok {
		err = noSuchUpload(id)
	}
	return u, err
}

// UploadPart implements the operation of that name.
func (s *Service) UploadPart(ctx context.Context, in *api.UploadPartInput) (*api.UploadPartOutput, error) {
	if in.SSECustomerKey != nil {
		return nil, notImplemented("x-amz-server-side-encryption-customer-key")
	}
	u, err := s.openUpload(ctx, in.Bucket, in.Key, in.UploadId, in.ExpectedBucketOwner, *in.PartNumber)
	if err != nil {
		return nil, err
	}
	claims, err := newIntegrity(in.Body, in.ContentMD5, checksumValues{in.ChecksumCRC32, in.ChecksumCRC32C, in.ChecksumCRC64NVME, in.ChecksumSHA1, in.ChecksumSHA256}, in.ChecksumAlgorithm)
	if err != nil {
		return nil, err
	}
	if claims.algorithm != "" && u.Algorithm != "" && claims.algorithm != u.Algorithm {
		return nil, invalidRequest("Checksum Type mismatch occurred, expected checksum Type: " + strings.ToLower(u.Algorithm) + ", actual checksum Type: " + strings.ToLower(claims.algorithm))
	}
	if claims.algorithm == "" {
		claims.algorithm = u.Algorithm
	}
	content, err := s.save(ctx, in.Body, &u.Template.Encryption, u.Bucket, u.Key, claims)
	if err != nil {
		return nil, err
	}
	if err := s.addPart(u, *in.PartNumber, content); err != nil {
		return nil, err
	}
	out := &api.UploadPartOutput{ETag: &content.etag}
	out.ServerSideEncryption, out.SSEKMSKeyId, out.BucketKeyEnabled = u.Template.Encryption.headers()
	c := content.segment.Checksum.values()
	out.ChecksumCRC32, out.ChecksumCRC32C, out.ChecksumCRC64NVME, out.ChecksumSHA1, out.ChecksumSHA256 = c.crc32, c.crc32c, c.crc64nvme, c.sha1, c.sha256
	return out, nil
}

// UploadPartCopy implements the operation of that name.
func (s *Service) UploadPartCopy(ctx context.Context, in *api.UploadPartCopyInput) (*api.UploadPartCopyOutput, error) {
	if in.SSECustomerKey != nil {
		return nil, notImplemented("x-amz-server-side-encryption-customer-key")
	}
	u, err := s.openUpload(ctx, in.Bucket, in.Key, in.UploadId, in.ExpectedBucketOwner, *in.PartNumber)
	if err != nil {
		return nil, err
	}
	from, err := s.source(ctx, in.CopySource, in.CopySourceSSECustomerKey, in.ExpectedSourceBucketOwner,
		readCondition{in.CopySourceIfMatch, in.CopySourceIfNoneMatch, in.CopySourceIfModifiedSince, in.CopySourceIfUnmodifiedSince})
	if err != nil {
		return nil, err
	}
	r := span{0, from.version.Size}
	if in.CopySourceRange != nil {
		var partial bool
		if r, partial, err = parseRange(*in.CopySourceRange, from.version.Size); err != nil || !partial {
			return nil, invalidArgument("x-amz-copy-source-range", "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy")
		}
	}
	content, err := s.copyContent(ctx, from, r, &u.Template, text(u.Algorithm))
	if err != nil {
		return nil, err
	}
	if err := s.addPart(u, *in.PartNumber, content); err != nil {
		return nil, err
	}
	c := content.segment.Checksum.values()
	out := &api.UploadPartCopyOutput{CopySourceVersionId: from.versionID, CopyPartResult: &api.CopyPartResult{ETag: &content.etag, LastModified: new(seconds(s.now())),
		ChecksumCRC32: c.crc32, ChecksumCRC32C: c.crc32c, ChecksumCRC64NVME: c.crc64nvme, ChecksumSHA1: c.sha1, ChecksumSHA256: c.sha256}}
	out.ServerSideEncryption, out.SSEKMSKeyId, out.BucketKeyEnabled = u.Template.Encryption.headers()
	return out, nil
}

func (s *Service) openUpload(ctx context.Context, bucketName, key, id, owner *string, number int64) (u upload, err error) {
	if number < 1 || number > 10000 {
		return u, invalidArgument("partNumber", "Part number must be an integer between 1 and 10000, inclusive")
	}
	return u, s.view(ctx, bucketName, owner, func(tx *state.Tx, b bucket) error {
		u, err = getUpload(tx, b.Name, *key, *id)
		return err
	})
}

// addPart records a part; one of the same number is replaced.
func (s *Service) addPart(u upload, number int64, content stored) error {
	content.segment.Number = number
	p := part{Number: number, ETag: content.etag, MD5: content.md5, Modified: seconds(s.now()), Segment: content.segment}
	var replaced []segment
	err := s.store.Update(func(tx *state.Tx) error {
		if _, err := getUpload(tx, u.Bucket, u.Key, u.ID); err != nil {
			return err
		}
		if old, ok, err := parts.Get(tx, partKey(u.ID, number)); err != nil {
			return err
		} else if ok {
			replaced = []segment{old.Segment}
		}
		return parts.Put(tx, partKey(u.ID, number), p)
	})
	if err != nil {
		return errors.Join(err, s.bodies.remove([]segment{content.segment}))
	}
	return s.bodies.remove(replaced)
}

// AbortMultipartUpload implements the operation of that name.
func (s *Service) AbortMultipartUpload(ctx context.Context, in *api.AbortMultipartUploadInput) (*api.AbortMultipartUploadOutput, error) {
	if err := s.permit(ctx, in.ExpectedBucketOwner); err != nil {
		return nil, err
	}
	var gone []segment
	err := s.store.Update(func(tx *state.Tx) error {
		if _, err := getBucket(tx, *in.Bucket); err != nil {
			return err
		}
		u, err := getUpload(tx, *in.Bucket, *in.Key, *in.UploadId)
		if err != nil {
			return err
		}
		gone, err = closeUpload(tx, u)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &api.AbortMultipartUploadOutput{}, s.bodies.remove(gone)
}

// closeUpload removes an upload with its parts, and returns their bodies.
func closeUpload(tx *state.Tx, u upload) ([]segment, error) {
	var segments []segment
	var keys []string
	for key, p := range parts.WithPrefix(tx, u.ID+"/") {
		segments, keys = append(segments, p.Segment), append(keys, key)
	}
	for _, key := range keys {
		if err := parts.Delete(tx, key); err != nil {
			return nil, err
		}
	}
	return segments, uploads.Delete(tx, u.tableKey())
}
