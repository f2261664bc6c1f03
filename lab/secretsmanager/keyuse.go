package secretsmanager

import (
	"cmp"
	"errors"

	api "storefront/lab/api/secretsmanager"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// managedKey is the key of secrets that name none.
const managedKey = "alias/aws/secretsmanager"

// KeyUse tells which KMS key a request makes Secrets Manager use for its caller, and for which actions, from "Secret encryption and decryption"; "" for none.
func (s *Service) KeyUse(tx *state.Tx, input any) (key string, actions []string, context map[string]string, err error) {
	seals := []string{"kms:GenerateDataKey", "kms:Decrypt"}
	switch in := input.(type) {
	case *api.CreateSecretInput:
		if in.SecretString != nil || in.SecretBinary != nil {
			return cmp.Or(wire.Value(in.KmsKeyId), managedKey), seals, nil, nil
		}
	case *api.PutSecretValueInput:
		return s.keyOf(tx, in.SecretId, seals)
	case *api.UpdateSecretInput:
		if in.SecretString == nil && in.SecretBinary == nil {
			return "", nil, nil, nil
		}
		key, actions, context, err = s.keyOf(tx, in.SecretId, seals)
		return cmp.Or(wire.Value(in.KmsKeyId), key), actions, context, err
	case *api.GetSecretValueInput:
		x, err := s.find(tx, *in.SecretId)
		if err != nil {
			return "", nil, nil, ignoreRefusal(err)
		}
		id, v, err := x.pick(wire.Value(in.VersionId), wire.Value(in.VersionStage))
		return v.KMSKey, []string{"kms:Decrypt"}, sealContext(&x, id), ignoreRefusal(err)
	}
	return "", nil, nil, nil
}

func (s *Service) keyOf(tx *state.Tx, id *string, actions []string) (string, []string, map[string]string, error) {
	x, err := s.find(tx, *id)
	if err != nil {
		return "", nil, nil, ignoreRefusal(err)
	}
	return cmp.Or(x.KMSKeyID, managedKey), actions, map[string]string{"SecretARN": x.ARN}, nil
}

// ignoreRefusal leaves a client's mistake for the operation to answer.
func ignoreRefusal(err error) error {
	if _, refused := errors.AsType[*wire.Error](err); refused {
		return nil
	}
	return err
}
