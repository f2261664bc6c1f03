package ec2

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"storefront/lab/state"
	"storefront/lab/wire"
)

// request is a remembered request with a client token.
type request struct {
	Parameters string // hash
	Resource   string // what it made
	At         time.Time
}

var requests = state.NewTable[request]("ec2.request")

// tokenLife is how long client tokens are remembered.
const tokenLife = 24 * time.Hour

// once runs create unless the same request with the same client token ran before; it returns the ID of what was created then or now.
// AWS page: "Ensuring idempotency in Amazon EC2 API requests".
func (s *Service) once(tx *state.Tx, operation string, token *string, in any, create func() (string, error)) (string, error) {
	if wire.Value(token) == "" {
		return create()
	}
	key, hash := operation+"/"+*token, fingerprint(in)
	before, ok, err := requests.Get(tx, key)
	if err != nil {
		return "", err
	}
	if ok && s.Now().Sub(before.At) < tokenLife {
		if before.Parameters != hash {
			return "", fault("IdempotentParameterMismatch", "The client token '%s' was used before with other parameters.", *token)
		}
		return before.Resource, nil
	}
	id, err := create()
	if err != nil {
		return "", err
	}
	if err := s.forgetRequests(tx); err != nil {
		return "", err
	}
	return id, requests.Put(tx, key, request{Parameters: hash, Resource: id, At: s.Now()})
}

func (s *Service) forgetRequests(tx *state.Tx) error {
	var old []string
	for key, r := range requests.All(tx) {
		if s.Now().Sub(r.At) >= tokenLife {
			old = append(old, key)
		}
	}
	for _, key := range old {
		if err := requests.Delete(tx, key); err != nil {
			return err
		}
	}
	return nil
}

func fingerprint(in any) string {
	data, err := json.Marshal(in)
	if err != nil {
		data = fmt.Append(nil, in)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
