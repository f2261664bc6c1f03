package elasticache

import (
	"context"
	"slices"
	"strings"

	api "storefront/lab/api/elasticache"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// userGroup is the users that replication groups let in.
type userGroup struct {
	ID    string
	Users []string // IDs
}

const maxUsers = 100 // of a group

var userGroups = state.NewTable[userGroup]("elasticache.user-group")

func findUserGroup(tx *state.Tx, id string) (userGroup, error) {
	g, ok, err := userGroups.Get(tx, strings.ToLower(id))
	if err == nil && !ok {
		err = missing("UserGroupNotFound", "User group %s not found.", id)
	}
	return g, err
}

// groupsOf lists the groups that a user is in.
func groupsOf(tx *state.Tx, user string) []string {
	list := []string{}
	for _, g := range userGroups.All(tx) {
		if slices.Contains(g.Users, user) {
			list = append(list, g.ID)
		}
	}
	return list
}

// usedBy lists the replication groups that let the group's users in.
func (g userGroup) usedBy(tx *state.Tx) []string {
	list := []string{}
	for _, r := range groups.All(tx) {
		if r.UserGroup == g.ID {
			list = append(list, r.ID)
		}
	}
	return list
}

// members returns the group's users, and fails unless their names differ and one of them is the default user.
func (g userGroup) members(tx *state.Tx) ([]user, error) {
	if len(g.Users) > maxUsers {
		return nil, fault("UserQuotaExceeded", "A user group can have at most %d users.", maxUsers)
	}
	var list []user
	hasDefault := false
	for _, id := range g.Users {
		u, err := findUser(tx, id)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(list, func(o user) bool { return o.Name == u.Name }) {
			return nil, fault("DuplicateUserName", "The user name %s occurs more than once in the user group %s.", u.Name, g.ID)
		}
		hasDefault = hasDefault || u.Name == defaultName
		list = append(list, u)
	}
	if !hasDefault {
		return nil, fault("DefaultUserRequired", "User group needs to contain a user with the user name default.")
	}
	return list, nil
}

// CreateUserGroup makes a group of users, one of whom is named "default".
func (s *Service) CreateUserGroup(_ context.Context, in *api.CreateUserGroupInput) (*api.CreateUserGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.CreateUserGroupOutput) error {
		if err := checkEngine(in.Engine); err != nil {
			return err
		}
		id, err := identifier("UserGroupId", in.UserGroupId, 40)
		if err != nil {
			return err
		}
		if _, ok, err := userGroups.Get(tx, id); err != nil || ok {
			return orExists(err, "UserGroupAlreadyExists", "User group %s already exists.", id)
		}
		g := userGroup{ID: id, Users: in.UserIds}
		if _, err := g.members(tx); err != nil {
			return err
		}
		if err := tag(tx, s.arn("usergroup", id), in.Tags); err != nil {
			return err
		}
		*out = api.CreateUserGroupOutput(s.showUserGroup(tx, g))
		return userGroups.Put(tx, id, g)
	})
}

// ModifyUserGroup adds and removes users. Servers follow at once.
func (s *Service) ModifyUserGroup(_ context.Context, in *api.ModifyUserGroupInput) (*api.ModifyUserGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.ModifyUserGroupOutput) error {
		g, err := findUserGroup(tx, wire.Value(in.UserGroupId))
		if err != nil {
			return err
		}
		if len(in.UserIdsToAdd)+len(in.UserIdsToRemove) == 0 {
			return invalidCombination("Either UserIdsToAdd or UserIdsToRemove must be given.")
		}
		for _, id := range in.UserIdsToRemove {
			if !slices.Contains(g.Users, id) {
				return missing("UserNotFound", "User %s is not in the user group %s.", id, g.ID)
			}
		}
		for _, id := range in.UserIdsToAdd {
			if slices.Contains(g.Users, id) {
				return invalidValue("User %s is in the user group %s already.", id, g.ID)
			}
		}
		g.Users = append(slices.DeleteFunc(g.Users, func(id string) bool { return slices.Contains(in.UserIdsToRemove, id) }), in.UserIdsToAdd...)
		if _, err := g.members(tx); err != nil {
			return err
		}
		*out = api.ModifyUserGroupOutput(s.showUserGroup(tx, g))
		return userGroups.Put(tx, g.ID, g)
	})
}

// DeleteUserGroup deletes a group that no replication group uses.
func (s *Service) DeleteUserGroup(_ context.Context, in *api.DeleteUserGroupInput) (*api.DeleteUserGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.DeleteUserGroupOutput) error {
		g, err := findUserGroup(tx, wire.Value(in.UserGroupId))
		if err != nil {
			return err
		}
		if used := g.usedBy(tx); len(used) > 0 {
			return fault("InvalidUserGroupState", "User group %s is associated with the replication group %s.", g.ID, used[0])
		}
		*out = api.DeleteUserGroupOutput(s.showUserGroup(tx, g))
		out.Status = new(deleting)
		if err := tags.Delete(tx, s.arn("usergroup", g.ID)); err != nil {
			return err
		}
		return userGroups.Delete(tx, g.ID)
	})
}

// DescribeUserGroups lists the groups, or one by its ID.
func (s *Service) DescribeUserGroups(_ context.Context, in *api.DescribeUserGroupsInput) (*api.DescribeUserGroupsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeUserGroupsOutput) (err error) {
		list, err := oneOrAll(tx, in.UserGroupId, findUserGroup, userGroups.All(tx))
		if err != nil {
			return err
		}
		if list, out.Marker, err = page(list, func(g userGroup) string { return g.ID }, in.Marker, in.MaxRecords); err != nil {
			return err
		}
		out.UserGroups = []api.UserGroup{}
		for _, g := range list {
			out.UserGroups = append(out.UserGroups, api.UserGroup(s.showUserGroup(tx, g)))
		}
		return nil
	})
}

func (s *Service) showUserGroup(tx *state.Tx, g userGroup) api.CreateUserGroupOutput {
	return api.CreateUserGroupOutput{
		ARN: new(s.arn("usergroup", g.ID)), UserGroupId: &g.ID, Status: new(active), Engine: new(engineName), MinimumEngineVersion: new("6.0"), UserIds: g.Users, ReplicationGroups: g.usedBy(tx),
	}
}
