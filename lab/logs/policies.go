package logs

import (
	"context"

	api "storefront/lab/api/logs"
	"storefront/lab/iam"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// maxPolicies is the quota of resource policies in a Region, from "CloudWatch Logs quotas"; it breaks stacks with many domains, so the lab keeps it.
const maxPolicies = 10

// PutResourcePolicy implements the operation of that name.
func (s *Service) PutResourcePolicy(_ context.Context, in *api.PutResourcePolicyInput) (*api.PutResourcePolicyOutput, error) {
	name, document := wire.Value(in.PolicyName), wire.Value(in.PolicyDocument)
	if name == "" {
		return nil, invalid("Policy name is required.")
	}
	if _, err := iam.ParseDocument(document); err != nil {
		return nil, invalid("%s", iam.Reason(err))
	}
	p := policy{Document: document, Updated: s.millis()}
	return &api.PutResourcePolicyOutput{ResourcePolicy: show(name, p)}, s.store.Update(func(tx *state.Tx) error {
		if _, ok, err := policies.Get(tx, name); err != nil {
			return err
		} else if !ok && policies.Len(tx) >= maxPolicies {
			return wire.Errorf(400, "LimitExceededException", "Resource limit exceeded.")
		}
		return policies.Put(tx, name, p)
	})
}

func show(name string, p policy) *api.ResourcePolicy {
	return &api.ResourcePolicy{PolicyName: new(name), PolicyDocument: new(p.Document), LastUpdatedTime: new(p.Updated)}
}

// DescribeResourcePolicies implements the operation of that name.
func (s *Service) DescribeResourcePolicies(_ context.Context, _ *api.DescribeResourcePoliciesInput) (*api.DescribeResourcePoliciesOutput, error) {
	out := &api.DescribeResourcePoliciesOutput{ResourcePolicies: []api.ResourcePolicy{}}
	return out, s.store.View(func(tx *state.Tx) error {
		for name, p := range policies.All(tx) {
			out.ResourcePolicies = append(out.ResourcePolicies, *show(name, p))
		}
		return nil
	})
}

// DeleteResourcePolicy implements the operation of that name.
func (s *Service) DeleteResourcePolicy(_ context.Context, in *api.DeleteResourcePolicyInput) (*api.DeleteResourcePolicyOutput, error) {
	return &api.DeleteResourcePolicyOutput{}, s.store.Update(func(tx *state.Tx) error {
		name := wire.Value(in.PolicyName)
		if _, ok, err := policies.Get(tx, name); err != nil {
			return err
		} else if !ok {
			return wire.Errorf(400, "ResourceNotFoundException", "Policy with name [%s] does not exist", name)
		}
		return policies.Delete(tx, name)
	})
}
