package fms

import (
	"context"
	"net/netip"
	"slices"

	api "storefront/lab/api/fms"
	wafapi "storefront/lab/api/wafv2"
	"storefront/lab/state"
)

// enact makes the web ACL of a WAFV2 policy.
func (s *Service) enact(tx *state.Tx, p *policy) error {
	d, err := decode(p.Policy)
	if err != nil || d.Type != "WAFV2" {
		return err
	}
	fallback := wafapi.DefaultAction{Allow: &wafapi.AllowAction{}}
	if d.DefaultAction.Type == "BLOCK" {
		fallback = wafapi.DefaultAction{Block: &wafapi.BlockAction{}}
	}
	p.ACL, err = s.Firewall.PutManaged(tx, p.ACL, "FMManagedWebACLV2-"+*p.Policy.PolicyName+"-"+(*p.Policy.PolicyId)[:8], fallback, ruleGroups(d.Before), ruleGroups(d.After))
	return err
}

// Run puts the web ACLs of policies in front of load balancers that lack them, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	wake := s.Store.Watch(ctx, "fms.", "elbv2.", "wafv2.association")
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
			if err := s.Reconcile(); err != nil {
				s.Log.Error("applying the policies of Firewall Manager", "error", err)
			}
		}
	}
}

// Reconcile remediates the policies that want it.
func (s *Service) Reconcile() error {
	type pair struct{ acl, resource string }
	var missing []pair
	err := s.Store.View(func(tx *state.Tx) error {
		for _, p := range policies.All(tx) {
			if !*p.Policy.RemediationEnabled || p.ACL == "" {
				continue
			}
			violators, err := s.violators(tx, p)
			if err != nil {
				return err
			}
			for _, v := range violators {
				missing = append(missing, pair{p.ACL, *v.ResourceId})
			}
		}
		return nil
	})
	if err != nil || len(missing) == 0 {
		return err
	}
	return s.Store.Update(func(tx *state.Tx) error {
		for _, m := range missing {
			if err := s.Firewall.Attach(tx, m.acl, m.resource); err != nil {
				return err
			}
		}
		return nil
	})
}

// violators are the resources in scope that break a policy.
func (s *Service) violators(tx *state.Tx, p policy) ([]api.ComplianceViolator, error) {
	d, err := decode(p.Policy)
	if err != nil {
		return nil, err
	}
	list := []api.ComplianceViolator{}
	if !includes(p.Policy, s.Region.Account) {
		return list, nil
	}
	report := func(id, reason string) {
		list = append(list, api.ComplianceViolator{ResourceId: &id, ResourceType: p.Policy.ResourceType, ViolationReason: &reason})
	}
	if d.Type == "WAFV2" {
		for _, lb := range s.LoadBalancers(tx) {
			acl, err := s.Firewall.Association(tx, lb.ID)
			switch {
			case err != nil:
				return nil, err
			case !inScope(p.Policy, lb) || acl == p.ACL:
			case acl == "":
				report(lb.ID, api.ViolationReasonResourceMissingWebAcl)
			case d.Override && !ofPolicy(tx, acl): // of two policies the first one stays
				report(lb.ID, api.ViolationReasonResourceIncorrectWebAcl)
			}
		}
		return list, nil
	}
	groups := s.SecurityGroups(tx)
	var audit []Rule
	for _, g := range groups {
		if slices.ContainsFunc(d.Groups, func(a struct {
			ID string `json:"id"`
		}) bool {
			return a.ID == g.ID
		}) {
			audit = append(audit, g.Rules...)
		}
	}
	for i, g := range groups {
		isAudit := slices.ContainsFunc(d.Groups, func(a struct {
			ID string `json:"id"`
		}) bool {
			return a.ID == g.ID
		})
		switch {
		case !inScope(p.Policy, g) || isAudit:
		case d.Type == "SECURITY_GROUPS_CONTENT_AUDIT":
			if breaks(g.Rules, audit, d.Action.Type == "ALLOW") {
				report(g.ID, api.ViolationReasonResourceViolatesAuditSecurityGroup)
			}
		case d.DeleteUnused && g.Unused:
			report(g.ID, api.ViolationReasonSecurityGroupUnused)
		case d.Coalesce && slices.ContainsFunc(groups[:i], func(o Resource) bool { return len(g.Rules) > 0 && sameRules(o.Rules, g.Rules) }):
			report(g.ID, api.ViolationReasonSecurityGroupRedundant)
		}
	}
	return list, nil
}

// ofPolicy tells whether a web ACL is that of a policy.
func ofPolicy(tx *state.Tx, acl string) bool {
	for _, p := range policies.All(tx) {
		if p.ACL == acl {
			return true
		}
	}
	return false
}

// breaks tells whether a rule lies outside of those that an audit allows, or within one that it denies.
func breaks(rules, audit []Rule, allow bool) bool {
	return slices.ContainsFunc(rules, func(r Rule) bool {
		if allow {
			return !slices.ContainsFunc(audit, func(a Rule) bool { return a.covers(r) })
		}
		return slices.ContainsFunc(audit, func(a Rule) bool { return a.covers(r) || r.covers(a) })
	})
}

// covers tells whether a rule allows all that another does.
func (r Rule) covers(o Rule) bool {
	if r.Egress != o.Egress || r.Protocol != "-1" && (r.Protocol != o.Protocol || r.From > o.From || r.To < o.To) {
		return false
	}
	outer, err := netip.ParsePrefix(r.Peer)
	inner, other := netip.ParsePrefix(o.Peer)
	if err != nil || other != nil {
		return r.Peer == o.Peer
	}
	return outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr())
}

func sameRules(a, b []Rule) bool {
	in := func(list []Rule) func(Rule) bool { return func(r Rule) bool { return !slices.Contains(list, r) } }
	return !slices.ContainsFunc(a, in(b)) && !slices.ContainsFunc(b, in(a))
}

// ListComplianceStatus implements the operation of that name.
func (s *Service) ListComplianceStatus(_ context.Context, in *api.ListComplianceStatusInput) (*api.ListComplianceStatusOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListComplianceStatusOutput) error {
		p, err := s.find(tx, *in.PolicyId)
		if err != nil {
			return err
		}
		violators, err := s.violators(tx, p)
		if err != nil {
			return err
		}
		status := api.PolicyComplianceStatusTypeCompliant
		if len(violators) > 0 {
			status = api.PolicyComplianceStatusTypeNonCompliant
		}
		out.PolicyComplianceStatusList = []api.PolicyComplianceStatus{{PolicyId: in.PolicyId, PolicyName: p.Policy.PolicyName, PolicyOwner: &s.Region.Account, MemberAccount: &s.Region.Account, LastUpdated: new(s.Now()),
			EvaluationResults: []api.EvaluationResult{{ComplianceStatus: &status, ViolatorCount: new(int64(len(violators))), EvaluationLimitExceeded: new(false)}}}}
		return nil
	})
}

// GetComplianceDetail implements the operation of that name.
func (s *Service) GetComplianceDetail(_ context.Context, in *api.GetComplianceDetailInput) (*api.GetComplianceDetailOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.GetComplianceDetailOutput) error {
		p, err := s.find(tx, *in.PolicyId)
		if err != nil {
			return err
		}
		if *in.MemberAccount != s.Region.Account {
			return fault("ResourceNotFoundException", "The account %s is not a member of the organization.", *in.MemberAccount)
		}
		violators, err := s.violators(tx, p)
		out.PolicyComplianceDetail = &api.PolicyComplianceDetail{PolicyId: in.PolicyId, PolicyOwner: &s.Region.Account, MemberAccount: in.MemberAccount, Violators: violators, EvaluationLimitExceeded: new(false)}
		return err
	})
}
