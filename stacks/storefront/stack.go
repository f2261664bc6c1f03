package main

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/stacks/internal/settings"
	"storefront/stacks/storefront/outputs"
)

// stack is what the layers share. Each layer is a file and adds to what follows.
type stack struct {
	settings settings.Settings
	name     string // "storefront-lab": begins the names that AWS wants unique
	account  pulumi.StringOutput
	tags     map[string]string
	provider pulumi.ResourceOption
	out      outputs.Live
}

// deploy declares the whole stack.
func deploy(ctx *pulumi.Context, s settings.Settings) error {
	st := &stack{
		settings: s,
		name:     ctx.Project() + "-" + ctx.Stack(),
		tags:     map[string]string{"Project": ctx.Project(), "Stack": ctx.Stack(), "ManagedBy": "pulumi"},
	}
	p, err := st.newProvider(ctx)
	if err != nil {
		return err
	}
	st.provider = pulumi.Provider(p)
	st.account = aws.GetCallerIdentityOutput(ctx, aws.GetCallerIdentityOutputArgs{}, pulumi.Provider(p)).AccountId()
	st.out.Region = pulumi.String(s.Region)

	key, err := st.encryption(ctx)
	if err != nil {
		return err
	}
	net, err := st.network(ctx, key)
	if err != nil {
		return err
	}
	db, err := st.database(ctx, key, net)
	if err != nil {
		return err
	}
	balancer, err := st.balancer(ctx, net)
	if err != nil {
		return err
	}
	if err := st.shop(ctx, p, net, db, balancer); err != nil {
		return err
	}
	return st.out.Export(ctx)
}
