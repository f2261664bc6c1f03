package network

import (
	"fmt"
	"net/netip"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/tags"
)

const anywhere = "0.0.0.0/0"

// makeRoutes makes one route table for public subnets, one for data subnets (it never gets a route) and one for each zone's
// private subnet, whatever the NAT mode: a change of mode then changes routes, not tables.
func (n *Network) makeRoutes(ctx *pulumi.Context, _ netip.Prefix, child pulumi.ResourceOption) error {
	n.tables = map[Tier]map[string]*ec2.RouteTable{Public: {}, Private: {}, Data: {}}
	for _, tier := range tiers {
		for _, zone := range n.zones() {
			key := ""
			if tier == Private {
				key = zone
			}
			table, err := n.table(ctx, tier, key, child)
			if err != nil {
				return err
			}
			name := fmt.Sprintf("%s-%s-%s", n.name, tier, zone)
			a, err := ec2.NewRouteTableAssociation(ctx, name, &ec2.RouteTableAssociationArgs{
				SubnetId:     n.Subnets[tier][zone].ID(),
				RouteTableId: table.ID(),
			}, child)
			if err != nil {
				return fmt.Errorf("associating route table %s: %w", name, err)
			}
			n.ready[tier] = append(n.ready[tier], a)
		}
	}
	var err error
	n.gateway, err = ec2.NewInternetGateway(ctx, n.name, &ec2.InternetGatewayArgs{VpcId: n.vpc.ID(), Tags: tags.Named(n.name)}, child)
	if err != nil {
		return fmt.Errorf("creating the internet gateway: %w", err)
	}
	out, err := ec2.NewRoute(ctx, n.name+"-public-internet", &ec2.RouteArgs{
		RouteTableId:         n.tables[Public][""].ID(),
		DestinationCidrBlock: pulumi.String(anywhere),
		GatewayId:            n.gateway.ID(),
	}, child)
	if err != nil {
		return fmt.Errorf("creating the route to the internet: %w", err)
	}
	n.ready[Public] = append(n.ready[Public], out)
	return nil
}

// table returns the route table of a tier under key, and makes it the first time.
func (n *Network) table(ctx *pulumi.Context, tier Tier, key string, child pulumi.ResourceOption) (*ec2.RouteTable, error) {
	if t := n.tables[tier][key]; t != nil {
		return t, nil
	}
	name := n.name + "-" + string(tier)
	if key != "" {
		name += "-" + key
	}
	t, err := ec2.NewRouteTable(ctx, name, &ec2.RouteTableArgs{VpcId: n.vpc.ID(), Tags: tags.Named(name)}, child)
	if err != nil {
		return nil, fmt.Errorf("creating route table %s: %w", name, err)
	}
	n.tables[tier][key] = t
	return t, nil
}

// makeNAT makes the NAT gateways and the private subnets' routes to them.
func (n *Network) makeNAT(ctx *pulumi.Context, _ netip.Prefix, child pulumi.ResourceOption) error {
	gateways := map[string]*ec2.NatGateway{}
	for _, zone := range n.zones() {
		at := zone
		switch n.args.NAT {
		case NATNone:
			return nil
		case NATSingle:
			at = n.args.Zones[0]
		}
		if gateways[at] == nil {
			g, err := n.natGateway(ctx, at, child)
			if err != nil {
				return err
			}
			gateways[at] = g
		}
		name := n.name + "-nat-" + zone
		out, err := ec2.NewRoute(ctx, name, &ec2.RouteArgs{
			RouteTableId:         n.tables[Private][zone].ID(),
			DestinationCidrBlock: pulumi.String(anywhere),
			NatGatewayId:         gateways[at].ID(),
		}, child)
		if err != nil {
			return fmt.Errorf("creating route %s: %w", name, err)
		}
		n.ready[Private] = append(n.ready[Private], out)
	}
	return nil
}

func (n *Network) natGateway(ctx *pulumi.Context, zone string, child pulumi.ResourceOption) (*ec2.NatGateway, error) {
	name := n.name + "-nat-" + zone
	// A public address and a NAT gateway work only in a VPC that has its internet gateway already.
	after := pulumi.DependsOn([]pulumi.Resource{n.gateway})
	ip, err := ec2.NewEip(ctx, name, &ec2.EipArgs{Domain: pulumi.String("vpc"), Tags: tags.Named(name)}, child, after)
	if err != nil {
		return nil, fmt.Errorf("creating address %s: %w", name, err)
	}
	g, err := ec2.NewNatGateway(ctx, name, &ec2.NatGatewayArgs{
		AllocationId: ip.AllocationId,
		SubnetId:     n.Subnets[Public][zone].ID(),
		Tags:         tags.Named(name),
	}, child, after)
	if err != nil {
		return nil, fmt.Errorf("creating NAT gateway %s: %w", name, err)
	}
	return g, nil
}
