package iam

import (
	"context"
	"maps"
	"slices"
	"strings"

	api "storefront/lab/api/iam"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// SimulateCustomPolicy implements the operation of that name.
func (s *Service) SimulateCustomPolicy(_ context.Context, in *api.SimulateCustomPolicyInput) (*api.SimulateCustomPolicyOutput, error) {
	policies, err := sources("PolicyInputList", in.PolicyInputList)
	if err != nil {
		return nil, err
	}
	m := &simulation{policies: policies}
	if err := m.ask(question(*in)); err != nil {
		return nil, err
	}
	page, next := state.Page(m.results(), wire.Value(in.Marker), pageSize(in.MaxItems))
	out := &api.SimulateCustomPolicyOutput{EvaluationResults: page}
	out.Marker, out.IsTruncated = listed(next)
	return out, nil
}

// SimulatePrincipalPolicy implements the operation of that name for users and roles. A permissions boundary of the input takes the place of their own.
func (s *Service) SimulatePrincipalPolicy(_ context.Context, in *api.SimulatePrincipalPolicyInput) (*api.SimulatePrincipalPolicyOutput, error) {
	more, err := sources("PolicyInputList", in.PolicyInputList)
	if err != nil {
		return nil, err
	}
	m := &simulation{}
	if err := s.store.View(func(tx *state.Tx) (err error) {
		m.policies, m.boundary, err = s.sourcesOf(tx, *in.PolicySourceArn)
		return err
	}); err != nil {
		return nil, err
	}
	m.policies = append(m.policies, more...)
	q := question{ActionNames: in.ActionNames, CallerArn: in.CallerArn, ContextEntries: in.ContextEntries, PermissionsBoundaryPolicyInputList: in.PermissionsBoundaryPolicyInputList,
		ResourceArns: in.ResourceArns, ResourceHandlingOption: in.ResourceHandlingOption, ResourceOwner: in.ResourceOwner, ResourcePolicy: in.ResourcePolicy}
	if q.CallerArn == nil && strings.Contains(*in.PolicySourceArn, ":user/") {
		q.CallerArn = in.PolicySourceArn
	}
	if err := m.ask(q); err != nil {
		return nil, err
	}
	page, next := state.Page(m.results(), wire.Value(in.Marker), pageSize(in.MaxItems))
	out := &api.SimulatePrincipalPolicyOutput{EvaluationResults: page}
	out.Marker, out.IsTruncated = listed(next)
	return out, nil
}

// GetContextKeysForCustomPolicy implements the operation of that name.
func (s *Service) GetContextKeysForCustomPolicy(_ context.Context, in *api.GetContextKeysForCustomPolicyInput) (*api.GetContextKeysForCustomPolicyOutput, error) {
	policies, err := sources("PolicyInputList", in.PolicyInputList)
	return &api.GetContextKeysForCustomPolicyOutput{ContextKeyNames: keysOf(policies)}, err
}

// GetContextKeysForPrincipalPolicy implements the operation of that name for users and roles.
func (s *Service) GetContextKeysForPrincipalPolicy(_ context.Context, in *api.GetContextKeysForPrincipalPolicyInput) (*api.GetContextKeysForPrincipalPolicyOutput, error) {
	more, err := sources("PolicyInputList", in.PolicyInputList)
	if err != nil {
		return nil, err
	}
	out := &api.GetContextKeysForPrincipalPolicyOutput{}
	return out, s.store.View(func(tx *state.Tx) error {
		policies, _, err := s.sourcesOf(tx, *in.PolicySourceArn)
		out.ContextKeyNames = keysOf(append(policies, more...))
		return err
	})
}

// sourcesOf returns the policies of a user or a role, and its permissions boundary, nil for none.
func (s *Service) sourcesOf(tx *state.Tx, arn string) (policies []source, boundary *source, err error) {
	kind, name, _ := strings.Cut(strings.TrimPrefix(arn, s.region.GlobalARN("iam", "")), "/")
	name = name[strings.LastIndexByte(name, '/')+1:]
	var h holder
	switch kind {
	case api.PolicySourceTypeRole:
		var r role
		r, err = findRole(tx, name)
		h = r.holder
	case api.PolicySourceTypeUser:
		var u user
		u, err = findUser(tx, name)
		h = u.holder
	default:
		err = noSuchEntity("%s is no user or role of the lab.", arn)
	}
	if err != nil {
		return nil, nil, err
	}
	for _, policy := range slices.Sorted(maps.Keys(h.Inline)) {
		x, err := newSource(kind+"_"+name+"_"+policy, kind, h.Inline[policy])
		if err != nil {
			return nil, nil, err
		}
		policies = append(policies, x)
	}
	for _, attached := range h.Attached {
		x, err := s.managedSource(tx, attached)
		if err != nil {
			return nil, nil, err
		}
		policies = append(policies, x)
	}
	if h.Boundary != "" {
		x, err := s.managedSource(tx, h.Boundary)
		return policies, &x, err
	}
	return policies, nil, nil
}

func (s *Service) managedSource(tx *state.Tx, arn string) (source, error) {
	p, err := s.findPolicy(tx, arn)
	if err != nil {
		return source{}, err
	}
	v, err := p.version(p.Default)
	if err != nil {
		return source{}, err
	}
	kind := api.PolicySourceTypeUserManaged
	if strings.HasPrefix(arn, "arn:aws:iam::aws:") {
		kind = api.PolicySourceTypeAwsManaged
	}
	return newSource(p.Name, kind, v.Document)
}
