package iam

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	api "storefront/lab/api/iam"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// policy is one managed policy.
type policy struct {
	ID, Name, Path, ARN, Description string
	Created, Updated                 time.Time
	Tags                             map[string]string
	Versions                         []policyVersion
	Next                             int    // number of the next version
	Default                          string // version ID
}

type policyVersion struct {
	ID, Document string
	Created      time.Time
}

var policies = state.NewTable[policy]("iam.policy") // by ARN

// Quotas of managed policies, from "IAM and AWS STS quotas".
const (
	maxPolicy   = 6_144 // characters, white space not counted
	maxVersions = 5
)

func (s *Service) findPolicy(tx *state.Tx, arn string) (policy, error) {
	if p, ok := managedPolicy(arn); ok {
		return p, nil
	}
	p, ok, err := policies.Get(tx, arn)
	if err == nil && !ok {
		err = noSuchEntity("Policy %s does not exist or is not attachable.", arn)
	}
	return p, err
}

// customers refuses to change an AWS managed policy.
func customers(arn string) error {
	if _, ok := managedPolicy(arn); ok {
		return wire.Errorf(403, "AccessDenied", "%s is an AWS managed policy, which customers cannot change.", arn)
	}
	return nil
}

func (s *Service) changePolicy(arn string, edit func(*state.Tx, *policy) error) error {
	return s.store.Update(func(tx *state.Tx) error {
		if err := customers(arn); err != nil {
			return err
		}
		p, err := s.findPolicy(tx, arn)
		if err != nil {
			return err
		}
		if err := edit(tx, &p); err != nil {
			return err
		}
		return policies.Put(tx, arn, p)
	})
}

func checkManaged(document string) error {
	if policySize(document) > maxPolicy {
		return wire.Errorf(409, "LimitExceeded", "Cannot exceed quota for PolicySize: %d", maxPolicy)
	}
	return CheckPermissions(document)
}

// CreatePolicy implements the operation of that name.
func (s *Service) CreatePolicy(_ context.Context, in *api.CreatePolicyInput) (*api.CreatePolicyOutput, error) {
	path, err := checkName("policyName", *in.PolicyName, in.Path)
	if err != nil {
		return nil, err
	}
	if err := checkManaged(*in.PolicyDocument); err != nil {
		return nil, err
	}
	now := s.now().UTC().Truncate(time.Second)
	p := policy{Name: *in.PolicyName, Path: path, ARN: s.arn("policy", path, *in.PolicyName), Description: wire.Value(in.Description), Created: now, Updated: now, Tags: tagMap(in.Tags),
		Versions: []policyVersion{{ID: "v1", Document: *in.PolicyDocument, Created: now}}, Next: 2, Default: "v1"}
	out := &api.CreatePolicyOutput{}
	return out, s.store.Update(func(tx *state.Tx) error {
		if _, ok, err := policies.Get(tx, p.ARN); err != nil {
			return err
		} else if ok {
			return alreadyExists("A policy called %s already exists. Duplicate names are not allowed.", p.Name)
		}
		var err error
		if p.ID, err = newID(tx, "ANPA"); err != nil {
			return err
		}
		out.Policy = p.describe(tx)
		return policies.Put(tx, p.ARN, p)
	})
}

func (p policy) describe(tx *state.Tx) *api.Policy {
	attached, boundaries := int64(0), int64(0)
	count := func(h holder) {
		if slices.Contains(h.Attached, p.ARN) {
			attached++
		}
		if h.Boundary == p.ARN {
			boundaries++
		}
	}
	for _, r := range roles.All(tx) {
		count(r.holder)
	}
	for _, u := range users.All(tx) {
		count(u.holder)
	}
	d := &api.Policy{Arn: new(p.ARN), PolicyId: new(p.ID), PolicyName: new(p.Name), Path: new(p.Path), Description: wire.Optional(p.Description), CreateDate: new(p.Created), UpdateDate: new(p.Updated),
		DefaultVersionId: new(p.Default), AttachmentCount: new(attached), PermissionsBoundaryUsageCount: new(boundaries), IsAttachable: new(true)}
	if len(p.Tags) > 0 {
		d.Tags = tagList(p.Tags)
	}
	return d
}

// GetPolicy implements the operation of that name.
func (s *Service) GetPolicy(_ context.Context, in *api.GetPolicyInput) (*api.GetPolicyOutput, error) {
	out := &api.GetPolicyOutput{}
	return out, s.store.View(func(tx *state.Tx) error {
		p, err := s.findPolicy(tx, *in.PolicyArn)
		out.Policy = p.describe(tx)
		return err
	})
}

// ListPolicies implements the operation of that name for the account's own policies and the AWS managed ones that the lab knows.
func (s *Service) ListPolicies(_ context.Context, in *api.ListPoliciesInput) (*api.ListPoliciesOutput, error) {
	out := &api.ListPoliciesOutput{Policies: []api.Policy{}}
	return out, s.store.View(func(tx *state.Tx) error {
		all := func(yield func(string, policy) bool) { // in the order of the ARNs: "aws" sorts after an account's digits
			if wire.Value(in.Scope) != "AWS" {
				for arn, p := range policies.All(tx) {
					if !yield(arn, p) {
						return
					}
				}
			}
			if wire.Value(in.Scope) != "Local" {
				for _, p := range managedPolicies() {
					if !yield(p.ARN, p) {
						return
					}
				}
			}
		}
		items, next := state.Page(state.Where(all, func(p policy) bool { return p.listed(tx, in) }), wire.Value(in.Marker), pageSize(in.MaxItems))
		for _, p := range items {
			out.Policies = append(out.Policies, *p.describe(tx))
		}
		out.Marker, out.IsTruncated = listed(next)
		return nil
	})
}

func (p policy) listed(tx *state.Tx, in *api.ListPoliciesInput) bool {
	return strings.HasPrefix(p.Path, wire.Value(in.PathPrefix)) && (!wire.Value(in.OnlyAttached) || *p.describe(tx).AttachmentCount > 0)
}

// DeletePolicy implements the operation of that name.
func (s *Service) DeletePolicy(_ context.Context, in *api.DeletePolicyInput) (*api.DeletePolicyOutput, error) {
	return &api.DeletePolicyOutput{}, s.store.Update(func(tx *state.Tx) error {
		if err := customers(*in.PolicyArn); err != nil {
			return err
		}
		p, err := s.findPolicy(tx, *in.PolicyArn)
		switch {
		case err != nil:
			return err
		case *p.describe(tx).AttachmentCount > 0:
			return deleteConflict("Cannot delete a policy attached to entities.")
		case len(p.Versions) > 1:
			return deleteConflict("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
		}
		return policies.Delete(tx, p.ARN)
	})
}

// CreatePolicyVersion implements the operation of that name.
func (s *Service) CreatePolicyVersion(_ context.Context, in *api.CreatePolicyVersionInput) (*api.CreatePolicyVersionOutput, error) {
	if err := checkManaged(*in.PolicyDocument); err != nil {
		return nil, err
	}
	out := &api.CreatePolicyVersionOutput{}
	return out, s.changePolicy(*in.PolicyArn, func(_ *state.Tx, p *policy) error {
		if len(p.Versions) >= maxVersions {
			return wire.Errorf(409, "LimitExceeded", "A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", maxVersions)
		}
		v := policyVersion{ID: fmt.Sprintf("v%d", p.Next), Document: *in.PolicyDocument, Created: s.now().UTC().Truncate(time.Second)}
		p.Next, p.Updated, p.Versions = p.Next+1, v.Created, append(p.Versions, v)
		if wire.Value(in.SetAsDefault) {
			p.Default = v.ID
		}
		out.PolicyVersion = &api.PolicyVersion{VersionId: new(v.ID), CreateDate: new(v.Created), IsDefaultVersion: new(p.Default == v.ID)}
		return nil
	})
}

func (p policy) version(id string) (policyVersion, error) {
	for _, v := range p.Versions {
		if v.ID == id {
			return v, nil
		}
	}
	return policyVersion{}, noSuchEntity("Policy %s version %s does not exist or is not attachable.", p.ARN, id)
}

// GetPolicyVersion implements the operation of that name.
func (s *Service) GetPolicyVersion(_ context.Context, in *api.GetPolicyVersionInput) (*api.GetPolicyVersionOutput, error) {
	out := &api.GetPolicyVersionOutput{}
	return out, s.store.View(func(tx *state.Tx) error {
		p, err := s.findPolicy(tx, *in.PolicyArn)
		if err != nil {
			return err
		}
		v, err := p.version(*in.VersionId)
		out.PolicyVersion = &api.PolicyVersion{VersionId: new(v.ID), CreateDate: new(v.Created), IsDefaultVersion: new(p.Default == v.ID), Document: escaped(v.Document)}
		return err
	})
}

// ListPolicyVersions implements the operation of that name.
func (s *Service) ListPolicyVersions(_ context.Context, in *api.ListPolicyVersionsInput) (*api.ListPolicyVersionsOutput, error) {
	out := &api.ListPolicyVersionsOutput{Versions: []api.PolicyVersion{}, IsTruncated: new(false)}
	return out, s.store.View(func(tx *state.Tx) error {
		p, err := s.findPolicy(tx, *in.PolicyArn)
		for _, v := range slices.Backward(p.Versions) {
			out.Versions = append(out.Versions, api.PolicyVersion{VersionId: new(v.ID), CreateDate: new(v.Created), IsDefaultVersion: new(p.Default == v.ID)})
		}
		return err
	})
}

// SetDefaultPolicyVersion implements the operation of that name.
func (s *Service) SetDefaultPolicyVersion(_ context.Context, in *api.SetDefaultPolicyVersionInput) (*api.SetDefaultPolicyVersionOutput, error) {
	return &api.SetDefaultPolicyVersionOutput{}, s.changePolicy(*in.PolicyArn, func(_ *state.Tx, p *policy) error {
		v, err := p.version(*in.VersionId)
		p.Default = v.ID
		return err
	})
}

// DeletePolicyVersion implements the operation of that name.
func (s *Service) DeletePolicyVersion(_ context.Context, in *api.DeletePolicyVersionInput) (*api.DeletePolicyVersionOutput, error) {
	return &api.DeletePolicyVersionOutput{}, s.changePolicy(*in.PolicyArn, func(_ *state.Tx, p *policy) error {
		v, err := p.version(*in.VersionId)
		if err != nil {
			return err
		}
		if v.ID == p.Default {
			return deleteConflict("Cannot delete the default version of a policy.")
		}
		p.Versions = slices.DeleteFunc(p.Versions, func(x policyVersion) bool { return x.ID == v.ID })
		return nil
	})
}

// TagPolicy implements the operation of that name.
func (s *Service) TagPolicy(_ context.Context, in *api.TagPolicyInput) (*api.TagPolicyOutput, error) {
	return &api.TagPolicyOutput{}, s.changePolicy(*in.PolicyArn, func(_ *state.Tx, p *policy) (err error) {
		p.Tags, err = putTags(p.Tags, in.Tags)
		return err
	})
}

// UntagPolicy implements the operation of that name.
func (s *Service) UntagPolicy(_ context.Context, in *api.UntagPolicyInput) (*api.UntagPolicyOutput, error) {
	return &api.UntagPolicyOutput{}, s.changePolicy(*in.PolicyArn, func(_ *state.Tx, p *policy) error {
		p.Tags = removeTags(p.Tags, in.TagKeys)
		return nil
	})
}

// ListPolicyTags implements the operation of that name.
func (s *Service) ListPolicyTags(_ context.Context, in *api.ListPolicyTagsInput) (*api.ListPolicyTagsOutput, error) {
	out := &api.ListPolicyTagsOutput{IsTruncated: new(false)}
	return out, s.store.View(func(tx *state.Tx) error {
		p, err := s.findPolicy(tx, *in.PolicyArn)
		out.Tags = tagList(p.Tags)
		return err
	})
}

// ListEntitiesForPolicy implements the operation of that name; the lab has no groups.
func (s *Service) ListEntitiesForPolicy(_ context.Context, in *api.ListEntitiesForPolicyInput) (*api.ListEntitiesForPolicyOutput, error) {
	out := &api.ListEntitiesForPolicyOutput{PolicyGroups: []api.PolicyGroup{}, PolicyRoles: []api.PolicyRole{}, PolicyUsers: []api.PolicyUser{}, IsTruncated: new(false)}
	return out, s.store.View(func(tx *state.Tx) error {
		p, err := s.findPolicy(tx, *in.PolicyArn)
		if err != nil {
			return err
		}
		usage, filter := wire.Value(in.PolicyUsageFilter), wire.Value(in.EntityFilter)
		concerns := func(kind string, h holder) bool {
			return (filter == "" || filter == kind) &&
				(usage != "PermissionsBoundary" && slices.Contains(h.Attached, p.ARN) || usage != "PermissionsPolicy" && h.Boundary == p.ARN)
		}
		for _, r := range roles.All(tx) {
			if concerns("Role", r.holder) {
				out.PolicyRoles = append(out.PolicyRoles, api.PolicyRole{RoleName: new(r.Name), RoleId: new(r.ID)})
			}
		}
		for _, u := range users.All(tx) {
			if concerns("User", u.holder) {
				out.PolicyUsers = append(out.PolicyUsers, api.PolicyUser{UserName: new(u.Name), UserId: new(u.ID)})
			}
		}
		return nil
	})
}
