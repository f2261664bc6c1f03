package ssm

import (
	"cmp"
	"slices"
	"strings"

	api "storefront/lab/api/ssm"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// managedKey is the key of SecureStrings that name none.
const managedKey = "alias/aws/ssm"

// KeyUse tells which KMS keys a request makes Parameter Store use for its caller, and for which action, from "AWS KMS encryption for Parameter Store SecureString
// parameters".
func (s *Service) KeyUse(tx *state.Tx, input any) (keys []string, action string, err error) {
	switch in := input.(type) {
	case *api.PutParameterInput:
		p, _, err := parameters.Get(tx, *in.Name)
		if cmp.Or(wire.Value(in.Type), p.Type) == secure {
			keys = []string{cmp.Or(wire.Value(in.KeyId), p.KeyID, managedKey)}
		}
		return keys, "kms:Encrypt", err
	case *api.GetParameterInput:
		return s.keysOf(tx, in.WithDecryption, *in.Name), "kms:Decrypt", nil
	case *api.GetParameterHistoryInput:
		return s.keysOf(tx, in.WithDecryption, *in.Name), "kms:Decrypt", nil
	case *api.GetParametersInput:
		return s.keysOf(tx, in.WithDecryption, in.Names...), "kms:Decrypt", nil
	case *api.GetParametersByPathInput:
		if !wire.Value(in.WithDecryption) {
			return nil, "", nil
		}
		for _, p := range parameters.WithPrefix(tx, strings.TrimSuffix(*in.Path, "/")+"/") {
			if p.Type == secure && !slices.Contains(keys, p.KeyID) {
				keys = append(keys, p.KeyID)
			}
		}
		return keys, "kms:Decrypt", nil
	}
	return nil, "", nil
}

// keysOf lists the keys of the SecureStrings among named parameters, each once; names that the operation refuses have none.
func (s *Service) keysOf(tx *state.Tx, decrypt *bool, names ...string) (keys []string) {
	if !wire.Value(decrypt) {
		return nil
	}
	for _, name := range names {
		if p, _, _, err := s.find(tx, name); err == nil && p.Type == secure && !slices.Contains(keys, p.KeyID) {
			keys = append(keys, p.KeyID)
		}
	}
	return keys
}
