package balancer

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// match returns the first rule whose conditions the request meets. The default rule has none, so there always is one.
func match(rules []Rule, r *http.Request, source netip.Addr) *Rule {
	for i := range rules {
		if !slices.ContainsFunc(rules[i].Conditions, func(c Condition) bool { return !c.met(r, source) }) {
			return &rules[i]
		}
	}
	return &rules[len(rules)-1]
}

func (c *Condition) met(r *http.Request, source netip.Addr) bool {
	switch {
	case c.Hosts != nil:
		host := strings.ToLower(hostname(r.Host))
		return slices.ContainsFunc(c.Hosts, func(p string) bool { return wildcard(strings.ToLower(p), host, false) })
	case c.Paths != nil:
		return slices.ContainsFunc(c.Paths, func(p string) bool { return wildcard(p, r.URL.EscapedPath(), false) })
	case c.HeaderName != "":
		return slices.ContainsFunc(r.Header.Values(c.HeaderName), func(v string) bool {
			return slices.ContainsFunc(c.HeaderValues, func(p string) bool { return wildcard(strings.ToLower(p), strings.ToLower(v), true) })
		})
	case c.Methods != nil:
		return slices.Contains(c.Methods, r.Method)
	case c.Query != nil:
		return c.queryMet(r.URL.RawQuery)
	case c.Sources != nil:
		return slices.ContainsFunc(c.Sources, func(p netip.Prefix) bool { return p.Contains(source) })
	}
	return false
}

func (c *Condition) queryMet(raw string) bool {
	query, _ := url.ParseQuery(raw) // what does not parse is left out, and cannot match
	for key, values := range query {
		for _, value := range values {
			if slices.ContainsFunc(c.Query, func(p QueryPair) bool {
				return (p.Key == "" || wildcard(strings.ToLower(p.Key), strings.ToLower(key), true)) &&
					wildcard(strings.ToLower(p.Value), strings.ToLower(value), true)
			}) {
				return true
			}
		}
	}
	return false
}

// wildcard matches s against a pattern in which * stands for any run of characters and ? for exactly one.
// With escape, a backslash makes the next character literal. It takes time of at most len(pattern) * len(s).
func wildcard(pattern, s string, escape bool) bool {
	p, i := 0, 0
	star, mark := -1, 0
	for i < len(s) {
		literal, width := byte(0), 0
		if p < len(pattern) {
			literal, width = pattern[p], 1
			if escape && literal == '\\' && p+1 < len(pattern) {
				literal, width = pattern[p+1], 2
			}
		}
		switch {
		case width == 1 && literal == '*':
			star, mark = p, i
			p++
		case width > 0 && (literal == s[i] || width == 1 && literal == '?'):
			p += width
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// hostname is a Host header without its port.
func hostname(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return host
}
