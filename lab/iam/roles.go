package iam

import (
	"context"
	"strings"
	"time"

	api "storefront/lab/api/iam"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// role is one role with everything that hangs on it.
type role struct {
	holder
	ID, Name, Path, ARN, Description, Trust string
	MaxSession                              int64 // seconds
	Created                                 time.Time
	Tags                                    map[string]string
	ServiceLinked                           string // the service, such as "autoscaling.amazonaws.com"
}

var roles = state.NewTable[role]("iam.role") // by name

func findRole(tx *state.Tx, name string) (role, error) {
	r, ok, err := roles.Get(tx, name)
	if err == nil && !ok {
		err = noSuchEntity("The role with name %s cannot be found.", name)
	}
	return r, err
}

// changeRole edits a role that is not service-linked.
func (s *Service) changeRole(name string, edit func(*state.Tx, *role) error) error {
	return s.annotateRole(name, func(tx *state.Tx, r *role) error {
		if r.ServiceLinked != "" {
			return protected(*r)
		}
		return edit(tx, r)
	})
}

// annotateRole edits what service-linked roles have of their owner's too: tags ("TagRole").
func (s *Service) annotateRole(name string, edit func(*state.Tx, *role) error) error {
	return s.store.Update(func(tx *state.Tx) error {
		r, err := findRole(tx, name)
		if err != nil {
			return err
		}
		if err := edit(tx, &r); err != nil {
			return err
		}
		return roles.Put(tx, name, r)
	})
}

func protected(r role) error {
	return wire.Errorf(400, "UnmodifiableEntity", "Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS", r.Name)
}

// CreateRole implements the operation of that name.
func (s *Service) CreateRole(_ context.Context, in *api.CreateRoleInput) (*api.CreateRoleOutput, error) {
	path, err := checkName("roleName", *in.RoleName, in.Path)
	if err != nil {
		return nil, err
	}
	r := role{Name: *in.RoleName, Path: path, Description: wire.Value(in.Description), Trust: *in.AssumeRolePolicyDocument, holder: holder{Boundary: wire.Value(in.PermissionsBoundary)}, MaxSession: 3600, Tags: tagMap(in.Tags)}
	if in.MaxSessionDuration != nil {
		r.MaxSession = *in.MaxSessionDuration
	}
	err = s.store.Update(func(tx *state.Tx) error { return s.createRole(tx, &r) })
	if err != nil {
		return nil, err
	}
	return &api.CreateRoleOutput{Role: r.describe()}, nil
}

func (s *Service) createRole(tx *state.Tx, r *role) error {
	if _, ok, err := roles.Get(tx, r.Name); err != nil {
		return err
	} else if ok {
		return alreadyExists("Role with name %s already exists.", r.Name)
	}
	if err := s.trust(tx, r.Trust); err != nil {
		return err
	}
	if r.Boundary != "" {
		if _, err := s.findPolicy(tx, r.Boundary); err != nil {
			return err
		}
	}
	id, err := newID(tx, "AROA")
	if err != nil {
		return err
	}
	r.ID, r.ARN, r.Created = id, s.arn("role", r.Path, r.Name), s.now().UTC().Truncate(time.Second)
	return roles.Put(tx, r.Name, *r)
}

func (r role) describe() *api.Role {
	d := &api.Role{Arn: new(r.ARN), RoleId: new(r.ID), RoleName: new(r.Name), Path: new(r.Path), CreateDate: new(r.Created), AssumeRolePolicyDocument: escaped(r.Trust),
		Description: wire.Optional(r.Description), MaxSessionDuration: new(r.MaxSession), RoleLastUsed: &api.RoleLastUsed{}, PermissionsBoundary: r.boundary()}
	if len(r.Tags) > 0 {
		d.Tags = tagList(r.Tags)
	}
	return d
}

// GetRole implements the operation of that name.
func (s *Service) GetRole(_ context.Context, in *api.GetRoleInput) (*api.GetRoleOutput, error) {
	out := &api.GetRoleOutput{}
	return out, s.store.View(func(tx *state.Tx) error {
		r, err := findRole(tx, *in.RoleName)
		out.Role = r.describe()
		return err
	})
}

// ListRoles implements the operation of that name.
func (s *Service) ListRoles(_ context.Context, in *api.ListRolesInput) (*api.ListRolesOutput, error) {
	out := &api.ListRolesOutput{Roles: []api.Role{}}
	return out, s.store.View(func(tx *state.Tx) error {
		below := state.Where(roles.All(tx), func(r role) bool { return strings.HasPrefix(r.Path, wire.Value(in.PathPrefix)) })
		items, next := state.Page(below, wire.Value(in.Marker), pageSize(in.MaxItems))
		for _, r := range items {
			d := r.describe()
			d.Tags, d.RoleLastUsed = nil, nil // as on AWS, lists leave them out
			out.Roles = append(out.Roles, *d)
		}
		out.Marker, out.IsTruncated = listed(next)
		return nil
	})
}

// UpdateRole implements the operation of that name.
func (s *Service) UpdateRole(_ context.Context, in *api.UpdateRoleInput) (*api.UpdateRoleOutput, error) {
	return &api.UpdateRoleOutput{}, s.changeRole(*in.RoleName, func(_ *state.Tx, r *role) error {
		if in.Description != nil {
			r.Description = *in.Description
		}
		if in.MaxSessionDuration != nil {
			r.MaxSession = *in.MaxSessionDuration
		}
		return nil
	})
}

// UpdateRoleDescription implements the operation of that name.
func (s *Service) UpdateRoleDescription(_ context.Context, in *api.UpdateRoleDescriptionInput) (*api.UpdateRoleDescriptionOutput, error) {
	out := &api.UpdateRoleDescriptionOutput{}
	return out, s.changeRole(*in.RoleName, func(_ *state.Tx, r *role) error {
		r.Description = *in.Description
		out.Role = r.describe()
		return nil
	})
}

// UpdateAssumeRolePolicy implements the operation of that name.
func (s *Service) UpdateAssumeRolePolicy(_ context.Context, in *api.UpdateAssumeRolePolicyInput) (*api.UpdateAssumeRolePolicyOutput, error) {
	return &api.UpdateAssumeRolePolicyOutput{}, s.changeRole(*in.RoleName, func(tx *state.Tx, r *role) error {
		r.Trust = *in.PolicyDocument
		return s.trust(tx, r.Trust)
	})
}

// DeleteRole implements the operation of that name.
func (s *Service) DeleteRole(_ context.Context, in *api.DeleteRoleInput) (*api.DeleteRoleOutput, error) {
	return &api.DeleteRoleOutput{}, s.store.Update(func(tx *state.Tx) error {
		r, err := findRole(tx, *in.RoleName)
		switch {
		case err != nil:
			return err
		case r.ServiceLinked != "":
			return protected(r)
		case r.deletable() != nil:
			return r.deletable()
		}
		for _, p := range profiles.All(tx) {
			if p.Role == r.Name {
				return deleteConflict("Cannot delete entity, must remove roles from instance profile first.")
			}
		}
		return roles.Delete(tx, r.Name)
	})
}

// PutRolePermissionsBoundary implements the operation of that name.
func (s *Service) PutRolePermissionsBoundary(_ context.Context, in *api.PutRolePermissionsBoundaryInput) (*api.PutRolePermissionsBoundaryOutput, error) {
	return &api.PutRolePermissionsBoundaryOutput{}, s.changeRole(*in.RoleName, func(tx *state.Tx, r *role) error {
		r.Boundary = *in.PermissionsBoundary
		_, err := s.findPolicy(tx, r.Boundary)
		return err
	})
}

// DeleteRolePermissionsBoundary implements the operation of that name.
func (s *Service) DeleteRolePermissionsBoundary(_ context.Context, in *api.DeleteRolePermissionsBoundaryInput) (*api.DeleteRolePermissionsBoundaryOutput, error) {
	return &api.DeleteRolePermissionsBoundaryOutput{}, s.changeRole(*in.RoleName, func(_ *state.Tx, r *role) error { r.Boundary = ""; return nil })
}

// TagRole implements the operation of that name.
func (s *Service) TagRole(_ context.Context, in *api.TagRoleInput) (*api.TagRoleOutput, error) {
	return &api.TagRoleOutput{}, s.annotateRole(*in.RoleName, func(_ *state.Tx, r *role) (err error) {
		r.Tags, err = putTags(r.Tags, in.Tags)
		return err
	})
}

// UntagRole implements the operation of that name.
func (s *Service) UntagRole(_ context.Context, in *api.UntagRoleInput) (*api.UntagRoleOutput, error) {
	return &api.UntagRoleOutput{}, s.annotateRole(*in.RoleName, func(_ *state.Tx, r *role) error {
		r.Tags = removeTags(r.Tags, in.TagKeys)
		return nil
	})
}

// ListRoleTags implements the operation of that name.
func (s *Service) ListRoleTags(_ context.Context, in *api.ListRoleTagsInput) (*api.ListRoleTagsOutput, error) {
	out := &api.ListRoleTagsOutput{IsTruncated: new(false)}
	return out, s.store.View(func(tx *state.Tx) error {
		r, err := findRole(tx, *in.RoleName)
		out.Tags = tagList(r.Tags)
		return err
	})
}
