package iam

import (
	"context"
	"strings"
	"time"

	api "storefront/lab/api/iam"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// profile is one instance profile; it holds at most one role.
type profile struct {
	ID, Name, Path, ARN, Role string
	Created                   time.Time
	Tags                      map[string]string
}

var profiles = state.NewTable[profile]("iam.instance-profile") // by name

func findProfile(tx *state.Tx, name string) (profile, error) {
	p, ok, err := profiles.Get(tx, name)
	if err == nil && !ok {
		err = noSuchEntity("Instance Profile %s cannot be found.", name)
	}
	return p, err
}

func (s *Service) changeProfile(name string, edit func(*state.Tx, *profile) error) error {
	return s.store.Update(func(tx *state.Tx) error {
		p, err := findProfile(tx, name)
		if err != nil {
			return err
		}
		if err := edit(tx, &p); err != nil {
			return err
		}
		return profiles.Put(tx, name, p)
	})
}

func (p profile) describe(tx *state.Tx) (*api.InstanceProfile, error) {
	d := &api.InstanceProfile{Arn: new(p.ARN), InstanceProfileId: new(p.ID), InstanceProfileName: new(p.Name), Path: new(p.Path), CreateDate: new(p.Created), Roles: []api.Role{}}
	if len(p.Tags) > 0 {
		d.Tags = tagList(p.Tags)
	}
	if p.Role == "" {
		return d, nil
	}
	r, err := findRole(tx, p.Role)
	d.Roles = append(d.Roles, *r.describe())
	return d, err
}

// CreateInstanceProfile implements the operation of that name.
func (s *Service) CreateInstanceProfile(_ context.Context, in *api.CreateInstanceProfileInput) (*api.CreateInstanceProfileOutput, error) {
	path, err := checkName("instanceProfileName", *in.InstanceProfileName, in.Path)
	if err != nil {
		return nil, err
	}
	p := profile{Name: *in.InstanceProfileName, Path: path, ARN: s.arn("instance-profile", path, *in.InstanceProfileName), Created: s.now().UTC().Truncate(time.Second), Tags: tagMap(in.Tags)}
	out := &api.CreateInstanceProfileOutput{}
	return out, s.store.Update(func(tx *state.Tx) (err error) {
		if _, ok, err := profiles.Get(tx, p.Name); err != nil {
			return err
		} else if ok {
			return alreadyExists("Instance Profile %s already exists.", p.Name)
		}
		if p.ID, err = newID(tx, "AIPA"); err != nil {
			return err
		}
		if out.InstanceProfile, err = p.describe(tx); err != nil {
			return err
		}
		return profiles.Put(tx, p.Name, p)
	})
}

// GetInstanceProfile implements the operation of that name.
func (s *Service) GetInstanceProfile(_ context.Context, in *api.GetInstanceProfileInput) (*api.GetInstanceProfileOutput, error) {
	out := &api.GetInstanceProfileOutput{}
	return out, s.store.View(func(tx *state.Tx) error {
		p, err := findProfile(tx, *in.InstanceProfileName)
		if err != nil {
			return err
		}
		out.InstanceProfile, err = p.describe(tx)
		return err
	})
}

// ListInstanceProfiles implements the operation of that name.
func (s *Service) ListInstanceProfiles(_ context.Context, in *api.ListInstanceProfilesInput) (*api.ListInstanceProfilesOutput, error) {
	out := &api.ListInstanceProfilesOutput{InstanceProfiles: []api.InstanceProfile{}}
	return out, s.store.View(func(tx *state.Tx) (err error) {
		var next *string
		out.InstanceProfiles, next, err = s.pageProfiles(tx, wire.Value(in.Marker), in.MaxItems, func(p profile) bool { return strings.HasPrefix(p.Path, wire.Value(in.PathPrefix)) })
		out.Marker, out.IsTruncated = listed(next)
		return err
	})
}

// ListInstanceProfilesForRole implements the operation of that name.
func (s *Service) ListInstanceProfilesForRole(_ context.Context, in *api.ListInstanceProfilesForRoleInput) (*api.ListInstanceProfilesForRoleOutput, error) {
	out := &api.ListInstanceProfilesForRoleOutput{}
	return out, s.store.View(func(tx *state.Tx) error {
		if _, err := findRole(tx, *in.RoleName); err != nil {
			return err
		}
		items, next, err := s.pageProfiles(tx, wire.Value(in.Marker), in.MaxItems, func(p profile) bool { return p.Role == *in.RoleName })
		out.InstanceProfiles = items
		out.Marker, out.IsTruncated = listed(next)
		return err
	})
}

func (s *Service) pageProfiles(tx *state.Tx, marker string, maxItems *int64, want func(profile) bool) (out []api.InstanceProfile, next *string, err error) {
	items, next := state.Page(state.Where(profiles.All(tx), want), marker, pageSize(maxItems))
	out = []api.InstanceProfile{}
	for _, p := range items {
		d, err := p.describe(tx)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, *d)
	}
	return out, next, nil
}

// DeleteInstanceProfile implements the operation of that name.
func (s *Service) DeleteInstanceProfile(_ context.Context, in *api.DeleteInstanceProfileInput) (*api.DeleteInstanceProfileOutput, error) {
	return &api.DeleteInstanceProfileOutput{}, s.store.Update(func(tx *state.Tx) error {
		p, err := findProfile(tx, *in.InstanceProfileName)
		if err != nil {
			return err
		}
		if p.Role != "" {
			return deleteConflict("Cannot delete entity, must remove roles from instance profile first.")
		}
		return profiles.Delete(tx, p.Name)
	})
}

// AddRoleToInstanceProfile implements the operation of that name.
func (s *Service) AddRoleToInstanceProfile(_ context.Context, in *api.AddRoleToInstanceProfileInput) (*api.AddRoleToInstanceProfileOutput, error) {
	return &api.AddRoleToInstanceProfileOutput{}, s.changeProfile(*in.InstanceProfileName, func(tx *state.Tx, p *profile) error {
		if _, err := findRole(tx, *in.RoleName); err != nil {
			return err
		}
		if p.Role != "" {
			return wire.Errorf(409, "LimitExceeded", "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1")
		}
		p.Role = *in.RoleName
		return nil
	})
}

// RemoveRoleFromInstanceProfile implements the operation of that name.
func (s *Service) RemoveRoleFromInstanceProfile(_ context.Context, in *api.RemoveRoleFromInstanceProfileInput) (*api.RemoveRoleFromInstanceProfileOutput, error) {
	return &api.RemoveRoleFromInstanceProfileOutput{}, s.changeProfile(*in.InstanceProfileName, func(_ *state.Tx, p *profile) error {
		if p.Role != *in.RoleName {
			return noSuchEntity("The role with name %s cannot be found.", *in.RoleName)
		}
		p.Role = ""
		return nil
	})
}

// TagInstanceProfile implements the operation of that name.
func (s *Service) TagInstanceProfile(_ context.Context, in *api.TagInstanceProfileInput) (*api.TagInstanceProfileOutput, error) {
	return &api.TagInstanceProfileOutput{}, s.changeProfile(*in.InstanceProfileName, func(_ *state.Tx, p *profile) (err error) {
		p.Tags, err = putTags(p.Tags, in.Tags)
		return err
	})
}

// UntagInstanceProfile implements the operation of that name.
func (s *Service) UntagInstanceProfile(_ context.Context, in *api.UntagInstanceProfileInput) (*api.UntagInstanceProfileOutput, error) {
	return &api.UntagInstanceProfileOutput{}, s.changeProfile(*in.InstanceProfileName, func(_ *state.Tx, p *profile) error {
		p.Tags = removeTags(p.Tags, in.TagKeys)
		return nil
	})
}

// ListInstanceProfileTags implements the operation of that name.
func (s *Service) ListInstanceProfileTags(_ context.Context, in *api.ListInstanceProfileTagsInput) (*api.ListInstanceProfileTagsOutput, error) {
	out := &api.ListInstanceProfileTagsOutput{IsTruncated: new(false)}
	return out, s.store.View(func(tx *state.Tx) error {
		p, err := findProfile(tx, *in.InstanceProfileName)
		out.Tags = tagList(p.Tags)
		return err
	})
}

// Profile is what EC2 needs to know of an instance profile.
type Profile struct {
	ARN  string
	ID   string // "AIPA..."
	Role string // name of the role that instances run as, or ""
}

// Profile finds an instance profile by its name or its ARN, and whether there is one.
func (s *Service) Profile(tx *state.Tx, nameOrARN string) (Profile, bool) {
	p, ok, err := profiles.Get(tx, nameOrARN[strings.LastIndexByte(nameOrARN, '/')+1:])
	if err != nil || !ok || strings.Contains(nameOrARN, "/") && nameOrARN != p.ARN {
		return Profile{}, false
	}
	return Profile{ARN: p.ARN, ID: p.ID, Role: p.Role}, true
}
