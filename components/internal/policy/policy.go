// Package policy has IAM policy documents as typed values, and the one place that turns them into JSON.
//
// The JSON is what AWS gives back when it is asked: keys in AWS's order, a list with one element as that element, no white
// space. A refresh then finds nothing to change. Grammar: "IAM JSON policy elements reference".
package policy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// Effects of a statement.
const (
	Allow = "Allow"
	Deny  = "Deny"
)

// Strings is a list that is written as a plain string when it has one element.
type Strings []string

// MarshalJSON implements json.Marshaler.
func (s Strings) MarshalJSON() ([]byte, error) {
	if len(s) == 1 {
		return encode(s[0])
	}
	return encode([]string(s))
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *Strings) UnmarshalJSON(b []byte) error {
	var one string
	if err := json.Unmarshal(b, &one); err == nil {
		*s = Strings{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(s))
}

// Principal says who a resource policy speaks of. Everyone stands alone; the other two may stand together.
type Principal struct {
	AWS      Strings `json:"AWS,omitempty"`
	Service  Strings `json:"Service,omitempty"`
	Everyone bool    `json:"-"`
}

// MarshalJSON implements json.Marshaler.
func (p Principal) MarshalJSON() ([]byte, error) {
	if p.Everyone {
		return []byte(`"*"`), nil
	}
	type plain Principal
	return json.Marshal(plain(p))
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *Principal) UnmarshalJSON(b []byte) error {
	if string(b) == `"*"` {
		*p = Principal{Everyone: true}
		return nil
	}
	type plain Principal
	return json.Unmarshal(b, (*plain)(p))
}

// Conditions maps an operator to condition keys and their values.
type Conditions map[string]map[string]Strings

// Statement is one permission. Effect is Allow when it is empty.
type Statement struct {
	Sid       string     `json:"Sid,omitempty"`
	Effect    string     `json:"Effect"`
	Principal *Principal `json:"Principal,omitempty"`
	Action    Strings    `json:"Action"`
	Resource  Strings    `json:"Resource,omitempty"`
	Condition Conditions `json:"Condition,omitempty"`
}

// Document is a policy: a list of statements.
type Document []Statement

// JSON returns the document as AWS writes it.
func (d Document) JSON() (string, error) {
	statements := make([]Statement, len(d))
	for i, s := range d {
		if s.Effect == "" {
			s.Effect = Allow
		}
		if len(s.Action) == 0 {
			return "", fmt.Errorf("policy statement %d (%s) has no action", i, s.Sid)
		}
		statements[i] = s
	}
	b, err := encode(struct {
		Version   string
		Statement []Statement
	}{"2012-10-17", statements})
	return string(b), err
}

// encode is json.Marshal, but "&", "<" and ">" stay as they are, as AWS keeps them.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// Trust returns the trust policy that lets one AWS service assume a role. With conditions, it does so only on behalf of what they name.
func Trust(service string, conditions Conditions) Document {
	return Document{{Principal: &Principal{Service: Strings{service}}, Action: Strings{"sts:AssumeRole"}, Condition: conditions}}
}

// OnBehalfOf returns the conditions against a confused deputy: the service acts for this account and for sources like arn only.
func OnBehalfOf(account, arn string) Conditions {
	return Conditions{"StringEquals": {"aws:SourceAccount": {account}}, "ArnLike": {"aws:SourceArn": {arn}}}
}

// Partition returns the AWS partition of a region, the second part of its ARNs.
func Partition(region string) string {
	switch {
	case strings.HasPrefix(region, "cn-"):
		return "aws-cn"
	case strings.HasPrefix(region, "us-gov-"):
		return "aws-us-gov"
	}
	return "aws"
}
