package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"storefront/internal/inventory"
)

// strs is a list that JSON may write as one string.
type strs []string

func (s *strs) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*s = strs{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(s))
}

// principals are all names of a statement's principal, whatever their kind.
type principals []string

func (p *principals) UnmarshalJSON(b []byte) error {
	var all strs
	if json.Unmarshal(b, &all) == nil {
		*p = principals(all)
		return nil
	}
	var kinds map[string]strs
	if err := json.Unmarshal(b, &kinds); err != nil {
		return err
	}
	for _, names := range kinds {
		*p = append(*p, names...)
	}
	return nil
}

// statement is one statement of a policy document ("IAM JSON policy elements reference").
type statement struct {
	Sid               string
	Effect            string
	Principal         principals
	NotPrincipal      principals
	Action, NotAction strs
	Resource          strs
	NotResource       strs
	Condition         map[string]map[string]strs
}

// documentOf returns the statements of a policy that a property holds.
func documentOf(r *inventory.Resource, path string) ([]statement, error) {
	v := r.Value(path)
	switch {
	case v.IsComputed():
		return nil, fmt.Errorf("%s is not known before the deployment", path)
	case !v.IsString():
		return nil, fmt.Errorf("%s is missing", path)
	}
	var d struct{ Statement json.RawMessage }
	if err := json.Unmarshal([]byte(v.AsString()), &d); err != nil {
		return nil, fmt.Errorf("%s is no policy document: %w", path, err)
	}
	var all []statement
	if json.Unmarshal(d.Statement, &all) == nil {
		return all, nil
	}
	var one statement
	if err := json.Unmarshal(d.Statement, &one); err != nil {
		return nil, fmt.Errorf("%s is no policy document: %w", path, err)
	}
	return []statement{one}, nil
}

func (s *statement) allows() bool { return s.Effect == "Allow" }

// narrowing are the condition keys that bind everyone to somebody.
var narrowing = []string{
	"aws:sourceaccount", "aws:sourcearn", "aws:sourceowner", "aws:principalaccount", "aws:principalarn", "aws:principalorgid", "aws:sourcevpc",
	"aws:sourcevpce", "kms:calleraccount",
}

// public says that the statement lets everyone in.
func (s *statement) public() bool {
	if !s.allows() || !slices.Contains(s.Principal, "*") && len(s.NotPrincipal) == 0 {
		return false
	}
	for operator, keys := range s.Condition {
		for key := range keys {
			if slices.Contains(narrowing, strings.ToLower(key)) && !strings.Contains(operator, "Not") {
				return false
			}
		}
	}
	return true
}

// tlsOnly says that the statement refuses every action over plain HTTP.
func (s *statement) tlsOnly(service string) bool {
	return s.Effect == "Deny" && slices.Contains(s.Principal, "*") && (slices.Contains(s.Action, service+":*") || slices.Contains(s.Action, "*")) &&
		slices.Contains(s.Condition["Bool"]["aws:SecureTransport"], "false")
}

// noPublic wants a resource's policy to let in nobody but those it names.
func (f *findings) noPublic(r *inventory.Resource, path string) {
	d, err := documentOf(r, path)
	if err != nil {
		f.want(r, false, err.Error())
		return
	}
	open := slices.IndexFunc(d, func(s statement) bool { return s.public() })
	f.want(r, open < 0, "its policy lets everyone in: name principals, or add a condition on aws:SourceAccount")
}
