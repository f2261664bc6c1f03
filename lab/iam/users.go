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

type user struct {
	ID, Name, Path, ARN string
	Created             time.Time
	Tags                map[string]string
}

type accessKey struct {
	ID, Secret, User, Status string
	Created                  time.Time
}

var (
	users      = state.NewTable[user]("iam.user")
	accessKeys = state.NewTable[accessKey]("iam.access-key") // by ID
)

func findUser(tx *state.Tx, name string) (user, error) {
	u, ok, err := users.Get(tx, name)
	if err == nil && !ok {
		err = noSuchEntity("The user with name %s cannot be found.", name)
	}
	return u, err
}

func (u user) describe() *api.User {
	d := &api.User{Arn: new(u.ARN), UserId: new(u.ID), UserName: new(u.Name), Path: new(u.Path), CreateDate: new(u.Created)}
	if len(u.Tags) > 0 {
		d.Tags = tagList(u.Tags)
	}
	return d
}

// CreateUser implements the operation of that name.
func (s *Service) CreateUser(_ context.Context, in *api.CreateUserInput) (*api.CreateUserOutput, error) {
	path, err := checkName("userName", *in.UserName, in.Path)
	if err != nil {
		return nil, err
	}
	var u user
	err = s.store.Update(func(tx *state.Tx) error {
		u, err = s.createUser(tx, *in.UserName, path, tagMap(in.Tags))
		return err
	})
	if err != nil {
		return nil, err
	}
	return &api.CreateUserOutput{User: u.describe()}, nil
}

func (s *Service) createUser(tx *state.Tx, name, path string, tags map[string]string) (user, error) {
	if _, ok, err := users.Get(tx, name); err != nil {
		return user{}, err
	} else if ok {
		return user{}, alreadyExists("User with name %s already exists.", name)
	}
	id, err := newID(tx, "AIDA")
	if err != nil {
		return user{}, err
	}
	u := user{ID: id, Name: name, Path: path, ARN: s.arn("user", path, name), Created: s.now().UTC().Truncate(time.Second), Tags: tags}
	return u, users.Put(tx, name, u)
}

// GetUser implements the operation of that name; without a name it is the caller's.
func (s *Service) GetUser(ctx context.Context, in *api.GetUserInput) (*api.GetUserOutput, error) {
	out := &api.GetUserOutput{}
	return out, s.store.View(func(tx *state.Tx) error {
		name := wire.Value(in.UserName)
		if name == "" {
			k, ok, err := accessKeys.Get(tx, wire.Caller(ctx).AccessKeyID)
			if err != nil || !ok {
				return validation("Must specify userName when calling with non-User credentials")
			}
			name = k.User
		}
		u, err := findUser(tx, name)
		out.User = u.describe()
		return err
	})
}

// ListUsers implements the operation of that name.
func (s *Service) ListUsers(_ context.Context, in *api.ListUsersInput) (*api.ListUsersOutput, error) {
	out := &api.ListUsersOutput{Users: []api.User{}}
	return out, s.store.View(func(tx *state.Tx) error {
		items, next := state.Page(users.All(tx), wire.Value(in.Marker), pageSize(in.MaxItems))
		for _, u := range items {
			out.Users = append(out.Users, *u.describe())
		}
		out.Marker, out.IsTruncated = listed(next)
		return nil
	})
}

// DeleteUser implements the operation of that name.
func (s *Service) DeleteUser(_ context.Context, in *api.DeleteUserInput) (*api.DeleteUserOutput, error) {
	return &api.DeleteUserOutput{}, s.store.Update(func(tx *state.Tx) error {
		u, err := findUser(tx, *in.UserName)
		if err != nil {
			return err
		}
		for _, k := range accessKeys.All(tx) {
			if k.User == u.Name {
				return deleteConflict("Cannot delete entity, must delete access keys first.")
			}
		}
		return users.Delete(tx, u.Name)
	})
}

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

// ListAccountAliases implements the operation of that name; the lab's account has none.
func (s *Service) ListAccountAliases(context.Context, *api.ListAccountAliasesInput) (*api.ListAccountAliasesOutput, error) {
	return &api.ListAccountAliasesOutput{AccountAliases: []string{}, IsTruncated: new(false)}, nil
}
