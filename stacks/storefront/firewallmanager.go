package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/firewallmanager"
)

// makeFirewallManager makes the policies of Firewall Manager about what others add to the account. An account that does not administer it has the stack without them.
func (st *stack) makeFirewallManager(ctx *pulumi.Context) error {
	s := st.settings
	if s.FirewallManager == "off" {
		return nil
	}
	administers, err := st.administers(ctx.Context(), s.Region, s.Endpoint)
	if err != nil {
		return err
	}
	if !administers {
		return ctx.Log.Warn("this account does not administer AWS Firewall Manager: the stack goes on without its policies (storefront:firewallManager=off says so for good)", nil)
	}
	_, err = firewallmanager.New(ctx, st.name+"-guard", &firewallmanager.Args{
		Accounts:     pulumi.StringArray{st.account},
		VpcID:        st.net.VpcID,
		ResourceTags: map[string]string{"Project": ctx.Project()},
		Shield:       s.ShieldAdvanced,
	}, st.provider)
	return err
}
