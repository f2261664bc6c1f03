package ec2

import (
	"context"
	"slices"

	api "storefront/lab/api/ec2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// dhcpOptionsID is the set of DHCP options that every VPC has: Amazon's resolver.
const dhcpOptionsID = "dopt-00000000000000001"

// DescribeVpcAttribute answers one attribute of a VPC.
func (s *Service) DescribeVpcAttribute(_ context.Context, in *api.DescribeVpcAttributeInput) (*api.DescribeVpcAttributeOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeVpcAttributeOutput) error {
		v, err := vpcs.get(tx, wire.Value(in.VpcId))
		if err != nil {
			return err
		}
		out.VpcId = &v.ID
		switch wire.Value(in.Attribute) {
		case api.VpcAttributeNameEnableDnsSupport:
			out.EnableDnsSupport = &api.AttributeBooleanValue{Value: &v.DNSSupport}
		case api.VpcAttributeNameEnableDnsHostnames:
			out.EnableDnsHostnames = &api.AttributeBooleanValue{Value: &v.DNSHostnames}
		case api.VpcAttributeNameEnableNetworkAddressUsageMetrics:
			out.EnableNetworkAddressUsageMetrics = &api.AttributeBooleanValue{Value: &v.UsageMetrics}
		default:
			return invalid("attribute", wire.Value(in.Attribute))
		}
		return nil
	})
}

// ModifyVpcAttribute changes one attribute of a VPC.
func (s *Service) ModifyVpcAttribute(_ context.Context, in *api.ModifyVpcAttributeInput) (*api.ModifyVpcAttributeOutput, error) {
	return change(s, nil, func(tx *state.Tx, _ *api.ModifyVpcAttributeOutput) error {
		v, err := vpcs.get(tx, wire.Value(in.VpcId))
		if err != nil {
			return err
		}
		given := 0
		for _, change := range []struct {
			to    *api.AttributeBooleanValue
			field *bool
		}{{in.EnableDnsSupport, &v.DNSSupport}, {in.EnableDnsHostnames, &v.DNSHostnames}, {in.EnableNetworkAddressUsageMetrics, &v.UsageMetrics}} {
			if change.to != nil {
				given++
				*change.field = wire.Value(change.to.Value)
			}
		}
		if given != 1 {
			return fault("InvalidParameterCombination", "Exactly one attribute of a VPC can be modified at a time")
		}
		if v.DNSHostnames && !v.DNSSupport {
			return fault("InvalidParameterCombination", "enableDnsHostnames requires enableDnsSupport")
		}
		return vpcs.put(tx, v)
	})
}

// DescribeDhcpOptions lists the region's one set of DHCP options.
func (s *Service) DescribeDhcpOptions(_ context.Context, in *api.DescribeDhcpOptionsInput) (*api.DescribeDhcpOptionsOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeDhcpOptionsOutput) error {
		options := map[string][]string{"domain-name": {s.privateDomain()}, "domain-name-servers": {"AmazonProvidedDNS"}}
		match, err := kind[dhcpOptions]{tagType: "dhcp-options", filters: map[string]func(dhcpOptions) []string{
			"dhcp-options-id": one(dhcpOptions.id),
			"owner-id":        func(dhcpOptions) []string { return []string{s.Region.Account} },
			"key":             func(dhcpOptions) []string { return []string{"domain-name", "domain-name-servers"} },
			"value": func(dhcpOptions) []string {
				return slices.Concat(options["domain-name"], options["domain-name-servers"])
			},
		}}.matcher(tx, in.Filters)
		if err != nil {
			return err
		}
		for _, id := range in.DhcpOptionsIds {
			if id != dhcpOptionsID {
				return fault("InvalidDhcpOptionID.NotFound", "The dhcpOption ID '%s' does not exist", id)
			}
		}
		if !match(dhcpOptions{}) {
			return nil
		}
		set := api.DhcpOptions{DhcpOptionsId: new(dhcpOptionsID), OwnerId: &s.Region.Account, Tags: showTags(tx, dhcpOptionsID)}
		for _, key := range []string{"domain-name", "domain-name-servers"} {
			set.DhcpConfigurations = append(set.DhcpConfigurations, api.DhcpConfiguration{Key: &key, Values: []api.AttributeValue{{Value: &options[key][0]}}})
		}
		out.DhcpOptions = []api.DhcpOptions{set}
		return nil
	})
}

// dhcpOptions is the region's one set of DHCP options.
type dhcpOptions struct{}

func (dhcpOptions) id() string { return dhcpOptionsID }
