package kms

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"storefront/lab/access"
	api "storefront/lab/api/kms"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// CreateGrant implements the operation of that name.
func (s *Service) CreateGrant(_ context.Context, in *api.CreateGrantInput) (*api.CreateGrantOutput, error) {
	g := grant{Name: wire.Value(in.Name), Grantee: *in.GranteePrincipal, Retiring: wire.Value(in.RetiringPrincipal), Operations: in.Operations, Created: s.now().UTC()}
	if c := in.Constraints; c != nil {
		g.ContextEquals, g.ContextSubset = c.EncryptionContextEquals, c.EncryptionContextSubset
	}
	err := s.store.Update(func(tx *state.Tx) error {
		k, err := s.usable(tx, *in.KeyId)
		if err != nil {
			return err
		}
		if g.ID, err = region.NewUUID(tx, "kms-grant"); err != nil {
			return err
		}
		g.KeyID, g.Token = k.ID, "lab-grant-token-"+g.ID
		return grants.Put(tx, k.ID+"/"+g.ID, g)
	})
	if err != nil {
		return nil, err
	}
	return &api.CreateGrantOutput{GrantId: new(g.ID), GrantToken: new(g.Token)}, nil
}

// statement is what a grant allows, as a statement of a key policy would: its operations for its grantee, with the encryption contexts that its constraints admit.
func (g grant) statement() access.Statement {
	st := access.Statement{Effect: "Allow", Principal: access.Principals{"AWS": {g.Grantee}}, Resource: access.Strings{"*"}, Condition: map[string]map[string]access.Strings{}}
	for _, operation := range g.Operations {
		st.Action = append(st.Action, "kms:"+operation)
	}
	equals := map[string]access.Strings{}
	for _, constraint := range []map[string]string{g.ContextEquals, g.ContextSubset} {
		for key, value := range constraint {
			equals[contextKey+key] = access.Strings{value}
		}
	}
	if len(equals) > 0 {
		st.Condition["StringEquals"] = equals
	}
	if len(g.ContextEquals) > 0 { // and no other keys
		st.Condition["ForAllValues:StringEquals"] = map[string]access.Strings{contextKey[:len(contextKey)-1] + "Keys": slices.Sorted(maps.Keys(g.ContextEquals))}
	}
	return st
}

// contextKey is the beginning of the condition keys for the pairs of an encryption context.
const contextKey = "kms:EncryptionContext:"

// ListGrants implements the operation of that name.
func (s *Service) ListGrants(_ context.Context, in *api.ListGrantsInput) (*api.ListGrantsOutput, error) {
	out := &api.ListGrantsOutput{Grants: []api.GrantListEntry{}, Truncated: new(false)}
	err := s.store.Update(func(tx *state.Tx) error {
		k, err := s.find(tx, *in.KeyId)
		if err != nil {
			return err
		}
		for _, g := range grants.WithPrefix(tx, k.ID+"/") {
			if (in.GrantId == nil || *in.GrantId == g.ID) && (in.GranteePrincipal == nil || *in.GranteePrincipal == g.Grantee) {
				out.Grants = append(out.Grants, s.entry(k, g))
			}
		}
		return nil
	})
	return out, err
}

func (s *Service) entry(k key, g grant) api.GrantListEntry {
	e := api.GrantListEntry{KeyId: new(k.ARN), GrantId: new(g.ID), GranteePrincipal: new(g.Grantee), Operations: g.Operations, CreationDate: new(g.Created),
		IssuingAccount: new(s.region.GlobalARN("iam", "root")), Name: new(g.Name)}
	if g.Retiring != "" {
		e.RetiringPrincipal = new(g.Retiring)
	}
	if g.ContextEquals != nil || g.ContextSubset != nil {
		e.Constraints = &api.GrantConstraints{EncryptionContextEquals: g.ContextEquals, EncryptionContextSubset: g.ContextSubset}
	}
	return e
}

// RevokeGrant implements the operation of that name.
func (s *Service) RevokeGrant(_ context.Context, in *api.RevokeGrantInput) (*api.RevokeGrantOutput, error) {
	return &api.RevokeGrantOutput{}, s.store.Update(func(tx *state.Tx) error {
		k, err := s.find(tx, *in.KeyId)
		if err != nil {
			return err
		}
		id := k.ID + "/" + *in.GrantId
		if _, ok, err := grants.Get(tx, id); !ok || err != nil {
			return cmp.Or[error](err, notFound("Grant ID %s is not found", *in.GrantId))
		}
		return grants.Delete(tx, id)
	})
}
