// Package secretsmanager is the lab's AWS Secrets Manager. Secret values are encrypted at rest under a KMS key of the lab, like on AWS.
//
// Rotation by a Lambda function, replication to other Regions and the evaluation of resource policies are not served.
package secretsmanager

import (
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"storefront/lab/kms"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Service implements the Secrets Manager API.
type Service struct {
	store  *state.Store
	region region.Region
	kms    *kms.Service
	now    func() time.Time
}

// New returns the service on a store. Values are sealed by keys of kms; now is its clock.
func New(store *state.Store, r region.Region, kms *kms.Service, now func() time.Time) *Service {
	return &Service{store: store, region: r, kms: kms, now: now}
}

// secret is one secret with all its versions.
type secret struct {
	Name, ARN, Description, KMSKeyID, OwningService, Policy string
	Created, Changed, Accessed, Deleted                     time.Time // Deleted: end of the recovery window, zero when the secret lives
	Tags                                                    map[string]string
	Versions                                                map[string]version // by version ID
}

// version is one value; Sealed is the ciphertext of kind byte + value.
type version struct {
	Sealed  []byte
	Stages  []string
	Created time.Time
	KMSKey  string // ARN
}

var secrets = state.NewTable[secret]("secretsmanager.secret") // by name

const (
	current  = "AWSCURRENT"
	previous = "AWSPREVIOUS"
)

var errNotFound = wire.Errorf(400, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.")

func invalidRequest(format string, args ...any) error {
	return wire.Errorf(400, "InvalidRequestException", format, args...)
}

func invalidParameter(format string, args ...any) error {
	return wire.Errorf(400, "InvalidParameterException", format, args...)
}

// find resolves a secret's name, ARN or ARN without the random end. A secret that awaits deletion is found, too.
func (s *Service) find(tx *state.Tx, id string) (secret, error) {
	name := id
	if rest, isARN := strings.CutPrefix(id, s.region.ARN("secretsmanager", "secret:")); isARN {
		name = rest
		if i := strings.LastIndexByte(rest, '-'); i > 0 && len(rest)-i == 7 {
			if x, ok, err := secrets.Get(tx, rest[:i]); err != nil || ok && x.ARN == id {
				return s.purge(tx, x, err)
			}
		}
	}
	x, ok, err := secrets.Get(tx, name)
	if err == nil && !ok {
		err = errNotFound
	}
	return s.purge(tx, x, err)
}

// purge hides a secret whose recovery window is over.
func (s *Service) purge(_ *state.Tx, x secret, err error) (secret, error) {
	if err == nil && !x.Deleted.IsZero() && !s.now().Before(x.Deleted) {
		return secret{}, errNotFound
	}
	return x, err
}

// live is find for operations that a secret awaiting deletion refuses.
func (s *Service) live(tx *state.Tx, id string) (secret, error) {
	x, err := s.find(tx, id)
	if err == nil && !x.Deleted.IsZero() {
		err = invalidRequest("You can't perform this operation on the secret because it was marked for deletion.")
	}
	return x, err
}

// change edits a live secret.
func (s *Service) change(id string, edit func(*state.Tx, *secret) error) (x secret, err error) {
	err = s.store.Update(func(tx *state.Tx) error {
		if x, err = s.live(tx, id); err != nil {
			return err
		}
		if err := edit(tx, &x); err != nil {
			return err
		}
		return secrets.Put(tx, x.Name, x)
	})
	return x, err
}

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
	if old, exists := x.Versions[id]; exists {
		if plain, err := s.open(tx, *x, old); err != nil || string(plain.encode()) != string(p.encode()) {
			return wire.Errorf(400, "ResourceExistsException", "You can't use ClientRequestToken %s because that value is already in use for a version of secret %s.", id, x.ARN)
		}
		return nil
	}
	keyID := x.KMSKeyID
	if keyID == "" {
		keyID = "alias/aws/secretsmanager"
	}
	sealed, key, err := s.kms.Seal(tx, keyID, map[string]string{"SecretARN": x.ARN, "SecretVersionId": id}, p.encode())
	if err != nil {
		return err
	}
	if x.Versions == nil {
		x.Versions = map[string]version{}
	}
	x.Versions[id] = version{Sealed: sealed, Created: s.now().UTC(), KMSKey: key}
	for _, stage := range stages {
		x.move(stage, id)
	}
	x.Changed = s.now().UTC()
	return nil
}

func (s *Service) open(tx *state.Tx, x secret, v version) (payload, error) {
	for id, candidate := range x.Versions {
		if string(candidate.Sealed) == string(v.Sealed) {
			plain, _, err := s.kms.Unseal(tx, map[string]string{"SecretARN": x.ARN, "SecretVersionId": id}, v.Sealed)
			return decodePayload(plain), err
		}
	}
	return payload{}, errNotFound
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

// suffix is the end of a secret's ARN: AWS draws six characters, the lab counts.
func suffix(tx *state.Tx) (string, error) {
	n, err := tx.Sequence("secretsmanager-suffix")
	if err != nil {
		return "", err
	}
	text := base64.RawURLEncoding.EncodeToString([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
	return strings.NewReplacer("-", "x", "_", "y").Replace(text), nil
}
