package iam

import (
	"context"
	"strings"
	"time"

	api "storefront/lab/api/iam"
	"storefront/lab/state"
	"storefront/lab/wire"
)

type user struct {
	holder
	ID, Name, Path, ARN string
	Created             time.Time
	Tags                map[string]string
}

var users = state.NewTable[user]("iam.user") // by name

func findUser(tx *state.Tx, name string) (user, error) {
	u, ok, err := users.Get(tx, name)
	if err == nil && !ok {
		err = noSuchUser(name)
	}
	return u, err
}

func noSuchUser(name string) error {
	return noSuchEntity("The user with name %s cannot be found.", name)
}

func (u user) describe() *api.User {
	d := &api.User{Arn: new(u.ARN), UserId: new(u.ID), UserName: new(u.Name), Path: new(u.Path), CreateDate: new(u.Created), PermissionsBoundary: u.boundary()}
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
		if in.PermissionsBoundary != nil {
			if _, err := s.findPolicy(tx, *in.PermissionsBoundary); err != nil {
				return err
			}
		}
		u, err = s.createUser(tx, user{Name: *in.UserName, Path: path, Tags: tagMap(in.Tags), holder: holder{Boundary: wire.Value(in.PermissionsBoundary)}})
		return err
	})
	if err != nil {
		return nil, err
	}
	return &api.CreateUserOutput{User: u.describe()}, nil
}

// createUser completes u with an ID and stores it.
func (s *Service) createUser(tx *state.Tx, u user) (user, error) {
	if _, ok, err := users.Get(tx, u.Name); err != nil {
		return user{}, err
	} else if ok {
		return user{}, alreadyExists("User with name %s already exists.", u.Name)
	}
	var err error
	if u.ID, err = newID(tx, "AIDA"); err != nil {
		return user{}, err
	}
	u.ARN, u.Created = s.arn("user", u.Path, u.Name), s.now().UTC().Truncate(time.Second)
	return u, users.Put(tx, u.Name, u)
}

// changeUser edits a user.
func (s *Service) changeUser(name string, edit func(*state.Tx, *user) error) error {
	return s.store.Update(func(tx *state.Tx) error {
		u, err := findUser(tx, name)
		if err != nil {
			return err
		}
		if err := edit(tx, &u); err != nil {
			return err
		}
		return users.Put(tx, name, u)
	})
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
		below := state.Where(users.All(tx), func(u user) bool { return strings.HasPrefix(u.Path, wire.Value(in.PathPrefix)) })
		items, next := state.Page(below, wire.Value(in.Marker), pageSize(in.MaxItems))
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
		if err := u.deletable(); err != nil {
			return err
		}
		return users.Delete(tx, u.Name)
	})
}

// ListAccountAliases implements the operation of that name; the lab's account has none.
func (s *Service) ListAccountAliases(context.Context, *api.ListAccountAliasesInput) (*api.ListAccountAliasesOutput, error) {
	return &api.ListAccountAliasesOutput{AccountAliases: []string{}, IsTruncated: new(false)}, nil
}
