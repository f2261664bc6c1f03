package elasticache_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticache/types"

	"storefront/lab/redis"
)

func userRequest(id, name string) *elasticache.CreateUserInput {
	return &elasticache.CreateUserInput{UserId: &id, UserName: &name, Engine: new("REDIS"), AccessString: new("on ~app:* +@read"), Passwords: []string{token}}
}

func TestUsersOfAGroupReachTheServers(t *testing.T) {
	f := newFixture(t)
	shut := userRequest("shut", "default")
	shut.AccessString, shut.Passwords, shut.NoPasswordRequired = new("off +get ~keys*"), nil, new(true)
	for _, in := range []*elasticache.CreateUserInput{shut, userRequest("app", "app")} {
		out, err := f.CreateUser(t.Context(), in)
		f.must(err)
		if *out.Status != "active" || out.Authentication == nil {
			t.Errorf("got %+v", out)
		}
	}
	_, err := f.CreateUserGroup(t.Context(), &elasticache.CreateUserGroupInput{UserGroupId: new("team"), Engine: new("redis"), UserIds: []string{"app"}})
	f.refused(err, "DefaultUserRequired")
	_, err = f.CreateUserGroup(t.Context(), &elasticache.CreateUserGroupInput{UserGroupId: new("team"), Engine: new("redis"), UserIds: []string{"app", "shut"}})
	f.must(err)
	_, err = f.ModifyUserGroup(t.Context(), &elasticache.ModifyUserGroupInput{UserGroupId: new("team"), UserIdsToAdd: []string{"default"}})
	f.refused(err, "DuplicateUserName")
	in := request()
	in.AuthToken, in.UserGroupIds = nil, []string{"team"}
	_, err = f.CreateReplicationGroup(t.Context(), in)
	f.must(err)
	f.settle()
	if got := f.group().UserGroupIds; len(got) != 1 || got[0] != "team" {
		t.Errorf("user groups: %v", got)
	}
	rules := map[string]string{}
	for _, u := range f.declared().Users {
		rules[u.Name] = strings.Join(u.Rules, " ")
	}
	if rules["default"] != "off +get ~keys* nopass" || rules["app"] != "on ~app:* +@read #"+redis.Digest(token) {
		t.Errorf("the servers are told %v", rules)
	}
	_, err = f.ModifyUser(t.Context(), &elasticache.ModifyUserInput{UserId: new("app"), AppendAccessString: new("-get")})
	f.must(err)
	if u := f.declared().Users; !strings.Contains(strings.Join(u[0].Rules, " ")+strings.Join(u[1].Rules, " "), "+@read -get") {
		t.Errorf("after the change the servers are told %v", u)
	}
	_, err = f.DeleteUserGroup(t.Context(), &elasticache.DeleteUserGroupInput{UserGroupId: new("team")})
	f.refused(err, "InvalidUserGroupState")
	_, err = f.DeleteUser(t.Context(), &elasticache.DeleteUserInput{UserId: new("shut")})
	f.refused(err, "DefaultUserAssociatedToUserGroup")
	_, err = f.DeleteUser(t.Context(), &elasticache.DeleteUserInput{UserId: new("app")})
	f.must(err)
	out, err := f.DescribeUserGroups(t.Context(), &elasticache.DescribeUserGroupsInput{UserGroupId: new("team")})
	f.must(err)
	if g := out.UserGroups[0]; len(g.UserIds) != 1 || g.ReplicationGroups[0] != "shop" {
		t.Errorf("got %+v", g)
	}
}

func TestUserRefuses(t *testing.T) {
	f := newFixture(t)
	type in = elasticache.CreateUserInput
	const value, combination = "InvalidParameterValue", "InvalidParameterCombination"
	for name, c := range map[string]struct {
		code string
		edit func(*in)
	}{
		"a password in the access string": {value, func(i *in) { i.AccessString = new("on >secret ~* +@all") }},
		"nopass in the access string":     {value, func(i *in) { i.AccessString = new("on nopass ~* +@all") }},
		"a reset":                         {value, func(i *in) { i.AccessString = new("on reset +@all") }},
		"a selector":                      {value, func(i *in) { i.AccessString = new("on (+get ~a)") }},
		"an unknown command":              {value, func(i *in) { i.AccessString = new("on +nosuch") }},
		"IAM":                             {value, func(i *in) { i.Passwords, i.AuthenticationMode = nil, &types.AuthenticationMode{Type: "iam"} }},
		"a short password":                {value, func(i *in) { i.Passwords = []string{"short"} }},
		"three passwords":                 {value, func(i *in) { i.Passwords = []string{token, token + "1", token + "2"} }},
		"no password":                     {combination, func(i *in) { i.Passwords = nil }},
		"a password that is not required": {combination, func(i *in) { i.NoPasswordRequired = new(true) }},
		"two ways":                        {combination, func(i *in) { i.AuthenticationMode = &types.AuthenticationMode{Type: "no-password-required"} }},
		"the name of the default user":    {"UserAlreadyExists", func(i *in) { i.UserId = new("default") }},
		"valkey":                          {value, func(i *in) { i.Engine = new("valkey") }},
		"a name that the engine keeps":    {value, func(i *in) { i.UserName = new(".control") }},
	} {
		t.Run(name, func(t *testing.T) {
			i := userRequest("app", "app")
			c.edit(i)
			_, err := f.CreateUser(t.Context(), i)
			f.T = t
			f.refused(err, c.code)
		})
	}
}
