package iam

import (
	"slices"

	"storefront/lab/access"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Key is an access key with its owner.
type Key struct {
	ID, Secret string
	Identity   wire.Identity
	Active     bool
}

// AccessKey returns an access key of a user, and whether there is one.
func (s *Service) AccessKey(tx *state.Tx, id string) (Key, bool, error) {
	k, ok, err := accessKeys.Shared(tx, id)
	if err != nil || !ok {
		return Key{}, false, err
	}
	u, ok, err := users.Shared(tx, k.User)
	if err == nil && !ok {
		err = noSuchUser(k.User)
	}
	return Key{ID: k.ID, Secret: k.Secret, Active: k.Status == "Active", Identity: wire.Identity{Account: s.region.Account, ARN: u.ARN, UserID: u.ID, AccessKeyID: k.ID}}, true, err
}

// administrator is the policy of who may do everything.
const administrator = "arn:aws:iam::aws:policy/AdministratorAccess"

// Bootstrap returns the access key of the user with whom everything begins, and makes both on the first call: an administrator, who may attach policies to others.
func (s *Service) Bootstrap(tx *state.Tx, name string) (Key, error) {
	u, ok, err := users.Get(tx, name)
	if err == nil && !ok {
		u, err = s.createUser(tx, user{Name: name, Path: "/", Tags: map[string]string{}})
	}
	if err == nil && !slices.Contains(u.Attached, administrator) {
		u.Attached = append(u.Attached, administrator)
		err = users.Put(tx, name, u)
	}
	if err != nil {
		return Key{}, err
	}
	for id, k := range accessKeys.All(tx) {
		if k.User == name {
			found, _, err := s.AccessKey(tx, id)
			return found, err
		}
	}
	k, err := s.createAccessKey(tx, name)
	if err != nil {
		return Key{}, err
	}
	found, _, err := s.AccessKey(tx, k.ID)
	return found, err
}

// Role is what STS needs to know of a role.
type Role struct {
	ID, Name, ARN string
	Trust         access.Document
	MaxSession    int64 // seconds
}

// Role returns a role by name, with IAM's NoSuchEntity when there is none.
func (s *Service) Role(tx *state.Tx, name string) (Role, error) {
	r, err := findRole(tx, name)
	if err != nil {
		return Role{}, err
	}
	trust, err := ParseDocument(r.Trust)
	return Role{ID: r.ID, Name: r.Name, ARN: r.ARN, Trust: trust, MaxSession: r.MaxSession}, err
}
