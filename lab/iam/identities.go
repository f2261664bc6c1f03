package iam

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"storefront/lab/access"
	"storefront/lab/state"
)

// Policies returns the policies of a user or of a role session by its ARN, with the ARN of the session's role. A user or role that was deleted since it got its credentials
// has none; the account's root may do everything.
func (s *Service) Policies(tx *state.Tx, arn string) (identity []access.Document, boundary *access.Document, role string, err error) {
	var h holder
	if session, ok := strings.CutPrefix(arn, s.region.GlobalARN("sts", "assumed-role/")); ok {
		name, _, _ := strings.Cut(session, "/")
		r, _, err := roles.Shared(tx, name)
		if err != nil {
			return nil, nil, "", err
		}
		h, role = r.holder, r.ARN
	} else if path, ok := strings.CutPrefix(arn, s.region.GlobalARN("iam", "user/")); ok {
		u, _, err := users.Shared(tx, path[strings.LastIndexByte(path, '/')+1:])
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

// Tags returns the tags of a user, a role, or the role of a session, by ARN: principals carry them into their requests.
func (s *Service) Tags(tx *state.Tx, arn string) (map[string]string, error) {
	rest := strings.TrimPrefix(strings.TrimPrefix(arn, s.region.GlobalARN("iam", "")), s.region.GlobalARN("sts", ""))
	kind, name, _ := strings.Cut(rest, "/")
	switch last := name[strings.LastIndexByte(name, '/')+1:]; kind {
	case "assumed-role":
		name, _, _ = strings.Cut(name, "/")
		r, _, err := roles.Shared(tx, name)
		return r.Tags, err
	case "role":
		r, _, err := roles.Shared(tx, last)
		return r.Tags, err
	case "user":
		u, _, err := users.Shared(tx, last)
		return u.Tags, err
	case "instance-profile":
		p, _, err := profiles.Shared(tx, last)
		return p.Tags, err
	case "policy":
		p, _, err := policies.Shared(tx, arn)
		return p.Tags, err
	}
	return nil, nil
}

// Trust returns the trust policy of a role by its ARN, nil when there is no such role.
func (s *Service) Trust(tx *state.Tx, arn string) (*access.Document, error) {
	r, ok, err := roles.Shared(tx, arn[strings.LastIndexByte(arn, '/')+1:])
	if err != nil || !ok || r.ARN != arn {
		return nil, err
	}
	return s.parsed.Parse(r.Trust)
}

// Path returns the ARN of a user, a role or an instance profile with its path, from one without: requests name them without. What is unknown comes back as it is.
func (s *Service) Path(tx *state.Tx, arn string) (string, error) {
	kind, name, _ := strings.Cut(strings.TrimPrefix(arn, s.region.GlobalARN("iam", "")), "/")
	var full string
	var err error
	switch kind {
	case "role":
		var r role
		r, _, err = roles.Shared(tx, name)
		full = r.ARN
	case "user":
		var u user
		u, _, err = users.Shared(tx, name)
		full = u.ARN
	case "instance-profile":
		var p profile
		p, _, err = profiles.Shared(tx, name)
		full = p.ARN
	}
	return cmp.Or(full, arn), err
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

// HasPolicy tells whether there is a managed policy of that ARN.
func (s *Service) HasPolicy(tx *state.Tx, arn string) bool {
	_, err := s.findPolicy(tx, arn)
	return err == nil
}

func (s *Service) document(tx *state.Tx, arn string) (*access.Document, error) {
	p, ok := managedPolicy(arn)
	if !ok {
		var err error
		if p, ok, err = policies.Shared(tx, arn); err != nil || !ok {
			return &access.Document{}, err
		}
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
