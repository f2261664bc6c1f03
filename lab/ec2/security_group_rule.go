package ec2

import (
	"context"
	"slices"
	"strings"

	api "storefront/lab/api/ec2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// findRule finds a rule and its group by the rule's ID.
func findRule(tx *state.Tx, id string) (SecurityGroup, int, error) {
	for _, g := range groups.table.All(tx) {
		if i := slices.IndexFunc(g.Rules, func(r Rule) bool { return r.ID == id }); i >= 0 {
			return g, i, nil
		}
	}
	return SecurityGroup{}, 0, fault("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '%s' does not exist", id)
}

// maxRules is AWS's default quota of rules per direction.
const maxRules = 60

// permissionsOf brings the old flat parameters of a request into the form of IpPermissions.
func permissionsOf(permissions []api.IpPermission, protocol, cidr *string, from, to *int64, group *string) []api.IpPermission {
	if protocol == nil {
		return permissions
	}
	flat := api.IpPermission{IpProtocol: protocol, FromPort: from, ToPort: to}
	if cidr != nil {
		flat.IpRanges = []api.IpRange{{CidrIp: cidr}}
	}
	if group != nil {
		flat.UserIdGroupPairs = []api.UserIdGroupPair{{GroupName: group}}
	}
	return append(slices.Clone(permissions), flat)
}

// authorize adds rules to a group, all or none.
func (s *Service) authorize(ctx context.Context, tx *state.Tx, group *string, egress bool, permissions []api.IpPermission, specs []api.TagSpecification) ([]api.SecurityGroupRule, error) {
	if group == nil {
		return nil, missing("groupId")
	}
	g, err := groups.get(tx, *group)
	if err != nil {
		return nil, err
	}
	if err := checkSpecifications(specs, "security-group-rule"); err != nil {
		return nil, err
	}
	added, err := s.rules(tx, g, egress, permissions)
	if err != nil {
		return nil, err
	}
	for i, r := range added {
		if slices.ContainsFunc(g.Rules, r.same) {
			return nil, fault("InvalidPermission.Duplicate", "the specified rule %q already exists", r)
		}
		if r.ID, err = newRuleID(tx); err != nil {
			return nil, err
		}
		if err := tagNew(ctx, tx, r.ID, specs, "security-group-rule"); err != nil {
			return nil, err
		}
		added[i], g.Rules = r, append(g.Rules, r)
	}
	if n := countRules(g, egress); n > maxRules {
		return nil, fault("RulesPerSecurityGroupLimitExceeded", "The maximum number of rules per security group has been reached.")
	}
	var out []api.SecurityGroupRule
	for _, r := range added {
		out = append(out, s.showRule(tx, g, r))
	}
	return out, groups.put(tx, g)
}

func countRules(g SecurityGroup, egress bool) (n int) {
	for _, r := range g.Rules {
		if r.Egress == egress {
			n++
		}
	}
	return n
}

// AuthorizeSecurityGroupIngress adds rules for what may come in.
func (s *Service) AuthorizeSecurityGroupIngress(ctx context.Context, in *api.AuthorizeSecurityGroupIngressInput) (*api.AuthorizeSecurityGroupIngressOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.AuthorizeSecurityGroupIngressOutput) (err error) {
		out.Return = new(true)
		out.SecurityGroupRules, err = s.authorize(ctx, tx, in.GroupId, false,
			permissionsOf(in.IpPermissions, in.IpProtocol, in.CidrIp, in.FromPort, in.ToPort, in.SourceSecurityGroupName), in.TagSpecifications)
		return err
	})
}

// AuthorizeSecurityGroupEgress adds rules for what may go out.
func (s *Service) AuthorizeSecurityGroupEgress(ctx context.Context, in *api.AuthorizeSecurityGroupEgressInput) (*api.AuthorizeSecurityGroupEgressOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.AuthorizeSecurityGroupEgressOutput) (err error) {
		out.Return = new(true)
		out.SecurityGroupRules, err = s.authorize(ctx, tx, in.GroupId, true,
			permissionsOf(in.IpPermissions, in.IpProtocol, in.CidrIp, in.FromPort, in.ToPort, in.SourceSecurityGroupName), in.TagSpecifications)
		return err
	})
}

// revoke removes rules by their IDs or by what they allow, all or none.
func (s *Service) revoke(tx *state.Tx, group *string, egress bool, ids []string, permissions []api.IpPermission) error {
	if group == nil {
		return missing("groupId")
	}
	g, err := groups.get(tx, *group)
	if err != nil {
		return err
	}
	var gone []int
	for _, id := range ids {
		i := slices.IndexFunc(g.Rules, func(r Rule) bool { return r.ID == id && r.Egress == egress })
		if i < 0 {
			return fault("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '%s' does not exist", id)
		}
		gone = append(gone, i)
	}
	if len(ids) == 0 {
		rules, err := s.rules(tx, g, egress, permissions)
		if err != nil {
			return err
		}
		for _, r := range rules {
			i := slices.IndexFunc(g.Rules, r.same)
			if i < 0 {
				return fault("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
			}
			gone = append(gone, i)
		}
	}
	var kept []Rule
	for i, r := range g.Rules {
		if !slices.Contains(gone, i) {
			kept = append(kept, r)
		} else if err := tagTable.Delete(tx, r.ID); err != nil {
			return err
		}
	}
	g.Rules = kept
	return groups.put(tx, g)
}

// RevokeSecurityGroupIngress removes ingress rules.
func (s *Service) RevokeSecurityGroupIngress(_ context.Context, in *api.RevokeSecurityGroupIngressInput) (*api.RevokeSecurityGroupIngressOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.RevokeSecurityGroupIngressOutput) error {
		out.Return = new(true)
		return s.revoke(tx, in.GroupId, false, in.SecurityGroupRuleIds,
			permissionsOf(in.IpPermissions, in.IpProtocol, in.CidrIp, in.FromPort, in.ToPort, in.SourceSecurityGroupName))
	})
}

// RevokeSecurityGroupEgress removes egress rules.
func (s *Service) RevokeSecurityGroupEgress(_ context.Context, in *api.RevokeSecurityGroupEgressInput) (*api.RevokeSecurityGroupEgressOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.RevokeSecurityGroupEgressOutput) error {
		out.Return = new(true)
		return s.revoke(tx, in.GroupId, true, in.SecurityGroupRuleIds,
			permissionsOf(in.IpPermissions, in.IpProtocol, in.CidrIp, in.FromPort, in.ToPort, in.SourceSecurityGroupName))
	})
}

// ModifySecurityGroupRules replaces rules by their IDs, which they keep.
func (s *Service) ModifySecurityGroupRules(_ context.Context, in *api.ModifySecurityGroupRulesInput) (*api.ModifySecurityGroupRulesOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.ModifySecurityGroupRulesOutput) error {
		g, err := groups.get(tx, wire.Value(in.GroupId))
		if err != nil {
			return err
		}
		for _, u := range in.SecurityGroupRules {
			i := slices.IndexFunc(g.Rules, func(r Rule) bool { return r.ID == wire.Value(u.SecurityGroupRuleId) })
			if i < 0 {
				return fault("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '%s' does not exist", wire.Value(u.SecurityGroupRuleId))
			}
			if u.SecurityGroupRule == nil {
				return missing("SecurityGroupRule")
			}
			n := u.SecurityGroupRule
			r := Rule{
				ID: g.Rules[i].ID, Egress: g.Rules[i].Egress, Protocol: wire.Value(n.IpProtocol), From: n.FromPort, To: n.ToPort,
				CIDR: wire.Value(n.CidrIpv4) + wire.Value(n.CidrIpv6), PrefixList: wire.Value(n.PrefixListId), Group: wire.Value(n.ReferencedGroupId), Description: wire.Value(n.Description),
			}
			if err := s.checkRule(tx, g, &r); err != nil {
				return err
			}
			if slices.ContainsFunc(g.Rules, func(o Rule) bool { return o.ID != r.ID && o.same(r) }) {
				return fault("InvalidPermission.Duplicate", "the specified rule %q already exists", r)
			}
			g.Rules[i] = r
		}
		out.Return = new(true)
		return groups.put(tx, g)
	})
}

// describeRules changes descriptions by rule ID or by what the rules allow.
func (s *Service) describeRules(tx *state.Tx, group *string, egress bool, byID []api.SecurityGroupRuleDescription, permissions []api.IpPermission) error {
	if group == nil {
		return missing("groupId")
	}
	g, err := groups.get(tx, *group)
	if err != nil {
		return err
	}
	for _, d := range byID {
		i := slices.IndexFunc(g.Rules, func(r Rule) bool { return r.ID == wire.Value(d.SecurityGroupRuleId) && r.Egress == egress })
		if i < 0 {
			return fault("InvalidSecurityGroupRuleId.NotFound", "The security group rule ID '%s' does not exist", wire.Value(d.SecurityGroupRuleId))
		}
		g.Rules[i].Description = wire.Value(d.Description)
	}
	if len(byID) == 0 {
		rules, err := s.rules(tx, g, egress, permissions)
		if err != nil {
			return err
		}
		for _, r := range rules {
			i := slices.IndexFunc(g.Rules, r.same)
			if i < 0 {
				return fault("InvalidPermission.NotFound", "The specified rule does not exist in this security group.")
			}
			g.Rules[i].Description = r.Description
		}
	}
	return groups.put(tx, g)
}

// UpdateSecurityGroupRuleDescriptionsIngress changes descriptions of ingress rules.
func (s *Service) UpdateSecurityGroupRuleDescriptionsIngress(_ context.Context, in *api.UpdateSecurityGroupRuleDescriptionsIngressInput) (*api.UpdateSecurityGroupRuleDescriptionsIngressOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.UpdateSecurityGroupRuleDescriptionsIngressOutput) error {
		out.Return = new(true)
		return s.describeRules(tx, in.GroupId, false, in.SecurityGroupRuleDescriptions, in.IpPermissions)
	})
}

// UpdateSecurityGroupRuleDescriptionsEgress changes descriptions of egress rules.
func (s *Service) UpdateSecurityGroupRuleDescriptionsEgress(_ context.Context, in *api.UpdateSecurityGroupRuleDescriptionsEgressInput) (*api.UpdateSecurityGroupRuleDescriptionsEgressOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.UpdateSecurityGroupRuleDescriptionsEgressOutput) error {
		out.Return = new(true)
		return s.describeRules(tx, in.GroupId, true, in.SecurityGroupRuleDescriptions, in.IpPermissions)
	})
}

func (s *Service) showRule(tx *state.Tx, g SecurityGroup, r Rule) api.SecurityGroupRule {
	out := api.SecurityGroupRule{
		SecurityGroupRuleId: &r.ID, GroupId: &g.ID, GroupOwnerId: &s.Region.Account, IsEgress: &r.Egress, IpProtocol: &r.Protocol,
		FromPort: new(wire.Or(r.From, -1)), ToPort: new(wire.Or(r.To, -1)), Description: wire.Optional(r.Description), PrefixListId: wire.Optional(r.PrefixList), Tags: showTags(tx, r.ID),
	}
	switch {
	case strings.Contains(r.CIDR, ":"):
		out.CidrIpv6 = &r.CIDR
	case r.CIDR != "":
		out.CidrIpv4 = &r.CIDR
	case r.Group != "":
		out.ReferencedGroupInfo = &api.ReferencedSecurityGroup{GroupId: &r.Group, UserId: &s.Region.Account}
	}
	return out
}

// groupRule is one row of DescribeSecurityGroupRules.
type groupRule struct {
	group SecurityGroup
	Rule
}

func (r groupRule) id() string { return r.ID }

// DescribeSecurityGroupRules lists rules of all groups.
func (s *Service) DescribeSecurityGroupRules(_ context.Context, in *api.DescribeSecurityGroupRulesInput) (*api.DescribeSecurityGroupRulesOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeSecurityGroupRulesOutput) error {
		match, err := kind[groupRule]{tagType: "security-group-rule", filters: map[string]func(groupRule) []string{
			"group-id":               one(func(r groupRule) string { return r.group.ID }),
			"security-group-rule-id": one(groupRule.id),
		}}.matcher(tx, in.Filters)
		if err != nil {
			return err
		}
		for _, id := range in.SecurityGroupRuleIds {
			if _, _, err := findRule(tx, id); err != nil {
				return err
			}
		}
		var found []groupRule
		for _, g := range groups.table.All(tx) {
			for _, r := range g.Rules {
				row := groupRule{g, r}
				if match(row) && (len(in.SecurityGroupRuleIds) == 0 || slices.Contains(in.SecurityGroupRuleIds, r.ID)) {
					found = append(found, row)
				}
			}
		}
		slices.SortFunc(found, func(a, b groupRule) int { return strings.Compare(a.ID, b.ID) })
		out.SecurityGroupRules, out.NextToken, err = page(tx, found, query{maxResults: in.MaxResults, nextToken: in.NextToken}, groupRule.id,
			func(tx *state.Tx, r groupRule) api.SecurityGroupRule { return s.showRule(tx, r.group, r.Rule) })
		return err
	})
}
