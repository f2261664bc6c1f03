// Package access reads the documents of IAM policies and decides by them, as the IAM User Guide describes in "Policy evaluation logic". It knows nothing of
// services or state: who asks brings the policies that apply.
package access

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Document is a policy document as the "IAM JSON policy element reference" defines it.
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
	Condition                                map[string]map[string]Strings // values by operator and key
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

// Parse reads a policy document and checks its form. The text of an error is IAM's message.
func Parse(text string) (Document, error) {
	var d Document
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return d, errors.New("Syntax errors in policy.")
	}
	if d.Version != "" && d.Version != current && d.Version != "2008-10-17" {
		return d, errors.New("The policy must contain a valid version string.")
	}
	if len(d.Statement) == 0 {
		return d, errors.New("Syntax errors in policy: a policy needs at least one Statement.")
	}
	sids := map[string]bool{}
	for _, s := range d.Statement {
		if s.Sid != "" && sids[s.Sid] {
			return d, errors.New("Statement IDs (SID) in a single policy must be unique.")
		}
		sids[s.Sid] = true
		if err := s.check(); err != nil {
			return d, err
		}
	}
	return d, nil
}

func (s Statement) check() error {
	switch {
	case s.Effect != allow && s.Effect != deny:
		return fmt.Errorf("Invalid effect: %s", s.Effect)
	case (len(s.Action) == 0) == (len(s.NotAction) == 0):
		return errors.New("Policy statement must contain actions.")
	}
	for _, a := range slices.Concat(s.Action, s.NotAction) {
		if a != "*" && !strings.Contains(a, ":") {
			return errors.New("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
		}
	}
	for name := range s.Condition {
		if _, err := parseOperator(name); err != nil {
			return err
		}
	}
	return nil
}

const (
	current = "2012-10-17" // the version with policy variables
	allow   = "Allow"
	deny    = "Deny"
)
