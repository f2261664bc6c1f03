package ec2

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"strconv"

	api "storefront/lab/api/ec2"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// acl is a network ACL.
type acl struct {
	ID           string
	VPC          string
	Default      bool
	Entries      []aclEntry // by direction and number, without the final denial
	Associations []aclAssociation
}

type aclAssociation struct{ ID, Subnet string }

type aclEntry struct {
	Egress   bool
	Number   int64
	Protocol string // a number, or "-1"
	Allow    bool
	CIDR     netip.Prefix
	From, To *int64 // ports
	ICMPType *int64
	ICMPCode *int64
}

// lastRule is the number of the entry that denies the rest.
const lastRule = 32767

func (v acl) id() string { return v.ID }

func (v *acl) drop(subnet string) {
	v.Associations = slices.DeleteFunc(v.Associations, func(a aclAssociation) bool { return a.Subnet == subnet })
}

// find is the index of an entry, or -1.
func (v acl) find(egress bool, number int64) int {
	return slices.IndexFunc(v.Entries, func(e aclEntry) bool { return e.Egress == egress && e.Number == number })
}

func (v *acl) sort() {
	slices.SortFunc(v.Entries, func(a, b aclEntry) int {
		if a.Egress != b.Egress {
			if a.Egress {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Number, b.Number)
	})
}

func ofEntries(f func(aclEntry) string) func(acl) []string {
	return func(v acl) []string {
		var out []string
		for _, e := range v.Entries {
			out = append(out, f(e))
		}
		return out
	}
}

func ofACLAssociations(f func(aclAssociation) string) func(acl) []string {
	return func(v acl) []string {
		var out []string
		for _, a := range v.Associations {
			out = append(out, f(a))
		}
		return out
	}
}

var acls = kind[acl]{
	table: state.NewTable[acl]("ec2.network-acl"), prefix: "acl", tagType: "network-acl", absent: "InvalidNetworkAclID.NotFound", noun: "networkAcl ID",
	filters: map[string]func(acl) []string{
		"network-acl-id":             one(acl.id),
		"vpc-id":                     one(func(v acl) string { return v.VPC }),
		"default":                    flag(func(v acl) bool { return v.Default }),
		"association.association-id": ofACLAssociations(func(a aclAssociation) string { return a.ID }),
		"association.subnet-id":      ofACLAssociations(func(a aclAssociation) string { return a.Subnet }),
		"association.network-acl-id": one(acl.id),
		"entry.cidr":                 ofEntries(func(e aclEntry) string { return e.CIDR.String() }),
		"entry.protocol":             ofEntries(func(e aclEntry) string { return e.Protocol }),
		"entry.rule-number":          ofEntries(func(e aclEntry) string { return strconv.FormatInt(e.Number, 10) }),
		"entry.rule-action":          ofEntries(func(e aclEntry) string { return action(e.Allow) }),
		"entry.egress":               ofEntries(func(e aclEntry) string { return strconv.FormatBool(e.Egress) }),
	},
}

func action(allow bool) string {
	if allow {
		return api.RuleActionAllow
	}
	return api.RuleActionDeny
}

// createDefaultACL creates the default network ACL of a new VPC: it allows everything.
func createDefaultACL(tx *state.Tx, vpc VPC) error {
	id, err := acls.newID(tx)
	if err != nil {
		return err
	}
	everywhere := netip.MustParsePrefix("0.0.0.0/0")
	return acls.put(tx, acl{ID: id, VPC: vpc.ID, Default: true, Entries: []aclEntry{
		{Egress: true, Number: 100, Protocol: "-1", Allow: true, CIDR: everywhere},
		{Number: 100, Protocol: "-1", Allow: true, CIDR: everywhere},
	}})
}

func defaultACL(tx *state.Tx, vpc string) (acl, error) {
	for _, a := range acls.table.All(tx) {
		if a.VPC == vpc && a.Default {
			return a, nil
		}
	}
	return acl{}, fault("InvalidVpcID.NotFound", "The vpc ID '%s' does not exist", vpc)
}

// associateDefaultACL puts a new subnet under its VPC's default ACL.
func associateDefaultACL(tx *state.Tx, subnet Subnet) error {
	a, err := defaultACL(tx, subnet.VPC)
	if err != nil {
		return err
	}
	_, err = a.associate(tx, subnet.ID)
	return err
}

// associate adds an association and stores the ACL.
func (v acl) associate(tx *state.Tx, subnet string) (*string, error) {
	id, err := region.NewID(tx, "aclassoc")
	if err != nil {
		return nil, err
	}
	v.Associations = append(v.Associations, aclAssociation{ID: id, Subnet: subnet})
	return &id, acls.put(tx, v)
}

// CreateNetworkAcl creates an ACL that denies everything.
func (s *Service) CreateNetworkAcl(ctx context.Context, in *api.CreateNetworkAclInput) (*api.CreateNetworkAclOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.CreateNetworkAclOutput) error {
		if err := checkSpecifications(in.TagSpecifications, "network-acl"); err != nil {
			return err
		}
		vpc, err := vpcs.get(tx, wire.Value(in.VpcId))
		if err != nil {
			return err
		}
		id, err := s.once(tx, "CreateNetworkAcl", in.ClientToken, in, func() (string, error) {
			id, err := acls.newID(tx)
			if err != nil {
				return "", err
			}
			if err := acls.put(tx, acl{ID: id, VPC: vpc.ID}); err != nil {
				return "", err
			}
			return id, tagNew(ctx, tx, id, in.TagSpecifications, "network-acl")
		})
		if err != nil {
			return err
		}
		a, err := acls.get(tx, id)
		out.ClientToken, out.NetworkAcl = in.ClientToken, new(s.showACL(tx, a))
		return err
	})
}

func (s *Service) showACL(tx *state.Tx, v acl) api.NetworkAcl {
	out := api.NetworkAcl{NetworkAclId: &v.ID, VpcId: &v.VPC, IsDefault: &v.Default, OwnerId: &s.Region.Account, Tags: showTags(tx, v.ID)}
	everywhere := netip.MustParsePrefix("0.0.0.0/0")
	v.Entries = append(v.Entries, aclEntry{Egress: true, Number: lastRule, Protocol: "-1", CIDR: everywhere}, aclEntry{Number: lastRule, Protocol: "-1", CIDR: everywhere})
	v.sort()
	for _, e := range v.Entries {
		shown := api.NetworkAclEntry{Egress: &e.Egress, RuleNumber: &e.Number, Protocol: &e.Protocol, RuleAction: new(action(e.Allow)), CidrBlock: new(e.CIDR.String())}
		if e.From != nil {
			shown.PortRange = &api.PortRange{From: e.From, To: e.To}
		}
		if e.ICMPType != nil {
			shown.IcmpTypeCode = &api.IcmpTypeCode{Type: e.ICMPType, Code: e.ICMPCode}
		}
		out.Entries = append(out.Entries, shown)
	}
	for _, a := range v.Associations {
		out.Associations = append(out.Associations, api.NetworkAclAssociation{NetworkAclAssociationId: &a.ID, NetworkAclId: &v.ID, SubnetId: &a.Subnet})
	}
	return out
}

// DescribeNetworkAcls lists network ACLs.
func (s *Service) DescribeNetworkAcls(_ context.Context, in *api.DescribeNetworkAclsInput) (*api.DescribeNetworkAclsOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeNetworkAclsOutput) (err error) {
		out.NetworkAcls, out.NextToken, err = describe(tx, acls, query{in.NetworkAclIds, in.Filters, in.MaxResults, in.NextToken}, s.showACL)
		return err
	})
}

// DeleteNetworkAcl deletes an ACL that no subnet uses.
func (s *Service) DeleteNetworkAcl(_ context.Context, in *api.DeleteNetworkAclInput) (*api.DeleteNetworkAclOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, _ *api.DeleteNetworkAclOutput) error {
		a, err := acls.get(tx, wire.Value(in.NetworkAclId))
		if err != nil {
			return err
		}
		if a.Default {
			return fault("InvalidParameterValue", "cannot delete default network ACL %s", a.ID)
		}
		if len(a.Associations) > 0 {
			return violation("networkAcl", a.ID)
		}
		return acls.remove(tx, a.ID)
	})
}

// ReplaceNetworkAclAssociation puts a subnet under another ACL.
func (s *Service) ReplaceNetworkAclAssociation(_ context.Context, in *api.ReplaceNetworkAclAssociationInput) (*api.ReplaceNetworkAclAssociationOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.ReplaceNetworkAclAssociationOutput) error {
		old, i := acl{}, -1
		for _, a := range acls.table.All(tx) {
			if i = slices.IndexFunc(a.Associations, func(o aclAssociation) bool { return o.ID == wire.Value(in.AssociationId) }); i >= 0 {
				old = a
				break
			}
		}
		if i < 0 {
			return fault("InvalidAssociationID.NotFound", "The association ID '%s' does not exist", wire.Value(in.AssociationId))
		}
		subnet := old.Associations[i].Subnet
		old.drop(subnet)
		if err := acls.put(tx, old); err != nil {
			return err
		}
		a, err := acls.get(tx, wire.Value(in.NetworkAclId))
		if err != nil {
			return err
		}
		if a.VPC != old.VPC {
			return fault("InvalidParameterValue", "Network ACL %s and subnet %s belong to different networks", a.ID, subnet)
		}
		out.NewAssociationId, err = a.associate(tx, subnet)
		return err
	})
}
