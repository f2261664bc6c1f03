package secretsmanager

import (
	"context"
	"errors"

	api "storefront/lab/api/secretsmanager"
	"storefront/lab/iam"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// PutResourcePolicy implements the operation of that name.
func (s *Service) PutResourcePolicy(_ context.Context, in *api.PutResourcePolicyInput) (*api.PutResourcePolicyOutput, error) {
	if _, err := iam.ParseDocument(*in.ResourcePolicy); err != nil {
		return nil, wire.Errorf(400, "MalformedPolicyDocumentException", "%s", iam.Reason(err))
	}
	x, err := s.change(*in.SecretId, func(_ *state.Tx, x *secret) error { x.Policy = *in.ResourcePolicy; return nil })
	return &api.PutResourcePolicyOutput{ARN: new(x.ARN), Name: new(x.Name)}, err
}

// Policy returns the ARN and the resource policy of a secret by its name or ARN, with or without the random end; "" for what there is not.
func (s *Service) Policy(tx *state.Tx, id string) (arn, policy string, err error) {
	x, err := s.find(tx, id)
	if errors.Is(err, errNotFound) {
		return "", "", nil
	}
	return x.ARN, x.Policy, err
}

// GetResourcePolicy implements the operation of that name.
func (s *Service) GetResourcePolicy(_ context.Context, in *api.GetResourcePolicyInput) (*api.GetResourcePolicyOutput, error) {
	out := &api.GetResourcePolicyOutput{}
	return out, s.store.View(func(tx *state.Tx) error {
		x, err := s.find(tx, *in.SecretId)
		out.ARN, out.Name, out.ResourcePolicy = new(x.ARN), new(x.Name), wire.Optional(x.Policy)
		return err
	})
}

// DeleteResourcePolicy implements the operation of that name.
func (s *Service) DeleteResourcePolicy(_ context.Context, in *api.DeleteResourcePolicyInput) (*api.DeleteResourcePolicyOutput, error) {
	x, err := s.change(*in.SecretId, func(_ *state.Tx, x *secret) error { x.Policy = ""; return nil })
	return &api.DeleteResourcePolicyOutput{ARN: new(x.ARN), Name: new(x.Name)}, err
}
