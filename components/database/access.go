package database

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/policy"
	"storefront/components/internal/securitygroup"
)

// AllowFrom lets what has the security group given reach the database's port; key names the rule.
func (d *Database) AllowFrom(ctx *pulumi.Context, key string, securityGroupID pulumi.StringInput) error {
	return securitygroup.Allow(ctx, d.name, d.group, securitygroup.Clients{Key: key, SecurityGroupID: securityGroupID, Port: d.args.Port}, pulumi.Parent(d))
}

// GrantSecretRead returns the policy document that lets a role read the master password, and use the key for that only.
func (d *Database) GrantSecretRead() pulumi.StringOutput {
	return policy.Output(func(v []string) policy.Document { return policy.ReadSecret(v[0], v[1]) }, d.SecretARN, d.args.SecretKeyARN)
}
