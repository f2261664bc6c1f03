package ec2

import (
	"context"
	"net/netip"

	api "storefront/lab/api/ec2"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// elasticAddress is an Elastic IP address.
type elasticAddress struct {
	Allocation  string
	Public      netip.Addr
	Association string // "eipassoc-..." while associated
	Interface   string
	Private     netip.Addr
	Instance    string
}

func (v elasticAddress) id() string { return v.Allocation }

var addresses = kind[elasticAddress]{
	table: state.NewTable[elasticAddress]("ec2.address"), prefix: "eipalloc", tagType: "elastic-ip", absent: "InvalidAllocationID.NotFound", noun: "allocation ID",
	filters: map[string]func(elasticAddress) []string{
		"allocation-id":        one(elasticAddress.id),
		"association-id":       one(func(v elasticAddress) string { return v.Association }),
		"public-ip":            one(func(v elasticAddress) string { return v.Public.String() }),
		"private-ip-address":   one(func(v elasticAddress) string { return v.Private.String() }),
		"network-interface-id": one(func(v elasticAddress) string { return v.Interface }),
		"instance-id":          one(func(v elasticAddress) string { return v.Instance }),
		"domain":               func(elasticAddress) []string { return []string{"vpc"} },
	},
}

// AllocateAddress allocates an Elastic IP address from the lab's public range.
func (s *Service) AllocateAddress(ctx context.Context, in *api.AllocateAddressInput) (*api.AllocateAddressOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.AllocateAddressOutput) error {
		switch {
		case wire.Or(in.Domain, "vpc") != "vpc":
			return invalid("domain", *in.Domain)
		case wire.Or(in.NetworkBorderGroup, s.Region.Name) != s.Region.Name:
			return invalid("networkBorderGroup", *in.NetworkBorderGroup)
		case in.Address != nil || in.CustomerOwnedIpv4Pool != nil || wire.Or(in.PublicIpv4Pool, "amazon") != "amazon":
			return unsupported("An address from a pool of the customer's")
		}
		if err := checkSpecifications(in.TagSpecifications, "elastic-ip"); err != nil {
			return err
		}
		public, err := freePublicAddress(tx)
		if err != nil {
			return err
		}
		v := elasticAddress{Public: public}
		if v.Allocation, err = addresses.newID(tx); err != nil {
			return err
		}
		out.AllocationId, out.PublicIp, out.Domain = &v.Allocation, new(public.String()), new("vpc")
		out.PublicIpv4Pool, out.NetworkBorderGroup = new("amazon"), &s.Region.Name
		if err := addresses.put(tx, v); err != nil {
			return err
		}
		return tagNew(ctx, tx, v.Allocation, in.TagSpecifications, "elastic-ip")
	})
}

// findAddress finds an address by its allocation ID or by the address itself.
func findAddress(tx *state.Tx, allocation, public *string) (elasticAddress, error) {
	if allocation != nil {
		return addresses.get(tx, *allocation)
	}
	if public == nil {
		return elasticAddress{}, missing("AllocationId")
	}
	for _, v := range addresses.table.All(tx) {
		if v.Public.String() == *public {
			return v, nil
		}
	}
	return elasticAddress{}, fault("InvalidAddress.NotFound", "Address '%s' not found.", *public)
}

// AssociateAddress gives an interface, or an instance's primary interface, an Elastic IP address.
func (s *Service) AssociateAddress(_ context.Context, in *api.AssociateAddressInput) (*api.AssociateAddressOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.AssociateAddressOutput) error {
		v, err := findAddress(tx, in.AllocationId, in.PublicIp)
		if err != nil {
			return err
		}
		target := wire.Value(in.NetworkInterfaceId)
		if in.InstanceId != nil {
			i, err := s.instance(tx, *in.InstanceId)
			if err != nil {
				return err
			}
			if len(i.Interfaces) == 0 {
				return fault("IncorrectInstanceState", "The instance '%s' is not in a state from which an address can be associated.", i.ID)
			}
			target = i.Interfaces[0]
		}
		if target == "" {
			return missing("InstanceId or NetworkInterfaceId")
		}
		i, err := interfaces.get(tx, target)
		if err != nil {
			return err
		}
		if v.Association != "" && v.Interface != i.ID && !wire.Value(in.AllowReassociation) {
			return fault("Resource.AlreadyAssociated", "resource %s is already associated with associate-id %s", v.Allocation, v.Association)
		}
		out.AssociationId, err = associate(tx, v, i)
		return err
	})
}

// associate binds an address to an interface, ending what either was bound to.
func associate(tx *state.Tx, v elasticAddress, i Interface) (*string, error) {
	if !gateways.any(tx, func(g gateway) bool { return g.VPC == i.VPC }) {
		return nil, fault("Gateway.NotAttached", "Network %s is not attached to any internet gateway", i.VPC)
	}
	if v.Association != "" {
		if err := disassociate(tx, v); err != nil {
			return nil, err
		}
	}
	if held := i.Public.Allocation; held != "" && held != v.Allocation {
		before, err := addresses.get(tx, held)
		if err != nil {
			return nil, err
		}
		if err := disassociate(tx, before); err != nil {
			return nil, err
		}
	}
	var err error
	if v.Association, err = region.NewID(tx, "eipassoc"); err != nil {
		return nil, err
	}
	v.Interface, v.Private, v.Instance = i.ID, i.Address, i.instance()
	i.Public = PublicAddress{Address: v.Public, Allocation: v.Allocation, Association: v.Association}
	if err := interfaces.put(tx, i); err != nil {
		return nil, err
	}
	return &v.Association, addresses.put(tx, v)
}

// disassociate takes an address from its interface.
func disassociate(tx *state.Tx, v elasticAddress) error {
	if i, ok, err := interfaces.table.Get(tx, v.Interface); err != nil {
		return err
	} else if ok {
		i.Public = PublicAddress{}
		if err := interfaces.put(tx, i); err != nil {
			return err
		}
	}
	return addresses.put(tx, elasticAddress{Allocation: v.Allocation, Public: v.Public})
}

// DisassociateAddress ends an association. An address that is not associated is no error when it is named itself.
func (s *Service) DisassociateAddress(_ context.Context, in *api.DisassociateAddressInput) (*api.DisassociateAddressOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, _ *api.DisassociateAddressOutput) error {
		var v elasticAddress
		if in.AssociationId != nil {
			found := addresses.where(tx, func(a elasticAddress) bool { return a.Association == *in.AssociationId })
			if len(found) == 0 {
				return fault("InvalidAssociationID.NotFound", "The association ID '%s' does not exist", *in.AssociationId)
			}
			v = found[0]
		} else {
			var err error
			if v, err = findAddress(tx, nil, in.PublicIp); err != nil {
				return err
			}
		}
		if i, ok, err := interfaces.table.Get(tx, v.Interface); err != nil {
			return err
		} else if ok && i.Type == "nat_gateway" {
			return fault("AuthFailure", "You do not have permission to access the specified resource.")
		}
		return disassociate(tx, v)
	})
}

// ReleaseAddress gives an address back that is not associated.
func (s *Service) ReleaseAddress(_ context.Context, in *api.ReleaseAddressInput) (*api.ReleaseAddressOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, _ *api.ReleaseAddressOutput) error {
		v, err := findAddress(tx, in.AllocationId, in.PublicIp)
		if err != nil {
			return err
		}
		if v.Association != "" {
			return fault("InvalidIPAddress.InUse", "Address %s is in use.", v.Public)
		}
		return addresses.remove(tx, v.Allocation)
	})
}

func (s *Service) showAddress(tx *state.Tx, v elasticAddress) api.Address {
	out := api.Address{
		AllocationId: &v.Allocation, PublicIp: new(v.Public.String()), Domain: new("vpc"), PublicIpv4Pool: new("amazon"), NetworkBorderGroup: &s.Region.Name,
		Tags: showTags(tx, v.Allocation),
	}
	if v.Association != "" {
		out.AssociationId, out.NetworkInterfaceId, out.PrivateIpAddress = &v.Association, &v.Interface, address(v.Private)
		out.NetworkInterfaceOwnerId, out.InstanceId = &s.Region.Account, wire.Optional(v.Instance)
	}
	return out
}

// DescribeAddresses lists Elastic IP addresses.
func (s *Service) DescribeAddresses(_ context.Context, in *api.DescribeAddressesInput) (*api.DescribeAddressesOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeAddressesOutput) (err error) {
		ids := in.AllocationIds
		for _, public := range in.PublicIps {
			v, err := findAddress(tx, nil, &public)
			if err != nil {
				return err
			}
			ids = append(ids, v.Allocation)
		}
		out.Addresses, _, err = describe(tx, addresses, query{ids: ids, filters: in.Filters}, s.showAddress)
		return err
	})
}

// DescribeAddressesAttribute answers the reverse DNS names of addresses: none has one in the lab.
func (s *Service) DescribeAddressesAttribute(_ context.Context, in *api.DescribeAddressesAttributeInput) (*api.DescribeAddressesAttributeOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeAddressesAttributeOutput) (err error) {
		if a := wire.Or(in.Attribute, "domain-name"); a != "domain-name" {
			return invalid("attribute", a)
		}
		out.Addresses, out.NextToken, err = describe(tx, addresses, query{in.AllocationIds, nil, in.MaxResults, in.NextToken},
			func(_ *state.Tx, v elasticAddress) api.AddressAttribute {
				return api.AddressAttribute{AllocationId: &v.Allocation, PublicIp: new(v.Public.String())}
			})
		return err
	})
}
