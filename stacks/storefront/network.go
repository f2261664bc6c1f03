package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/network"
)

func (st *stack) makeNetwork(ctx *pulumi.Context) (err error) {
	st.net, err = network.NewNetwork(ctx, st.name, &network.Args{
		Region:             st.settings.Region,
		Zones:              st.settings.Zones,
		CIDR:               st.settings.CIDR,
		NAT:                network.NAT(st.settings.NAT),
		InterfaceEndpoints: st.settings.InterfaceEndpoints,
		FlowLogDays:        st.settings.LogDays,
		LogKeyARN:          st.keys.Logs.ARN.ToStringPtrOutput(),
	}, st.provider)
	if err != nil {
		return err
	}
	st.out.VpcID, st.out.FlowLogGroup = st.net.VpcID, st.net.FlowLogGroup
	st.out.Subnets = pulumi.StringMapMap{}
	for tier, zones := range st.net.Subnets {
		ids := pulumi.StringMap{}
		for zone, subnet := range zones {
			ids[zone] = subnet.ID()
		}
		st.out.Subnets[string(tier)] = ids
	}
	return nil
}
