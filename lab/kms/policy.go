package kms

import (
	"context"
	"maps"
	"slices"
	"strings"

	"storefront/lab/access"
	api "storefront/lab/api/kms"
	"storefront/lab/iam"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// maxPolicy is the size limit of a key policy in bytes, from "Key policies in AWS KMS".
const maxPolicy = 32 << 10

// checkPolicy checks the text of a policy for a key: its form, that the users and roles that it names are there, and, without bypass, that it does not lock its author out.
func (s *Service) checkPolicy(ctx context.Context, tx *state.Tx, arn, policy string, bypass *bool) error {
	if len(policy) > maxPolicy {
		return wire.Errorf(400, "LimitExceededException", "The key policy has %d bytes; %d are allowed.", len(policy), maxPolicy)
	}
	d, err := iam.ParseDocument(policy)
	if err != nil {
		return malformed(iam.Reason(err))
	}
	if err := s.checkPrincipals(tx, d); err != nil {
		return err
	}
	if s.Administers == nil || wire.Value(bypass) {
		return nil
	}
	if ok, err := s.Administers(ctx, tx, arn, &d); ok || err != nil {
		return err
	}
	return malformed("The new key policy will not allow you to update the key policy in the future.")
}

func malformed(message string) error {
	return wire.Errorf(400, "MalformedPolicyDocumentException", "%s", message)
}

func (s *Service) checkPrincipals(tx *state.Tx, d access.Document) error {
	if s.Principals == nil {
		return nil
	}
	for _, st := range d.Statement {
		for _, arn := range slices.Concat(st.Principal["AWS"], st.NotPrincipal["AWS"]) {
			if ok, err := s.Principals(tx, arn); err != nil {
				return err
			} else if !ok {
				return malformed("Policy contains a statement with one or more invalid principals.")
			}
		}
	}
	return nil
}

// Policy returns the policy of a key by its ARN, with a statement for each of its grants; nil when there is no such key. An AWS managed key that does not exist yet has the
// policy that it will have, by the ARN of its alias.
func (s *Service) Policy(tx *state.Tx, arn string) (*access.Document, error) {
	if service, ok := strings.CutPrefix(arn, s.region.ARN("kms", "alias/aws/")); ok {
		return s.parsed.Parse(s.managedPolicy(service))
	}
	k, ok, err := keys.Shared(tx, strings.TrimPrefix(arn, s.region.ARN("kms", "key/")))
	if err != nil || !ok {
		return nil, err
	}
	d, err := s.parsed.Parse(k.Policy)
	if err != nil {
		return nil, err
	}
	var granted access.Statements
	for _, g := range grants.SharedWithPrefix(tx, k.ID+"/") {
		granted = append(granted, g.statement())
	}
	if granted == nil {
		return d, nil
	}
	return &access.Document{Version: d.Version, Statement: slices.Concat(d.Statement, granted)}, nil
}

// Resolve returns the ARN of the key that an ARN of an alias stands for. What there is not comes back as it is.
func (s *Service) Resolve(tx *state.Tx, arn string) (string, error) {
	name := strings.TrimPrefix(arn, s.region.ARN("kms", ""))
	if !strings.HasPrefix(name, "alias/") {
		return arn, nil
	}
	a, ok, err := aliases.Shared(tx, name)
	if err != nil || !ok {
		return arn, err
	}
	return s.region.ARN("kms", "key/"+a.KeyID), nil
}

// Usable returns the ARN of a key, named as KMS names keys, for a service that is going to use it. The error is that of the operations: the key does not exist, is disabled or
// is to be deleted.
func (s *Service) Usable(tx *state.Tx, ref string) (string, error) {
	k, err := s.usable(tx, ref)
	return k.ARN, err
}

// KeyOf returns the ID of the key that a ciphertext says it is under, "" for what is no ciphertext.
func KeyOf(ciphertext []byte) string {
	if len(ciphertext) < headerSize+nonceSize || ciphertext[0] != format {
		return ""
	}
	return string(ciphertext[1 : 1+idSize])
}

// PutKeyPolicy implements the operation of that name.
func (s *Service) PutKeyPolicy(ctx context.Context, in *api.PutKeyPolicyInput) (*api.PutKeyPolicyOutput, error) {
	if in.PolicyName != nil && *in.PolicyName != "default" {
		return nil, validation("The only valid policy name is default.")
	}
	k, err := s.read(*in.KeyId)
	if err != nil {
		return nil, err
	}
	err = s.store.View(func(tx *state.Tx) error {
		return s.checkPolicy(ctx, tx, k.ARN, *in.Policy, in.BypassPolicyLockoutSafetyCheck)
	})
	if err != nil {
		return nil, err
	}
	return &api.PutKeyPolicyOutput{}, s.change(*in.KeyId, func(k *key) error { k.Policy = *in.Policy; return nil })
}

// GetKeyPolicy implements the operation of that name.
func (s *Service) GetKeyPolicy(_ context.Context, in *api.GetKeyPolicyInput) (*api.GetKeyPolicyOutput, error) {
	k, err := s.read(*in.KeyId)
	if err != nil {
		return nil, err
	}
	return &api.GetKeyPolicyOutput{Policy: new(k.Policy), PolicyName: new("default")}, nil
}

// ListKeyPolicies implements the operation of that name.
func (s *Service) ListKeyPolicies(_ context.Context, in *api.ListKeyPoliciesInput) (*api.ListKeyPoliciesOutput, error) {
	if _, err := s.read(*in.KeyId); err != nil {
		return nil, err
	}
	return &api.ListKeyPoliciesOutput{PolicyNames: []string{"default"}, Truncated: new(false)}, nil
}

func (s *Service) read(ref string) (k key, err error) {
	err = s.store.Update(func(tx *state.Tx) (err error) {
		k, err = s.find(tx, ref)
		return err
	})
	return k, err
}

// maxTags is the quota of tags on a key.
const maxTags = 50

// TagResource implements the operation of that name.
func (s *Service) TagResource(_ context.Context, in *api.TagResourceInput) (*api.TagResourceOutput, error) {
	return &api.TagResourceOutput{}, s.change(*in.KeyId, func(k *key) error {
		for _, t := range in.Tags {
			k.Tags[wire.Value(t.TagKey)] = wire.Value(t.TagValue)
		}
		if len(k.Tags) > maxTags {
			return wire.Errorf(400, "LimitExceededException", "A key can have at most %d tags.", maxTags)
		}
		return nil
	})
}

// UntagResource implements the operation of that name.
func (s *Service) UntagResource(_ context.Context, in *api.UntagResourceInput) (*api.UntagResourceOutput, error) {
	return &api.UntagResourceOutput{}, s.change(*in.KeyId, func(k *key) error {
		for _, name := range in.TagKeys {
			delete(k.Tags, name)
		}
		return nil
	})
}

// ListResourceTags implements the operation of that name.
func (s *Service) ListResourceTags(_ context.Context, in *api.ListResourceTagsInput) (*api.ListResourceTagsOutput, error) {
	k, err := s.read(*in.KeyId)
	if err != nil {
		return nil, err
	}
	out := &api.ListResourceTagsOutput{Truncated: new(false), Tags: []api.Tag{}}
	for _, name := range slices.Sorted(maps.Keys(k.Tags)) {
		out.Tags = append(out.Tags, api.Tag{TagKey: new(name), TagValue: new(k.Tags[name])})
	}
	return out, nil
}

// Tags returns the tags of a key by its ARN, for the conditions of policies.
func (s *Service) Tags(tx *state.Tx, arn string) (map[string]string, error) {
	k, _, err := keys.Shared(tx, strings.TrimPrefix(arn, s.region.ARN("kms", "key/")))
	return k.Tags, err
}
