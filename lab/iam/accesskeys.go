package iam

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"time"

	api "storefront/lab/api/iam"
	"storefront/lab/state"
	"storefront/lab/wire"
)

type accessKey struct {
	ID, Secret, User, Status string
	Created                  time.Time
}

var accessKeys = state.NewTable[accessKey]("iam.access-key") // by ID

// maxAccessKeys is the quota of access keys of a user.
const maxAccessKeys = 2

// CreateAccessKey implements the operation of that name.
func (s *Service) CreateAccessKey(_ context.Context, in *api.CreateAccessKeyInput) (*api.CreateAccessKeyOutput, error) {
	if in.UserName == nil {
		return nil, validation("Must specify userName.")
	}
	var k accessKey
	err := s.store.Update(func(tx *state.Tx) (err error) {
		k, err = s.createAccessKey(tx, *in.UserName)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &api.CreateAccessKeyOutput{AccessKey: &api.AccessKey{AccessKeyId: new(k.ID), SecretAccessKey: new(k.Secret), Status: new(k.Status), UserName: new(k.User), CreateDate: new(k.Created)}}, nil
}

func (s *Service) createAccessKey(tx *state.Tx, name string) (accessKey, error) {
	u, err := findUser(tx, name)
	if err != nil {
		return accessKey{}, err
	}
	held := 0
	for _, k := range accessKeys.All(tx) {
		if k.User == u.Name {
			held++
		}
	}
	if held >= maxAccessKeys {
		return accessKey{}, wire.Errorf(409, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: %d", maxAccessKeys)
	}
	n, err := tx.Sequence("iam-AKIA")
	if err != nil {
		return accessKey{}, err
	}
	secret, err := NewSecret()
	if err != nil {
		return accessKey{}, err
	}
	k := accessKey{ID: fmt.Sprintf("AKIALAB%013X", n), Secret: secret, User: u.Name, Status: "Active", Created: s.now().UTC().Truncate(time.Second)}
	return k, accessKeys.Put(tx, k.ID, k)
}

// NewSecret draws a secret access key of 40 characters.
func NewSecret() (string, error) {
	b := make([]byte, 30)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("drawing a secret: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// ListAccessKeys implements the operation of that name.
func (s *Service) ListAccessKeys(_ context.Context, in *api.ListAccessKeysInput) (*api.ListAccessKeysOutput, error) {
	out := &api.ListAccessKeysOutput{AccessKeyMetadata: []api.AccessKeyMetadata{}, IsTruncated: new(false)}
	return out, s.store.View(func(tx *state.Tx) error {
		u, err := findUser(tx, wire.Value(in.UserName))
		if err != nil {
			return err
		}
		for _, k := range accessKeys.All(tx) {
			if k.User == u.Name {
				out.AccessKeyMetadata = append(out.AccessKeyMetadata, api.AccessKeyMetadata{AccessKeyId: new(k.ID), Status: new(k.Status), UserName: new(k.User), CreateDate: new(k.Created)})
			}
		}
		return nil
	})
}

func (s *Service) ownKey(tx *state.Tx, id string, userName *string) (accessKey, error) {
	k, ok, err := accessKeys.Get(tx, id)
	if err == nil && (!ok || userName != nil && *userName != k.User) {
		err = noSuchEntity("The Access Key with id %s cannot be found.", id)
	}
	return k, err
}

// UpdateAccessKey implements the operation of that name.
func (s *Service) UpdateAccessKey(_ context.Context, in *api.UpdateAccessKeyInput) (*api.UpdateAccessKeyOutput, error) {
	return &api.UpdateAccessKeyOutput{}, s.store.Update(func(tx *state.Tx) error {
		k, err := s.ownKey(tx, *in.AccessKeyId, in.UserName)
		if err != nil {
			return err
		}
		k.Status = *in.Status
		return accessKeys.Put(tx, k.ID, k)
	})
}

// DeleteAccessKey implements the operation of that name.
func (s *Service) DeleteAccessKey(_ context.Context, in *api.DeleteAccessKeyInput) (*api.DeleteAccessKeyOutput, error) {
	return &api.DeleteAccessKeyOutput{}, s.store.Update(func(tx *state.Tx) error {
		k, err := s.ownKey(tx, *in.AccessKeyId, in.UserName)
		if err != nil {
			return err
		}
		return accessKeys.Delete(tx, k.ID)
	})
}
