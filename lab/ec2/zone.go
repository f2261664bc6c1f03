package ec2

import (
	"context"
	"slices"

	api "storefront/lab/api/ec2"
	"storefront/lab/region"
	"storefront/lab/state"
)

// zoneRow is one row of DescribeAvailabilityZones.
type zoneRow struct{ region.Zone }

func (v zoneRow) id() string { return v.Zone.ID }

// DescribeAvailabilityZones lists the region's zones.
func (s *Service) DescribeAvailabilityZones(_ context.Context, in *api.DescribeAvailabilityZonesInput) (*api.DescribeAvailabilityZonesOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeAvailabilityZonesOutput) error {
		constant := func(value string) func(zoneRow) []string { return func(zoneRow) []string { return []string{value} } }
		match, err := kind[zoneRow]{filters: map[string]func(zoneRow) []string{
			"zone-name": one(func(v zoneRow) string { return v.Name }), "zone-id": one(zoneRow.id),
			"region-name": constant(s.Region.Name), "group-name": constant(s.Region.Name + "-zg-1"), "network-border-group": constant(s.Region.Name),
			"opt-in-status": constant("opt-in-not-required"), "state": constant("available"), "zone-type": constant("availability-zone"), "message": constant(""),
		}}.matcher(tx, in.Filters)
		if err != nil {
			return err
		}
		for _, name := range in.ZoneNames {
			if !slices.ContainsFunc(s.zones, func(z region.Zone) bool { return z.Name == name }) {
				return fault("InvalidParameterValue", "Invalid availability zone: [%s]", name)
			}
		}
		for _, id := range in.ZoneIds {
			if !slices.ContainsFunc(s.zones, func(z region.Zone) bool { return z.ID == id }) {
				return fault("InvalidParameterValue", "Invalid availability zone-id: [%s]", id)
			}
		}
		for _, z := range s.zones {
			named := len(in.ZoneNames)+len(in.ZoneIds) == 0 || slices.Contains(in.ZoneNames, z.Name) || slices.Contains(in.ZoneIds, z.ID)
			if !named || !match(zoneRow{z}) {
				continue
			}
			out.AvailabilityZones = append(out.AvailabilityZones, api.AvailabilityZone{
				ZoneName: &z.Name, ZoneId: &z.ID, RegionName: &s.Region.Name, GroupName: new(s.Region.Name + "-zg-1"), NetworkBorderGroup: &s.Region.Name,
				OptInStatus: new("opt-in-not-required"), State: new("available"), ZoneType: new("availability-zone"),
			})
		}
		return nil
	})
}

// regionRow is one row of DescribeRegions.
type regionRow string

func (v regionRow) id() string { return string(v) }

// DescribeRegions lists the one region of the lab.
func (s *Service) DescribeRegions(_ context.Context, in *api.DescribeRegionsInput) (*api.DescribeRegionsOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeRegionsOutput) error {
		name := s.Region.Name
		endpoint := "ec2." + name + ".amazonaws.com"
		match, err := kind[regionRow]{filters: map[string]func(regionRow) []string{
			"region-name":   one(regionRow.id),
			"endpoint":      func(regionRow) []string { return []string{endpoint} },
			"opt-in-status": func(regionRow) []string { return []string{"opt-in-not-required"} },
		}}.matcher(tx, in.Filters)
		if err != nil {
			return err
		}
		for _, wanted := range in.RegionNames {
			if wanted != name {
				return fault("InvalidParameterValue", "Invalid region(s): [%s].", wanted)
			}
		}
		if match(regionRow(name)) {
			out.Regions = []api.Region{{RegionName: &name, Endpoint: &endpoint, OptInStatus: new("opt-in-not-required")}}
		}
		return nil
	})
}

// DescribeAccountAttributes answers what the account may have.
func (s *Service) DescribeAccountAttributes(_ context.Context, in *api.DescribeAccountAttributesInput) (*api.DescribeAccountAttributesOutput, error) {
	return read(s, in.DryRun, func(_ *state.Tx, out *api.DescribeAccountAttributesOutput) error {
		attributes := [][2]string{
			{"supported-platforms", "VPC"}, {"default-vpc", "none"}, {"max-instances", "20"}, {"max-elastic-ips", "5"}, {"vpc-max-elastic-ips", "5"},
			{"vpc-max-security-groups-per-interface", "5"},
		}
		for _, name := range in.AttributeNames {
			if !slices.ContainsFunc(attributes, func(a [2]string) bool { return a[0] == name }) {
				return invalid("attributeName", name)
			}
		}
		for _, a := range attributes {
			if len(in.AttributeNames) == 0 || slices.Contains(in.AttributeNames, a[0]) {
				out.AccountAttributes = append(out.AccountAttributes, api.AccountAttribute{
					AttributeName: new(a[0]), AttributeValues: []api.AccountAttributeValue{{AttributeValue: new(a[1])}},
				})
			}
		}
		return nil
	})
}
