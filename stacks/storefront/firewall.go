package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/firewall"
)

// noFirewall is what the outputs say when requests are not inspected.
const noFirewall = pulumi.String("none")

// makeFirewall makes the web ACL in front of the load balancer.
func (st *stack) makeFirewall(ctx *pulumi.Context) error {
	s := st.settings
	if !s.Firewall {
		st.out.WebACLARN, st.out.FirewallLogGroup = noFirewall, noFirewall
		return nil
	}
	f, err := firewall.New(ctx, st.name+"-firewall", &firewall.Args{
		LoadBalancerARN: st.balancer.ARN,
		KeyARN:          st.keys.Logs.ARN,
		LogDays:         s.LogDays,
		Count:           s.FirewallCount,
		RateLimit:       s.FirewallRate,
		Blocked:         s.FirewallBlocked,
	}, st.provider)
	if err != nil {
		return err
	}
	st.out.WebACLARN, st.out.FirewallLogGroup = f.WebACLARN, f.LogGroup
	return nil
}
