package ec2

import (
	"context"
	"strings"

	api "storefront/lab/api/ec2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// ebsSettings are the account's defaults for new volumes.
type ebsSettings struct {
	Encrypt bool
	Key     string
}

var ebsTable = state.NewTable[ebsSettings]("ec2.ebs")

const (
	ebsKey     = "defaults"
	managedKey = "alias/aws/ebs"
)

// ebsDefaults returns the account's defaults.
func (s *Service) ebsDefaults(tx *state.Tx) (ebsSettings, error) {
	v, ok, err := ebsTable.Get(tx, ebsKey)
	if !ok {
		v.Key = managedKey
	}
	return v, err
}

// setEBS changes the account's defaults.
func (s *Service) setEBS(tx *state.Tx, f func(*ebsSettings)) error {
	v, err := s.ebsDefaults(tx)
	if err != nil {
		return err
	}
	f(&v)
	return ebsTable.Put(tx, ebsKey, v)
}

// keyARN names a KMS key by its ARN.
func (s *Service) keyARN(key string) string {
	switch {
	case strings.HasPrefix(key, "arn:"):
		return key
	case strings.HasPrefix(key, "alias/"):
		return s.Region.ARN("kms", key)
	}
	return s.Region.ARN("kms", "key/"+key)
}

// GetEbsEncryptionByDefault answers whether new volumes are encrypted.
func (s *Service) GetEbsEncryptionByDefault(_ context.Context, in *api.GetEbsEncryptionByDefaultInput) (*api.GetEbsEncryptionByDefaultOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.GetEbsEncryptionByDefaultOutput) error {
		v, err := s.ebsDefaults(tx)
		out.EbsEncryptionByDefault = &v.Encrypt
		return err
	})
}

// EnableEbsEncryptionByDefault lets new volumes be encrypted.
func (s *Service) EnableEbsEncryptionByDefault(_ context.Context, in *api.EnableEbsEncryptionByDefaultInput) (*api.EnableEbsEncryptionByDefaultOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.EnableEbsEncryptionByDefaultOutput) error {
		out.EbsEncryptionByDefault = new(true)
		return s.setEBS(tx, func(v *ebsSettings) { v.Encrypt = true })
	})
}

// DisableEbsEncryptionByDefault leaves the encryption of new volumes to their requests.
func (s *Service) DisableEbsEncryptionByDefault(_ context.Context, in *api.DisableEbsEncryptionByDefaultInput) (*api.DisableEbsEncryptionByDefaultOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.DisableEbsEncryptionByDefaultOutput) error {
		out.EbsEncryptionByDefault = new(false)
		return s.setEBS(tx, func(v *ebsSettings) { v.Encrypt = false })
	})
}

// GetEbsDefaultKmsKeyId answers the key of volumes whose request names none.
func (s *Service) GetEbsDefaultKmsKeyId(_ context.Context, in *api.GetEbsDefaultKmsKeyIdInput) (*api.GetEbsDefaultKmsKeyIdOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.GetEbsDefaultKmsKeyIdOutput) error {
		v, err := s.ebsDefaults(tx)
		out.KmsKeyId = &v.Key
		return err
	})
}

// ModifyEbsDefaultKmsKeyId chooses that key.
func (s *Service) ModifyEbsDefaultKmsKeyId(_ context.Context, in *api.ModifyEbsDefaultKmsKeyIdInput) (*api.ModifyEbsDefaultKmsKeyIdOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.ModifyEbsDefaultKmsKeyIdOutput) error {
		if wire.Value(in.KmsKeyId) == "" {
			return missing("KmsKeyId")
		}
		key := s.keyARN(*in.KmsKeyId)
		out.KmsKeyId = &key
		return s.setEBS(tx, func(v *ebsSettings) { v.Key = key })
	})
}

// ResetEbsDefaultKmsKeyId goes back to the AWS managed key.
func (s *Service) ResetEbsDefaultKmsKeyId(_ context.Context, in *api.ResetEbsDefaultKmsKeyIdInput) (*api.ResetEbsDefaultKmsKeyIdOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.ResetEbsDefaultKmsKeyIdOutput) error {
		out.KmsKeyId = new(managedKey)
		return s.setEBS(tx, func(v *ebsSettings) { v.Key = managedKey })
	})
}
