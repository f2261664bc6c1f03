package network

import (
	"fmt"
	"net/netip"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/tags"
)

// makeACLs gives each tier a network ACL of its own. Security groups do the fine work; the ACLs hold even when those are
// wrong: data subnets exchange packets with the VPC only, whatever a route or a security group says.
func (n *Network) makeACLs(ctx *pulumi.Context, _ netip.Prefix, child pulumi.ResourceOption) error {
	var associations []pulumi.Resource
	for _, tier := range tiers {
		peers := anywhere
		if tier == Data {
			peers = n.args.CIDR
		}
		acl, err := n.acl(ctx, n.name+"-"+string(tier), peers, child)
		if err != nil {
			return err
		}
		for _, zone := range n.zones() {
			name := fmt.Sprintf("%s-%s-%s", n.name, tier, zone)
			a, err := ec2.NewNetworkAclAssociation(ctx, name, &ec2.NetworkAclAssociationArgs{
				NetworkAclId: acl.ID(),
				SubnetId:     n.Subnets[tier][zone].ID(),
			}, child)
			if err != nil {
				return fmt.Errorf("associating network ACL %s: %w", name, err)
			}
			associations = append(associations, a)
			n.ready[tier] = append(n.ready[tier], a)
		}
	}
	// Emptied last: until it has its own ACL, a new subnet uses the default one.
	_, err := ec2.NewDefaultNetworkAcl(ctx, n.name, &ec2.DefaultNetworkAclArgs{
		DefaultNetworkAclId: n.vpc.DefaultNetworkAclId,
		Tags:                tags.Named(n.name + "-default-unused"),
	}, child, pulumi.DependsOn(associations))
	if err != nil {
		return fmt.Errorf("emptying the default network ACL: %w", err)
	}
	return nil
}

func (n *Network) acl(ctx *pulumi.Context, name, peers string, child pulumi.ResourceOption) (*ec2.NetworkAcl, error) {
	acl, err := ec2.NewNetworkAcl(ctx, name, &ec2.NetworkAclArgs{VpcId: n.vpc.ID(), Tags: tags.Named(name)}, child)
	if err != nil {
		return nil, fmt.Errorf("creating network ACL %s: %w", name, err)
	}
	for direction, egress := range map[string]bool{"in": false, "out": true} {
		_, err := ec2.NewNetworkAclRule(ctx, name+"-"+direction, &ec2.NetworkAclRuleArgs{
			NetworkAclId: acl.ID(),
			Egress:       pulumi.Bool(egress),
			RuleNumber:   pulumi.Int(100),
			RuleAction:   pulumi.String("allow"),
			Protocol:     pulumi.String("-1"),
			CidrBlock:    pulumi.String(peers),
		}, child)
		if err != nil {
			return nil, fmt.Errorf("creating a rule of network ACL %s: %w", name, err)
		}
	}
	return acl, nil
}

// emptyDefaults takes over the security group and the route table that every VPC comes with, so that what forgets to name
// its own reaches nothing.
func (n *Network) emptyDefaults(ctx *pulumi.Context, _ netip.Prefix, child pulumi.ResourceOption) error {
	_, err := ec2.NewDefaultSecurityGroup(ctx, n.name, &ec2.DefaultSecurityGroupArgs{
		VpcId: n.vpc.ID(),
		Tags:  tags.Named(n.name + "-default-unused"),
	}, child)
	if err != nil {
		return fmt.Errorf("emptying the default security group: %w", err)
	}
	_, err = ec2.NewDefaultRouteTable(ctx, n.name, &ec2.DefaultRouteTableArgs{
		DefaultRouteTableId: n.vpc.DefaultRouteTableId,
		Routes:              ec2.DefaultRouteTableRouteArray{},
		Tags:                tags.Named(n.name + "-default-unused"),
	}, child)
	if err != nil {
		return fmt.Errorf("emptying the default route table: %w", err)
	}
	return nil
}
