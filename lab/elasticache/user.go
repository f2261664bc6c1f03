package elasticache

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	api "storefront/lab/api/elasticache"
	"storefront/lab/redis"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// user is a user of role-based access control. Of passwords only what a server keeps is here.
type user struct {
	ID        string
	Name      string
	Access    string // access string, as given
	Passwords []string
}

const (
	active      = "active"
	defaultName = "default" // of the user that clients are who say nothing else
)

var (
	users           = state.NewTable[user]("elasticache.user")
	userIDPattern   = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)
	userNamePattern = regexp.MustCompile(`^[A-Za-z][!-~]{0,127}$`)
)

// findUser finds a user; the default one is always there.
func findUser(tx *state.Tx, id string) (user, error) {
	id = strings.ToLower(id)
	if id == defaultName {
		return user{ID: defaultName, Name: defaultName, Access: "on ~* +@all"}, nil
	}
	u, ok, err := users.Get(tx, id)
	if err == nil && !ok {
		err = missing("UserNotFound", "User %s not found.", id)
	}
	return u, err
}

// server is the user as servers have it.
func (u user) server() redis.User {
	list, _ := rules(u.Access) // checked when it was set
	if u.ID == defaultName {
		list = append(list, "&*")
	}
	return redis.User{Name: u.Name, Rules: append(list, secrets(u.Passwords)...)}
}

// secrets are the rules that let in with one of the passwords, or without any.
func secrets(digests []string) []string {
	if len(digests) == 0 {
		return []string{"nopass"}
	}
	var list []string
	for _, d := range digests {
		list = append(list, "#"+d)
	}
	return list
}

// authenticate takes over how a user proves who he is. given tells whether the request said so.
func (u *user) authenticate(passwords []string, none *bool, mode *api.AuthenticationMode) (given bool, err error) {
	without := wire.Value(none)
	if mode != nil {
		if len(passwords) > 0 || without {
			return false, invalidCombination("AuthenticationMode cannot be given together with Passwords or NoPasswordRequired.")
		}
		switch wire.Value(mode.Type) {
		case api.InputAuthenticationTypeIam:
			return false, unsupported("Authentication with IAM")
		case api.InputAuthenticationTypePassword:
			if passwords = mode.Passwords; len(passwords) == 0 {
				return false, invalidCombination("Passwords are required for the authentication type password.")
			}
		case api.InputAuthenticationTypeNoPasswordRequired:
			if without = true; len(mode.Passwords) > 0 {
				return false, invalidCombination("Passwords cannot be given for the authentication type no-password-required.")
			}
		default:
			return false, invalidValue("Invalid authentication type: %s", wire.Value(mode.Type))
		}
	}
	if without && len(passwords) > 0 {
		return false, invalidCombination("Passwords cannot be given together with NoPasswordRequired.")
	}
	if !without && len(passwords) == 0 {
		return false, nil
	}
	u.Passwords, err = digests(passwords)
	return true, err
}

// setAccess takes over an access string that Redis accepts.
func (s *Service) setAccess(ctx context.Context, u *user, access string) error {
	list, err := rules(access)
	if err != nil {
		return err
	}
	if err := s.Engine.CheckRules(ctx, list); errors.Is(err, redis.ErrRules) {
		return invalidValue("The access string is not valid: %v", err)
	} else if err != nil {
		return err
	}
	u.Access = access
	return nil
}

// CreateUser makes a user.
func (s *Service) CreateUser(ctx context.Context, in *api.CreateUserInput) (*api.CreateUserOutput, error) {
	u := user{ID: strings.ToLower(wire.Value(in.UserId)), Name: wire.Value(in.UserName)}
	if err := checkEngine(in.Engine); err != nil {
		return nil, err
	}
	if !userIDPattern.MatchString(u.ID) || !userNamePattern.MatchString(u.Name) {
		return nil, invalidValue("User IDs have 1 to 40 letters, digits and hyphens, user names 1 to 128 visible characters, and both begin with a letter.")
	}
	given, err := u.authenticate(in.Passwords, in.NoPasswordRequired, in.AuthenticationMode)
	if err != nil {
		return nil, err
	}
	if !given {
		return nil, invalidCombination("Either Passwords or NoPasswordRequired must be given.")
	}
	if err := s.setAccess(ctx, &u, wire.Value(in.AccessString)); err != nil {
		return nil, err
	}
	return state.Change(s.Store, func(tx *state.Tx, out *api.CreateUserOutput) error {
		if _, ok, err := users.Get(tx, u.ID); err != nil || ok || u.ID == defaultName {
			return orExists(err, "UserAlreadyExists", "User %s already exists.", u.ID)
		}
		if err := tag(tx, s.arn("user", u.ID), in.Tags); err != nil {
			return err
		}
		*out = api.CreateUserOutput(s.showUser(tx, u))
		return users.Put(tx, u.ID, u)
	})
}

// ModifyUser changes what a user may do, or how he proves who he is. Servers follow at once.
func (s *Service) ModifyUser(ctx context.Context, in *api.ModifyUserInput) (*api.ModifyUserOutput, error) {
	var changed user
	given, err := changed.authenticate(in.Passwords, in.NoPasswordRequired, in.AuthenticationMode)
	if err != nil {
		return nil, err
	}
	if in.AccessString != nil && in.AppendAccessString != nil {
		return nil, invalidCombination("AccessString and AppendAccessString cannot both be given.")
	}
	before, err := state.Read(s.Store, func(tx *state.Tx, u *user) (err error) { *u, err = findUser(tx, wire.Value(in.UserId)); return err })
	if err != nil {
		return nil, err
	}
	access := wire.Or(in.AccessString, strings.TrimSpace(before.Access+" "+wire.Value(in.AppendAccessString)))
	if err := s.setAccess(ctx, &changed, access); err != nil {
		return nil, err
	}
	return state.Change(s.Store, func(tx *state.Tx, out *api.ModifyUserOutput) error {
		u, err := findUser(tx, wire.Value(in.UserId))
		if err != nil {
			return err
		}
		if u.ID == defaultName {
			return invalidValue("The default user cannot be modified.")
		}
		if in.AccessString != nil || in.AppendAccessString != nil {
			u.Access = changed.Access
		}
		if given {
			u.Passwords = changed.Passwords
		}
		*out = api.ModifyUserOutput(s.showUser(tx, u))
		return users.Put(tx, u.ID, u)
	})
}

// DeleteUser deletes a user, and takes it out of its groups.
func (s *Service) DeleteUser(_ context.Context, in *api.DeleteUserInput) (*api.DeleteUserOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.DeleteUserOutput) error {
		u, err := findUser(tx, wire.Value(in.UserId))
		if err != nil {
			return err
		}
		if u.ID == defaultName {
			return invalidValue("The default user cannot be deleted.")
		}
		of := groupsOf(tx, u.ID)
		if u.Name == defaultName && len(of) > 0 {
			return fault("DefaultUserAssociatedToUserGroup", "User %s is the default user of the user group %s.", u.ID, of[0])
		}
		*out = api.DeleteUserOutput(s.showUser(tx, u))
		out.Status = new(deleting)
		for _, id := range of {
			g, err := findUserGroup(tx, id)
			if err != nil {
				return err
			}
			g.Users = slices.DeleteFunc(g.Users, func(member string) bool { return member == u.ID })
			if err := userGroups.Put(tx, g.ID, g); err != nil {
				return err
			}
		}
		if err := tags.Delete(tx, s.arn("user", u.ID)); err != nil {
			return err
		}
		return users.Delete(tx, u.ID)
	})
}

// DescribeUsers lists the users, or one by its ID.
func (s *Service) DescribeUsers(_ context.Context, in *api.DescribeUsersInput) (*api.DescribeUsersOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeUsersOutput) (err error) {
		if len(in.Filters) > 0 {
			return unsupported("Filtering users")
		}
		builtin, err := findUser(tx, defaultName)
		if err != nil {
			return err
		}
		list := []user{builtin}
		for _, u := range users.All(tx) {
			list = append(list, u)
		}
		slices.SortFunc(list, func(a, b user) int { return strings.Compare(a.ID, b.ID) })
		if in.UserId != nil {
			u, err := findUser(tx, *in.UserId)
			if err != nil {
				return err
			}
			list = []user{u}
		}
		if list, out.Marker, err = page(list, func(u user) string { return u.ID }, in.Marker, in.MaxRecords); err != nil {
			return err
		}
		out.Users = []api.User{}
		for _, u := range list {
			out.Users = append(out.Users, api.User(s.showUser(tx, u)))
		}
		return nil
	})
}

func (s *Service) showUser(tx *state.Tx, u user) api.CreateUserOutput {
	kind := api.AuthenticationTypePassword
	if len(u.Passwords) == 0 {
		kind = api.AuthenticationTypeNoPassword
	}
	out := api.CreateUserOutput{
		ARN: new(s.arn("user", u.ID)), UserId: &u.ID, UserName: &u.Name, Status: new(active), Engine: new(engineName), MinimumEngineVersion: new("6.0"), AccessString: &u.Access,
		Authentication: &api.Authentication{Type: &kind}, UserGroupIds: groupsOf(tx, u.ID),
	}
	if n := int64(len(u.Passwords)); n > 0 {
		out.Authentication.PasswordCount = &n
	}
	return out
}
