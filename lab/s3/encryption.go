package s3

import (
	"context"
	"errors"
	"strings"

	api "storefront/lab/api/s3"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// encryption is how one object is encrypted, as its headers tell.
type encryption struct {
	Algorithm string // "AES256", "aws:kms"
	KeyARN    string
	BucketKey bool
}

const (
	sseS3  = "AES256"
	sseKMS = "aws:kms"
)

// defaultEncryption is what AWS gives every bucket since January 2023.
func defaultEncryption() *api.ServerSideEncryptionConfiguration {
	return &api.ServerSideEncryptionConfiguration{Rules: []api.ServerSideEncryptionRule{{
		ApplyServerSideEncryptionByDefault: &api.ServerSideEncryptionByDefault{SSEAlgorithm: new(sseS3)}, BucketKeyEnabled: new(false)}}}
}

// GetBucketEncryption implements the operation of that name.
func (s *Service) GetBucketEncryption(ctx context.Context, in *api.GetBucketEncryptionInput) (*api.GetBucketEncryptionOutput, error) {
	out := &api.GetBucketEncryptionOutput{}
	return out, s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(_ *state.Tx, b bucket) error {
		out.ServerSideEncryptionConfiguration = b.Encryption
		return nil
	})
}

// PutBucketEncryption implements the operation of that name.
func (s *Service) PutBucketEncryption(ctx context.Context, in *api.PutBucketEncryptionInput) (*api.PutBucketEncryptionOutput, error) {
	rules := in.ServerSideEncryptionConfiguration.Rules
	if len(rules) != 1 {
		return nil, malformedXML("one Rule is needed")
	}
	rule := rules[0]
	if rule.BucketKeyEnabled == nil {
		rule.BucketKeyEnabled = new(false)
	}
	if rule.ApplyServerSideEncryptionByDefault == nil {
		rule.ApplyServerSideEncryptionByDefault = defaultEncryption().Rules[0].ApplyServerSideEncryptionByDefault
	}
	if d := rule.ApplyServerSideEncryptionByDefault; *d.SSEAlgorithm == sseS3 && d.KMSMasterKeyID != nil {
		return nil, invalidArgument("KMSMasterKeyID", "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse")
	} else if *d.SSEAlgorithm != sseS3 {
		if err := s.supported(*d.SSEAlgorithm); err != nil {
			return nil, err
		}
	}
	return &api.PutBucketEncryptionOutput{}, s.change(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.Encryption = &api.ServerSideEncryptionConfiguration{Rules: []api.ServerSideEncryptionRule{rule}}
		return nil
	})
}

// DeleteBucketEncryption implements the operation of that name: the bucket goes back to SSE-S3.
func (s *Service) DeleteBucketEncryption(ctx context.Context, in *api.DeleteBucketEncryptionInput) (*api.DeleteBucketEncryptionOutput, error) {
	return &api.DeleteBucketEncryptionOutput{}, s.change(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.Encryption = defaultEncryption()
		return nil
	})
}

func (s *Service) supported(algorithm string) error {
	switch {
	case algorithm == sseS3:
		return nil
	case algorithm != sseKMS:
		return notImplemented("x-amz-server-side-encryption: " + algorithm)
	case s.keys == nil:
		return notImplemented("x-amz-server-side-encryption: aws:kms")
	}
	return nil
}

// sseRequest is what the headers of a write say about encryption.
type sseRequest struct {
	Algorithm, KeyID *string
	BucketKey        *bool
	CustomerKey      *string
	Context          *string
}

// choose decides how an object will be encrypted, by the headers of its request or else by the bucket's default. KeyARN of the result is
// still the key's ID as the client wrote it.
func (s *Service) choose(b bucket, r sseRequest) (encryption, error) {
	if r.CustomerKey != nil {
		return encryption{}, notImplemented("x-amz-server-side-encryption-customer-key")
	}
	if r.Context != nil {
		return encryption{}, notImplemented("x-amz-server-side-encryption-context")
	}
	rule := b.Encryption.Rules[0]
	e := encryption{Algorithm: *rule.ApplyServerSideEncryptionByDefault.SSEAlgorithm, KeyARN: wire.Value(rule.ApplyServerSideEncryptionByDefault.KMSMasterKeyID),
		BucketKey: wire.Value(rule.BucketKeyEnabled)}
	if r.Algorithm != nil {
		if *r.Algorithm != e.Algorithm {
			e.KeyARN = ""
		}
		e.Algorithm = *r.Algorithm
	}
	if r.KeyID != nil {
		if e.Algorithm != sseKMS {
			return e, invalidArgument("x-amz-server-side-encryption-aws-kms-key-id", "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms")
		}
		e.KeyARN = *r.KeyID
	}
	if r.BucketKey != nil {
		e.BucketKey = *r.BucketKey
	}
	if e.Algorithm != sseKMS {
		e.KeyARN, e.BucketKey = "", false
	} else if e.KeyARN == "" {
		e.KeyARN = awsManagedKey
	}
	return e, s.supported(e.Algorithm)
}

// headers returns the members of an output that tell of the encryption.
func (e encryption) headers() (algorithm, keyARN *string, bucketKey *bool) {
	if e.Algorithm == sseKMS {
		keyARN = new(e.KeyARN)
		if e.BucketKey {
			bucketKey = new(true)
		}
	}
	return new(e.Algorithm), keyARN, bucketKey
}

// sealContext is the encryption context that S3 gives KMS for an object.
func sealContext(bucketName, key string) map[string]string {
	return map[string]string{"aws:s3:arn": "arn:aws:s3:::" + bucketName + "/" + key}
}

// keyContext is the encryption context that policies see: with a bucket key, that of the bucket.
func (e encryption) keyContext(bucketName, key string) map[string]string {
	if e.BucketKey {
		return map[string]string{"aws:s3:arn": arnOf(bucketName)}
	}
	return sealContext(bucketName, key)
}

// kmsError passes an error of KMS on in S3's form: "KMS.NotFoundException".
func kmsError(err error) error {
	if e, ok := errors.AsType[*wire.Error](err); ok {
		return wire.Errorf(400, "KMS."+strings.TrimPrefix(e.Code, "KMS."), "%s", e.Message)
	}
	return err
}
