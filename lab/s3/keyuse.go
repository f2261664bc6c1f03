package s3

import (
	"errors"
	"net/url"
	"strings"

	api "storefront/lab/api/s3"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// KeyUse tells which KMS key a request makes S3 use for its caller when it reads or writes an object, and for which actions, from "Using server-side encryption with AWS
// KMS keys"; "" for none. The encryption context is the bucket's for buckets with a bucket key.
func (s *Service) KeyUse(tx *state.Tx, write bool, input any) (key string, actions []string, context map[string]string, err error) {
	var e encryption
	var bucketName, object string
	switch in := input.(type) {
	case *api.GetObjectInput:
		bucketName, object = *in.Bucket, *in.Key
		e = encryptionOf(tx, bucketName, object, in.VersionId)
		actions = []string{"kms:Decrypt"}
	case *api.PutObjectInput:
		bucketName, object, actions = *in.Bucket, *in.Key, []string{"kms:GenerateDataKey"}
		e, err = s.writing(tx, bucketName, sseRequest{in.ServerSideEncryption, in.SSEKMSKeyId, in.BucketKeyEnabled, nil, nil})
	case *api.CreateMultipartUploadInput:
		bucketName, object, actions = *in.Bucket, *in.Key, []string{"kms:GenerateDataKey", "kms:Decrypt"}
		e, err = s.writing(tx, bucketName, sseRequest{in.ServerSideEncryption, in.SSEKMSKeyId, in.BucketKeyEnabled, nil, nil})
	case *api.CopyObjectInput:
		if !write {
			bucketName, object, e = copied(tx, in.CopySource)
			actions = []string{"kms:Decrypt"}
			break
		}
		bucketName, object, actions = *in.Bucket, *in.Key, []string{"kms:GenerateDataKey"}
		e, err = s.writing(tx, bucketName, sseRequest{in.ServerSideEncryption, in.SSEKMSKeyId, in.BucketKeyEnabled, nil, nil})
	case *api.UploadPartCopyInput:
		if !write {
			bucketName, object, e = copied(tx, in.CopySource)
			actions = []string{"kms:Decrypt"}
		}
	}
	if err != nil || e.Algorithm != sseKMS {
		return "", nil, nil, err
	}
	return e.KeyARN, actions, e.keyContext(bucketName, object), nil
}

// writing is how an object will be encrypted; what the operation refuses is not.
func (s *Service) writing(tx *state.Tx, bucketName string, r sseRequest) (encryption, error) {
	b, ok, err := buckets.Get(tx, bucketName)
	if err != nil || !ok {
		return encryption{}, err
	}
	e, err := s.choose(b, r)
	if _, refused := errors.AsType[*wire.Error](err); refused {
		return encryption{}, nil
	}
	return e, err
}

func encryptionOf(tx *state.Tx, bucketName, key string, id *string) encryption {
	v, err := find(tx, bucketName, key, id)
	if err != nil {
		return encryption{} // the operation refuses it
	}
	return v.Encryption
}

// copied is the object that a copy reads.
func copied(tx *state.Tx, source *string) (bucketName, key string, e encryption) {
	path, id, byID := strings.Cut(wire.Value(source), "?versionId=")
	path, err := url.PathUnescape(strings.TrimPrefix(path, "/"))
	if err != nil {
		return "", "", e
	}
	bucketName, key, _ = strings.Cut(path, "/")
	var version *string
	if byID {
		version = &id
	}
	return bucketName, key, encryptionOf(tx, bucketName, key, version)
}
