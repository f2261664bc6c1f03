package secretsmanager

import (
	"slices"

	"storefront/lab/state"
	"storefront/lab/wire"
)

// payload is what a version holds: a string or bytes.
type payload struct {
	text  *string
	bytes []byte
}

func (p payload) empty() bool { return p.text == nil && p.bytes == nil }

func (p payload) encode() []byte {
	if p.text != nil {
		return append([]byte{'s'}, *p.text...)
	}
	return append([]byte{'b'}, p.bytes...)
}

func decodePayload(b []byte) payload {
	if len(b) > 0 && b[0] == 'b' {
		return payload{bytes: b[1:]}
	}
	return payload{text: new(string(b[min(1, len(b)):]))}
}

// add seals p as a new version of x with the given stages, which move there from other versions. The same token and value again change nothing.
func (s *Service) add(tx *state.Tx, x *secret, id string, p payload, stages []string) error {
	if _, exists := x.Versions[id]; exists {
		if plain, err := s.open(tx, x, id); err != nil || string(plain.encode()) != string(p.encode()) {
			return wire.Errorf(400, "ResourceExistsException", "You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.", id, x.ARN)
		}
		return nil
	}
	keyID := x.KMSKeyID
	if keyID == "" {
		keyID = managedKey
	}
	sealed, key, err := s.kms.Seal(tx, keyID, sealContext(x, id), p.encode())
	if err != nil {
		return wire.Errorf(400, "EncryptionFailure", "Secrets Manager can't encrypt the protected secret text using the provided KMS key: %s", err)
	}
	if x.Versions == nil {
		x.Versions = map[string]version{}
	}
	x.Versions[id] = version{Sealed: sealed, Created: s.now().UTC(), KMSKey: key}
	if _, held := x.withStage(current); !held && !slices.Contains(stages, current) {
		stages = append(slices.Clone(stages), current) // the first version is the current one whatever the request says
	}
	for _, stage := range stages {
		x.move(stage, id)
	}
	x.Changed = s.now().UTC()
	return nil
}

// open decrypts a version.
func (s *Service) open(tx *state.Tx, x *secret, id string) (payload, error) {
	plain, _, err := s.kms.Unseal(tx, sealContext(x, id), x.Versions[id].Sealed)
	if err != nil {
		return payload{}, wire.Errorf(400, "DecryptionFailure", "Secrets Manager can't decrypt the protected secret text using the provided KMS key: %s", err)
	}
	return decodePayload(plain), nil
}

// sealContext is the encryption context of a version, from "Secret encryption and decryption in AWS Secrets Manager".
func sealContext(x *secret, id string) map[string]string {
	return map[string]string{"SecretARN": x.ARN, "SecretVersionId": id}
}

// move gives a stage to the version `to` alone. The version that loses AWSCURRENT becomes AWSPREVIOUS, as on AWS.
func (x *secret) move(stage, to string) {
	for id, v := range x.Versions {
		if i := slices.Index(v.Stages, stage); i >= 0 && id != to {
			v.Stages = slices.Delete(slices.Clone(v.Stages), i, i+1)
			x.Versions[id] = v
			if stage == current {
				x.move(previous, id)
			}
		}
	}
	if v := x.Versions[to]; !slices.Contains(v.Stages, stage) {
		v.Stages = append(slices.Clone(v.Stages), stage)
		slices.Sort(v.Stages)
		x.Versions[to] = v
	}
}

// withStage returns the ID of the version that has a stage.
func (x *secret) withStage(stage string) (string, bool) {
	for id, v := range x.Versions {
		if slices.Contains(v.Stages, stage) {
			return id, true
		}
	}
	return "", false
}
