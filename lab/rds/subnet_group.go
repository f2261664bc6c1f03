package rds

import (
	"context"
	"slices"
	"strings"

	api "storefront/lab/api/rds"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// subnetGroup is a DB subnet group.
type subnetGroup struct {
	Name        string
	Description string
	VPC         string
	Subnets     []groupSubnet
}

type groupSubnet struct{ ID, Zone string }

var subnetGroups = state.NewTable[subnetGroup]("rds.subnet-group")

func (s *Service) subnetGroupARN(g subnetGroup) string { return s.Region.ARN("rds", "subgrp:"+g.Name) }

// zones lists the zones of the group's subnets, each once, in order.
func (g subnetGroup) zones() []string {
	var zones []string
	for _, n := range g.Subnets {
		zones = append(zones, n.Zone)
	}
	slices.Sort(zones)
	return slices.Compact(zones)
}

func findSubnetGroup(tx *state.Tx, name string) (subnetGroup, error) {
	g, ok, err := subnetGroups.Get(tx, strings.ToLower(name))
	if err == nil && !ok {
		err = missing("DBSubnetGroupNotFoundFault", "DB subnet group '%s' does not exist.", name)
	}
	return g, err
}

// CreateDBSubnetGroup makes a group of subnets of one VPC in at least two zones.
func (s *Service) CreateDBSubnetGroup(_ context.Context, in *api.CreateDBSubnetGroupInput) (*api.CreateDBSubnetGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.CreateDBSubnetGroupOutput) error {
		g := subnetGroup{Name: strings.ToLower(wire.Value(in.DBSubnetGroupName)), Description: wire.Value(in.DBSubnetGroupDescription)}
		if !groupPattern.MatchString(g.Name) || g.Name == "default" {
			return invalidValue("The parameter DBSubnetGroupName is not a valid identifier. It must contain from 1 to 255 letters, digits, periods, underscores, spaces, or hyphens, and must not be \"default\".")
		}
		if _, ok, err := subnetGroups.Get(tx, g.Name); err != nil || ok {
			return orExists(err, "DBSubnetGroupAlreadyExists", "The DB subnet group '%s' already exists.", g.Name)
		}
		if err := s.fill(tx, &g, in.SubnetIds); err != nil {
			return err
		}
		if err := tag(tx, s.subnetGroupARN(g), in.Tags); err != nil {
			return err
		}
		out.DBSubnetGroup = s.showSubnetGroup(g)
		return subnetGroups.Put(tx, g.Name, g)
	})
}

// orExists is err, or AWS's error for a name that is taken.
func orExists(err error, code, format string, args ...any) error {
	if err != nil {
		return err
	}
	return fault(code, format, args...)
}

// fill replaces the subnets of a group.
func (s *Service) fill(tx *state.Tx, g *subnetGroup, ids []string) error {
	g.Subnets = nil
	for _, id := range ids {
		subnet, err := s.Network.Subnet(tx, id)
		if err != nil {
			return fault("InvalidSubnet", "Some input subnets in :[%s] are invalid.", strings.Join(ids, ", "))
		}
		if g.VPC != "" && g.VPC != subnet.VPC {
			return fault("InvalidSubnet", "The new Subnets are not in the same Vpc as the existing subnet group")
		}
		if slices.ContainsFunc(g.Subnets, func(n groupSubnet) bool { return n.ID == id }) {
			return fault("InvalidSubnet", "Subnet IDs must be unique")
		}
		g.VPC = subnet.VPC
		g.Subnets = append(g.Subnets, groupSubnet{id, subnet.Zone.Name})
	}
	if zones := g.zones(); len(zones) < 2 {
		return fault("DBSubnetGroupDoesNotCoverEnoughAZs", "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Current AZ coverage: %s. Add subnets to cover at least 2 AZs.", strings.Join(zones, ", "))
	}
	return nil
}

// ModifyDBSubnetGroup changes the description and the subnets of a group. Subnets in which instances run must stay.
func (s *Service) ModifyDBSubnetGroup(_ context.Context, in *api.ModifyDBSubnetGroupInput) (*api.ModifyDBSubnetGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.ModifyDBSubnetGroupOutput) error {
		g, err := findSubnetGroup(tx, wire.Value(in.DBSubnetGroupName))
		if err != nil {
			return err
		}
		wire.Set(&g.Description, in.DBSubnetGroupDescription)
		if err := s.fill(tx, &g, in.SubnetIds); err != nil {
			return err
		}
		for _, i := range instances.All(tx) {
			if i.SubnetGroup == g.Name && !slices.Contains(in.SubnetIds, i.Subnet) {
				return fault("SubnetAlreadyInUse", "The specified subnet '%s' is already in use by DB instance '%s'.", i.Subnet, i.ID)
			}
		}
		out.DBSubnetGroup = s.showSubnetGroup(g)
		return subnetGroups.Put(tx, g.Name, g)
	})
}

// DeleteDBSubnetGroup deletes a group that no cluster uses.
func (s *Service) DeleteDBSubnetGroup(_ context.Context, in *api.DeleteDBSubnetGroupInput) (*api.DeleteDBSubnetGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DeleteDBSubnetGroupOutput) error {
		g, err := findSubnetGroup(tx, wire.Value(in.DBSubnetGroupName))
		if err != nil {
			return err
		}
		for _, c := range clusters.All(tx) {
			if c.SubnetGroup == g.Name {
				return fault("InvalidDBSubnetGroupStateFault", "Cannot delete the subnet group '%s' because at least one database instance: %s is still using it.", g.Name, c.ID)
			}
		}
		if err := tags.Delete(tx, s.subnetGroupARN(g)); err != nil {
			return err
		}
		return subnetGroups.Delete(tx, g.Name)
	})
}

// DescribeDBSubnetGroups lists the groups, or one by its name.
func (s *Service) DescribeDBSubnetGroups(_ context.Context, in *api.DescribeDBSubnetGroupsInput) (*api.DescribeDBSubnetGroupsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeDBSubnetGroupsOutput) (err error) {
		var list []subnetGroup
		if in.DBSubnetGroupName != nil {
			g, err := findSubnetGroup(tx, *in.DBSubnetGroupName)
			if err != nil {
				return err
			}
			list = append(list, g)
		} else {
			for _, g := range subnetGroups.All(tx) {
				list = append(list, g)
			}
		}
		if list, out.Marker, err = page(list, func(g subnetGroup) string { return g.Name }, in.Marker, in.MaxRecords); err != nil {
			return err
		}
		out.DBSubnetGroups = []api.DBSubnetGroup{}
		for _, g := range list {
			out.DBSubnetGroups = append(out.DBSubnetGroups, *s.showSubnetGroup(g))
		}
		return nil
	})
}

func (s *Service) showSubnetGroup(g subnetGroup) *api.DBSubnetGroup {
	out := &api.DBSubnetGroup{
		DBSubnetGroupArn: new(s.subnetGroupARN(g)), DBSubnetGroupName: &g.Name, DBSubnetGroupDescription: &g.Description, VpcId: &g.VPC,
		SubnetGroupStatus: new("Complete"), SupportedNetworkTypes: []string{"IPV4"},
	}
	for _, n := range g.Subnets {
		out.Subnets = append(out.Subnets, api.Subnet{
			SubnetIdentifier: &n.ID, SubnetStatus: new("Active"), SubnetAvailabilityZone: &api.AvailabilityZone{Name: &n.Zone}, SubnetOutpost: &api.Outpost{},
		})
	}
	return out
}
