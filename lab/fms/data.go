package fms

import (
	"encoding/json"
	"maps"
	"slices"

	api "storefront/lab/api/fms"
	wafapi "storefront/lab/api/wafv2"
	"storefront/lab/wire"
)

// serviceData is ManagedServiceData: what a policy does, in the members of the types that are served.
type serviceData struct {
	Type string `json:"type"`

	// of WAFV2
	Before        []groupData `json:"preProcessRuleGroups"`
	After         []groupData `json:"postProcessRuleGroups"`
	DefaultAction struct {
		Type string `json:"type"`
	} `json:"defaultAction"`
	Override bool `json:"overrideCustomerWebACLAssociation"`

	// of SECURITY_GROUPS_CONTENT_AUDIT: the groups that allow or deny what others may have
	Groups []struct {
		ID string `json:"id"`
	} `json:"securityGroups"`
	Action struct {
		Type string `json:"type"`
	} `json:"securityGroupAction"`

	// of SECURITY_GROUPS_USAGE_AUDIT
	DeleteUnused bool `json:"deleteUnusedSecurityGroups"`
	Coalesce     bool `json:"coalesceRedundantSecurityGroups"`
}

// groupData is a rule group of a WAFV2 policy.
type groupData struct {
	Kind    string `json:"ruleGroupType"`
	ARN     string `json:"ruleGroupArn"`
	Managed *struct {
		Vendor string `json:"vendorName"`
		Name   string `json:"managedRuleGroupName"`
	} `json:"managedRuleGroupIdentifier"`
	Override struct {
		Type string `json:"type"`
	} `json:"overrideAction"`
	Exclude []struct {
		Name string `json:"name"`
	} `json:"excludeRules"`
}

// decode reads and checks what a policy does.
func decode(p api.Policy) (d serviceData, err error) {
	kind := *p.SecurityServicePolicyData.Type
	if kind == "SHIELD_ADVANCED" {
		return d, fault("InvalidOperationException", "The account is not subscribed to AWS Shield Advanced.")
	}
	if err := json.Unmarshal([]byte(wire.Value(p.SecurityServicePolicyData.ManagedServiceData)), &d); err != nil {
		return d, invalid("ManagedServiceData is not the JSON of a policy: %v", err)
	}
	if d.Type != kind {
		return d, invalid("ManagedServiceData is of type %q, the policy of type %q.", d.Type, kind)
	}
	resource := securityGroupType
	switch kind {
	case "WAFV2":
		resource = loadBalancerType
		if d.DefaultAction.Type != "ALLOW" && d.DefaultAction.Type != "BLOCK" {
			return d, invalid("defaultAction is %q, want ALLOW or BLOCK.", d.DefaultAction.Type)
		}
	case "SECURITY_GROUPS_CONTENT_AUDIT":
		if len(d.Groups) == 0 || d.Action.Type != "ALLOW" && d.Action.Type != "DENY" {
			return d, invalid("A content audit needs securityGroups, and a securityGroupAction ALLOW or DENY; managed options are not supported.")
		}
	case "SECURITY_GROUPS_USAGE_AUDIT":
		if !d.DeleteUnused && !d.Coalesce {
			return d, invalid("A usage audit needs deleteUnusedSecurityGroups or coalesceRedundantSecurityGroups.")
		}
	default:
		return d, invalid("Policies of type %s are not supported in this region.", kind)
	}
	if *p.ResourceType != resource {
		return d, invalid("A policy of type %s is about %s, not %s.", kind, resource, *p.ResourceType)
	}
	if kind != "WAFV2" && *p.RemediationEnabled {
		return d, invalid("Remediation of security groups is not supported in this region: the policy can report.")
	}
	return d, nil
}

// ruleGroups are the rule groups of a WAFV2 policy, as the web ACL has them.
func ruleGroups(list []groupData) (groups []wafapi.FirewallManagerRuleGroup) {
	for i, g := range list {
		name := "group-" + string(rune('a'+i%26))
		out := wafapi.FirewallManagerRuleGroup{Priority: new(int64(i)), FirewallManagerStatement: &wafapi.FirewallManagerStatement{}, OverrideAction: &wafapi.OverrideAction{None: &wafapi.NoneAction{}}}
		if g.Override.Type == "COUNT" {
			out.OverrideAction = &wafapi.OverrideAction{Count: &wafapi.CountAction{}}
		}
		var excluded []wafapi.ExcludedRule
		for _, e := range g.Exclude {
			excluded = append(excluded, wafapi.ExcludedRule{Name: &e.Name})
		}
		if g.Managed != nil {
			name = g.Managed.Name
			out.FirewallManagerStatement.ManagedRuleGroupStatement = &wafapi.ManagedRuleGroupStatement{VendorName: &g.Managed.Vendor, Name: &g.Managed.Name, ExcludedRules: excluded}
		} else {
			out.FirewallManagerStatement.RuleGroupReferenceStatement = &wafapi.RuleGroupReferenceStatement{ARN: &g.ARN, ExcludedRules: excluded}
		}
		out.Name, out.VisibilityConfig = &name, &wafapi.VisibilityConfig{MetricName: &name, CloudWatchMetricsEnabled: new(true), SampledRequestsEnabled: new(true)}
		groups = append(groups, out)
	}
	return groups
}

// checkScope checks which accounts a policy is about. There are no organizational units, and no resource sets.
func checkScope(p api.Policy) error {
	for _, scope := range []map[string][]string{p.IncludeMap, p.ExcludeMap} {
		for kind, ids := range scope {
			if kind != api.CustomerPolicyScopeIdTypeAccount && len(ids) > 0 { // the provider sends empty lists
				return invalid("The organization has no units: a scope of type %s is not supported.", kind)
			}
		}
	}
	if len(p.ResourceSetIds) > 0 {
		return invalid("Resource sets are not supported in this region.")
	}
	return nil
}

// includes tells whether a policy is about an account. What is included counts, or else what is excluded: see Policy in the API reference.
func includes(p api.Policy, account string) bool {
	if included := p.IncludeMap[api.CustomerPolicyScopeIdTypeAccount]; len(included) > 0 {
		return slices.Contains(included, account)
	}
	return !slices.Contains(p.ExcludeMap[api.CustomerPolicyScopeIdTypeAccount], account)
}

// inScope tells whether a policy is about a resource: by its tags, all of which the resource must have to be included, or to be excluded.
func inScope(p api.Policy, r Resource) bool {
	if len(p.ResourceTags) == 0 {
		return true
	}
	has := !slices.ContainsFunc(p.ResourceTags, func(t api.ResourceTag) bool {
		value, ok := r.Tags[*t.Key]
		return !ok || wire.Value(t.Value) != "" && *t.Value != value
	})
	return has != *p.ExcludeResourceTags
}

func tagList(tags map[string]string) []api.Tag {
	list := []api.Tag{}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, api.Tag{Key: &key, Value: new(tags[key])})
	}
	return list
}
