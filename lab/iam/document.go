package iam

import (
	"errors"
	"slices"
	"strings"

	"storefront/lab/access"
	"storefront/lab/state"
	"storefront/lab/wire"
)

func malformed(format string, args ...any) error {
	return wire.Errorf(400, "MalformedPolicyDocument", format, args...)
}

// ParseDocument reads a policy document and checks its form. Errors are IAM's MalformedPolicyDocument.
func ParseDocument(text string) (access.Document, error) {
	d, err := access.Parse(text)
	if err != nil {
		return d, malformed("%s", err.Error())
	}
	return d, nil
}

// Reason is the message of an error of ParseDocument without its code: other services answer it under a code of their own.
func Reason(err error) string {
	if e, ok := errors.AsType[*wire.Error](err); ok {
		return e.Message
	}
	return err.Error()
}

// CheckPermissions checks a document that says what an identity or a session may do. Errors are IAM's MalformedPolicyDocument.
func CheckPermissions(text string) error {
	d, err := ParseDocument(text)
	if err != nil {
		return err
	}
	for _, s := range d.Statement {
		if len(s.Principal) > 0 || len(s.NotPrincipal) > 0 {
			return malformed("Policy document should not specify a principal.")
		}
		if (len(s.Resource) == 0) == (len(s.NotResource) == 0) {
			return malformed("Policy statement must contain resources.")
		}
		for _, r := range slices.Concat(s.Resource, s.NotResource) {
			if r != "*" && strings.Count(r, ":") < 5 {
				return malformed("Resource %s must be in ARN format or \"*\".", r)
			}
		}
	}
	return nil
}

// trust checks the trust policy of a role: principals in it must exist.
func (s *Service) trust(tx *state.Tx, text string) error {
	d, err := ParseDocument(text)
	if err != nil {
		return err
	}
	for _, st := range d.Statement {
		if len(st.Principal) == 0 && len(st.NotPrincipal) == 0 {
			return malformed("AssumeRole policy must contain a principal.")
		}
		if len(st.Resource) > 0 || len(st.NotResource) > 0 {
			return malformed("Has prohibited field Resource")
		}
		for _, a := range st.Action {
			if !strings.HasPrefix(a, "sts:") {
				return malformed("AssumeRole policy may only specify STS AssumeRole actions.")
			}
		}
		for _, p := range st.Principal["AWS"] {
			if ok, err := s.Exists(tx, p); err != nil {
				return err
			} else if !ok {
				return malformed("Invalid principal in policy: \"AWS\":%q", p)
			}
		}
	}
	return nil
}

// Exists reports whether an AWS principal of this account exists; those of other accounts are taken as they are.
func (s *Service) Exists(tx *state.Tx, principal string) (bool, error) {
	rest, ours := strings.CutPrefix(principal, s.region.GlobalARN("iam", ""))
	kind, name, named := strings.Cut(rest, "/")
	if !ours || !named {
		return true, nil
	}
	name = name[strings.LastIndexByte(name, '/')+1:]
	switch kind {
	case "role":
		_, ok, err := roles.Get(tx, name)
		return ok, err
	case "user":
		_, ok, err := users.Get(tx, name)
		return ok, err
	}
	return true, nil
}
