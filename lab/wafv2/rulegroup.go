package wafv2

import (
	"context"

	api "storefront/lab/api/wafv2"
	"storefront/lab/firewall"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// CreateRuleGroup implements the operation of that name.
func (s *Service) CreateRuleGroup(_ context.Context, in *api.CreateRuleGroupInput) (*api.CreateRuleGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.CreateRuleGroupOutput) error {
		e, err := ruleGroups.create(s, tx, in.Scope, in.Name, in.Description, in.Tags)
		if err != nil {
			return err
		}
		e.Value = api.RuleGroup{ARN: &e.ARN, Id: &e.ID, Name: &e.Name, Description: in.Description, Capacity: in.Capacity, CustomResponseBodies: in.CustomResponseBodies, Rules: in.Rules,
			VisibilityConfig: in.VisibilityConfig, LabelNamespace: new("awswaf:" + s.Region.Account + ":rulegroup:" + e.Name + ":")}
		if err := s.checkRuleGroup(tx, &e.Value); err != nil {
			return err
		}
		err = ruleGroups.put(tx, &e)
		out.Summary = groupSummary(e)
		return err
	})
}

func groupSummary(e entity[api.RuleGroup]) *api.RuleGroupSummary {
	return &api.RuleGroupSummary{ARN: &e.ARN, Id: &e.ID, Name: &e.Name, Description: &e.Description, LockToken: &e.Token}
}

// checkRuleGroup compiles a rule group as a web ACL would use it, and holds it to its capacity.
func (s *Service) checkRuleGroup(tx *state.Tx, g *api.RuleGroup) error {
	sets, err := s.sets(tx)
	if err != nil {
		return err
	}
	sets.Groups[*g.ARN] = firewall.Group{Labels: *g.LabelNamespace, Rules: g.Rules, Bodies: g.CustomResponseBodies}
	user := api.Rule{Name: g.Name, Priority: new(int64(0)), VisibilityConfig: g.VisibilityConfig, OverrideAction: &api.OverrideAction{None: &api.NoneAction{}},
		Statement: &api.Statement{RuleGroupReferenceStatement: &api.RuleGroupReferenceStatement{ARN: g.ARN}}}
	if _, err := s.Engine.Compile(firewall.ACL{Default: api.DefaultAction{Allow: &api.AllowAction{}}, Rules: []api.Rule{user}, Sets: sets}, nil); err != nil {
		return refused(err)
	}
	used, err := s.capacity(tx, g.Rules)
	if err == nil && used > *g.Capacity {
		err = errLimit()
	}
	return err
}

// GetRuleGroup implements the operation of that name.
func (s *Service) GetRuleGroup(_ context.Context, in *api.GetRuleGroupInput) (*api.GetRuleGroupOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.GetRuleGroupOutput) (err error) {
		var e entity[api.RuleGroup]
		if in.ARN != nil {
			e, err = ruleGroups.byARN(tx, *in.ARN)
		} else {
			e, err = ruleGroups.find(s, tx, in.Scope, in.Name, in.Id)
		}
		out.RuleGroup, out.LockToken = &e.Value, &e.Token
		return err
	})
}

// UpdateRuleGroup implements the operation of that name.
func (s *Service) UpdateRuleGroup(_ context.Context, in *api.UpdateRuleGroupInput) (*api.UpdateRuleGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.UpdateRuleGroupOutput) error {
		e, err := ruleGroups.locked(s, tx, in.Scope, in.Name, in.Id, in.LockToken)
		if err != nil {
			return err
		}
		g := &e.Value
		g.CustomResponseBodies, g.Description, g.Rules, g.VisibilityConfig = in.CustomResponseBodies, in.Description, in.Rules, in.VisibilityConfig
		e.Description = wire.Value(in.Description)
		if err := s.checkRuleGroup(tx, g); err != nil {
			return err
		}
		err = ruleGroups.put(tx, &e)
		out.NextLockToken = &e.Token
		return err
	})
}

// DeleteRuleGroup implements the operation of that name.
func (s *Service) DeleteRuleGroup(_ context.Context, in *api.DeleteRuleGroupInput) (*api.DeleteRuleGroupOutput, error) {
	return &api.DeleteRuleGroupOutput{}, remove(s, ruleGroups, in.Scope, in.Name, in.Id, in.LockToken)
}

// ListRuleGroups implements the operation of that name.
func (s *Service) ListRuleGroups(_ context.Context, in *api.ListRuleGroupsInput) (*api.ListRuleGroupsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListRuleGroupsOutput) error {
		page, next, err := ruleGroups.list(tx, in.Scope, in.NextMarker, in.Limit)
		out.RuleGroups, out.NextMarker = []api.RuleGroupSummary{}, next
		for _, e := range page {
			out.RuleGroups = append(out.RuleGroups, *groupSummary(e))
		}
		return err
	})
}

// ListAvailableManagedRuleGroups implements the operation of that name.
func (s *Service) ListAvailableManagedRuleGroups(_ context.Context, in *api.ListAvailableManagedRuleGroupsInput) (*api.ListAvailableManagedRuleGroupsOutput, error) {
	if err := checkScope(in.Scope); err != nil {
		return nil, err
	}
	out := &api.ListAvailableManagedRuleGroupsOutput{}
	for _, m := range firewall.ManagedGroups() {
		out.ManagedRuleGroups = append(out.ManagedRuleGroups, api.ManagedRuleGroupSummary{VendorName: new("AWS"), Name: &m.Name, Description: &m.Description, VersioningSupported: new(false)})
	}
	return out, nil
}

// ListAvailableManagedRuleGroupVersions implements the operation of that name. What stands in for AWS's groups has no versions.
func (s *Service) ListAvailableManagedRuleGroupVersions(_ context.Context, in *api.ListAvailableManagedRuleGroupVersionsInput) (*api.ListAvailableManagedRuleGroupVersionsOutput, error) {
	if err := checkScope(in.Scope); err != nil {
		return nil, err
	}
	if _, ok := firewall.ManagedGroup(*in.VendorName, *in.Name); !ok {
		return nil, errMissing()
	}
	return &api.ListAvailableManagedRuleGroupVersionsOutput{Versions: []api.ManagedRuleGroupVersion{}}, nil
}

// DescribeManagedRuleGroup implements the operation of that name.
func (s *Service) DescribeManagedRuleGroup(_ context.Context, in *api.DescribeManagedRuleGroupInput) (*api.DescribeManagedRuleGroupOutput, error) {
	if err := checkScope(in.Scope); err != nil {
		return nil, err
	}
	m, ok := firewall.ManagedGroup(*in.VendorName, *in.Name)
	if !ok || in.VersionName != nil {
		return nil, errMissing()
	}
	out := &api.DescribeManagedRuleGroupOutput{Capacity: &m.Capacity, LabelNamespace: &m.Labels}
	for _, r := range m.Rules {
		action := &api.RuleAction{Block: &api.BlockAction{}}
		if r.Counts {
			action = &api.RuleAction{Count: &api.CountAction{}}
		}
		out.Rules = append(out.Rules, api.RuleSummary{Name: &r.Name, Action: action})
		out.AvailableLabels = append(out.AvailableLabels, api.LabelSummary{Name: new(m.Label(r))})
	}
	return out, nil
}
