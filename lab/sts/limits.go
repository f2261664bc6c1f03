package sts

import (
	"fmt"

	"storefront/lab/access"
	api "storefront/lab/api/sts"
	"storefront/lab/iam"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Quotas of session policies, from "AssumeRole" in the STS API reference.
const (
	maxPolicy   = 2_048 // characters of the policy that is passed as text
	maxManaged  = 10
	badDocument = "MalformedPolicyDocument"
)

// limits checks the session policies of a request, and returns the ARNs of the managed ones.
func (s *Service) limits(tx *state.Tx, policy string, managed []api.PolicyDescriptorType) ([]string, error) {
	if len(policy) > maxPolicy {
		return nil, wire.Errorf(400, "PackedPolicyTooLarge", "Serialized token too large for session: the session policy has %d characters; %d are allowed.", len(policy), maxPolicy)
	}
	if policy != "" {
		if err := iam.CheckPermissions(policy); err != nil {
			return nil, wire.Errorf(400, badDocument, "%s", iam.Reason(err))
		}
	}
	if len(managed) > maxManaged {
		return nil, wire.Errorf(400, "ValidationError", "1 validation error detected: a session can have at most %d managed session policies.", maxManaged)
	}
	var arns []string
	for _, m := range managed {
		arn := wire.Value(m.Arn)
		if !s.iam.HasPolicy(tx, arn) {
			return nil, wire.Errorf(400, badDocument, "The policy with ARN %s does not exist.", arn)
		}
		arns = append(arns, arn)
	}
	return arns, nil
}

// SessionPolicies returns the session policies of temporary credentials, nil when the session was begun without any.
func (s *Service) SessionPolicies(tx *state.Tx, accessKeyID string) ([]access.Document, error) {
	x, ok, err := sessions.Get(tx, accessKeyID)
	if err != nil || !ok || x.Policy == "" && len(x.PolicyARNs) == 0 {
		return nil, err
	}
	documents, err := s.iam.Managed(tx, x.PolicyARNs)
	if err != nil || x.Policy == "" {
		return documents, err
	}
	d, err := s.parsed.Parse(x.Policy)
	if err != nil {
		return nil, fmt.Errorf("the session policy: %w", err)
	}
	return append(documents, *d), nil
}
