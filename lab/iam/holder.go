package iam

import (
	"maps"
	"slices"

	api "storefront/lab/api/iam"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// holder is what users and roles have in common: the policies that hang on them.
type holder struct {
	Boundary string            // policy ARN
	Inline   map[string]string // documents by policy name
	Attached []string          // policy ARNs, in the order of attachment
}

// maxAttached is the default quota of managed policies on a user or a role.
const maxAttached = 10

// put sets an inline policy. limit bounds the sum of their sizes, in characters; owner is "role app" or "user me", for messages.
func (h *holder) put(owner, name, document string, limit int) error {
	inline := maps.Clone(h.Inline)
	if inline == nil {
		inline = map[string]string{}
	}
	inline[name] = document
	size := 0
	for _, d := range inline {
		size += policySize(d)
	}
	if size > limit {
		return wire.Errorf(409, "LimitExceeded", "Maximum policy size of %d bytes exceeded for %s", limit, owner)
	}
	h.Inline = inline
	return nil
}

// policySize counts a document's characters as IAM does: without white space.
func policySize(document string) int {
	n := 0
	for _, c := range document {
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			n++
		}
	}
	return n
}

// document returns an inline policy; kind is "role" or "user".
func (h *holder) document(kind, name string) (string, error) {
	d, ok := h.Inline[name]
	if !ok {
		return "", noSuchEntity("The %s policy with name %s cannot be found.", kind, name)
	}
	return d, nil
}

func (h *holder) attach(arn, quota string) error {
	if slices.Contains(h.Attached, arn) {
		return nil
	}
	if len(h.Attached) >= maxAttached {
		return wire.Errorf(409, "LimitExceeded", "Cannot exceed quota for %s: %d", quota, maxAttached)
	}
	h.Attached = append(h.Attached, arn)
	return nil
}

func (h *holder) detach(arn string) error {
	i := slices.Index(h.Attached, arn)
	if i < 0 {
		return noSuchEntity("Policy %s was not found.", arn)
	}
	h.Attached = slices.Delete(h.Attached, i, i+1)
	return nil
}

// attached describes the managed policies.
func (s *Service) attached(tx *state.Tx, h holder) ([]api.AttachedPolicy, error) {
	list := []api.AttachedPolicy{}
	for _, arn := range h.Attached {
		p, err := s.findPolicy(tx, arn)
		if err != nil {
			return nil, err
		}
		list = append(list, api.AttachedPolicy{PolicyArn: new(arn), PolicyName: new(p.Name)})
	}
	return list, nil
}

func (h holder) boundary() *api.AttachedPermissionsBoundary {
	if h.Boundary == "" {
		return nil
	}
	return &api.AttachedPermissionsBoundary{PermissionsBoundaryArn: new(h.Boundary), PermissionsBoundaryType: new("Policy")}
}

// deletable refuses to delete a user or a role that still has policies.
func (h holder) deletable() error {
	switch {
	case len(h.Attached) > 0:
		return deleteConflict("Cannot delete entity, must detach all policies first.")
	case len(h.Inline) > 0:
		return deleteConflict("Cannot delete entity, must delete policies first.")
	}
	return nil
}
