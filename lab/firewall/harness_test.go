package firewall_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	api "storefront/lab/api/wafv2"
	"storefront/lab/firewall"
)

// clock is the time of rate-based rules, set by tests.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time { return c.now }

func visibility(name string) *api.VisibilityConfig {
	return &api.VisibilityConfig{MetricName: &name, CloudWatchMetricsEnabled: new(true), SampledRequestsEnabled: new(true)}
}

// managed is a rule with a managed group.
func managed(priority int64, name string, overrides ...string) api.Rule {
	s := &api.ManagedRuleGroupStatement{VendorName: new("AWS"), Name: new(name)}
	for _, o := range overrides {
		s.RuleActionOverrides = append(s.RuleActionOverrides, api.RuleActionOverride{Name: new(o), ActionToUse: &api.RuleAction{Count: &api.CountAction{}}})
	}
	return api.Rule{Name: new(name), Priority: &priority, Statement: &api.Statement{ManagedRuleGroupStatement: s}, OverrideAction: &api.OverrideAction{None: &api.NoneAction{}}, VisibilityConfig: visibility(name)}
}

// rule is one of the web ACL's own.
func rule(priority int64, name string, action api.RuleAction, s api.Statement) api.Rule {
	return api.Rule{Name: &name, Priority: &priority, Statement: &s, Action: &action, VisibilityConfig: visibility(name)}
}

func block() api.RuleAction { return api.RuleAction{Block: &api.BlockAction{}} }
func count() api.RuleAction { return api.RuleAction{Count: &api.CountAction{}} }
func allow() api.RuleAction { return api.RuleAction{Allow: &api.AllowAction{}} }

var none = []api.TextTransformation{{Priority: new(int64(0)), Type: new("NONE")}}

func acl(rules ...api.Rule) firewall.ACL {
	return firewall.ACL{Labels: "awswaf:000000000000:webacl:test:", Default: api.DefaultAction{Allow: &api.AllowAction{}}, Rules: rules}
}

// preset is what the stack's firewall has.
func preset() firewall.ACL {
	return acl(managed(1, "AWSManagedRulesAmazonIpReputationList"), managed(2, "AWSManagedRulesCommonRuleSet"), managed(3, "AWSManagedRulesKnownBadInputsRuleSet"), managed(4, "AWSManagedRulesSQLiRuleSet"))
}

func compile(t testing.TB, a firewall.ACL) *firewall.Inspector {
	t.Helper()
	i, err := firewall.New(newClock().Now).Compile(a, nil)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// request is an ordinary request; fields come as "Name: value".
func request(method, target, body string, fields ...string) *firewall.Request {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) shop/1.0")
	r.Header.Set("Accept", "*/*")
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		if r.Header.Del(name); value != "" {
			r.Header.Set(name, value)
		}
	}
	return wrap(r)
}

func wrap(r *http.Request) *firewall.Request {
	body, _ := io.ReadAll(io.LimitReader(r.Body, firewall.BodyLimit+1))
	return &firewall.Request{Request: r, Client: netip.MustParseAddr("198.51.100.1"), Body: body[:min(len(body), firewall.BodyLimit)], More: len(body) > firewall.BodyLimit}
}
