package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/encryption"
	"storefront/components/network"
)

func (st *stack) encryption(ctx *pulumi.Context) (*encryption.Key, error) {
	days := 7
	if st.settings.Protect {
		days = 30
	}
	key, err := encryption.NewKey(ctx, st.name, &encryption.Args{
		Region:       st.settings.Region,
		AccountID:    st.account,
		Services:     []encryption.Service{encryption.RDS, encryption.SecretsManager, encryption.Logs},
		DeletionDays: days,
	}, st.provider)
	if err != nil {
		return nil, err
	}
	st.out.KeyARN = key.ARN
	return key, nil
}

func (st *stack) network(ctx *pulumi.Context, key *encryption.Key) (*network.Network, error) {
	net, err := network.NewNetwork(ctx, st.name, &network.Args{
		Region:             st.settings.Region,
		Zones:              st.settings.Zones,
		CIDR:               st.settings.CIDR,
		NAT:                network.NAT(st.settings.NAT),
		InterfaceEndpoints: st.settings.InterfaceEndpoints,
		FlowLogDays:        st.settings.LogDays,
		LogKeyARN:          key.ARN.ToStringPtrOutput(),
	}, st.provider)
	if err != nil {
		return nil, err
	}
	st.out.VpcID, st.out.FlowLogGroup = net.VpcID, net.FlowLogGroup
	st.out.Subnets = pulumi.StringMapMap{}
	for tier, zones := range net.Subnets {
		ids := pulumi.StringMap{}
		for zone, subnet := range zones {
			ids[zone] = subnet.ID()
		}
		st.out.Subnets[string(tier)] = ids
	}
	return net, nil
}
