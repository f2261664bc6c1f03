package iam

import (
	"context"
	"maps"
	"slices"

	api "storefront/lab/api/iam"
	"storefront/lab/state"
)

// maxInlineUser is the sum of a user's inline policies in characters, white space not counted, from "IAM and AWS STS quotas".
const maxInlineUser = 2_048

// PutUserPolicy implements the operation of that name.
func (s *Service) PutUserPolicy(_ context.Context, in *api.PutUserPolicyInput) (*api.PutUserPolicyOutput, error) {
	if err := CheckPermissions(*in.PolicyDocument); err != nil {
		return nil, err
	}
	return &api.PutUserPolicyOutput{}, s.changeUser(*in.UserName, func(_ *state.Tx, u *user) error {
		return u.put("user "+u.Name, *in.PolicyName, *in.PolicyDocument, maxInlineUser)
	})
}

// GetUserPolicy implements the operation of that name.
func (s *Service) GetUserPolicy(_ context.Context, in *api.GetUserPolicyInput) (*api.GetUserPolicyOutput, error) {
	out := &api.GetUserPolicyOutput{UserName: in.UserName, PolicyName: in.PolicyName}
	return out, s.store.View(func(tx *state.Tx) error {
		u, err := findUser(tx, *in.UserName)
		if err != nil {
			return err
		}
		document, err := u.document("user", *in.PolicyName)
		out.PolicyDocument = escaped(document)
		return err
	})
}

// ListUserPolicies implements the operation of that name.
func (s *Service) ListUserPolicies(_ context.Context, in *api.ListUserPoliciesInput) (*api.ListUserPoliciesOutput, error) {
	out := &api.ListUserPoliciesOutput{IsTruncated: new(false)}
	return out, s.store.View(func(tx *state.Tx) error {
		u, err := findUser(tx, *in.UserName)
		out.PolicyNames = slices.Sorted(maps.Keys(u.Inline))
		return err
	})
}

// DeleteUserPolicy implements the operation of that name.
func (s *Service) DeleteUserPolicy(_ context.Context, in *api.DeleteUserPolicyInput) (*api.DeleteUserPolicyOutput, error) {
	return &api.DeleteUserPolicyOutput{}, s.changeUser(*in.UserName, func(_ *state.Tx, u *user) error {
		_, err := u.document("user", *in.PolicyName)
		delete(u.Inline, *in.PolicyName)
		return err
	})
}

// AttachUserPolicy implements the operation of that name.
func (s *Service) AttachUserPolicy(_ context.Context, in *api.AttachUserPolicyInput) (*api.AttachUserPolicyOutput, error) {
	return &api.AttachUserPolicyOutput{}, s.changeUser(*in.UserName, func(tx *state.Tx, u *user) error {
		if _, err := s.findPolicy(tx, *in.PolicyArn); err != nil {
			return err
		}
		return u.attach(*in.PolicyArn, "PoliciesPerUser")
	})
}

// DetachUserPolicy implements the operation of that name.
func (s *Service) DetachUserPolicy(_ context.Context, in *api.DetachUserPolicyInput) (*api.DetachUserPolicyOutput, error) {
	return &api.DetachUserPolicyOutput{}, s.changeUser(*in.UserName, func(_ *state.Tx, u *user) error { return u.detach(*in.PolicyArn) })
}

// ListAttachedUserPolicies implements the operation of that name.
func (s *Service) ListAttachedUserPolicies(_ context.Context, in *api.ListAttachedUserPoliciesInput) (*api.ListAttachedUserPoliciesOutput, error) {
	out := &api.ListAttachedUserPoliciesOutput{IsTruncated: new(false)}
	return out, s.store.View(func(tx *state.Tx) error {
		u, err := findUser(tx, *in.UserName)
		if err != nil {
			return err
		}
		out.AttachedPolicies, err = s.attached(tx, u.holder)
		return err
	})
}

// PutUserPermissionsBoundary implements the operation of that name.
func (s *Service) PutUserPermissionsBoundary(_ context.Context, in *api.PutUserPermissionsBoundaryInput) (*api.PutUserPermissionsBoundaryOutput, error) {
	return &api.PutUserPermissionsBoundaryOutput{}, s.changeUser(*in.UserName, func(tx *state.Tx, u *user) error {
		u.Boundary = *in.PermissionsBoundary
		_, err := s.findPolicy(tx, u.Boundary)
		return err
	})
}

// DeleteUserPermissionsBoundary implements the operation of that name.
func (s *Service) DeleteUserPermissionsBoundary(_ context.Context, in *api.DeleteUserPermissionsBoundaryInput) (*api.DeleteUserPermissionsBoundaryOutput, error) {
	return &api.DeleteUserPermissionsBoundaryOutput{}, s.changeUser(*in.UserName, func(_ *state.Tx, u *user) error { u.Boundary = ""; return nil })
}

// TagUser implements the operation of that name.
func (s *Service) TagUser(_ context.Context, in *api.TagUserInput) (*api.TagUserOutput, error) {
	return &api.TagUserOutput{}, s.changeUser(*in.UserName, func(_ *state.Tx, u *user) (err error) {
		u.Tags, err = putTags(u.Tags, in.Tags)
		return err
	})
}

// UntagUser implements the operation of that name.
func (s *Service) UntagUser(_ context.Context, in *api.UntagUserInput) (*api.UntagUserOutput, error) {
	return &api.UntagUserOutput{}, s.changeUser(*in.UserName, func(_ *state.Tx, u *user) error {
		u.Tags = removeTags(u.Tags, in.TagKeys)
		return nil
	})
}

// ListGroupsForUser implements the operation of that name: there are no groups. The AWS provider asks before it deletes a user.
func (s *Service) ListGroupsForUser(_ context.Context, in *api.ListGroupsForUserInput) (*api.ListGroupsForUserOutput, error) {
	out := &api.ListGroupsForUserOutput{Groups: []api.Group{}, IsTruncated: new(false)}
	return out, s.store.View(func(tx *state.Tx) error {
		_, err := findUser(tx, *in.UserName)
		return err
	})
}

// ListUserTags implements the operation of that name.
func (s *Service) ListUserTags(_ context.Context, in *api.ListUserTagsInput) (*api.ListUserTagsOutput, error) {
	out := &api.ListUserTagsOutput{IsTruncated: new(false)}
	return out, s.store.View(func(tx *state.Tx) error {
		u, err := findUser(tx, *in.UserName)
		out.Tags = tagList(u.Tags)
		return err
	})
}
