package iam

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"storefront/lab/access"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Policies returns the policies of a user or of a role session by its ARN, with the ARN of the session's role. A user or role that was deleted since it got its credentials
// has none; the account's root may do everything.
func (s *Service) Policies(tx *state.Tx, arn string) (identity []access.Document, boundary *access.Document, role string, err error) {
	var h holder
	if session, ok := strings.CutPrefix(arn, s.region.GlobalARN("sts", "assumed-role/")); ok {
		name, _, _ := strings.Cut(session, "/")
		r, _, err := roles.Get(tx, name)
		if err != nil {
			return nil, nil, "", err
		}
		h, role = r.holder, r.ARN
	} else if path, ok := strings.CutPrefix(arn, s.region.GlobalARN("iam", "user/")); ok {
		u, _, err := users.Get(tx, path[strings.LastIndexByte(path, '/')+1:])
		if err != nil {
			return nil, nil, "", err
		}
		h = u.holder
	} else if arn == s.region.GlobalARN("iam", "root") {
		h.Attached = []string{administrator}
	}
	if identity, err = s.documents(tx, h); err == nil && h.Boundary != "" {
		boundary, err = s.document(tx, h.Boundary)
	}
	return identity, boundary, role, err
}

// documents parses the policies of a user or a role.
func (s *Service) documents(tx *state.Tx, h holder) ([]access.Document, error) {
	documents := make([]access.Document, 0, len(h.Inline)+len(h.Attached))
	for _, name := range slices.Sorted(maps.Keys(h.Inline)) {
		d, err := s.parsed.Parse(h.Inline[name])
		if err != nil {
			return nil, fmt.Errorf("the inline policy %s: %w", name, err)
		}
		documents = append(documents, *d)
	}
	attached, err := s.Managed(tx, h.Attached)
	return append(documents, attached...), err
}

// Managed returns the documents of managed policies, in their default versions. A policy that there is not (any more) allows nothing.
func (s *Service) Managed(tx *state.Tx, arns []string) ([]access.Document, error) {
	var documents []access.Document
	for _, arn := range arns {
		d, err := s.document(tx, arn)
		if err != nil {
			return nil, err
		}
		documents = append(documents, *d)
	}
	return documents, nil
}

func (s *Service) document(tx *state.Tx, arn string) (*access.Document, error) {
	p, err := s.findPolicy(tx, arn)
	if _, gone := errors.AsType[*wire.Error](err); gone {
		return &access.Document{}, nil
	}
	if err != nil {
		return nil, err
	}
	v, err := p.version(p.Default)
	if err != nil {
		return nil, err
	}
	d, err := s.parsed.Parse(v.Document)
	if err != nil {
		return nil, fmt.Errorf("the policy %s: %w", arn, err)
	}
	return d, nil
}
