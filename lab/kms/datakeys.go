package kms

import (
	"context"
	"crypto/rand"

	api "storefront/lab/api/kms"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// GenerateDataKey implements the operation of that name.
func (s *Service) GenerateDataKey(_ context.Context, in *api.GenerateDataKeyInput) (*api.GenerateDataKeyOutput, error) {
	plaintext, ciphertext, arn, err := s.dataKey(*in.KeyId, wire.Value(in.KeySpec), in.NumberOfBytes, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &api.GenerateDataKeyOutput{Plaintext: plaintext, CiphertextBlob: ciphertext, KeyId: new(arn)}, nil
}

// GenerateDataKeyWithoutPlaintext implements the operation of that name.
func (s *Service) GenerateDataKeyWithoutPlaintext(_ context.Context, in *api.GenerateDataKeyWithoutPlaintextInput) (*api.GenerateDataKeyWithoutPlaintextOutput, error) {
	_, ciphertext, arn, err := s.dataKey(*in.KeyId, wire.Value(in.KeySpec), in.NumberOfBytes, in.EncryptionContext)
	if err != nil {
		return nil, err
	}
	return &api.GenerateDataKeyWithoutPlaintextOutput{CiphertextBlob: ciphertext, KeyId: new(arn)}, nil
}

func (s *Service) dataKey(ref, spec string, bytes *int64, encryptionContext map[string]string) (plaintext, ciphertext []byte, arn string, err error) {
	size := wire.Value(bytes)
	switch {
	case (spec == "") == (bytes == nil):
		return nil, nil, "", validation("Please specify either number of bytes or key spec.")
	case spec == "AES_256":
		size = 32
	case spec == "AES_128":
		size = 16
	}
	plaintext = make([]byte, size)
	rand.Read(plaintext)
	err = s.store.Update(func(tx *state.Tx) (err error) {
		ciphertext, arn, err = s.Seal(tx, ref, encryptionContext, plaintext)
		return err
	})
	return plaintext, ciphertext, arn, err
}

// GenerateRandom implements the operation of that name.
func (s *Service) GenerateRandom(_ context.Context, in *api.GenerateRandomInput) (*api.GenerateRandomOutput, error) {
	if in.NumberOfBytes == nil {
		return nil, validation("NumberOfBytes is required.")
	}
	out := make([]byte, *in.NumberOfBytes)
	rand.Read(out)
	return &api.GenerateRandomOutput{Plaintext: out}, nil
}
