package sts

import (
	"slices"
	"strings"

	"storefront/lab/access"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// principals is how a trust policy can name who calls: by element ("AWS", "Service") and value.
type principals map[string][]string

// principals lists the names of a caller: itself, its account and, for a session, the role behind it. chained tells that it is such a session.
func (s *Service) principals(tx *state.Tx, caller wire.Identity) (names principals, chained bool) {
	account := []string{"*", s.region.Account, s.region.GlobalARN("iam", "root"), caller.ARN}
	session, chained := strings.CutPrefix(caller.ARN, s.region.GlobalARN("sts", "assumed-role/"))
	if name, _, _ := strings.Cut(session, "/"); chained {
		if role, err := s.iam.Role(tx, name); err == nil {
			account = append(account, role.ARN)
		}
	}
	return principals{"AWS": account, "*": {"*"}}, chained
}

// trusts reports whether a trust policy lets a principal assume the role: a Deny that matches wins over every Allow. A condition that the lab cannot
// judge never lets anybody in: an Allow with it does not count, and a Deny with it does.
func trusts(trust access.Document, who principals, externalID string) bool {
	allowed := false
	for _, st := range trust.Statement {
		met, known := condition(st.Condition, externalID)
		deny := st.Effect == "Deny"
		if !concernsAssumeRole(st) || !who.in(st) || known && !met || !known && !deny {
			continue
		}
		if deny {
			return false
		}
		allowed = true
	}
	return allowed
}

func concernsAssumeRole(st access.Statement) bool {
	named := slices.ContainsFunc(slices.Concat(st.Action, st.NotAction), func(a string) bool {
		return a == "*" || strings.EqualFold(a, "sts:*") || strings.EqualFold(a, "sts:Assume*") || strings.EqualFold(a, "sts:AssumeRole")
	})
	return named == (len(st.Action) > 0)
}

// in reports whether a statement is about the principal.
func (who principals) in(st access.Statement) bool {
	named, negated := st.Principal, len(st.NotPrincipal) > 0
	if negated {
		named = st.NotPrincipal
	}
	for element, values := range named {
		if slices.ContainsFunc(values, func(v string) bool { return slices.Contains(who[element], v) }) {
			return !negated
		}
	}
	return negated
}

// condition judges the one condition of trust policies that does not depend on the network: the external ID.
func condition(operators map[string]map[string]access.Strings, externalID string) (met, known bool) {
	met = true
	for operator, keys := range operators {
		for key, values := range keys {
			if operator != "StringEquals" || !strings.EqualFold(key, "sts:ExternalId") {
				return false, false
			}
			met = met && slices.Contains(values, externalID)
		}
	}
	return met, true
}
