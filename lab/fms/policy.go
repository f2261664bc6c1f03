package fms

import (
	"context"
	"strconv"
	"strings"

	api "storefront/lab/api/fms"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Resource types of policies.
const (
	loadBalancerType  = "AWS::ElasticLoadBalancingV2::LoadBalancer"
	securityGroupType = "AWS::EC2::SecurityGroup"
)

// PutPolicy implements the operation of that name.
func (s *Service) PutPolicy(_ context.Context, in *api.PutPolicyInput) (*api.PutPolicyOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.PutPolicyOutput) error {
		if err := s.administered(tx); err != nil {
			return err
		}
		p, err := s.draft(tx, in)
		if err != nil {
			return err
		}
		if err := s.enact(tx, &p); err != nil {
			return err
		}
		out.Policy, out.PolicyArn = &p.Policy, new(s.arn(*p.Policy.PolicyId))
		return policies.Put(tx, *p.Policy.PolicyId, p)
	})
}

// draft is a policy as asked for: a new one, or the next version of one.
func (s *Service) draft(tx *state.Tx, in *api.PutPolicyInput) (p policy, err error) {
	asked := *in.Policy
	if _, err := decode(asked); err != nil {
		return p, err
	}
	if err := checkScope(asked); err != nil {
		return p, err
	}
	version := 1
	if asked.PolicyId == nil {
		for _, other := range policies.All(tx) {
			if *other.Policy.PolicyName == *asked.PolicyName {
				return p, invalid("A policy with the name %s exists.", *asked.PolicyName)
			}
		}
		id, err := region.NewUUID(tx, "fms.policy")
		if err != nil {
			return p, err
		}
		asked.PolicyId, p.Tags = &id, map[string]string{}
		for _, t := range in.TagList {
			p.Tags[*t.Key] = wire.Value(t.Value)
		}
	} else {
		if p, err = s.find(tx, *asked.PolicyId); err != nil {
			return p, err
		}
		if wire.Value(asked.PolicyUpdateToken) != *p.Policy.PolicyUpdateToken {
			return p, fault("InvalidOperationException", "The policy was changed since it was read: PolicyUpdateToken is not the current one.")
		}
		if *asked.SecurityServicePolicyData.Type != *p.Policy.SecurityServicePolicyData.Type {
			return p, invalid("The type of a policy cannot change.")
		}
		number, err := strconv.Atoi(strings.TrimPrefix(*p.Policy.PolicyUpdateToken, "1:"))
		if err != nil {
			return p, err
		}
		version += number
	}
	asked.PolicyUpdateToken, asked.PolicyStatus = new("1:"+strconv.Itoa(version)), new(api.CustomerPolicyStatusActive)
	p.Policy = asked
	return p, nil
}

// GetPolicy implements the operation of that name.
func (s *Service) GetPolicy(_ context.Context, in *api.GetPolicyInput) (*api.GetPolicyOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.GetPolicyOutput) error {
		p, err := s.find(tx, *in.PolicyId)
		out.Policy, out.PolicyArn = &p.Policy, new(s.arn(*in.PolicyId))
		return err
	})
}

// ListPolicies implements the operation of that name.
func (s *Service) ListPolicies(_ context.Context, in *api.ListPoliciesInput) (*api.ListPoliciesOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListPoliciesOutput) error {
		if err := s.administered(tx); err != nil {
			return err
		}
		page, next := state.Page(policies.All(tx), wire.Value(in.NextToken), wire.Or(in.MaxResults, 100))
		out.PolicyList, out.NextToken = []api.PolicySummary{}, next
		for _, p := range page {
			d := p.Policy
			out.PolicyList = append(out.PolicyList, api.PolicySummary{PolicyArn: new(s.arn(*d.PolicyId)), PolicyId: d.PolicyId, PolicyName: d.PolicyName, PolicyStatus: d.PolicyStatus, ResourceType: d.ResourceType,
				RemediationEnabled: d.RemediationEnabled, SecurityServiceType: d.SecurityServicePolicyData.Type, DeleteUnusedFMManagedResources: d.DeleteUnusedFMManagedResources})
		}
		return nil
	})
}

// DeletePolicy implements the operation of that name. With DeleteAllPolicyResources its web ACL goes too, from wherever it is associated.
func (s *Service) DeletePolicy(_ context.Context, in *api.DeletePolicyInput) (*api.DeletePolicyOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DeletePolicyOutput) error {
		p, err := s.find(tx, *in.PolicyId)
		if err != nil {
			return err
		}
		if p.ACL != "" && wire.Value(in.DeleteAllPolicyResources) {
			if err := s.Firewall.RemoveManaged(tx, p.ACL); err != nil {
				return err
			}
		}
		return policies.Delete(tx, *in.PolicyId)
	})
}

func (s *Service) retag(arn string, edit func(map[string]string)) error {
	return s.Store.Update(func(tx *state.Tx) error {
		id := strings.TrimPrefix(arn, s.arn(""))
		p, err := s.find(tx, id)
		if err != nil {
			return err
		}
		if p.Tags == nil {
			p.Tags = map[string]string{}
		}
		edit(p.Tags)
		return policies.Put(tx, id, p)
	})
}

// TagResource implements the operation of that name for policies.
func (s *Service) TagResource(_ context.Context, in *api.TagResourceInput) (*api.TagResourceOutput, error) {
	return &api.TagResourceOutput{}, s.retag(*in.ResourceArn, func(tags map[string]string) {
		for _, t := range in.TagList {
			tags[*t.Key] = wire.Value(t.Value)
		}
	})
}

// UntagResource implements the operation of that name for policies.
func (s *Service) UntagResource(_ context.Context, in *api.UntagResourceInput) (*api.UntagResourceOutput, error) {
	return &api.UntagResourceOutput{}, s.retag(*in.ResourceArn, func(tags map[string]string) {
		for _, key := range in.TagKeys {
			delete(tags, key)
		}
	})
}

// ListTagsForResource implements the operation of that name for policies.
func (s *Service) ListTagsForResource(_ context.Context, in *api.ListTagsForResourceInput) (*api.ListTagsForResourceOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListTagsForResourceOutput) error {
		p, err := s.find(tx, strings.TrimPrefix(*in.ResourceArn, s.arn("")))
		out.TagList = tagList(p.Tags)
		return err
	})
}
