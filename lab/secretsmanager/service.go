// Package secretsmanager is the lab's AWS Secrets Manager. Secret values are encrypted at rest under a KMS key of the lab, like on AWS.
//
// Rotation by a Lambda function and replication to other Regions are not served. lab/authorization decides by resource policies.
package secretsmanager

import (
	"encoding/base64"
	"strings"
	"time"

	api "storefront/lab/api/secretsmanager"
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

var _ api.API = (*Service)(nil)

// New returns the service on a store. Values are sealed by keys of kms; now is its clock.
func New(store *state.Store, r region.Region, kms *kms.Service, now func() time.Time) *Service {
	return &Service{store: store, region: r, kms: kms, now: now}
}

// secret is one secret with all its versions.
type secret struct {
	Name, ARN, Description, KMSKeyID, OwningService, Policy string
	Created, Changed, Deleted                               time.Time // Deleted: end of the recovery window, zero when the secret lives
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
			if x, ok, err := secrets.Get(tx, rest[:i]); err != nil {
				return secret{}, err
			} else if ok && x.ARN == id && !s.gone(x) {
				return x, nil
			}
		}
	}
	x, ok, err := secrets.Get(tx, name)
	if err == nil && (!ok || s.gone(x)) {
		return secret{}, errNotFound
	}
	return x, err
}

// gone reports whether the recovery window of a deleted secret is over.
func (s *Service) gone(x secret) bool { return !x.Deleted.IsZero() && !s.now().Before(x.Deleted) }

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

// unowned refuses to change the value of a secret that another service manages.
func unowned(x *secret) error {
	if x.OwningService != "" {
		return invalidRequest("You can't perform this operation on secret %s because it is managed by %s.", x.Name, x.OwningService)
	}
	return nil
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
