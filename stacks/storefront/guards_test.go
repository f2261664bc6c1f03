package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"storefront/internal/golden"
)

// Each store is under the key of its class, and each role may use no other: a line for every place where a key is named.
func TestKeys(t *testing.T) {
	const admin = "arn:aws:iam::123456789012:role/security"
	c := up(t, map[string]string{"profile": "prod", "keyAdmins": `["` + admin + `"]`})
	form := regexp.MustCompile(`aws:kms/key:Key/storefront-test-([a-z]+)`)
	var lines []string
	for _, r := range c.resources {
		for property, v := range r.Inputs {
			for _, m := range form.FindAllStringSubmatch(fmt.Sprint(v), -1) {
				lines = append(lines, fmt.Sprintf("%s: %s %s %s", m[1], r.TypeToken, r.Name, property))
			}
		}
		if r.TypeToken == "aws:kms/key:Key" && !strings.Contains(r.Inputs["policy"].StringValue(), `"Principal":{"AWS":"`+admin+`"}`) {
			t.Errorf("%s is not administered by %s: %v", r.Name, admin, r.Inputs["policy"])
		}
	}
	slices.Sort(lines)
	golden.Compare(t, "testdata/keys.txt", strings.Join(slices.Compact(lines), "\n")+"\n")
}

// The trail of the account is one that the stack makes, or somebody else's.
func TestAudit(t *testing.T) {
	const trail = "aws:cloudtrail/trail:Trail"
	for _, profile := range []string{"lab", "dev", "prod"} {
		x := up(t, map[string]string{"profile": profile}).one(t, trail).Inputs
		if x["name"].StringValue() != "storefront-test" || !x["isMultiRegionTrail"].BoolValue() || !x["enableLogFileValidation"].BoolValue() {
			t.Errorf("%s: trail %v", profile, x)
		}
	}
	if n := up(t, map[string]string{"profile": "dev", "audit": "false"}).count(trail); n != 0 {
		t.Errorf("%d trails without audit", n)
	}
}

// Requests are inspected in every profile. Where they are not, the outputs say so.
func TestFirewall(t *testing.T) {
	const acl = "aws:wafv2/webAcl:WebAcl"
	for _, profile := range []string{"lab", "dev", "prod"} {
		c := up(t, map[string]string{"profile": profile})
		if got := c.one(t, "aws:wafv2/webAclAssociation:WebAclAssociation").Inputs["resourceArn"].StringValue(); !strings.HasSuffix(got, "storefront-test") {
			t.Errorf("%s: the web ACL is in front of %s", profile, got)
		}
		rules := fmt.Sprint(c.one(t, acl).Inputs["rules"].Mappable())
		if tried := strings.Contains(rules, "NoUserAgent_HEADER"); tried != (profile == "lab") || !strings.Contains(rules, "limit:2000") {
			t.Errorf("%s: rules %s", profile, rules)
		}
	}
	c := up(t, map[string]string{"profile": "prod", "firewallCount": `["sqli"]`, "firewallBlocked": `["192.0.2.0/24"]`, "endpoint": "http://127.0.0.1:4566"})
	if rules := fmt.Sprint(c.one(t, acl).Inputs["rules"].Mappable()); strings.Count(rules, "overrideAction:map[count:") != 1 || !strings.Contains(rules, "limit:2e+09") {
		t.Errorf("rules %s", rules)
	}
	if got := c.one(t, "aws:wafv2/ipSet:IpSet").Inputs["addresses"].Mappable(); fmt.Sprint(got) != "[192.0.2.0/24]" {
		t.Errorf("blocked: %v", got)
	}
	if n := up(t, map[string]string{"profile": "dev", "firewall": "false"}).count(acl); n != 0 {
		t.Errorf("%d web ACLs without a firewall", n)
	}
}

// The policies of Firewall Manager are made where the account may, and nobody is asked who does not want them.
func TestFirewallManager(t *testing.T) {
	const policy, endpoint = "aws:fms/policy:Policy", "http://127.0.0.1:4566"
	for _, tt := range []struct {
		manager, shield string
		administrator   bool
		policies        int
		asked           string
	}{
		{"auto", "false", false, 0, "us-east-1 " + endpoint}, {"auto", "false", true, 3, "us-east-1 " + endpoint}, {"auto", "true", true, 4, "us-east-1 " + endpoint}, {"off", "true", true, 0, ""},
	} {
		c := &cloud{administrator: tt.administrator}
		c.up(t, map[string]string{"profile": "lab", "endpoint": endpoint, "firewallManager": tt.manager, "shieldAdvanced": tt.shield})
		if n := c.count(policy); n != tt.policies || c.asked != tt.asked {
			t.Errorf("%+v: %d policies, asked %q", tt, n, c.asked)
		}
		if tt.policies > 0 {
			x := c.named(t, policy, "storefront-test-guard-web-acl").Inputs.Mappable()
			if fmt.Sprint(x["resourceTags"], x["includeMap"]) != "map[Project:storefront] map[accounts:[123456789012]]" {
				t.Errorf("the web ACL's policy is about %v of %v", x["resourceTags"], x["includeMap"])
			}
		}
	}
}

// What holds for the whole account is set by one of its stacks, and outlives it.
func TestAccount(t *testing.T) {
	const token = "aws:ebs/encryptionByDefault:EncryptionByDefault"
	for _, profile := range []string{"lab", "dev"} {
		if n := up(t, map[string]string{"profile": profile}).count(token); n != 0 {
			t.Errorf("%s sets what other stacks of the account live with", profile)
		}
	}
	r := up(t, map[string]string{"profile": "prod"}).one(t, token)
	if !r.Inputs["enabled"].BoolValue() || !r.RegisterRPC.GetRetainOnDelete() {
		t.Errorf("encryption by default: %v, retained: %v", r.Inputs, r.RegisterRPC.GetRetainOnDelete())
	}
}

// What AWS draws at random is in inputs only where it is marked as a secret, in every profile and with either engine.
func TestNoSecretInTheOpen(t *testing.T) {
	for _, values := range []map[string]string{
		{"profile": "lab"}, {"profile": "dev", "searchEngine": "opensearch", "cacheEngine": "valkey"}, {"profile": "prod"},
	} {
		hidden := 0
		for _, r := range up(t, values).resources {
			for key, v := range r.Inputs {
				if v.ContainsSecrets() && strings.Contains(fmt.Sprint(v), drawn) {
					hidden++
				}
				if open := v.MapRepl(nil, func(v resource.PropertyValue) (any, bool) {
					return nil, v.IsSecret() || v.IsOutput() && v.OutputValue().Secret
				}); strings.Contains(fmt.Sprint(open), drawn) {
					t.Errorf("%v: %s %s: a secret is in the open in %s", values, r.TypeToken, r.Name, key)
				}
			}
		}
		if hidden != 3 { // the token's version, the cache that takes it, and the version of the key of order IDs
			t.Errorf("%v: %d inputs hold a secret, want 3", values, hidden)
		}
	}
}
