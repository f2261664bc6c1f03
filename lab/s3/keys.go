package s3

import (
	"context"

	kms "storefront/lab/api/kms"
	"storefront/lab/wire"
)

// Keys makes and opens the data keys of objects that are encrypted with SSE-KMS. Errors of KMS pass through to S3's clients.
type Keys interface {
	// GenerateDataKey returns a new 256-bit key, the same sealed, and the ARN of the KMS key that seals it.
	GenerateDataKey(ctx context.Context, keyID string, encryptionContext map[string]string) (plain, sealed []byte, arn string, err error)
	// Decrypt opens a sealed data key.
	Decrypt(ctx context.Context, sealed []byte, encryptionContext map[string]string) (plain []byte, err error)
}

// awsManagedKey is the key of buckets that ask for SSE-KMS without naming one.
const awsManagedKey = "alias/aws/s3"

// KMS returns the Keys of the lab's KMS.
func KMS(service kms.API) Keys { return kmsKeys{service} }

type kmsKeys struct{ api kms.API }

func (k kmsKeys) GenerateDataKey(ctx context.Context, keyID string, encryptionContext map[string]string) (plain, sealed []byte, arn string, err error) {
	out, err := k.api.GenerateDataKey(ctx, &kms.GenerateDataKeyInput{KeyId: &keyID, KeySpec: new(kms.DataKeySpecAes256), EncryptionContext: encryptionContext})
	if err != nil {
		return nil, nil, "", kmsError(err)
	}
	return out.Plaintext, out.CiphertextBlob, wire.Value(out.KeyId), nil
}

func (k kmsKeys) Decrypt(ctx context.Context, sealed []byte, encryptionContext map[string]string) ([]byte, error) {
	out, err := k.api.Decrypt(ctx, &kms.DecryptInput{CiphertextBlob: sealed, EncryptionContext: encryptionContext})
	if err != nil {
		return nil, kmsError(err)
	}
	return out.Plaintext, nil
}
