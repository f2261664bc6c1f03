package ec2

import (
	"context"
	"net/netip"
	"strconv"

	api "storefront/lab/api/ec2"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Subnet is a part of a VPC in one zone.
type Subnet struct {
	ID        string
	VPC       string
	CIDR      netip.Prefix
	Zone      region.Zone
	MapPublic bool   // instances get a public address
	Hostnames string // private DNS host name type: "ip-name" or "resource-name"
	NameA     bool   // resource names answer A queries
}

func (v Subnet) id() string { return v.ID }

var subnets = kind[Subnet]{
	table: state.NewTable[Subnet]("ec2.subnet"), prefix: "subnet", tagType: "subnet", absent: "InvalidSubnetID.NotFound", noun: "subnet ID",
	filters: map[string]func(Subnet) []string{
		"subnet-id":               one(func(v Subnet) string { return v.ID }),
		"vpc-id":                  one(func(v Subnet) string { return v.VPC }),
		"availability-zone":       one(func(v Subnet) string { return v.Zone.Name }),
		"availabilityZone":        one(func(v Subnet) string { return v.Zone.Name }),
		"availability-zone-id":    one(func(v Subnet) string { return v.Zone.ID }),
		"availabilityZoneId":      one(func(v Subnet) string { return v.Zone.ID }),
		"cidr":                    one(func(v Subnet) string { return v.CIDR.String() }),
		"cidr-block":              one(func(v Subnet) string { return v.CIDR.String() }),
		"cidrBlock":               one(func(v Subnet) string { return v.CIDR.String() }),
		"map-public-ip-on-launch": flag(func(v Subnet) bool { return v.MapPublic }),
		"default-for-az":          func(Subnet) []string { return []string{"false"} },
		"defaultForAz":            func(Subnet) []string { return []string{"false"} },
		"state":                   func(Subnet) []string { return []string{"available"} },
	},
}

// Subnet returns a subnet, or AWS's error InvalidSubnetID.NotFound.
func (s *Service) Subnet(tx *state.Tx, id string) (Subnet, error) { return subnets.get(tx, id) }

// zone finds a zone by its name or ID; without either it is the first one.
func (s *Service) zone(name, id *string) (region.Zone, error) {
	if name == nil && id == nil {
		return s.zones[0], nil
	}
	for _, z := range s.zones {
		if z.Name == wire.Or(name, z.Name) && z.ID == wire.Or(id, z.ID) {
			return z, nil
		}
	}
	return region.Zone{}, fault("InvalidParameterValue", "Value (%s) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: %s, %s, %s.",
		wire.Value(name)+wire.Value(id), s.zones[0].Name, s.zones[1].Name, s.zones[2].Name)
}

// CreateSubnet creates a subnet inside its VPC's range, clear of the others.
func (s *Service) CreateSubnet(ctx context.Context, in *api.CreateSubnetInput) (*api.CreateSubnetOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.CreateSubnetOutput) error {
		vpc, err := vpcs.get(tx, wire.Value(in.VpcId))
		if err != nil {
			return err
		}
		if wire.Value(in.Ipv6Native) || in.Ipv6CidrBlock != nil || in.OutpostArn != nil || in.Ipv4IpamPoolId != nil {
			return unsupported("A subnet with IPv6, on an Outpost or from an address pool")
		}
		if in.CidrBlock == nil {
			return missing("cidrBlock")
		}
		block, err := parseCIDR("cidrBlock", *in.CidrBlock)
		if err != nil {
			return err
		}
		if block.Bits() < 16 || block.Bits() > 28 || !vpc.contains(block) {
			return fault("InvalidSubnet.Range", "The CIDR '%s' is invalid.", *in.CidrBlock)
		}
		if subnets.any(tx, func(v Subnet) bool { return v.VPC == vpc.ID && v.CIDR.Overlaps(block) }) {
			return fault("InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", block)
		}
		zone, err := s.zone(in.AvailabilityZone, in.AvailabilityZoneId)
		if err != nil {
			return err
		}
		if err := checkSpecifications(in.TagSpecifications, "subnet"); err != nil {
			return err
		}
		v := Subnet{VPC: vpc.ID, CIDR: block, Zone: zone, Hostnames: "ip-name"}
		if v.ID, err = subnets.newID(tx); err != nil {
			return err
		}
		if err := subnets.put(tx, v); err != nil {
			return err
		}
		if err := associateDefaultACL(tx, v); err != nil {
			return err
		}
		if err := tagNew(ctx, tx, v.ID, in.TagSpecifications, "subnet"); err != nil {
			return err
		}
		out.Subnet = new(s.showSubnet(tx, v))
		return nil
	})
}

func (s *Service) showSubnet(tx *state.Tx, v Subnet) api.Subnet {
	free := size(v.CIDR) - reserved - 1 - len(usedAddresses(tx, v.ID))
	return api.Subnet{
		SubnetId: &v.ID, SubnetArn: new(s.arn("subnet", v.ID)), VpcId: &v.VPC, CidrBlock: new(v.CIDR.String()), AvailabilityZone: &v.Zone.Name,
		AvailabilityZoneId: &v.Zone.ID, AvailableIpAddressCount: new(int64(free)), State: new(api.SubnetStateAvailable), OwnerId: &s.Region.Account,
		MapPublicIpOnLaunch: &v.MapPublic, DefaultForAz: new(false), AssignIpv6AddressOnCreation: new(false), EnableDns64: new(false), Ipv6Native: new(false),
		MapCustomerOwnedIpOnLaunch: new(false), Tags: showTags(tx, v.ID),
		PrivateDnsNameOptionsOnLaunch: &api.PrivateDnsNameOptionsOnLaunch{
			HostnameType: &v.Hostnames, EnableResourceNameDnsARecord: &v.NameA, EnableResourceNameDnsAAAARecord: new(false),
		},
	}
}

// DescribeSubnets lists subnets.
func (s *Service) DescribeSubnets(_ context.Context, in *api.DescribeSubnetsInput) (*api.DescribeSubnetsOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeSubnetsOutput) (err error) {
		k := subnets
		k.filters = map[string]func(Subnet) []string{
			"owner-id":   func(Subnet) []string { return []string{s.Region.Account} },
			"subnet-arn": one(func(v Subnet) string { return s.arn("subnet", v.ID) }),
			"available-ip-address-count": one(func(v Subnet) string {
				return strconv.FormatInt(*s.showSubnet(tx, v).AvailableIpAddressCount, 10)
			}),
		}
		for name, f := range subnets.filters {
			k.filters[name] = f
		}
		out.Subnets, out.NextToken, err = describe(tx, k, query{in.SubnetIds, in.Filters, in.MaxResults, in.NextToken}, s.showSubnet)
		return err
	})
}

// ModifySubnetAttribute changes attributes of a subnet.
func (s *Service) ModifySubnetAttribute(_ context.Context, in *api.ModifySubnetAttributeInput) (*api.ModifySubnetAttributeOutput, error) {
	return change(s, nil, func(tx *state.Tx, _ *api.ModifySubnetAttributeOutput) error {
		v, err := subnets.get(tx, wire.Value(in.SubnetId))
		if err != nil {
			return err
		}
		for _, v6 := range []*api.AttributeBooleanValue{in.AssignIpv6AddressOnCreation, in.EnableDns64, in.EnableResourceNameDnsAAAARecordOnLaunch, in.MapCustomerOwnedIpOnLaunch} {
			if v6 != nil && wire.Value(v6.Value) {
				return unsupported("IPv6 in a subnet")
			}
		}
		if in.MapPublicIpOnLaunch != nil {
			v.MapPublic = wire.Value(in.MapPublicIpOnLaunch.Value)
		}
		if in.EnableResourceNameDnsARecordOnLaunch != nil {
			v.NameA = wire.Value(in.EnableResourceNameDnsARecordOnLaunch.Value)
		}
		if t := in.PrivateDnsHostnameTypeOnLaunch; t != nil {
			if *t != "ip-name" && *t != "resource-name" {
				return invalid("privateDnsHostnameTypeOnLaunch", *t)
			}
			v.Hostnames = *t
		}
		return subnets.put(tx, v)
	})
}

// DeleteSubnet deletes a subnet without network interfaces.
func (s *Service) DeleteSubnet(_ context.Context, in *api.DeleteSubnetInput) (*api.DeleteSubnetOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, _ *api.DeleteSubnetOutput) error {
		v, err := subnets.get(tx, wire.Value(in.SubnetId))
		if err != nil {
			return err
		}
		if interfaces.any(tx, func(i Interface) bool { return i.Subnet == v.ID }) {
			return violation("subnet", v.ID)
		}
		for _, t := range routeTables.where(tx, func(t routeTable) bool { return t.drop(v.ID) }) {
			t.drop(v.ID)
			if err := routeTables.put(tx, t); err != nil {
				return err
			}
		}
		for _, a := range acls.where(tx, func(a acl) bool { return a.VPC == v.VPC }) {
			a.drop(v.ID)
			if err := acls.put(tx, a); err != nil {
				return err
			}
		}
		if err := removeFlowLogsOf(tx, v.ID); err != nil {
			return err
		}
		return subnets.remove(tx, v.ID)
	})
}
