package iam

import (
	"context"
	"maps"
	"slices"

	api "storefront/lab/api/iam"
	"storefront/lab/state"
)

// maxInline is the sum of a role's inline policies in characters, white space not counted, from "IAM and AWS STS quotas".
const maxInline = 10_240

// PutRolePolicy implements the operation of that name.
func (s *Service) PutRolePolicy(_ context.Context, in *api.PutRolePolicyInput) (*api.PutRolePolicyOutput, error) {
	if err := CheckPermissions(*in.PolicyDocument); err != nil {
		return nil, err
	}
	return &api.PutRolePolicyOutput{}, s.changeRole(*in.RoleName, func(_ *state.Tx, r *role) error {
		return r.put("role "+r.Name, *in.PolicyName, *in.PolicyDocument, maxInline)
	})
}

// GetRolePolicy implements the operation of that name.
func (s *Service) GetRolePolicy(_ context.Context, in *api.GetRolePolicyInput) (*api.GetRolePolicyOutput, error) {
	out := &api.GetRolePolicyOutput{RoleName: in.RoleName, PolicyName: in.PolicyName}
	return out, s.store.View(func(tx *state.Tx) error {
		r, err := findRole(tx, *in.RoleName)
		if err != nil {
			return err
		}
		document, err := r.document("role", *in.PolicyName)
		out.PolicyDocument = escaped(document)
		return err
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
		_, err := r.document("role", *in.PolicyName)
		delete(r.Inline, *in.PolicyName)
		return err
	})
}

// AttachRolePolicy implements the operation of that name.
func (s *Service) AttachRolePolicy(_ context.Context, in *api.AttachRolePolicyInput) (*api.AttachRolePolicyOutput, error) {
	return &api.AttachRolePolicyOutput{}, s.changeRole(*in.RoleName, func(tx *state.Tx, r *role) error {
		if _, err := s.findPolicy(tx, *in.PolicyArn); err != nil {
			return err
		}
		return r.attach(*in.PolicyArn, "PoliciesPerRole")
	})
}

// DetachRolePolicy implements the operation of that name.
func (s *Service) DetachRolePolicy(_ context.Context, in *api.DetachRolePolicyInput) (*api.DetachRolePolicyOutput, error) {
	return &api.DetachRolePolicyOutput{}, s.changeRole(*in.RoleName, func(_ *state.Tx, r *role) error {
		return r.detach(*in.PolicyArn)
	})
}

// ListAttachedRolePolicies implements the operation of that name.
func (s *Service) ListAttachedRolePolicies(_ context.Context, in *api.ListAttachedRolePoliciesInput) (*api.ListAttachedRolePoliciesOutput, error) {
	out := &api.ListAttachedRolePoliciesOutput{IsTruncated: new(false)}
	return out, s.store.View(func(tx *state.Tx) error {
		r, err := findRole(tx, *in.RoleName)
		if err != nil {
			return err
		}
		out.AttachedPolicies, err = s.attached(tx, r.holder)
		return err
	})
}
