package ec2

import (
	"context"
	"net/netip"
	"slices"
	"time"

	api "storefront/lab/api/ec2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// natGateway is a NAT gateway.
type natGateway struct {
	ID          string
	VPC         string
	Subnet      string
	Private     bool // connectivity type private: no public address
	Interface   string
	Address     netip.Addr
	Allocation  string
	Public      netip.Addr
	Association string
	Created     time.Time
	Deleted     *time.Time
}

func (v natGateway) id() string { return v.ID }

func (v natGateway) state() string {
	if v.Deleted != nil {
		return api.NatGatewayStateDeleted
	}
	return api.NatGatewayStateAvailable
}

var nats = kind[natGateway]{
	table: state.NewTable[natGateway]("ec2.nat-gateway"), prefix: "nat", tagType: "natgateway", absent: "NatGatewayNotFound", noun: "Nat Gateway",
	filters: map[string]func(natGateway) []string{
		"nat-gateway-id": one(natGateway.id),
		"vpc-id":         one(func(v natGateway) string { return v.VPC }),
		"subnet-id":      one(func(v natGateway) string { return v.Subnet }),
		"state":          one(natGateway.state),
	},
}

// CreateNatGateway creates a NAT gateway with an interface in a subnet.
func (s *Service) CreateNatGateway(ctx context.Context, in *api.CreateNatGatewayInput) (*api.CreateNatGatewayOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.CreateNatGatewayOutput) error {
		if err := checkSpecifications(in.TagSpecifications, "natgateway"); err != nil {
			return err
		}
		if len(in.SecondaryAllocationIds) > 0 || len(in.SecondaryPrivateIpAddresses) > 0 || wire.Value(in.SecondaryPrivateIpAddressCount) > 0 {
			return unsupported("A secondary address of a NAT gateway")
		}
		id, err := s.once(tx, "CreateNatGateway", in.ClientToken, in, func() (string, error) {
			v, err := s.newNAT(tx, in)
			if err != nil {
				return "", err
			}
			return v.ID, tagNew(ctx, tx, v.ID, in.TagSpecifications, "natgateway")
		})
		if err != nil {
			return err
		}
		v, err := nats.get(tx, id)
		if err != nil {
			return err
		}
		out.ClientToken, out.NatGateway = in.ClientToken, new(s.showNAT(tx, v))
		out.NatGateway.State = new(api.NatGatewayStatePending)
		return nil
	})
}

func (s *Service) newNAT(tx *state.Tx, in *api.CreateNatGatewayInput) (natGateway, error) {
	v := natGateway{Created: s.Now().UTC()}
	connectivity := wire.Or(in.ConnectivityType, api.ConnectivityTypePublic)
	if connectivity != api.ConnectivityTypePublic && connectivity != api.ConnectivityTypePrivate {
		return v, invalid("connectivityType", connectivity)
	}
	v.Private = connectivity == api.ConnectivityTypePrivate
	if v.Private == (in.AllocationId != nil) {
		if v.Private {
			return v, fault("InvalidParameterCombination", "AllocationId cannot be specified for a private NAT gateway")
		}
		return v, missing("AllocationId")
	}
	subnet, err := subnets.get(tx, wire.Value(in.SubnetId))
	if err != nil {
		return v, err
	}
	if v.ID, err = nats.newID(tx); err != nil {
		return v, err
	}
	i, err := s.CreateManagedInterface(tx, ManagedInterface{
		Subnet: subnet.ID, Description: "Interface for NAT Gateway " + v.ID, RequesterID: "amazon-nat", InterfaceType: "nat_gateway", PrivateAddress: wire.Value(in.PrivateIpAddress),
	})
	if err != nil {
		return v, err
	}
	v.VPC, v.Subnet, v.Interface, v.Address = subnet.VPC, subnet.ID, i.ID, i.Address
	if !v.Private {
		a, err := addresses.get(tx, *in.AllocationId)
		if err != nil {
			return v, err
		}
		if a.Association != "" {
			return v, fault("Resource.AlreadyAssociated", "Elastic IP address [%s] is already associated", a.Allocation)
		}
		association, err := associate(tx, a, i)
		if err != nil {
			return v, err
		}
		v.Allocation, v.Public, v.Association = a.Allocation, a.Public, *association
	}
	return v, nats.put(tx, v)
}

func (s *Service) showNAT(tx *state.Tx, v natGateway) api.NatGateway {
	connectivity := api.ConnectivityTypePublic
	if v.Private {
		connectivity = api.ConnectivityTypePrivate
	}
	return api.NatGateway{
		NatGatewayId: &v.ID, VpcId: &v.VPC, SubnetId: &v.Subnet, State: new(v.state()), ConnectivityType: &connectivity, CreateTime: &v.Created, DeleteTime: v.Deleted,
		Tags: showTags(tx, v.ID),
		NatGatewayAddresses: []api.NatGatewayAddress{{
			NetworkInterfaceId: &v.Interface, PrivateIp: address(v.Address), PublicIp: address(v.Public), AllocationId: wire.Optional(v.Allocation), AssociationId: wire.Optional(v.Association),
			IsPrimary: new(true), Status: new("succeeded"),
		}},
	}
}

// DescribeNatGateways lists NAT gateways; a deleted one for an hour.
func (s *Service) DescribeNatGateways(_ context.Context, in *api.DescribeNatGatewaysInput) (*api.DescribeNatGatewaysOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeNatGatewaysOutput) error {
		found, err := nats.list(tx, in.NatGatewayIds, in.Filter)
		if err != nil {
			return err
		}
		found = slices.DeleteFunc(found, s.forgottenNAT)
		if len(found) == 0 && len(in.NatGatewayIds) > 0 && len(in.Filter) == 0 {
			return fault("NatGatewayNotFound", "The Nat Gateway %s was not found", in.NatGatewayIds[0])
		}
		out.NatGateways, out.NextToken, err = page(tx, found, query{maxResults: in.MaxResults, nextToken: in.NextToken}, natGateway.id, s.showNAT)
		return err
	})
}

func (s *Service) forgottenNAT(v natGateway) bool {
	return v.Deleted != nil && s.Now().Sub(*v.Deleted) >= retention
}

// DeleteNatGateway deletes a NAT gateway; its routes become black holes.
func (s *Service) DeleteNatGateway(_ context.Context, in *api.DeleteNatGatewayInput) (*api.DeleteNatGatewayOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.DeleteNatGatewayOutput) error {
		v, err := nats.get(tx, wire.Value(in.NatGatewayId))
		if err != nil {
			return err
		}
		out.NatGatewayId = &v.ID
		for _, old := range nats.where(tx, s.forgottenNAT) {
			if err := nats.remove(tx, old.ID); err != nil {
				return err
			}
		}
		if v.Deleted != nil {
			return nil
		}
		if err := s.DeleteManagedInterface(tx, v.Interface); err != nil {
			return err
		}
		v.Deleted = new(s.Now().UTC())
		return nats.put(tx, v)
	})
}
