package elbv2

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	api "storefront/lab/api/elbv2"
	"storefront/lab/wire"
)

var (
	methodName = regexp.MustCompile(`^[A-Z_-]{1,40}$`)
	headerName = regexp.MustCompile("^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,40}$")
)

// checkConditions checks the conditions of a rule and completes them as they read back: host-header and path-pattern in both of their forms.
func checkConditions(conditions []api.RuleCondition) ([]api.RuleCondition, error) {
	if len(conditions) == 0 {
		return nil, invalid("A rule must have at least one condition")
	}
	conditions = slices.Clone(conditions)
	values, seen := 0, map[string]bool{}
	for i := range conditions {
		c := &conditions[i]
		field := wire.Value(c.Field)
		if seen[field] && field != "http-header" && field != "query-string" {
			return nil, invalid("Rules can have at most one condition of the field '%s'", field)
		}
		seen[field] = true
		n, err := checkCondition(c)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, invalid("A condition value must be specified")
		}
		values += n
	}
	if values > 5 {
		return nil, invalid("A rule can only have '5' condition values")
	}
	return conditions, nil
}

// checkCondition checks one condition and returns how many values it has.
func checkCondition(c *api.RuleCondition) (int, error) {
	switch field := wire.Value(c.Field); field {
	case "host-header":
		if c.HostHeaderConfig == nil {
			c.HostHeaderConfig = &api.HostHeaderConditionConfig{Values: c.Values}
		}
		c.Values = c.HostHeaderConfig.Values
		return len(c.Values), checkPatterns(field, c.Values)
	case "path-pattern":
		if c.PathPatternConfig == nil {
			c.PathPatternConfig = &api.PathPatternConditionConfig{Values: c.Values}
		}
		c.Values = c.PathPatternConfig.Values
		return len(c.Values), checkPatterns(field, c.Values)
	case "http-header":
		return checkHeaderCondition(c.HttpHeaderConfig)
	case "http-request-method":
		if c.HttpRequestMethodConfig == nil {
			return 0, nil
		}
		for _, m := range c.HttpRequestMethodConfig.Values {
			if !methodName.MatchString(m) {
				return 0, invalid("The HTTP request method '%s' is not valid", m)
			}
		}
		return len(c.HttpRequestMethodConfig.Values), nil
	case "query-string":
		return checkQueryCondition(c.QueryStringConfig)
	case "source-ip":
		if c.SourceIpConfig == nil {
			return 0, nil
		}
		for _, cidr := range c.SourceIpConfig.Values {
			if _, err := netip.ParsePrefix(cidr); err != nil {
				return 0, invalid("The source IP value '%s' is not in CIDR notation", cidr)
			}
		}
		return len(c.SourceIpConfig.Values), nil
	default:
		return 0, invalid("Condition field '%s' must be one of '[path-pattern, host-header, http-header, http-request-method, query-string, source-ip]'", field)
	}
}

func checkPatterns(field string, patterns []string) error {
	for _, p := range patterns {
		if p == "" || len(p) > 128 || strings.ContainsFunc(p, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return invalid("The %s value '%s' must be 1 to 128 printable characters without spaces", field, p)
		}
	}
	return nil
}

func checkHeaderCondition(c *api.HttpHeaderConditionConfig) (int, error) {
	if c == nil {
		return 0, nil
	}
	name := wire.Value(c.HttpHeaderName)
	if !headerName.MatchString(name) || strings.EqualFold(name, "host") {
		return 0, invalid("The HTTP header name '%s' is not valid", name)
	}
	for _, v := range c.Values {
		if v == "" || len(v) > 128 {
			return 0, invalid("The http-header value '%s' must be 1 to 128 characters", v)
		}
	}
	return len(c.Values), nil
}

func checkQueryCondition(c *api.QueryStringConditionConfig) (int, error) {
	if c == nil {
		return 0, nil
	}
	for _, pair := range c.Values {
		if wire.Value(pair.Value) == "" || len(*pair.Value) > 128 || len(wire.Value(pair.Key)) > 128 {
			return 0, invalid("A query-string condition needs values of 1 to 128 characters")
		}
	}
	return len(c.Values), nil
}
