package iam_test

import (
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	iamapi "storefront/lab/api/iam"
	lab "storefront/lab/iam"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire/wiretest"
)

const (
	trust  = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}`
	policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/a b+c/*"}]}`
)

func start(t *testing.T) (*iam.Client, *lab.Service, *state.Store) {
	t.Helper()
	store := wiretest.Must(state.Open(filepath.Join(t.TempDir(), "state")))
	t.Cleanup(func() { _ = store.Close() })
	service := lab.New(store, region.Default(), time.Now)
	return iam.NewFromConfig(wiretest.New(t, iamapi.New(service)).Config()), service, store
}

func newRole(t *testing.T, c *iam.Client, name string) *types.Role {
	t.Helper()
	return wiretest.Must(c.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: new(trust)})).Role
}

// plain undoes the URL encoding that IAM gives documents, as clients do.
func plain(t *testing.T, document *string) string {
	t.Helper()
	return wiretest.Must(url.QueryUnescape(*document))
}

func TestRoleReadsBackAsCreated(t *testing.T) {
	c, _, _ := start(t)
	ctx := t.Context()
	name := new("app")
	boundary := new("arn:aws:iam::aws:policy/AdministratorAccess")
	made := wiretest.Must(c.CreateRole(ctx, &iam.CreateRoleInput{RoleName: name, Path: new("/team/"), Description: new("d"), AssumeRolePolicyDocument: new(trust), MaxSessionDuration: new(int32(7200)),
		PermissionsBoundary: boundary, Tags: []types.Tag{{Key: new("a"), Value: new("1")}}})).Role
	r := wiretest.Must(c.GetRole(ctx, &iam.GetRoleInput{RoleName: name})).Role
	if *r.Arn != "arn:aws:iam::000000000000:role/team/app" || *r.RoleId != *made.RoleId || len(*r.RoleId) != 21 || *r.MaxSessionDuration != 7200 || *r.Description != "d" ||
		plain(t, r.AssumeRolePolicyDocument) != trust || *r.PermissionsBoundary.PermissionsBoundaryArn != *boundary || len(r.Tags) != 1 {
		t.Errorf("got %+v", r)
	}
	wiretest.Must(c.UpdateRole(ctx, &iam.UpdateRoleInput{RoleName: name, MaxSessionDuration: new(int32(3600))}))
	wiretest.Must(c.UpdateRoleDescription(ctx, &iam.UpdateRoleDescriptionInput{RoleName: name, Description: new("e")}))
	wiretest.Must(c.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: name, PolicyDocument: new(strings.Replace(trust, "ec2", "rds", 1))}))
	wiretest.Must(c.DeleteRolePermissionsBoundary(ctx, &iam.DeleteRolePermissionsBoundaryInput{RoleName: name}))
	wiretest.Must(c.TagRole(ctx, &iam.TagRoleInput{RoleName: name, Tags: []types.Tag{{Key: new("b"), Value: new("2")}}}))
	wiretest.Must(c.UntagRole(ctx, &iam.UntagRoleInput{RoleName: name, TagKeys: []string{"a"}}))
	r = wiretest.Must(c.GetRole(ctx, &iam.GetRoleInput{RoleName: name})).Role
	tags := wiretest.Must(c.ListRoleTags(ctx, &iam.ListRoleTagsInput{RoleName: name})).Tags
	if *r.MaxSessionDuration != 3600 || *r.Description != "e" || r.PermissionsBoundary != nil || !strings.Contains(plain(t, r.AssumeRolePolicyDocument), "rds") || len(tags) != 1 || *tags[0].Key != "b" {
		t.Errorf("got %+v with tags %v", r, tags)
	}
	wiretest.Must(c.PutRolePermissionsBoundary(ctx, &iam.PutRolePermissionsBoundaryInput{RoleName: name, PermissionsBoundary: boundary}))
	newRole(t, c, "other")
	first := wiretest.Must(c.ListRoles(ctx, &iam.ListRolesInput{MaxItems: new(int32(1))}))
	second := wiretest.Must(c.ListRoles(ctx, &iam.ListRolesInput{MaxItems: new(int32(1)), Marker: first.Marker}))
	if !first.IsTruncated || second.IsTruncated || *second.Roles[0].RoleName != "other" {
		t.Errorf("got pages %+v, %+v", first, second)
	}
	wiretest.Must(c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name}))
	_, err := c.GetRole(ctx, &iam.GetRoleInput{RoleName: name})
	wiretest.Refused(t, err, "NoSuchEntity", "The role with name app cannot be found.")
}

func TestRoleRefusals(t *testing.T) {
	c, _, _ := start(t)
	newRole(t, c, "taken")
	for name, tc := range map[string]struct{ role, trust, code, message string }{
		"taken":             {"taken", trust, "EntityAlreadyExists", "Role with name taken already exists."},
		"bad name":          {"a b", trust, "ValidationError", "roleName"},
		"no JSON":           {"r", "{", "MalformedPolicyDocument", "Syntax errors"},
		"misspelt element":  {"r", strings.Replace(trust, "Action", "Actions", 1), "MalformedPolicyDocument", ""},
		"wrong case":        {"r", strings.Replace(trust, "Effect", "effect", 1), "MalformedPolicyDocument", ""},
		"no principal":      {"r", strings.Replace(trust, `"Principal":{"Service":"ec2.amazonaws.com"},`, "", 1), "MalformedPolicyDocument", "must contain a principal"},
		"has resource":      {"r", strings.Replace(trust, `"Action"`, `"Resource":"*","Action"`, 1), "MalformedPolicyDocument", "Has prohibited field Resource"},
		"not sts":           {"r", strings.Replace(trust, "sts:AssumeRole", "s3:GetObject", 1), "MalformedPolicyDocument", "STS AssumeRole"},
		"missing principal": {"r", strings.Replace(trust, `"Service":"ec2.amazonaws.com"`, `"AWS":"arn:aws:iam::000000000000:role/none"`, 1), "MalformedPolicyDocument", "Invalid principal"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: &tc.role, AssumeRolePolicyDocument: &tc.trust})
			wiretest.Refused(t, err, tc.code, tc.message)
		})
	}
}

func TestRolePolicies(t *testing.T) {
	c, _, _ := start(t)
	ctx := t.Context()
	name := newRole(t, c, "app").RoleName
	put := func(document string) error {
		_, err := c.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: name, PolicyName: new("p"), PolicyDocument: &document})
		return err
	}
	if err := put(policy); err != nil {
		t.Fatal(err)
	}
	if got := wiretest.Must(c.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: name, PolicyName: new("p")})); plain(t, got.PolicyDocument) != policy {
		t.Errorf("got %q", *got.PolicyDocument)
	}
	wiretest.Refused(t, put(trust), "MalformedPolicyDocument", "should not specify a principal")
	wiretest.Refused(t, put(strings.Replace(policy, "arn:aws:s3:::b/a b+c/*", "bucket", 1)), "MalformedPolicyDocument", "must be in ARN format")
	wiretest.Refused(t, put(strings.Replace(policy, "a b", strings.Repeat("x", 10_240), 1)), "LimitExceeded", "10240")
	attach := func(arn string) error {
		_, err := c.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: name, PolicyArn: &arn})
		return err
	}
	ssm := "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
	if err := attach(ssm); err != nil {
		t.Fatal(err)
	}
	wiretest.Refused(t, attach("arn:aws:iam::aws:policy/Misspelt"), "NoSuchEntity", "does not exist or is not attachable")
	if a := wiretest.Must(c.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: name})).AttachedPolicies; len(a) != 1 || *a[0].PolicyName != "AmazonSSMManagedInstanceCore" {
		t.Errorf("got %v", a)
	}
	if e := wiretest.Must(c.ListEntitiesForPolicy(ctx, &iam.ListEntitiesForPolicyInput{PolicyArn: &ssm})).PolicyRoles; len(e) != 1 || *e[0].RoleName != "app" {
		t.Errorf("got %v", e)
	}
	_, err := c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name})
	wiretest.Refused(t, err, "DeleteConflict", "must detach all policies first")
	wiretest.Must(c.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: name, PolicyArn: &ssm}))
	_, err = c.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: name, PolicyArn: &ssm})
	wiretest.Refused(t, err, "NoSuchEntity", "was not found")
	_, err = c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name})
	wiretest.Refused(t, err, "DeleteConflict", "must delete policies first")
	if l := wiretest.Must(c.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: name})).PolicyNames; len(l) != 1 {
		t.Errorf("got %v", l)
	}
	wiretest.Must(c.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: new("p")}))
	_, err = c.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: name, PolicyName: new("p")})
	wiretest.Refused(t, err, "NoSuchEntity", "The role policy with name p cannot be found.")
}

func TestManagedPolicyVersions(t *testing.T) {
	c, _, _ := start(t)
	ctx := t.Context()
	made := wiretest.Must(c.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: new("p"), PolicyDocument: new(policy), Tags: []types.Tag{{Key: new("a"), Value: new("1")}}})).Policy
	_, err := c.CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: new("p"), PolicyDocument: new(policy)})
	wiretest.Refused(t, err, "EntityAlreadyExists", "A policy called p already exists.")
	version := func(document string) error {
		_, err := c.CreatePolicyVersion(ctx, &iam.CreatePolicyVersionInput{PolicyArn: made.Arn, PolicyDocument: &document, SetAsDefault: true})
		return err
	}
	for range 4 {
		if err := version(policy); err != nil {
			t.Fatal(err)
		}
	}
	wiretest.Refused(t, version(policy), "LimitExceeded", "up to 5 versions")
	wiretest.Refused(t, version(strings.Replace(policy, "a b", strings.Repeat("x", 6144), 1)), "LimitExceeded", "PolicySize: 6144")
	p := wiretest.Must(c.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: made.Arn})).Policy
	v := wiretest.Must(c.GetPolicyVersion(ctx, &iam.GetPolicyVersionInput{PolicyArn: made.Arn, VersionId: p.DefaultVersionId})).PolicyVersion
	if *p.DefaultVersionId != "v5" || plain(t, v.Document) != policy || !v.IsDefaultVersion {
		t.Errorf("got %+v, %+v", p, v)
	}
	_, err = c.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: made.Arn, VersionId: new("v5")})
	wiretest.Refused(t, err, "DeleteConflict", "default version")
	_, err = c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: made.Arn})
	wiretest.Refused(t, err, "DeleteConflict", "")
	wiretest.Must(c.SetDefaultPolicyVersion(ctx, &iam.SetDefaultPolicyVersionInput{PolicyArn: made.Arn, VersionId: new("v2")}))
	for _, id := range []string{"v1", "v3", "v4", "v5"} {
		wiretest.Must(c.DeletePolicyVersion(ctx, &iam.DeletePolicyVersionInput{PolicyArn: made.Arn, VersionId: &id}))
	}
	if l := wiretest.Must(c.ListPolicyVersions(ctx, &iam.ListPolicyVersionsInput{PolicyArn: made.Arn})).Versions; len(l) != 1 || *l[0].VersionId != "v2" {
		t.Errorf("got %v", l)
	}
	wiretest.Must(c.TagPolicy(ctx, &iam.TagPolicyInput{PolicyArn: made.Arn, Tags: []types.Tag{{Key: new("b"), Value: new("2")}}}))
	wiretest.Must(c.UntagPolicy(ctx, &iam.UntagPolicyInput{PolicyArn: made.Arn, TagKeys: []string{"a"}}))
	if tags := wiretest.Must(c.ListPolicyTags(ctx, &iam.ListPolicyTagsInput{PolicyArn: made.Arn})).Tags; len(tags) != 1 || *tags[0].Key != "b" {
		t.Errorf("got %v", tags)
	}
	if l := wiretest.Must(c.ListPolicies(ctx, &iam.ListPoliciesInput{Scope: types.PolicyScopeTypeLocal})).Policies; len(l) != 1 {
		t.Errorf("got %v", l)
	}
	wiretest.Must(c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: made.Arn}))
	_, err = c.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: made.Arn})
	wiretest.Refused(t, err, "NoSuchEntity", "")
	_, err = c.DeletePolicy(ctx, &iam.DeletePolicyInput{PolicyArn: new("arn:aws:iam::aws:policy/AdministratorAccess")})
	wiretest.Refused(t, err, "AccessDenied", "")
}

func TestInstanceProfiles(t *testing.T) {
	c, service, store := start(t)
	ctx := t.Context()
	name := new("web")
	role := newRole(t, c, "app").RoleName
	made := wiretest.Must(c.CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: name, Path: new("/x/")})).InstanceProfile
	_, err := c.CreateInstanceProfile(ctx, &iam.CreateInstanceProfileInput{InstanceProfileName: name})
	wiretest.Refused(t, err, "EntityAlreadyExists", "Instance Profile web already exists.")
	wiretest.Must(c.AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: name, RoleName: role}))
	_, err = c.AddRoleToInstanceProfile(ctx, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: name, RoleName: role})
	wiretest.Refused(t, err, "LimitExceeded", "")
	if p := wiretest.Must(c.GetInstanceProfile(ctx, &iam.GetInstanceProfileInput{InstanceProfileName: name})).InstanceProfile; len(p.Roles) != 1 || *p.Roles[0].RoleName != "app" {
		t.Errorf("got %+v", p)
	}
	_ = store.View(func(tx *state.Tx) error {
		for ref, want := range map[string]bool{"web": true, *made.Arn: true, "none": false, "arn:aws:iam::000000000000:instance-profile/web": false} {
			if p, ok := service.Profile(tx, ref); ok != want || ok && (p.ID != *made.InstanceProfileId || p.ARN != *made.Arn || p.Role != "app") {
				t.Errorf("%s: got %+v, %v", ref, p, ok)
			}
		}
		return nil
	})
	_, err = c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: role})
	wiretest.Refused(t, err, "DeleteConflict", "must remove roles from instance profile first")
	_, err = c.DeleteInstanceProfile(ctx, &iam.DeleteInstanceProfileInput{InstanceProfileName: name})
	wiretest.Refused(t, err, "DeleteConflict", "")
	if l := wiretest.Must(c.ListInstanceProfilesForRole(ctx, &iam.ListInstanceProfilesForRoleInput{RoleName: role})).InstanceProfiles; len(l) != 1 {
		t.Errorf("got %v", l)
	}
	wiretest.Must(c.RemoveRoleFromInstanceProfile(ctx, &iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: name, RoleName: role}))
	wiretest.Must(c.TagInstanceProfile(ctx, &iam.TagInstanceProfileInput{InstanceProfileName: name, Tags: []types.Tag{{Key: new("a"), Value: new("1")}, {Key: new("b"), Value: new("2")}}}))
	wiretest.Must(c.UntagInstanceProfile(ctx, &iam.UntagInstanceProfileInput{InstanceProfileName: name, TagKeys: []string{"a"}}))
	if tags := wiretest.Must(c.ListInstanceProfileTags(ctx, &iam.ListInstanceProfileTagsInput{InstanceProfileName: name})).Tags; len(tags) != 1 {
		t.Errorf("got %v", tags)
	}
	if l := wiretest.Must(c.ListInstanceProfiles(ctx, &iam.ListInstanceProfilesInput{PathPrefix: new("/x/")})).InstanceProfiles; len(l) != 1 {
		t.Errorf("got %v", l)
	}
	wiretest.Must(c.DeleteInstanceProfile(ctx, &iam.DeleteInstanceProfileInput{InstanceProfileName: name}))
}

func TestServiceLinkedRoles(t *testing.T) {
	c, _, _ := start(t)
	ctx := t.Context()
	create := func(service string) (*iam.CreateServiceLinkedRoleOutput, error) {
		return c.CreateServiceLinkedRole(ctx, &iam.CreateServiceLinkedRoleInput{AWSServiceName: &service})
	}
	r := wiretest.Must(create("autoscaling.amazonaws.com")).Role
	if *r.Arn != "arn:aws:iam::000000000000:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling" {
		t.Errorf("got %s", *r.Arn)
	}
	_, err := create("autoscaling.amazonaws.com")
	wiretest.Refused(t, err, "InvalidInput", "has been taken in this account")
	_, err = c.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: r.RoleName})
	wiretest.Refused(t, err, "UnmodifiableEntity", "only modifiable by AWS")
	wiretest.Must(c.TagRole(ctx, &iam.TagRoleInput{RoleName: r.RoleName, Tags: []types.Tag{{Key: new("a"), Value: new("1")}, {Key: new("b"), Value: new("2")}}}))
	wiretest.Must(c.UntagRole(ctx, &iam.UntagRoleInput{RoleName: r.RoleName, TagKeys: []string{"a"}}))
	if tags := wiretest.Must(c.ListRoleTags(ctx, &iam.ListRoleTagsInput{RoleName: r.RoleName})).Tags; len(tags) != 1 || *tags[0].Key != "b" {
		t.Errorf("tags of a service-linked role: %v", tags)
	}
	task := wiretest.Must(c.DeleteServiceLinkedRole(ctx, &iam.DeleteServiceLinkedRoleInput{RoleName: r.RoleName})).DeletionTaskId
	if s := wiretest.Must(c.GetServiceLinkedRoleDeletionStatus(ctx, &iam.GetServiceLinkedRoleDeletionStatusInput{DeletionTaskId: task})); s.Status != types.DeletionTaskStatusTypeSucceeded {
		t.Errorf("got %s", s.Status)
	}
}

func TestUsersAndKeys(t *testing.T) {
	c, _, _ := start(t)
	ctx := t.Context()
	name := new("ann")
	wiretest.Must(c.CreateUser(ctx, &iam.CreateUserInput{UserName: name}))
	_, err := c.CreateUser(ctx, &iam.CreateUserInput{UserName: name})
	wiretest.Refused(t, err, "EntityAlreadyExists", "User with name ann already exists.")
	k := wiretest.Must(c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name})).AccessKey
	wiretest.Must(c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name}))
	_, err = c.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name})
	wiretest.Refused(t, err, "LimitExceeded", "AccessKeysPerUser: 2")
	wiretest.Must(c.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{AccessKeyId: k.AccessKeyId, UserName: name, Status: types.StatusTypeInactive}))
	keys := wiretest.Must(c.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: name})).AccessKeyMetadata
	if len(keys) != 2 || keys[0].Status != types.StatusTypeInactive || len(*k.AccessKeyId) != 20 || len(*k.SecretAccessKey) != 40 {
		t.Errorf("got %v", keys)
	}
	_, err = c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: name})
	wiretest.Refused(t, err, "DeleteConflict", "must delete access keys first")
	for _, k := range keys {
		wiretest.Must(c.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{AccessKeyId: k.AccessKeyId, UserName: name}))
	}
	if l := wiretest.Must(c.ListUsers(ctx, nil)).Users; len(l) != 1 {
		t.Errorf("got %v", l)
	}
	if u := wiretest.Must(c.GetUser(ctx, &iam.GetUserInput{UserName: name})).User; *u.UserName != "ann" {
		t.Errorf("got %v", u)
	}
	wiretest.Must(c.DeleteUser(ctx, &iam.DeleteUserInput{UserName: name}))
	_, err = c.GetUser(ctx, &iam.GetUserInput{UserName: name})
	wiretest.Refused(t, err, "NoSuchEntity", "The user with name ann cannot be found.")
	if a := wiretest.Must(c.ListAccountAliases(ctx, nil)).AccountAliases; len(a) != 0 {
		t.Errorf("got %v", a)
	}
}

func FuzzParseDocument(f *testing.F) {
	for _, seed := range []string{trust, policy, `{"Statement":{"Effect":"Deny","NotAction":["a:b"],"Principal":"*","Condition":{"Bool":{"x":[true,1]}}}}`, `{"Statement":[null]}`, `null`, `[]`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := lab.ParseDocument(text)
		if err == nil && len(d.Statement) == 0 {
			t.Error("accepted a policy without statements")
		}
		if err != nil && lab.Reason(err) == "" {
			t.Error("refused without a reason")
		}
	})
}
