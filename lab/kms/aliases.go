package kms

import (
	"cmp"
	"context"
	"strings"

	api "storefront/lab/api/kms"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// CreateAlias implements the operation of that name.
func (s *Service) CreateAlias(_ context.Context, in *api.CreateAliasInput) (*api.CreateAliasOutput, error) {
	name := *in.AliasName
	if err := checkAlias(name); err != nil {
		return nil, err
	}
	return &api.CreateAliasOutput{}, s.store.Update(func(tx *state.Tx) error {
		if _, ok, err := aliases.Get(tx, name); ok || err != nil {
			return cmp.Or[error](err, wire.Errorf(400, "AlreadyExistsException", "An alias with the name %s already exists", s.region.ARN("kms", name)))
		}
		k, err := s.target(tx, *in.TargetKeyId)
		if err != nil {
			return err
		}
		now := s.now().UTC()
		return aliases.Put(tx, name, alias{KeyID: k.ID, Created: now, Updated: now})
	})
}

// UpdateAlias implements the operation of that name.
func (s *Service) UpdateAlias(_ context.Context, in *api.UpdateAliasInput) (*api.UpdateAliasOutput, error) {
	name := *in.AliasName
	if err := checkAlias(name); err != nil {
		return nil, err
	}
	return &api.UpdateAliasOutput{}, s.store.Update(func(tx *state.Tx) error {
		a, ok, err := aliases.Get(tx, name)
		if !ok || err != nil {
			return cmp.Or[error](err, notFound("Alias %s is not found.", s.region.ARN("kms", name)))
		}
		k, err := s.target(tx, *in.TargetKeyId)
		if err != nil {
			return err
		}
		a.KeyID, a.Updated = k.ID, s.now().UTC()
		return aliases.Put(tx, name, a)
	})
}

// DeleteAlias implements the operation of that name.
func (s *Service) DeleteAlias(_ context.Context, in *api.DeleteAliasInput) (*api.DeleteAliasOutput, error) {
	name := *in.AliasName
	if err := checkAlias(name); err != nil {
		return nil, err
	}
	return &api.DeleteAliasOutput{}, s.store.Update(func(tx *state.Tx) error {
		if _, ok, err := aliases.Get(tx, name); !ok || err != nil {
			return cmp.Or[error](err, notFound("Alias %s is not found.", s.region.ARN("kms", name)))
		}
		return aliases.Delete(tx, name)
	})
}

// ListAliases implements the operation of that name.
func (s *Service) ListAliases(_ context.Context, in *api.ListAliasesInput) (*api.ListAliasesOutput, error) {
	out := &api.ListAliasesOutput{Aliases: []api.AliasListEntry{}}
	err := s.store.Update(func(tx *state.Tx) error {
		var only string
		if in.KeyId != nil {
			k, err := s.find(tx, *in.KeyId)
			if err != nil {
				return err
			}
			only = k.ID
		}
		for name, a := range aliases.All(tx) {
			if only == "" || a.KeyID == only {
				out.Aliases = append(out.Aliases, api.AliasListEntry{AliasName: new(name), AliasArn: new(s.region.ARN("kms", name)), TargetKeyId: new(a.KeyID),
					CreationDate: new(a.Created), LastUpdatedDate: new(a.Updated)})
			}
		}
		return nil
	})
	out.Truncated = new(false)
	return out, err
}

func (s *Service) target(tx *state.Tx, ref string) (key, error) {
	if strings.Contains(ref, "alias/") {
		return key{}, validation("Aliases must refer to keys. Not aliases")
	}
	k, err := s.find(tx, ref)
	if err == nil && k.State == pendingDeletion {
		err = pending(k)
	}
	return k, err
}

func checkAlias(name string) error {
	switch {
	case !strings.HasPrefix(name, "alias/") || len(name) == len("alias/"):
		return validation("Alias must start with the prefix \"alias/\". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html")
	case strings.HasPrefix(name, "alias/aws/"):
		return wire.Errorf(400, "NotAuthorizedException", "Aliases that begin with alias/aws/ are reserved for AWS.")
	}
	for _, r := range name {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/_-", r)) {
			return wire.Errorf(400, "InvalidAliasNameException", "%s contains invalid characters for an alias", name)
		}
	}
	return nil
}
