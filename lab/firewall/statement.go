package firewall

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/corazawaf/libinjection-go"

	api "storefront/lab/api/wafv2"
	"storefront/lab/wire"
)

// matcher tells whether a request meets a statement.
type matcher func(*evaluation) bool

// maxDepth bounds how deep statements nest.
const maxDepth = 20

func (c *compiler) statement(s *api.Statement) (matcher, error) {
	if s == nil {
		return nil, fmt.Errorf("%w: a statement is required", ErrInvalid)
	}
	if c.depth++; c.depth > maxDepth {
		return nil, fmt.Errorf("%w: statements nest more than %d deep", ErrInvalid, maxDepth)
	}
	defer func() { c.depth-- }()
	switch {
	case s.AndStatement != nil:
		return c.several(s.AndStatement.Statements, func(all []matcher) matcher {
			return func(e *evaluation) bool { return !slices.ContainsFunc(all, func(m matcher) bool { return !m(e) }) }
		})
	case s.OrStatement != nil:
		return c.several(s.OrStatement.Statements, func(all []matcher) matcher {
			return func(e *evaluation) bool { return slices.ContainsFunc(all, func(m matcher) bool { return m(e) }) }
		})
	case s.NotStatement != nil:
		m, err := c.statement(s.NotStatement.Statement)
		return func(e *evaluation) bool { return !m(e) }, err
	case s.IPSetReferenceStatement != nil:
		return c.addresses(s.IPSetReferenceStatement)
	case s.LabelMatchStatement != nil:
		return c.label(s.LabelMatchStatement)
	case s.GeoMatchStatement != nil:
		return nil, fmt.Errorf("%w: the lab's addresses lie in no country, so geographic match statements", ErrUnsupported)
	case s.RateBasedStatement != nil || s.ManagedRuleGroupStatement != nil || s.RuleGroupReferenceStatement != nil:
		return nil, fmt.Errorf("%w: rate-based and rule group statements cannot be nested", ErrInvalid)
	}
	return c.content(s)
}

// content compiles the statements about the content of one part of a request.
func (c *compiler) content(s *api.Statement) (matcher, error) {
	switch {
	case s.ByteMatchStatement != nil:
		return c.bytes(s.ByteMatchStatement)
	case s.RegexMatchStatement != nil:
		m := s.RegexMatchStatement
		return c.patterns(m.FieldToMatch, m.TextTransformations, []string{wire.Value(m.RegexString)})
	case s.RegexPatternSetReferenceStatement != nil:
		m := s.RegexPatternSetReferenceStatement
		patterns, ok := c.sets.Patterns[wire.Value(m.ARN)]
		if !ok {
			return nil, fmt.Errorf("%w: %s", ErrMissing, wire.Value(m.ARN))
		}
		return c.patterns(m.FieldToMatch, m.TextTransformations, patterns)
	case s.SizeConstraintStatement != nil:
		return c.size(s.SizeConstraintStatement)
	case s.SqliMatchStatement != nil:
		m := s.SqliMatchStatement
		return c.field(m.FieldToMatch, m.TextTransformations, "SQL_INJECTION", func(v []byte) bool {
			found, _ := libinjection.IsSQLi(string(v))
			return found
		})
	case s.XssMatchStatement != nil:
		m := s.XssMatchStatement
		return c.field(m.FieldToMatch, m.TextTransformations, "XSS", func(v []byte) bool { return libinjection.IsXSS(string(v)) })
	}
	return nil, fmt.Errorf("%w: the statement is empty or of an unknown kind", ErrInvalid)
}

func (c *compiler) several(list []api.Statement, join func([]matcher) matcher) (matcher, error) {
	if len(list) < 2 {
		return nil, fmt.Errorf("%w: a logical statement joins at least two statements", ErrInvalid)
	}
	var all []matcher
	for i := range list {
		m, err := c.statement(&list[i])
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return join(all), nil
}

func (c *compiler) addresses(s *api.IPSetReferenceStatement) (matcher, error) {
	set, ok := c.sets.Addresses[wire.Value(s.ARN)]
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrMissing, wire.Value(s.ARN))
	}
	in := func(a netip.Addr) bool {
		return slices.ContainsFunc(set, func(p netip.Prefix) bool { return p.Contains(a.Unmap()) })
	}
	f := s.IPSetForwardedIPConfig
	if f == nil {
		return func(e *evaluation) bool { return in(e.Client) }, nil
	}
	return func(e *evaluation) bool {
		value := e.Header.Get(wire.Value(f.HeaderName))
		if value == "" {
			return false // the rule does not apply to a request without the field
		}
		list := strings.Split(value, ",")
		switch wire.Value(f.Position) {
		case "FIRST":
			list = list[:1]
		case "LAST":
			list = list[len(list)-1:]
		}
		for _, part := range list[max(0, len(list)-10):] { // AWS looks at ten at most
			a, err := netip.ParseAddr(strings.TrimSpace(part))
			if err != nil {
				return wire.Value(f.FallbackBehavior) == "MATCH"
			}
			if in(a) {
				return true
			}
		}
		return false
	}, nil
}

// label matches labels that rules before this one added: by their whole name or, without a prefix, by the owner's own; or by namespace.
func (c *compiler) label(s *api.LabelMatchStatement) (matcher, error) {
	key, byNamespace := wire.Value(s.Key), wire.Value(s.Scope) == "NAMESPACE"
	if !strings.HasPrefix(key, "awswaf:") {
		key = c.namespace + key
	}
	if byNamespace && !strings.HasSuffix(key, ":") {
		return nil, fmt.Errorf("%w: a label namespace ends with a colon", ErrInvalid)
	}
	return func(e *evaluation) bool {
		return slices.ContainsFunc(e.labels, func(l string) bool { return l == key || byNamespace && strings.HasPrefix(l, key) })
	}, nil
}

func (c *compiler) bytes(s *api.ByteMatchStatement) (matcher, error) {
	text := s.SearchString
	if len(text) == 0 || len(text) > 200 {
		return nil, fmt.Errorf("%w: a search string has 1 to 200 bytes", ErrInvalid)
	}
	tests := map[string]func(v []byte) bool{
		"EXACTLY":     func(v []byte) bool { return bytes.Equal(v, text) },
		"STARTS_WITH": func(v []byte) bool { return bytes.HasPrefix(v, text) },
		"ENDS_WITH":   func(v []byte) bool { return bytes.HasSuffix(v, text) },
		"CONTAINS":    func(v []byte) bool { return bytes.Contains(v, text) },
	}
	test, ok := tests[wire.Value(s.PositionalConstraint)]
	if wire.Value(s.PositionalConstraint) == "CONTAINS_WORD" {
		word, err := regexp.Compile(`(?:^|[^A-Za-z0-9_])` + regexp.QuoteMeta(string(text)) + `(?:$|[^A-Za-z0-9_])`)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		test, ok = word.Match, true
	}
	if !ok {
		return nil, fmt.Errorf("%w: positional constraint %q", ErrInvalid, wire.Value(s.PositionalConstraint))
	}
	return c.field(s.FieldToMatch, s.TextTransformations, "", test)
}

// patterns matches any of some regular expressions. AWS takes what Go takes: neither knows back references nor looking around.
func (c *compiler) patterns(f *api.FieldToMatch, transformations []api.TextTransformation, patterns []string) (matcher, error) {
	var all []*regexp.Regexp
	for _, p := range patterns {
		r, err := regexp.Compile(p)
		if err != nil || p == "" {
			return nil, fmt.Errorf("%w: regular expression %q: %w", ErrInvalid, p, errors.Join(err))
		}
		all = append(all, r)
	}
	return c.field(f, transformations, "", func(v []byte) bool {
		return slices.ContainsFunc(all, func(r *regexp.Regexp) bool { return r.Match(v) })
	})
}

func (c *compiler) size(s *api.SizeConstraintStatement) (matcher, error) {
	limit := wire.Value(s.Size)
	tests := map[string]func(n int64) bool{
		"EQ": func(n int64) bool { return n == limit }, "NE": func(n int64) bool { return n != limit },
		"LE": func(n int64) bool { return n <= limit }, "LT": func(n int64) bool { return n < limit },
		"GE": func(n int64) bool { return n >= limit }, "GT": func(n int64) bool { return n > limit },
	}
	test, ok := tests[wire.Value(s.ComparisonOperator)]
	if !ok {
		return nil, fmt.Errorf("%w: comparison %q", ErrInvalid, wire.Value(s.ComparisonOperator))
	}
	return c.field(s.FieldToMatch, s.TextTransformations, "", func(v []byte) bool { return test(int64(len(v))) })
}
