package iam

import (
	"context"
	"maps"
	"slices"

	api "storefront/lab/api/iam"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// maxInline is the sum of a role's inline policies in characters, white space not counted, from "IAM and AWS STS quotas".
const maxInline = 10_240

// PutRolePolicy implements the operation of that name.
func (s *Service) PutRolePolicy(_ context.Context, in *api.PutRolePolicyInput) (*api.PutRolePolicyOutput, error) {
	if err := permissions(*in.PolicyDocument); err != nil {
		return nil, err
	}
	return &api.PutRolePolicyOutput{}, s.changeRole(*in.RoleName, func(_ *state.Tx, r *role) error {
		inline := maps.Clone(r.Inline)
		if inline == nil {
			inline = map[string]string{}
		}
		inline[*in.PolicyName] = *in.PolicyDocument
		size := 0
		for _, document := range inline {
			size += policySize(document)
		}
		if size > maxInline {
			return wire.Errorf(409, "LimitExceeded", "Maximum policy size of %d bytes exceeded for role %s", maxInline, r.Name)
		}
		r.Inline = inline
		return nil
	})
}

// policySize counts a document's characters as IAM does: without white space.
func policySize(document string) int {
	n := 0
	for _, c := range document {
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			n++
		}
	}
	return n
}

// GetRolePolicy implements the operation of that name.
func (s *Service) GetRolePolicy(_ context.Context, in *api.GetRolePolicyInput) (*api.GetRolePolicyOutput, error) {
	out := &api.GetRolePolicyOutput{RoleName: in.RoleName, PolicyName: in.PolicyName}
	return out, s.store.View(func(tx *state.Tx) error {
		r, err := findRole(tx, *in.RoleName)
		if err != nil {
			return err
		}
		document, ok := r.Inline[*in.PolicyName]
		if !ok {
			return noSuchEntity("The role policy with name %s cannot be found.", *in.PolicyName)
		}
		out.PolicyDocument = escaped(document)
		return nil
	})
}

// ListRolePolicies implements the operation of that name.
func (s *Service) ListRolePolicies(_ context.Context, in *api.ListRolePoliciesInput) (*api.ListRolePoliciesOutput, error) {
	out := &api.ListRolePoliciesOutput{IsTruncated: new(false)}
	return out, s.store.View(func(tx *state.Tx) error {
		r, err := findRole(tx, *in.RoleName)
		out.PolicyNames = slices.Sorted(maps.Keys(r.Inline))
		return err
	})
}

// DeleteRolePolicy implements the operation of that name.
func (s *Service) DeleteRolePolicy(_ context.Context, in *api.DeleteRolePolicyInput) (*api.DeleteRolePolicyOutput, error) {
	return &api.DeleteRolePolicyOutput{}, s.changeRole(*in.RoleName, func(_ *state.Tx, r *role) error {
		if _, ok := r.Inline[*in.PolicyName]; !ok {
			return noSuchEntity("The role policy with name %s cannot be found.", *in.PolicyName)
		}
		delete(r.Inline, *in.PolicyName)
		return nil
	})
}

// maxAttached is the default quota of managed policies on a role.
const maxAttached = 10

// AttachRolePolicy implements the operation of that name.
func (s *Service) AttachRolePolicy(_ context.Context, in *api.AttachRolePolicyInput) (*api.AttachRolePolicyOutput, error) {
	return &api.AttachRolePolicyOutput{}, s.changeRole(*in.RoleName, func(tx *state.Tx, r *role) error {
		if _, err := s.findPolicy(tx, *in.PolicyArn); err != nil {
			return err
		}
		if slices.Contains(r.Attached, *in.PolicyArn) {
			return nil
		}
		if len(r.Attached) >= maxAttached {
			return wire.Errorf(409, "LimitExceeded", "Cannot exceed quota for PoliciesPerRole: %d", maxAttached)
		}
		r.Attached = append(r.Attached, *in.PolicyArn)
		return nil
	})
}

// DetachRolePolicy implements the operation of that name.
func (s *Service) DetachRolePolicy(_ context.Context, in *api.DetachRolePolicyInput) (*api.DetachRolePolicyOutput, error) {
	return &api.DetachRolePolicyOutput{}, s.changeRole(*in.RoleName, func(_ *state.Tx, r *role) error {
		i := slices.Index(r.Attached, *in.PolicyArn)
		if i < 0 {
			return noSuchEntity("Policy %s was not found.", *in.PolicyArn)
		}
		r.Attached = slices.Delete(r.Attached, i, i+1)
		return nil
	})
}

// ListAttachedRolePolicies implements the operation of that name.
func (s *Service) ListAttachedRolePolicies(_ context.Context, in *api.ListAttachedRolePoliciesInput) (*api.ListAttachedRolePoliciesOutput, error) {
	out := &api.ListAttachedRolePoliciesOutput{AttachedPolicies: []api.AttachedPolicy{}, IsTruncated: new(false)}
	return out, s.store.View(func(tx *state.Tx) error {
		r, err := findRole(tx, *in.RoleName)
		if err != nil {
			return err
		}
		for _, arn := range r.Attached {
			p, err := s.findPolicy(tx, arn)
			if err != nil {
				return err
			}
			out.AttachedPolicies = append(out.AttachedPolicies, api.AttachedPolicy{PolicyArn: new(arn), PolicyName: new(p.Name)})
		}
		return nil
	})
}
