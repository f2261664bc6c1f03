package wafv2

import (
	api "storefront/lab/api/wafv2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// ownPriorities separates the rule groups of Firewall Manager, which go first and last, from the rules of the account in between.
const ownPriorities = 1 << 32

// PutManaged makes or changes the web ACL of a Firewall Manager policy: arn is "" for a new one. Its rule groups go before and after the rules that the account
// adds, which stay.
func (s *Service) PutManaged(tx *state.Tx, arn, name string, fallback api.DefaultAction, before, after []api.FirewallManagerRuleGroup) (string, error) {
	e, ok, err := acls.table.Get(tx, arn)
	if err != nil {
		return "", err
	}
	if !ok {
		if e, err = acls.create(s, tx, new(api.ScopeRegional), &name, nil, nil); err != nil {
			return "", err
		}
		e.Value = api.WebACL{ARN: &e.ARN, Id: &e.ID, Name: &e.Name, ManagedByFirewallManager: new(true), LabelNamespace: new("awswaf:" + s.Region.Account + ":webacl:" + e.Name + ":"),
			VisibilityConfig: &api.VisibilityConfig{MetricName: &name, CloudWatchMetricsEnabled: new(true), SampledRequestsEnabled: new(true)}}
	}
	e.Value.DefaultAction, e.Value.PreProcessFirewallManagerRuleGroups, e.Value.PostProcessFirewallManagerRuleGroups = &fallback, before, after
	if err := s.checkWebACL(tx, &e.Value); err != nil {
		return "", err
	}
	return e.ARN, acls.put(tx, &e)
}

// RemoveManaged deletes the web ACL of a Firewall Manager policy, wherever it is associated.
func (s *Service) RemoveManaged(tx *state.Tx, arn string) error {
	used, gone := s.protected(tx, arn)
	for _, resource := range append(used, gone...) {
		if err := associations.Delete(tx, resource); err != nil {
			return err
		}
	}
	if err := logging.Delete(tx, arn); err != nil {
		return err
	}
	return acls.table.Delete(tx, arn)
}

// Association returns the ARN of the web ACL of a load balancer, "" without one.
func (s *Service) Association(tx *state.Tx, resource string) (string, error) {
	acl, _, err := associations.Get(tx, resource)
	return acl, err
}

// allRules are the rules of a web ACL in the order of evaluation: Firewall Manager's first groups, the account's rules, Firewall Manager's last groups.
func allRules(w *api.WebACL) []api.Rule {
	if len(w.PreProcessFirewallManagerRuleGroups)+len(w.PostProcessFirewallManagerRuleGroups) == 0 {
		return w.Rules
	}
	var all []api.Rule
	add := func(base int64, place string, groups []api.FirewallManagerRuleGroup) {
		for _, g := range groups {
			all = append(all, api.Rule{Name: new(place + wire.Value(g.Name)), Priority: new(base + wire.Value(g.Priority)), OverrideAction: g.OverrideAction, VisibilityConfig: g.VisibilityConfig,
				Statement: &api.Statement{ManagedRuleGroupStatement: g.FirewallManagerStatement.ManagedRuleGroupStatement, RuleGroupReferenceStatement: g.FirewallManagerStatement.RuleGroupReferenceStatement}})
		}
	}
	add(-ownPriorities, "PREFMManaged-", w.PreProcessFirewallManagerRuleGroups)
	all = append(all, w.Rules...)
	add(ownPriorities, "POSTFMManaged-", w.PostProcessFirewallManagerRuleGroups)
	return all
}
