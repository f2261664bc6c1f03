package ec2

import (
	"context"
	"net/netip"
	"slices"

	api "storefront/lab/api/ec2"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// VPC is a virtual private cloud.
type VPC struct {
	ID           string
	CIDRs        []VPCBlock // the first is the primary one
	Tenancy      string
	DNSSupport   bool
	DNSHostnames bool
	UsageMetrics bool // network address usage metrics
}

// VPCBlock is a CIDR block of a VPC.
type VPCBlock struct {
	Association string // "vpc-cidr-assoc-..."
	CIDR        netip.Prefix
}

func (v VPC) id() string { return v.ID }

// blocks returns the CIDR blocks.
func (v VPC) blocks() []netip.Prefix {
	var out []netip.Prefix
	for _, b := range v.CIDRs {
		out = append(out, b.CIDR)
	}
	return out
}

// contains reports whether a block lies within one of the VPC's.
func (v VPC) contains(p netip.Prefix) bool {
	return slices.ContainsFunc(v.CIDRs, func(b VPCBlock) bool { return contains(b.CIDR, p) })
}

var vpcs = kind[VPC]{
	table: state.NewTable[VPC]("ec2.vpc"), prefix: "vpc", tagType: "vpc", absent: "InvalidVpcID.NotFound", noun: "vpc ID",
	filters: map[string]func(VPC) []string{
		"vpc-id":                            one(func(v VPC) string { return v.ID }),
		"cidr":                              one(func(v VPC) string { return v.CIDRs[0].CIDR.String() }),
		"cidr-block-association.cidr-block": func(v VPC) []string { return texts(v.blocks()) },
		"cidr-block-association.state":      func(VPC) []string { return []string{"associated"} },
		"dhcp-options-id":                   func(VPC) []string { return []string{dhcpOptionsID} },
		"is-default":                        func(VPC) []string { return []string{"false"} },
		"isDefault":                         func(VPC) []string { return []string{"false"} },
		"state":                             func(VPC) []string { return []string{"available"} },
		"cidr-block-association.association-id": func(v VPC) []string {
			var out []string
			for _, b := range v.CIDRs {
				out = append(out, b.Association)
			}
			return out
		},
	},
}

// texts formats values.
func texts[T interface{ String() string }](values []T) []string {
	var out []string
	for _, v := range values {
		out = append(out, v.String())
	}
	return out
}

// VPC returns a VPC, or AWS's error InvalidVpcID.NotFound.
func (s *Service) VPC(tx *state.Tx, id string) (VPC, error) { return vpcs.get(tx, id) }

func parseVPCBlock(block string) (netip.Prefix, error) {
	p, err := parseCIDR("cidrBlock", block)
	if err == nil && (p.Bits() < 16 || p.Bits() > 28) {
		err = fault("InvalidVpc.Range", "The CIDR '%s' is invalid.", block)
	}
	return p, err
}

// CreateVpc creates a VPC with its main route table, default network ACL and default security group.
func (s *Service) CreateVpc(ctx context.Context, in *api.CreateVpcInput) (*api.CreateVpcOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.CreateVpcOutput) error {
		switch {
		case wire.Value(in.AmazonProvidedIpv6CidrBlock) || in.Ipv6CidrBlock != nil || in.Ipv6IpamPoolId != nil || in.Ipv6Pool != nil:
			return unsupported("IPv6")
		case in.Ipv4IpamPoolId != nil:
			return unsupported("IP address management")
		case in.CidrBlock == nil:
			return missing("cidrBlock or ipv4IpamPoolId")
		}
		tenancy := wire.Or(in.InstanceTenancy, "default")
		if tenancy != "default" {
			return unsupported("Instance tenancy " + tenancy)
		}
		block, err := parseVPCBlock(*in.CidrBlock)
		if err != nil {
			return err
		}
		if err := checkSpecifications(in.TagSpecifications, "vpc"); err != nil {
			return err
		}
		v := VPC{Tenancy: tenancy, DNSSupport: true}
		if v.ID, err = vpcs.newID(tx); err != nil {
			return err
		}
		if err := v.add(tx, block); err != nil {
			return err
		}
		for _, create := range []func(*state.Tx, VPC) error{vpcs.put, createMainRouteTable, createDefaultACL, createDefaultGroup} {
			if err := create(tx, v); err != nil {
				return err
			}
		}
		if err := tagNew(ctx, tx, v.ID, in.TagSpecifications, "vpc"); err != nil {
			return err
		}
		out.Vpc = new(s.showVPC(tx, v))
		out.Vpc.State = new(api.VpcStatePending)
		return nil
	})
}

// add gives the VPC a further block.
func (v *VPC) add(tx *state.Tx, block netip.Prefix) error {
	id, err := region.NewID(tx, "vpc-cidr-assoc")
	v.CIDRs = append(v.CIDRs, VPCBlock{Association: id, CIDR: block})
	return err
}

func (s *Service) showVPC(tx *state.Tx, v VPC) api.Vpc {
	out := api.Vpc{
		VpcId: &v.ID, CidrBlock: new(v.CIDRs[0].CIDR.String()), DhcpOptionsId: new(dhcpOptionsID), InstanceTenancy: &v.Tenancy,
		IsDefault: new(false), OwnerId: &s.Region.Account, State: new(api.VpcStateAvailable), Tags: showTags(tx, v.ID),
	}
	for _, b := range v.CIDRs {
		out.CidrBlockAssociationSet = append(out.CidrBlockAssociationSet, *showBlock(b, "associated"))
	}
	return out
}

func showBlock(b VPCBlock, state string) *api.VpcCidrBlockAssociation {
	return &api.VpcCidrBlockAssociation{AssociationId: &b.Association, CidrBlock: new(b.CIDR.String()), CidrBlockState: &api.VpcCidrBlockState{State: &state}}
}

// DescribeVpcs lists VPCs.
func (s *Service) DescribeVpcs(_ context.Context, in *api.DescribeVpcsInput) (*api.DescribeVpcsOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeVpcsOutput) (err error) {
		out.Vpcs, out.NextToken, err = describe(tx, vpcs, query{in.VpcIds, in.Filters, in.MaxResults, in.NextToken}, s.showVPC)
		return err
	})
}

// DeleteVpc deletes a VPC that holds nothing but what it was created with.
func (s *Service) DeleteVpc(_ context.Context, in *api.DeleteVpcInput) (*api.DeleteVpcOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, _ *api.DeleteVpcOutput) error {
		id := wire.Value(in.VpcId)
		if _, err := vpcs.get(tx, id); err != nil {
			return err
		}
		if subnets.any(tx, func(v Subnet) bool { return v.VPC == id }) ||
			gateways.any(tx, func(v gateway) bool { return v.VPC == id }) ||
			groups.any(tx, func(v SecurityGroup) bool { return v.VPC == id && !v.isDefault() }) ||
			acls.any(tx, func(v acl) bool { return v.VPC == id && !v.Default }) ||
			routeTables.any(tx, func(v routeTable) bool { return v.VPC == id && !v.main() }) ||
			endpoints.any(tx, func(v Endpoint) bool { return v.VPC == id }) ||
			interfaces.any(tx, func(v Interface) bool { return v.VPC == id }) {
			return violation("vpc", id)
		}
		for _, v := range groups.where(tx, func(v SecurityGroup) bool { return v.VPC == id }) {
			if err := groups.remove(tx, v.ID); err != nil {
				return err
			}
		}
		for _, v := range acls.where(tx, func(v acl) bool { return v.VPC == id }) {
			if err := acls.remove(tx, v.ID); err != nil {
				return err
			}
		}
		for _, v := range routeTables.where(tx, func(v routeTable) bool { return v.VPC == id }) {
			if err := routeTables.remove(tx, v.ID); err != nil {
				return err
			}
		}
		if err := removeFlowLogsOf(tx, id); err != nil {
			return err
		}
		return vpcs.remove(tx, id)
	})
}

// AssociateVpcCidrBlock adds a secondary block.
func (s *Service) AssociateVpcCidrBlock(_ context.Context, in *api.AssociateVpcCidrBlockInput) (*api.AssociateVpcCidrBlockOutput, error) {
	return change(s, nil, func(tx *state.Tx, out *api.AssociateVpcCidrBlockOutput) error {
		v, err := vpcs.get(tx, wire.Value(in.VpcId))
		if err != nil {
			return err
		}
		if in.CidrBlock == nil {
			return unsupported("Associating anything but an IPv4 CIDR block")
		}
		block, err := parseVPCBlock(*in.CidrBlock)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(v.CIDRs, func(b VPCBlock) bool { return b.CIDR.Overlaps(block) }) {
			return fault("InvalidVpc.Range", "The CIDR '%s' conflicts with another CIDR of the VPC.", block)
		}
		if len(v.CIDRs) == 5 {
			return fault("CidrLimitExceeded", "This network '%s' has met its maximum number of allowed CIDRs: 5", v.ID)
		}
		if err := v.add(tx, block); err != nil {
			return err
		}
		out.VpcId = &v.ID
		out.CidrBlockAssociation = showBlock(v.CIDRs[len(v.CIDRs)-1], "associating")
		return vpcs.put(tx, v)
	})
}

// DisassociateVpcCidrBlock removes a secondary block that no subnet lies in.
func (s *Service) DisassociateVpcCidrBlock(_ context.Context, in *api.DisassociateVpcCidrBlockInput) (*api.DisassociateVpcCidrBlockOutput, error) {
	return change(s, nil, func(tx *state.Tx, out *api.DisassociateVpcCidrBlockOutput) error {
		for _, v := range vpcs.where(tx, func(VPC) bool { return true }) {
			i := slices.IndexFunc(v.CIDRs, func(b VPCBlock) bool { return b.Association == wire.Value(in.AssociationId) })
			if i < 0 {
				continue
			}
			b := v.CIDRs[i]
			if i == 0 {
				return fault("OperationNotPermitted", "The vpc CIDR block with association ID %s may not be disassociated. It is the primary IPv4 CIDR block of the VPC", b.Association)
			}
			if subnets.any(tx, func(sub Subnet) bool { return sub.VPC == v.ID && contains(b.CIDR, sub.CIDR) }) {
				return fault("DependencyViolation", "The CIDR '%s' has dependencies and cannot be disassociated.", b.CIDR)
			}
			out.VpcId, out.CidrBlockAssociation = &v.ID, showBlock(b, "disassociating")
			v.CIDRs = slices.Delete(v.CIDRs, i, i+1)
			return vpcs.put(tx, v)
		}
		return fault("InvalidCidrBlockAssociationID.NotFound", "The vpc CIDR block association ID '%s' does not exist", wire.Value(in.AssociationId))
	})
}
