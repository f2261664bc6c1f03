package kms

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"

	api "storefront/lab/api/kms"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// A ciphertext is: format (1 byte), key ID (36 bytes), index of the key material (4 bytes), nonce (12 bytes), AES-256-GCM output. The header and the
// encryption context are authenticated with it, so a changed context does not decrypt, as on AWS.
const (
	format     = 1
	idSize     = 36
	headerSize = 1 + idSize + 4
	nonceSize  = 12
)

var invalidCiphertext = wire.Errorf(400, "InvalidCiphertextException", "")

// Seal encrypts plaintext under a key, named as KMS names keys, with an encryption context. It is for other services of the lab.
func (s *Service) Seal(tx *state.Tx, ref string, encryptionContext map[string]string, plaintext []byte) (ciphertext []byte, keyARN string, err error) {
	k, err := s.usable(tx, ref)
	if err != nil {
		return nil, "", err
	}
	if k.RotationDays > 0 && !s.now().Before(k.NextRotation) {
		k.rotate()
		k.NextRotation = k.nextRotation(s.now())
		if err := keys.Put(tx, k.ID, k); err != nil {
			return nil, "", err
		}
	}
	ciphertext, err = k.seal(encryptionContext, plaintext)
	return ciphertext, k.ARN, err
}

// Unseal decrypts what Seal, or the operation Encrypt, made.
func (s *Service) Unseal(tx *state.Tx, encryptionContext map[string]string, ciphertext []byte) (plaintext []byte, keyARN string, err error) {
	if len(ciphertext) < headerSize+nonceSize || ciphertext[0] != format {
		return nil, "", invalidCiphertext
	}
	k, err := s.usable(tx, string(ciphertext[1:1+idSize]))
	if err != nil {
		return nil, "", err
	}
	plaintext, err = k.open(encryptionContext, ciphertext)
	return plaintext, k.ARN, err
}

func (k key) seal(encryptionContext map[string]string, plaintext []byte) ([]byte, error) {
	out := make([]byte, headerSize+nonceSize, headerSize+nonceSize+len(plaintext)+16)
	out[0] = format
	copy(out[1:], k.ID)
	binary.BigEndian.PutUint32(out[1+idSize:], uint32(len(k.Material)-1))
	nonce := out[headerSize:]
	rand.Read(nonce) // never fails: it ends the process instead
	aead, err := newAEAD(k.Material[len(k.Material)-1])
	if err != nil {
		return nil, err
	}
	return aead.Seal(out, nonce, plaintext, authenticated(out[:headerSize], encryptionContext)), nil
}

func (k key) open(encryptionContext map[string]string, ciphertext []byte) ([]byte, error) {
	header, nonce, body := ciphertext[:headerSize], ciphertext[headerSize:headerSize+nonceSize], ciphertext[headerSize+nonceSize:]
	index := binary.BigEndian.Uint32(header[1+idSize:])
	if int64(index) >= int64(len(k.Material)) {
		return nil, invalidCiphertext
	}
	aead, err := newAEAD(k.Material[index])
	if err != nil {
		return nil, err
	}
	plaintext, err := aead.Open(nil, nonce, body, authenticated(header, encryptionContext))
	if err != nil {
		return nil, invalidCiphertext
	}
	return plaintext, nil
}

func newAEAD(material []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(material)
	if err != nil {
		return nil, fmt.Errorf("key material: %w", err)
	}
	return cipher.NewGCM(block)
}

// authenticated joins the header and the encryption context in one canonical form: JSON with sorted keys.
func authenticated(header []byte, encryptionContext map[string]string) []byte {
	if len(encryptionContext) == 0 {
		return header
	}
	text, _ := json.Marshal(encryptionContext)
	return append(append([]byte{}, header...), text...)
}

// Encrypt implements the operation of that name.
func (s *Service) Encrypt(_ context.Context, in *api.EncryptInput) (*api.EncryptOutput, error) {
	out := &api.EncryptOutput{EncryptionAlgorithm: new("SYMMETRIC_DEFAULT")}
	return out, s.store.Update(func(tx *state.Tx) error {
		ciphertext, arn, err := s.Seal(tx, *in.KeyId, in.EncryptionContext, in.Plaintext)
		out.CiphertextBlob, out.KeyId = ciphertext, new(arn)
		return err
	})
}

// Decrypt implements the operation of that name.
func (s *Service) Decrypt(_ context.Context, in *api.DecryptInput) (*api.DecryptOutput, error) {
	out := &api.DecryptOutput{EncryptionAlgorithm: new("SYMMETRIC_DEFAULT")}
	return out, s.store.Update(func(tx *state.Tx) error {
		plaintext, arn, err := s.Unseal(tx, in.EncryptionContext, in.CiphertextBlob)
		if err != nil {
			return err
		}
		if err := s.expect(tx, in.KeyId, arn); err != nil {
			return err
		}
		out.Plaintext, out.KeyId = plaintext, new(arn)
		return nil
	})
}

// expect refuses a ciphertext of another key than the one that the request names, if it names one.
func (s *Service) expect(tx *state.Tx, ref *string, arn string) error {
	if ref == nil {
		return nil
	}
	k, err := s.find(tx, *ref)
	if err == nil && k.ARN != arn {
		err = wire.Errorf(400, "IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.")
	}
	return err
}

// ReEncrypt implements the operation of that name.
func (s *Service) ReEncrypt(_ context.Context, in *api.ReEncryptInput) (*api.ReEncryptOutput, error) {
	out := &api.ReEncryptOutput{SourceEncryptionAlgorithm: new("SYMMETRIC_DEFAULT"), DestinationEncryptionAlgorithm: new("SYMMETRIC_DEFAULT")}
	return out, s.store.Update(func(tx *state.Tx) error {
		plaintext, source, err := s.Unseal(tx, in.SourceEncryptionContext, in.CiphertextBlob)
		if err != nil {
			return err
		}
		if err := s.expect(tx, in.SourceKeyId, source); err != nil {
			return err
		}
		ciphertext, arn, err := s.Seal(tx, *in.DestinationKeyId, in.DestinationEncryptionContext, plaintext)
		out.CiphertextBlob, out.KeyId, out.SourceKeyId = ciphertext, new(arn), new(source)
		return err
	})
}
