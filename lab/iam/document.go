package iam

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"storefront/lab/state"
	"storefront/lab/wire"
)

// Document is an IAM policy document as the "IAM JSON policy element reference" defines it.
type Document struct {
	Version   string
	ID        string `json:"Id"`
	Statement Statements
}

// Statement is one statement of a Document.
type Statement struct {
	Sid, Effect                              string
	Action, NotAction, Resource, NotResource Strings
	Principal, NotPrincipal                  Principals
	Condition                                map[string]map[string]Strings
}

// Statements is one statement or a list of them.
type Statements []Statement

// Strings is a string or a list of strings. Numbers and booleans, which conditions may have, are kept as their text.
type Strings []string

// Principals maps "AWS", "Service", "Federated" and "CanonicalUser" to principals; {"*": ["*"]} stands for a bare "*".
type Principals map[string]Strings

// UnmarshalJSON implements json.Unmarshaler.
func (s *Statements) UnmarshalJSON(b []byte) error {
	if b[0] == '{' {
		*s = make(Statements, 1)
		return json.Unmarshal(b, &(*s)[0])
	}
	return json.Unmarshal(b, (*[]Statement)(s))
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *Statement) UnmarshalJSON(b []byte) error {
	type plain Statement
	if err := onlyElements(b, "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition"); err != nil {
		return err
	}
	return json.Unmarshal(b, (*plain)(s))
}

// UnmarshalJSON implements json.Unmarshaler.
func (d *Document) UnmarshalJSON(b []byte) error {
	type plain Document
	if err := onlyElements(b, "Version", "Id", "Statement"); err != nil {
		return err
	}
	return json.Unmarshal(b, (*plain)(d))
}

// onlyElements refuses members of a JSON object that are not policy elements. Their names are case-sensitive, which encoding/json does not check.
func onlyElements(b []byte, names ...string) error {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(b, &members); err != nil {
		return err
	}
	for name := range members {
		if !slices.Contains(names, name) {
			return fmt.Errorf("unknown element %q", name)
		}
	}
	return nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *Strings) UnmarshalJSON(b []byte) error {
	var many []json.RawMessage
	if err := json.Unmarshal(b, &many); err != nil {
		many = []json.RawMessage{b}
	}
	*s = nil
	for _, raw := range many {
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			if strings.ContainsAny(string(raw), "{[") || string(raw) == "null" {
				return err
			}
			text = string(raw)
		}
		*s = append(*s, text)
	}
	return nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *Principals) UnmarshalJSON(b []byte) error {
	var anyone string
	if json.Unmarshal(b, &anyone) == nil {
		*p = Principals{anyone: {anyone}}
		return nil
	}
	return json.Unmarshal(b, (*map[string]Strings)(p))
}

func malformed(format string, args ...any) error {
	return wire.Errorf(400, "MalformedPolicyDocument", format, args...)
}

// ParseDocument reads a policy document and checks its form. Errors are IAM's MalformedPolicyDocument.
func ParseDocument(text string) (Document, error) {
	var d Document
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return d, malformed("Syntax errors in policy.")
	}
	if d.Version != "" && d.Version != "2012-10-17" && d.Version != "2008-10-17" {
		return d, malformed("The policy must contain a valid version string.")
	}
	if len(d.Statement) == 0 {
		return d, malformed("Syntax errors in policy: a policy needs at least one Statement.")
	}
	sids := map[string]bool{}
	for _, s := range d.Statement {
		switch {
		case s.Sid != "" && sids[s.Sid]:
			return d, malformed("Statement IDs (SID) in a single policy must be unique.")
		case s.Effect != "Allow" && s.Effect != "Deny":
			return d, malformed("Invalid effect: %s", s.Effect)
		case (len(s.Action) == 0) == (len(s.NotAction) == 0):
			return d, malformed("Policy statement must contain actions.")
		}
		sids[s.Sid] = true
		for _, a := range slices.Concat(s.Action, s.NotAction) {
			if a != "*" && !strings.Contains(a, ":") {
				return d, malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
			}
		}
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

// permissions checks a document that is attached to an identity.
func permissions(text string) error {
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
			if ok, err := s.exists(tx, p); err != nil {
				return err
			} else if !ok {
				return malformed("Invalid principal in policy: \"AWS\":%q", p)
			}
		}
	}
	return nil
}

// exists reports whether an AWS principal of this account exists; those of other accounts are taken as they are.
func (s *Service) exists(tx *state.Tx, principal string) (bool, error) {
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
