// Package securitygroup makes the security groups of components: nothing comes in and nothing goes out but what a rule names.
package securitygroup

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/tags"
)

// New makes a group without a rule: Pulumi takes away the one of AWS that lets everything out.
func New(ctx *pulumi.Context, name, description string, vpcID pulumi.StringInput, opts ...pulumi.ResourceOption) (*ec2.SecurityGroup, error) {
	g, err := ec2.NewSecurityGroup(ctx, name, &ec2.SecurityGroupArgs{
		Description: pulumi.String(description),
		VpcId:       vpcID,
		Tags:        tags.Named(name),
	}, opts...)
	if err != nil {
		return nil, fmt.Errorf("creating the security group: %w", err)
	}
	return g, nil
}

// Clients says who may connect.
type Clients struct {
	Key             string             // names the rule among those of the component
	SecurityGroupID pulumi.StringInput // of the clients
	Port            int                // TCP
}

// Allow lets clients of the component of a name in.
func Allow(ctx *pulumi.Context, name string, g *ec2.SecurityGroup, c Clients, opts ...pulumi.ResourceOption) error {
	_, err := vpc.NewSecurityGroupIngressRule(ctx, name+"-from-"+c.Key, &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId:           g.ID(),
		Description:               pulumi.String("Clients: " + c.Key),
		IpProtocol:                pulumi.String("tcp"),
		FromPort:                  pulumi.Int(c.Port),
		ToPort:                    pulumi.Int(c.Port),
		ReferencedSecurityGroupId: c.SecurityGroupID.ToStringOutput().ToStringPtrOutput(),
	}, opts...)
	if err != nil {
		return fmt.Errorf("allowing %s to %s: %w", c.Key, name, err)
	}
	return nil
}
