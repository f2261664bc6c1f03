package cloudtrail

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"time"

	api "storefront/lab/api/cloudtrail"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// keyLife is how long a key signs digests; then a new one does.
const keyLife = 365 * 24 * time.Hour

// signingKey is a key pair for digests.
type signingKey struct {
	Fingerprint string
	Private     []byte // PKCS #1
	From, Until time.Time
	private     *rsa.PrivateKey
}

var signingKeys = state.NewTable[signingKey]("cloudtrail.key") // by the time from which it is valid

// signingKey returns the key that signs now, making it when there is none.
func (s *Service) signingKey() (k signingKey, err error) {
	now := s.Now().UTC()
	err = s.Store.View(func(tx *state.Tx) error {
		for _, k = range signingKeys.All(tx) { // the last one is the newest
		}
		return nil
	})
	if err == nil && now.Before(k.Until) {
		k.private, err = x509.ParsePKCS1PrivateKey(k.Private)
		return k, err
	}
	if err != nil {
		return k, err
	}
	if k.private, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		return k, fmt.Errorf("making a key for digests: %w", err)
	}
	k.From, k.Private = now.Truncate(time.Hour), x509.MarshalPKCS1PrivateKey(k.private)
	k.Until, k.Fingerprint = k.From.Add(keyLife), hexHash(x509.MarshalPKCS1PublicKey(&k.private.PublicKey))[:32]
	return k, s.Store.Update(func(tx *state.Tx) error { return signingKeys.Put(tx, k.From.Format(time.RFC3339), k) })
}

// ListPublicKeys implements the operation of that name: the keys that were valid between two times, by default now.
func (s *Service) ListPublicKeys(_ context.Context, in *api.ListPublicKeysInput) (*api.ListPublicKeysOutput, error) {
	start, end := wire.Or(in.StartTime, s.Now()), wire.Or(in.EndTime, s.Now())
	if start.After(end) {
		return nil, refuse("InvalidTimeRangeException", "The start time is after the end time.")
	}
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListPublicKeysOutput) error {
		out.PublicKeyList = []api.PublicKey{}
		for _, k := range signingKeys.All(tx) {
			if k.From.After(end) || k.Until.Before(start) {
				continue
			}
			private, err := x509.ParsePKCS1PrivateKey(k.Private)
			if err != nil {
				return fmt.Errorf("the key of digests %s: %w", k.Fingerprint, err)
			}
			out.PublicKeyList = append(out.PublicKeyList, api.PublicKey{Fingerprint: new(k.Fingerprint), Value: x509.MarshalPKCS1PublicKey(&private.PublicKey),
				ValidityStartTime: new(k.From), ValidityEndTime: new(k.Until)})
		}
		return nil
	})
}
