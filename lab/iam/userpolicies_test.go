package iam_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"storefront/lab/state"
	"storefront/lab/wire/wiretest"
)

func TestPoliciesOfUsers(t *testing.T) {
	c, service, store := start(t)
	ctx, me, admin := t.Context(), new("me"), "arn:aws:iam::aws:policy/AdministratorAccess"
	wiretest.Must(c.CreateUser(ctx, &iam.CreateUserInput{UserName: me, Path: new("/team/"), PermissionsBoundary: &admin}))
	own := wiretest.Must(c.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: new("own"), PolicyDocument: new(policy)})).Policy
	wiretest.Must(c.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: me, PolicyName: new("inline"), PolicyDocument: new(policy)}))
	wiretest.Must(c.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: me, PolicyArn: own.Arn}))
	wiretest.Must(c.TagUser(ctx, &iam.TagUserInput{UserName: me, Tags: []types.Tag{{Key: new("team"), Value: new("shop")}}}))

	u := wiretest.Must(c.GetUser(ctx, &iam.GetUserInput{UserName: me})).User
	inline := wiretest.Must(c.GetUserPolicy(ctx, &iam.GetUserPolicyInput{UserName: me, PolicyName: new("inline")}))
	attached := wiretest.Must(c.ListAttachedUserPolicies(ctx, &iam.ListAttachedUserPoliciesInput{UserName: me})).AttachedPolicies
	names := wiretest.Must(c.ListUserPolicies(ctx, &iam.ListUserPoliciesInput{UserName: me})).PolicyNames
	tags := wiretest.Must(c.ListUserTags(ctx, &iam.ListUserTagsInput{UserName: me})).Tags
	if *u.PermissionsBoundary.PermissionsBoundaryArn != admin || plain(t, inline.PolicyDocument) != policy || len(attached) != 1 || *attached[0].PolicyName != "own" ||
		!slices.Equal(names, []string{"inline"}) || len(tags) != 1 {
		t.Errorf("got %+v with the policies %v, %v, and the tags %v", u, names, attached, tags)
	}
	entities := wiretest.Must(c.ListEntitiesForPolicy(ctx, &iam.ListEntitiesForPolicyInput{PolicyArn: own.Arn}))
	bounded := wiretest.Must(c.ListEntitiesForPolicy(ctx, &iam.ListEntitiesForPolicyInput{PolicyArn: &admin, PolicyUsageFilter: types.PolicyUsageTypePermissionsPolicy}))
	described := wiretest.Must(c.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: own.Arn})).Policy
	if len(entities.PolicyUsers) != 1 || *entities.PolicyUsers[0].UserName != "me" || len(bounded.PolicyUsers) != 0 || *described.AttachmentCount != 1 {
		t.Errorf("the policy is attached to %v (as a permissions policy: %v), %d times", entities.PolicyUsers, bounded.PolicyUsers, *described.AttachmentCount)
	}

	if err := store.View(func(tx *state.Tx) error {
		identity, boundary, role, err := service.Policies(tx, *u.Arn)
		if len(identity) != 2 || boundary == nil || role != "" {
			t.Errorf("%d policies, boundary %v, role %q", len(identity), boundary, role)
		}
		return err
	}); err != nil {
		t.Error(err)
	}

	_, err := c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: me})
	wiretest.Refused(t, err, "DeleteConflict", "must detach all policies first")
	wiretest.Must(c.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: me, PolicyArn: own.Arn}))
	_, err = c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: me})
	wiretest.Refused(t, err, "DeleteConflict", "must delete policies first")
	wiretest.Must(c.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: me, PolicyName: new("inline")}))
	wiretest.Must(c.DeleteUserPermissionsBoundary(ctx, &iam.DeleteUserPermissionsBoundaryInput{UserName: me}))
	wiretest.Must(c.UntagUser(ctx, &iam.UntagUserInput{UserName: me, TagKeys: []string{"team"}}))
	if u = wiretest.Must(c.GetUser(ctx, &iam.GetUserInput{UserName: me})).User; u.PermissionsBoundary != nil || len(u.Tags) != 0 {
		t.Errorf("got %+v", u)
	}
	wiretest.Must(c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: me}))
}

func TestUserPolicyRefusals(t *testing.T) {
	c, _, _ := start(t)
	ctx, me := t.Context(), new("me")
	wiretest.Must(c.CreateUser(ctx, &iam.CreateUserInput{UserName: me}))
	put := func(document string) error {
		_, err := c.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: me, PolicyName: new("p"), PolicyDocument: &document})
		return err
	}
	wiretest.Refused(t, put(trust), "MalformedPolicyDocument", "")
	wiretest.Refused(t, put(strings.Replace(policy, "a b", strings.Repeat("a", 2_100), 1)), "LimitExceeded", "Maximum policy size of 2048 bytes exceeded for user me")
	_, err := c.AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: me, PolicyArn: new("arn:aws:iam::aws:policy/NoSuchPolicy")})
	wiretest.Refused(t, err, "NoSuchEntity", "NoSuchPolicy")
	_, err = c.DetachUserPolicy(ctx, &iam.DetachUserPolicyInput{UserName: me, PolicyArn: new("arn:aws:iam::aws:policy/AdministratorAccess")})
	wiretest.Refused(t, err, "NoSuchEntity", "was not found")
	_, err = c.GetUserPolicy(ctx, &iam.GetUserPolicyInput{UserName: me, PolicyName: new("none")})
	wiretest.Refused(t, err, "NoSuchEntity", "The user policy with name none cannot be found.")
	_, err = c.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{UserName: me, PermissionsBoundary: new("arn:aws:iam::aws:policy/NoSuchPolicy")})
	wiretest.Refused(t, err, "NoSuchEntity", "NoSuchPolicy")
}

// The policies of sessions, of the account's root, and of who is gone.
func TestPoliciesByARN(t *testing.T) {
	c, service, store := start(t)
	ctx := t.Context()
	wiretest.Must(c.CreateRole(ctx, &iam.CreateRoleInput{RoleName: new("app"), Path: new("/team/"), AssumeRolePolicyDocument: new(trust)}))
	wiretest.Must(c.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: new("app"), PolicyName: new("p"), PolicyDocument: new(policy)}))
	type answer struct {
		Policies int
		Role     string
	}
	got := map[string]answer{}
	for name, arn := range map[string]string{"session": "arn:aws:sts::000000000000:assumed-role/app/i-1", "root": "arn:aws:iam::000000000000:root", "deleted user": "arn:aws:iam::000000000000:user/gone",
		"deleted role": "arn:aws:sts::000000000000:assumed-role/gone/i-1", "another account": "arn:aws:iam::111111111111:root"} {
		if err := store.View(func(tx *state.Tx) error {
			identity, _, role, err := service.Policies(tx, arn)
			got[name] = answer{len(identity), role}
			return err
		}); err != nil {
			t.Error(err)
		}
	}
	want := map[string]answer{"session": {1, "arn:aws:iam::000000000000:role/team/app"}, "root": {1, ""}, "deleted user": {}, "deleted role": {}, "another account": {}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("policies and roles (-want +got):\n%s", diff)
	}
}
