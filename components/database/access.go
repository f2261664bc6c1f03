package database

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/policy"
)

// AllowFrom lets what has the security group given reach the database's port; key names the rule.
func (d *Database) AllowFrom(ctx *pulumi.Context, key string, securityGroupID pulumi.StringInput) error {
	_, err := vpc.NewSecurityGroupIngressRule(ctx, d.name+"-from-"+key, &vpc.SecurityGroupIngressRuleArgs{
		SecurityGroupId:           d.group.ID(),
		Description:               pulumi.String("Clients: " + key),
		IpProtocol:                pulumi.String("tcp"),
		FromPort:                  pulumi.Int(d.args.Port),
		ToPort:                    pulumi.Int(d.args.Port),
		ReferencedSecurityGroupId: securityGroupID.ToStringOutput().ToStringPtrOutput(),
	}, pulumi.Parent(d))
	if err != nil {
		return fmt.Errorf("allowing %s to the database: %w", key, err)
	}
	return nil
}

// GrantSecretRead returns the policy document that lets a role read the master password, and use the key for that only.
func (d *Database) GrantSecretRead() pulumi.StringOutput {
	return policy.Output(func(v []string) policy.Document { return policy.ReadSecret(v[0], v[1]) }, d.SecretARN, d.args.KeyARN)
}
