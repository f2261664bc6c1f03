// Package kms is the lab's AWS Key Management Service: symmetric keys that really encrypt, their policies, aliases, grants and rotation.
//
// lab/authorization decides by key policies and grants, as Policy tells them. Asymmetric, HMAC, imported, custom-store and multi-Region keys are refused.
package kms

import (
	"context"
	"strings"
	"time"

	"storefront/lab/access"
	api "storefront/lab/api/kms"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Service implements the KMS API.
type Service struct {
	// Principals tells whether a principal that a key policy names is there; nil believes in all. To be set before the first call.
	Principals func(tx *state.Tx, arn string) (bool, error)
	// Administers tells whether a policy of a key, by its ARN, would let the caller make another call of PutKeyPolicy; nil believes so. To be set before the first call.
	Administers func(ctx context.Context, tx *state.Tx, arn string, policy *access.Document) (bool, error)

	store  *state.Store
	region region.Region
	now    func() time.Time
	parsed access.Cache
}

var _ api.API = (*Service)(nil)

// New returns the service on a store. now is its clock.
func New(store *state.Store, r region.Region, now func() time.Time) *Service {
	return &Service{store: store, region: r, now: now}
}

// key is one KMS key.
type key struct {
	ID                string
	ARN               string
	Description       string
	State             string // KeyStateEnabled, KeyStateDisabled, KeyStatePendingDeletion
	Manager           string // "CUSTOMER" or "AWS"
	Created           time.Time
	Deletion          time.Time // when State is pending deletion
	Policy            string    // JSON
	RotationDays      int64     // 0: no automatic rotation
	NextRotation      time.Time // when RotationDays is set
	OnDemandRotations int
	Tags              map[string]string
	Material          [][]byte // AES-256 keys, oldest first; the last one encrypts
}

// grant is one grant on a key.
type grant struct {
	ID, Token, KeyID, Name, Grantee, Retiring string
	Operations                                []string
	ContextEquals, ContextSubset              map[string]string
	Created                                   time.Time
}

var (
	keys    = state.NewTable[key]("kms.key")
	aliases = state.NewTable[alias]("kms.alias") // by name with "alias/"
	grants  = state.NewTable[grant]("kms.grant") // by "<key ID>/<grant ID>"
)

type alias struct {
	KeyID            string
	Created, Updated time.Time
}

func notFound(format string, args ...any) error {
	return wire.Errorf(400, "NotFoundException", format, args...)
}

func validation(format string, args ...any) error {
	return wire.Errorf(400, "ValidationException", format, args...)
}

// find resolves what AWS takes as a key identifier: key ID, key ARN, alias name or alias ARN. A key whose waiting period is over does not exist any more.
// An AWS managed key comes into being when its alias is first named, so tx must be able to write.
func (s *Service) find(tx *state.Tx, ref string) (key, error) {
	id := strings.TrimPrefix(ref, s.region.ARN("kms", "")) // leaves "key/..." or "alias/..." of an ARN of this account and region
	if strings.HasPrefix(id, "arn:") {
		return key{}, notFound("Invalid arn %s", ref)
	}
	if strings.HasPrefix(id, "alias/") {
		a, ok, err := aliases.Get(tx, id)
		if err != nil {
			return key{}, err
		}
		if !ok {
			if service, managed := strings.CutPrefix(id, "alias/aws/"); managed {
				return s.managed(tx, service)
			}
			return key{}, notFound("Alias %s is not found.", s.region.ARN("kms", id))
		}
		id = a.KeyID
	}
	id = strings.TrimPrefix(id, "key/")
	k, ok, err := keys.Get(tx, id)
	if err != nil {
		return key{}, err
	}
	if !ok || k.State == pendingDeletion && !s.now().Before(k.Deletion) {
		return key{}, notFound("Key '%s' does not exist", s.region.ARN("kms", "key/"+id))
	}
	return k, nil
}

// usable is find for operations that need an enabled key.
func (s *Service) usable(tx *state.Tx, ref string) (key, error) {
	k, err := s.find(tx, ref)
	switch {
	case err != nil:
		return key{}, err
	case k.State == disabled:
		return key{}, isDisabled(k)
	case k.State == pendingDeletion:
		return key{}, pending(k)
	}
	return k, nil
}

func isDisabled(k key) error {
	return wire.Errorf(400, "DisabledException", "%s is disabled.", k.ARN)
}

func pending(k key) error {
	return wire.Errorf(400, "KMSInvalidStateException", "%s is pending deletion.", k.ARN)
}

const (
	enabled         = "Enabled"
	disabled        = "Disabled"
	pendingDeletion = "PendingDeletion"
)
