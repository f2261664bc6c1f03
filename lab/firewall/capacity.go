package firewall

import (
	"fmt"

	api "storefront/lab/api/wafv2"
	"storefront/lab/wire"
)

// Capacity is what rules cost in web ACL capacity units, by the pages of the rule statements. groups is the capacity of the customer's own rule groups, by ARN.
func Capacity(rules []api.Rule, groups map[string]int64) (total int64, err error) {
	for _, r := range rules {
		n, err := cost(r.Statement, groups)
		if err != nil {
			return 0, fmt.Errorf("rule %q: %w", wire.Value(r.Name), err)
		}
		total += n
	}
	return total, nil
}

func cost(s *api.Statement, groups map[string]int64) (int64, error) {
	switch {
	case s == nil:
		return 0, nil
	case s.AndStatement != nil:
		return costs(s.AndStatement.Statements, groups)
	case s.OrStatement != nil:
		return costs(s.OrStatement.Statements, groups)
	case s.NotStatement != nil:
		return cost(s.NotStatement.Statement, groups)
	case s.RateBasedStatement != nil:
		n, err := cost(s.RateBasedStatement.ScopeDownStatement, groups)
		return 2 + 30*int64(len(s.RateBasedStatement.CustomKeys)) + n, err
	case s.ManagedRuleGroupStatement != nil:
		m := s.ManagedRuleGroupStatement
		known, ok := ManagedGroup(wire.Value(m.VendorName), wire.Value(m.Name))
		if !ok {
			return 0, fmt.Errorf("%w: the managed rule group %s", ErrUnsupported, wire.Value(m.Name))
		}
		n, err := cost(m.ScopeDownStatement, groups)
		return known.Capacity + n, err
	case s.RuleGroupReferenceStatement != nil:
		n, ok := groups[wire.Value(s.RuleGroupReferenceStatement.ARN)]
		if !ok {
			return 0, fmt.Errorf("%w: %s", ErrMissing, wire.Value(s.RuleGroupReferenceStatement.ARN))
		}
		return n, nil
	}
	return simple(s), nil
}

func costs(list []api.Statement, groups map[string]int64) (total int64, err error) {
	for i := range list {
		n, err := cost(&list[i], groups)
		if err != nil {
			return 0, err
		}
		total += n
	}
	return total, nil
}

// simple is the cost of a statement that holds no other.
func simple(s *api.Statement) int64 {
	switch {
	case s.IPSetReferenceStatement != nil:
		if f := s.IPSetReferenceStatement.IPSetForwardedIPConfig; f != nil && wire.Value(f.Position) == "ANY" {
			return 5
		}
		return 1
	case s.ByteMatchStatement != nil:
		base := int64(2)
		if p := wire.Value(s.ByteMatchStatement.PositionalConstraint); p == "CONTAINS" || p == "CONTAINS_WORD" {
			base = 10
		}
		return matching(base, s.ByteMatchStatement.FieldToMatch, s.ByteMatchStatement.TextTransformations)
	case s.RegexMatchStatement != nil:
		return matching(3, s.RegexMatchStatement.FieldToMatch, s.RegexMatchStatement.TextTransformations)
	case s.RegexPatternSetReferenceStatement != nil:
		return matching(25, s.RegexPatternSetReferenceStatement.FieldToMatch, s.RegexPatternSetReferenceStatement.TextTransformations)
	case s.SizeConstraintStatement != nil:
		return matching(1, s.SizeConstraintStatement.FieldToMatch, s.SizeConstraintStatement.TextTransformations)
	case s.SqliMatchStatement != nil:
		base := int64(20)
		if wire.Value(s.SqliMatchStatement.SensitivityLevel) == "HIGH" {
			base = 30
		}
		return matching(base, s.SqliMatchStatement.FieldToMatch, s.SqliMatchStatement.TextTransformations)
	case s.XssMatchStatement != nil:
		return matching(40, s.XssMatchStatement.FieldToMatch, s.XssMatchStatement.TextTransformations)
	}
	return 1
}

// matching adds what the part and the transformations cost: all query arguments 10 more, a JSON body twice as much, each transformation 10.
func matching(base int64, f *api.FieldToMatch, transformations []api.TextTransformation) int64 {
	if f != nil && f.AllQueryArguments != nil {
		base += 10
	}
	if f != nil && f.JsonBody != nil {
		base *= 2
	}
	for _, t := range transformations {
		if wire.Value(t.Type) != "NONE" {
			base += 10
		}
	}
	return base
}
