package ec2

import (
	"context"
	"regexp"
	"slices"
	"strings"

	api "storefront/lab/api/ec2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// SecurityGroup is a security group with its rules.
type SecurityGroup struct {
	ID          string
	VPC         string
	Name        string
	Description string
	Rules       []Rule // in the order they were added
}

func (v SecurityGroup) id() string      { return v.ID }
func (v SecurityGroup) isDefault() bool { return v.Name == "default" }

var groups = kind[SecurityGroup]{
	table: state.NewTable[SecurityGroup]("ec2.security-group"), prefix: "sg", tagType: "security-group", absent: "InvalidGroup.NotFound", noun: "security group",
	filters: map[string]func(SecurityGroup) []string{
		"group-id":                            one(SecurityGroup.id),
		"group-name":                          one(func(v SecurityGroup) string { return v.Name }),
		"description":                         one(func(v SecurityGroup) string { return v.Description }),
		"vpc-id":                              one(func(v SecurityGroup) string { return v.VPC }),
		"ip-permission.cidr":                  ruleValues(false, func(r Rule) string { return r.CIDR }),
		"ip-permission.group-id":              ruleValues(false, func(r Rule) string { return r.Group }),
		"ip-permission.prefix-list-id":        ruleValues(false, func(r Rule) string { return r.PrefixList }),
		"ip-permission.protocol":              ruleValues(false, func(r Rule) string { return r.Protocol }),
		"ip-permission.from-port":             ruleValues(false, func(r Rule) string { return port(r.From) }),
		"ip-permission.to-port":               ruleValues(false, func(r Rule) string { return port(r.To) }),
		"egress.ip-permission.cidr":           ruleValues(true, func(r Rule) string { return r.CIDR }),
		"egress.ip-permission.group-id":       ruleValues(true, func(r Rule) string { return r.Group }),
		"egress.ip-permission.prefix-list-id": ruleValues(true, func(r Rule) string { return r.PrefixList }),
		"egress.ip-permission.protocol":       ruleValues(true, func(r Rule) string { return r.Protocol }),
		"egress.ip-permission.from-port":      ruleValues(true, func(r Rule) string { return port(r.From) }),
		"egress.ip-permission.to-port":        ruleValues(true, func(r Rule) string { return port(r.To) }),
	},
}

func ruleValues(egress bool, f func(Rule) string) func(SecurityGroup) []string {
	return func(v SecurityGroup) []string {
		var out []string
		for _, r := range v.Rules {
			if r.Egress == egress {
				out = append(out, f(r))
			}
		}
		return out
	}
}

// SecurityGroup returns a security group, or AWS's error InvalidGroup.NotFound.
func (s *Service) SecurityGroup(tx *state.Tx, id string) (SecurityGroup, error) {
	return groups.get(tx, id)
}

// SecurityGroups returns all security groups.
func (s *Service) SecurityGroups(tx *state.Tx) []SecurityGroup {
	return groups.where(tx, func(SecurityGroup) bool { return true })
}

// SecurityGroupUsed tells whether an interface has a security group.
func (s *Service) SecurityGroupUsed(tx *state.Tx, id string) bool {
	return interfaces.any(tx, func(i Interface) bool { return slices.Contains(i.SecurityGroups, id) })
}

// DefaultSecurityGroup returns the default security group of a VPC.
func (s *Service) DefaultSecurityGroup(tx *state.Tx, vpc string) (SecurityGroup, error) {
	return defaultGroup(tx, vpc)
}

func defaultGroup(tx *state.Tx, vpc string) (SecurityGroup, error) {
	for _, v := range groups.table.All(tx) {
		if v.VPC == vpc && v.isDefault() {
			return v, nil
		}
	}
	return SecurityGroup{}, fault("InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", vpc)
}

// createDefaultGroup creates the default group of a new VPC: everything out, everything in from its own members.
func createDefaultGroup(tx *state.Tx, vpc VPC) error {
	id, err := groups.newID(tx)
	if err != nil {
		return err
	}
	g := SecurityGroup{ID: id, VPC: vpc.ID, Name: "default", Description: "default VPC security group"}
	for _, r := range []Rule{{Protocol: "-1", Group: id}, {Protocol: "-1", CIDR: "0.0.0.0/0", Egress: true}} {
		if r.ID, err = newRuleID(tx); err != nil {
			return err
		}
		g.Rules = append(g.Rules, r)
	}
	return groups.put(tx, g)
}

var groupText = regexp.MustCompile(`^[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}$`)

// CreateSecurityGroup creates a group that lets everything out and nothing in.
func (s *Service) CreateSecurityGroup(ctx context.Context, in *api.CreateSecurityGroupInput) (*api.CreateSecurityGroupOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.CreateSecurityGroupOutput) error {
		name := wire.Value(in.GroupName)
		switch {
		case in.VpcId == nil:
			return fault("VPCIdNotSpecified", "No default VPC for this user")
		case !groupText.MatchString(name):
			return fault("InvalidParameterValue", "Value (%s) for parameter GroupName is invalid. Character sets beyond ASCII are not supported.", name)
		case strings.HasPrefix(name, "sg-"):
			return fault("InvalidParameterValue", "Value (%s) for parameter GroupName is invalid. Group names may not be in the format sg-*.", name)
		case name == "default":
			return fault("InvalidParameterValue", "Cannot use reserved security group name: default")
		case !groupText.MatchString(wire.Value(in.Description)):
			return fault("InvalidParameterValue", "Value (%s) for parameter GroupDescription is invalid. Character sets beyond ASCII are not supported.", wire.Value(in.Description))
		}
		vpc, err := vpcs.get(tx, *in.VpcId)
		if err != nil {
			return err
		}
		if groups.any(tx, func(g SecurityGroup) bool { return g.VPC == vpc.ID && g.Name == name }) {
			return fault("InvalidGroup.Duplicate", "The security group '%s' already exists for VPC '%s'", name, vpc.ID)
		}
		if err := checkSpecifications(in.TagSpecifications, "security-group"); err != nil {
			return err
		}
		g := SecurityGroup{VPC: vpc.ID, Name: name, Description: wire.Value(in.Description)}
		if g.ID, err = groups.newID(tx); err != nil {
			return err
		}
		rule := Rule{Protocol: "-1", CIDR: "0.0.0.0/0", Egress: true}
		if rule.ID, err = newRuleID(tx); err != nil {
			return err
		}
		g.Rules = []Rule{rule}
		if err := groups.put(tx, g); err != nil {
			return err
		}
		if err := tagNew(ctx, tx, g.ID, in.TagSpecifications, "security-group"); err != nil {
			return err
		}
		out.GroupId, out.Tags = &g.ID, showTags(tx, g.ID)
		return nil
	})
}

// DeleteSecurityGroup deletes a group that no interface and no other group's rule uses.
func (s *Service) DeleteSecurityGroup(_ context.Context, in *api.DeleteSecurityGroupInput) (*api.DeleteSecurityGroupOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, _ *api.DeleteSecurityGroupOutput) error {
		if in.GroupId == nil {
			return missing("GroupId")
		}
		g, err := groups.get(tx, *in.GroupId)
		if err != nil {
			return err
		}
		if g.isDefault() {
			return fault("CannotDelete", "the specified group: \"%s\" name: \"default\" cannot be deleted by a user", g.ID)
		}
		if interfaces.any(tx, func(i Interface) bool { return slices.Contains(i.SecurityGroups, g.ID) }) ||
			groups.any(tx, func(o SecurityGroup) bool {
				return o.ID != g.ID && slices.ContainsFunc(o.Rules, func(r Rule) bool { return r.Group == g.ID })
			}) {
			return fault("DependencyViolation", "resource %s has a dependent object", g.ID)
		}
		for _, r := range g.Rules {
			if err := tagTable.Delete(tx, r.ID); err != nil {
				return err
			}
		}
		return groups.remove(tx, g.ID)
	})
}

func (s *Service) showGroup(tx *state.Tx, g SecurityGroup) api.SecurityGroup {
	return api.SecurityGroup{
		GroupId: &g.ID, GroupName: &g.Name, Description: &g.Description, VpcId: &g.VPC, OwnerId: &s.Region.Account, Tags: showTags(tx, g.ID),
		IpPermissions: s.permissions(g.Rules, false), IpPermissionsEgress: s.permissions(g.Rules, true),
	}
}

// DescribeSecurityGroups lists security groups by ID, name or filter.
func (s *Service) DescribeSecurityGroups(_ context.Context, in *api.DescribeSecurityGroupsInput) (*api.DescribeSecurityGroupsOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeSecurityGroupsOutput) (err error) {
		filters := in.Filters
		if len(in.GroupNames) > 0 {
			for _, name := range in.GroupNames {
				if !groups.any(tx, func(g SecurityGroup) bool { return g.Name == name }) {
					return fault("InvalidGroup.NotFound", "The security group '%s' does not exist", name)
				}
			}
			filters = append(slices.Clone(filters), api.Filter{Name: new("group-name"), Values: in.GroupNames})
		}
		k := groups
		k.filters = map[string]func(SecurityGroup) []string{"owner-id": func(SecurityGroup) []string { return []string{s.Region.Account} }}
		for name, f := range groups.filters {
			k.filters[name] = f
		}
		out.SecurityGroups, out.NextToken, err = describe(tx, k, query{in.GroupIds, filters, in.MaxResults, in.NextToken}, s.showGroup)
		return err
	})
}
