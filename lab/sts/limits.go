package sts

import (
	"fmt"
	"strings"
	"time"

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

// Facts returns what temporary credentials bring to a request; nothing for other access keys. A federated user without session policies may do nothing by them.
func (s *Service) Facts(tx *state.Tx, accessKeyID string) (facts access.Session, err error) {
	x, ok, err := sessions.Shared(tx, accessKeyID)
	if err != nil || !ok {
		return facts, err
	}
	facts.Of, facts.Context, facts.NoIAM = x.User, x.context(), !x.ofRole()
	if x.User != "" {
		facts.Policies = []access.Document{}
	}
	if len(x.PolicyARNs) > 0 {
		if facts.Policies, err = s.iam.Managed(tx, x.PolicyARNs); err != nil {
			return facts, err
		}
	}
	if x.Policy == "" {
		return facts, nil
	}
	d, err := s.parsed.Parse(x.Policy)
	if err != nil {
		return facts, fmt.Errorf("the session policy: %w", err)
	}
	facts.Policies = append(facts.Policies, *d)
	return facts, nil
}

// ofRole tells whether it is a session of a role, and neither of a user nor of a federated user: those may call neither IAM nor, with one exception each, STS
// ("Comparing the AWS STS API operations").
func (x Session) ofRole() bool { return strings.Contains(x.Identity.ARN, ":assumed-role/") }

// context returns the condition keys of a session, from "AWS global condition context keys".
func (x Session) context() map[string][]string {
	keys := map[string][]string{"aws:tokenissuetime": {x.Issued.Format(time.RFC3339)}, "aws:multifactorauthpresent": {"false"}}
	for key, value := range x.Tags {
		keys["aws:principaltag/"+strings.ToLower(key)] = []string{value}
	}
	if x.SourceIdentity != "" {
		keys["aws:sourceidentity"] = []string{x.SourceIdentity}
	}
	if x.Instance != "" {
		keys["ec2:sourceinstancearn"] = []string{x.Instance}
	}
	return keys
}
