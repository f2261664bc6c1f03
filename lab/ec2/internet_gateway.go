package ec2

import (
	"context"

	api "storefront/lab/api/ec2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// gateway is an internet gateway.
type gateway struct {
	ID  string
	VPC string // attached to; "" when detached
}

func (v gateway) id() string { return v.ID }

var gateways = kind[gateway]{
	table: state.NewTable[gateway]("ec2.internet-gateway"), prefix: "igw", tagType: "internet-gateway",
	absent: "InvalidInternetGatewayID.NotFound", noun: "internetGateway ID",
	filters: map[string]func(gateway) []string{
		"internet-gateway-id": one(gateway.id),
		"attachment.vpc-id":   one(func(v gateway) string { return v.VPC }),
		"attachment.state": func(v gateway) []string {
			if v.VPC == "" {
				return nil
			}
			return []string{"available"}
		},
	},
}

// CreateInternetGateway creates a detached gateway.
func (s *Service) CreateInternetGateway(ctx context.Context, in *api.CreateInternetGatewayInput) (*api.CreateInternetGatewayOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.CreateInternetGatewayOutput) error {
		if err := checkSpecifications(in.TagSpecifications, "internet-gateway"); err != nil {
			return err
		}
		id, err := gateways.newID(tx)
		if err != nil {
			return err
		}
		if err := gateways.put(tx, gateway{ID: id}); err != nil {
			return err
		}
		if err := tagNew(ctx, tx, id, in.TagSpecifications, "internet-gateway"); err != nil {
			return err
		}
		out.InternetGateway = new(s.showGateway(tx, gateway{ID: id}))
		return nil
	})
}

func (s *Service) showGateway(tx *state.Tx, v gateway) api.InternetGateway {
	out := api.InternetGateway{InternetGatewayId: &v.ID, OwnerId: &s.Region.Account, Tags: showTags(tx, v.ID)}
	if v.VPC != "" {
		out.Attachments = []api.InternetGatewayAttachment{{VpcId: &v.VPC, State: new("available")}}
	}
	return out
}

// DescribeInternetGateways lists internet gateways.
func (s *Service) DescribeInternetGateways(_ context.Context, in *api.DescribeInternetGatewaysInput) (*api.DescribeInternetGatewaysOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeInternetGatewaysOutput) (err error) {
		out.InternetGateways, out.NextToken, err = describe(tx, gateways, query{in.InternetGatewayIds, in.Filters, in.MaxResults, in.NextToken}, s.showGateway)
		return err
	})
}

// AttachInternetGateway attaches a gateway to a VPC that has none.
func (s *Service) AttachInternetGateway(_ context.Context, in *api.AttachInternetGatewayInput) (*api.AttachInternetGatewayOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, _ *api.AttachInternetGatewayOutput) error {
		g, err := gateways.get(tx, wire.Value(in.InternetGatewayId))
		if err != nil {
			return err
		}
		vpc, err := vpcs.get(tx, wire.Value(in.VpcId))
		if err != nil {
			return err
		}
		if g.VPC != "" {
			return fault("Resource.AlreadyAssociated", "resource %s is already attached to network %s", g.ID, g.VPC)
		}
		if gateways.any(tx, func(o gateway) bool { return o.VPC == vpc.ID }) {
			return fault("InvalidParameterValue", "Network %s already has an internet gateway attached", vpc.ID)
		}
		g.VPC = vpc.ID
		return gateways.put(tx, g)
	})
}

// DetachInternetGateway detaches a gateway from a VPC in which nothing has a public address any more.
func (s *Service) DetachInternetGateway(_ context.Context, in *api.DetachInternetGatewayInput) (*api.DetachInternetGatewayOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, _ *api.DetachInternetGatewayOutput) error {
		g, err := gateways.get(tx, wire.Value(in.InternetGatewayId))
		if err != nil {
			return err
		}
		if g.VPC == "" || g.VPC != wire.Value(in.VpcId) {
			return fault("Gateway.NotAttached", "resource %s is not attached to network %s", g.ID, wire.Value(in.VpcId))
		}
		if interfaces.any(tx, func(i Interface) bool { return i.VPC == g.VPC && i.Public.Address.IsValid() }) {
			return fault("DependencyViolation", "Network %s has some mapped public address(es). Please unmap those public address(es) before detaching the gateway.", g.VPC)
		}
		g.VPC = ""
		return gateways.put(tx, g)
	})
}

// DeleteInternetGateway deletes a detached gateway.
func (s *Service) DeleteInternetGateway(_ context.Context, in *api.DeleteInternetGatewayInput) (*api.DeleteInternetGatewayOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, _ *api.DeleteInternetGatewayOutput) error {
		g, err := gateways.get(tx, wire.Value(in.InternetGatewayId))
		if err != nil {
			return err
		}
		if g.VPC != "" {
			return violation("internetGateway", g.ID)
		}
		return gateways.remove(tx, g.ID)
	})
}
