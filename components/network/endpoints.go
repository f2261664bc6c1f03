package network

import (
	"fmt"
	"net/netip"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/tags"
)

// makeEndpoints makes the S3 gateway endpoint for private subnets, and the interface endpoints that were asked for.
func (n *Network) makeEndpoints(ctx *pulumi.Context, _ netip.Prefix, child pulumi.ResourceOption) error {
	var tables pulumi.StringArray
	for _, zone := range n.zones() {
		tables = append(tables, n.tables[Private][zone].ID())
	}
	s3, err := ec2.NewVpcEndpoint(ctx, n.name+"-s3", &ec2.VpcEndpointArgs{
		VpcId:           n.vpc.ID(),
		ServiceName:     pulumi.String(n.service("s3")),
		VpcEndpointType: pulumi.String("Gateway"),
		RouteTableIds:   tables,
		Tags:            tags.Named(n.name + "-s3"),
	}, child)
	if err != nil {
		return fmt.Errorf("creating the S3 endpoint: %w", err)
	}
	n.ready[Private] = append(n.ready[Private], s3)
	if len(n.args.InterfaceEndpoints) == 0 {
		return nil
	}
	group, err := n.endpointGroup(ctx, child)
	if err != nil {
		return err
	}
	n.EndpointSecurityGroupID = group.ID().ToStringOutput()
	for _, service := range n.args.InterfaceEndpoints {
		name := n.name + "-" + service
		e, err := ec2.NewVpcEndpoint(ctx, name, &ec2.VpcEndpointArgs{
			VpcId:             n.vpc.ID(),
			ServiceName:       pulumi.String(n.service(service)),
			VpcEndpointType:   pulumi.String("Interface"),
			PrivateDnsEnabled: pulumi.Bool(true),
			SubnetIds:         n.subnetIDs(Private),
			SecurityGroupIds:  pulumi.StringArray{group.ID()},
			Tags:              tags.Named(name),
		}, child)
		if err != nil {
			return fmt.Errorf("creating the %s endpoint: %w", service, err)
		}
		n.ready[Private] = append(n.ready[Private], e)
	}
	return nil
}

func (n *Network) service(name string) string { return "com.amazonaws." + n.args.Region + "." + name }

// endpointGroup makes the security group of the interface endpoints: HTTPS from the VPC, nothing out.
func (n *Network) endpointGroup(ctx *pulumi.Context, child pulumi.ResourceOption) (*ec2.SecurityGroup, error) {
	name := n.name + "-endpoints"
	g, err := ec2.NewSecurityGroup(ctx, name, &ec2.SecurityGroupArgs{
		Description: pulumi.String("Interface endpoints of " + n.name),
		VpcId:       n.vpc.ID(),
		Tags:        tags.Named(name),
	}, child)
	if err != nil {
		return nil, fmt.Errorf("creating the security group of the endpoints: %w", err)
	}
	_, err = vpc.NewSecurityGroupIngressRule(ctx, name+"-https", &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId: g.ID(),
		Description:     pulumi.String("HTTPS from the VPC"),
		IpProtocol:      pulumi.String("tcp"),
		FromPort:        pulumi.Int(443),
		ToPort:          pulumi.Int(443),
		CidrIpv4:        pulumi.String(n.args.CIDR),
	}, child)
	if err != nil {
		return nil, fmt.Errorf("allowing HTTPS to the endpoints: %w", err)
	}
	return g, nil
}
