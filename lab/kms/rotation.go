package kms

import (
	"context"
	"crypto/rand"
	"time"

	api "storefront/lab/api/kms"
	"storefront/lab/wire"
)

// maxOnDemand is how often a key can be rotated on demand, from "Quotas" of AWS KMS.
const maxOnDemand = 10

// rotate gives the key new material, which encrypts from now on; what the old ones encrypted still decrypts.
func (k *key) rotate() {
	material := make([]byte, 32)
	rand.Read(material)
	k.Material = append(k.Material, material)
}

// nextRotation is when the key rotates by itself next. The rotation itself happens when the key is used to encrypt after that.
func (k key) nextRotation(now time.Time) time.Time {
	next := k.NextRotation
	for !next.After(now) {
		next = next.AddDate(0, 0, int(k.RotationDays))
	}
	return next
}

// changeEnabled edits a customer managed key that is enabled.
func (s *Service) changeEnabled(ref string, edit func(*key) error) error {
	return s.change(ref, func(k *key) error {
		if k.State != enabled {
			return isDisabled(*k)
		}
		return edit(k)
	})
}

// EnableKeyRotation implements the operation of that name. The same period again does not postpone the next rotation.
func (s *Service) EnableKeyRotation(_ context.Context, in *api.EnableKeyRotationInput) (*api.EnableKeyRotationOutput, error) {
	days := int64(365)
	if in.RotationPeriodInDays != nil {
		days = *in.RotationPeriodInDays
	}
	return &api.EnableKeyRotationOutput{}, s.changeEnabled(*in.KeyId, func(k *key) error {
		if k.RotationDays != days {
			k.RotationDays, k.NextRotation = days, s.now().UTC().AddDate(0, 0, int(days))
		}
		return nil
	})
}

// DisableKeyRotation implements the operation of that name.
func (s *Service) DisableKeyRotation(_ context.Context, in *api.DisableKeyRotationInput) (*api.DisableKeyRotationOutput, error) {
	return &api.DisableKeyRotationOutput{}, s.changeEnabled(*in.KeyId, func(k *key) error { k.RotationDays = 0; return nil })
}

// GetKeyRotationStatus implements the operation of that name.
func (s *Service) GetKeyRotationStatus(_ context.Context, in *api.GetKeyRotationStatusInput) (*api.GetKeyRotationStatusOutput, error) {
	k, err := s.read(*in.KeyId)
	if err != nil {
		return nil, err
	}
	out := &api.GetKeyRotationStatusOutput{KeyId: new(k.ARN), KeyRotationEnabled: new(k.RotationDays > 0 && k.State != pendingDeletion)}
	if *out.KeyRotationEnabled {
		out.RotationPeriodInDays, out.NextRotationDate = new(k.RotationDays), new(k.nextRotation(s.now()))
	}
	return out, nil
}

// RotateKeyOnDemand implements the operation of that name.
func (s *Service) RotateKeyOnDemand(_ context.Context, in *api.RotateKeyOnDemandInput) (*api.RotateKeyOnDemandOutput, error) {
	return &api.RotateKeyOnDemandOutput{KeyId: in.KeyId}, s.changeEnabled(*in.KeyId, func(k *key) error {
		if k.OnDemandRotations >= maxOnDemand {
			return wire.Errorf(400, "LimitExceededException", "The number of on-demand rotations of %s has reached the limit of %d.", k.ARN, maxOnDemand)
		}
		k.OnDemandRotations++
		k.rotate()
		return nil
	})
}
