package elasticache

import (
	"context"
	"regexp"
	"slices"
	"strings"

	api "storefront/lab/api/elasticache"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// subnetGroup is a cache subnet group.
type subnetGroup struct {
	Name        string
	Description string
	VPC         string
	Subnets     []groupSubnet
}

type groupSubnet struct{ ID, Zone string }

var (
	subnetGroups       = state.NewTable[subnetGroup]("elasticache.subnet-group")
	subnetGroupPattern = regexp.MustCompile(`^[a-z0-9-]{1,255}$`)
)

func findSubnetGroup(tx *state.Tx, name string) (subnetGroup, error) {
	g, ok, err := subnetGroups.Get(tx, strings.ToLower(name))
	if err == nil && !ok {
		err = fault("CacheSubnetGroupNotFoundFault", "Cache Subnet Group %s does not exist.", name)
	}
	return g, err
}

// CreateCacheSubnetGroup makes a group of subnets of one VPC.
func (s *Service) CreateCacheSubnetGroup(_ context.Context, in *api.CreateCacheSubnetGroupInput) (*api.CreateCacheSubnetGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.CreateCacheSubnetGroupOutput) error {
		g := subnetGroup{Name: strings.ToLower(wire.Value(in.CacheSubnetGroupName)), Description: wire.Value(in.CacheSubnetGroupDescription)}
		if !subnetGroupPattern.MatchString(g.Name) {
			return invalidValue("The parameter CacheSubnetGroupName must be from 1 to 255 letters, digits and hyphens.")
		}
		if _, ok, err := subnetGroups.Get(tx, g.Name); err != nil || ok {
			return orExists(err, "CacheSubnetGroupAlreadyExists", "Cache subnet group %s already exists.", g.Name)
		}
		if err := s.fill(tx, &g, in.SubnetIds); err != nil {
			return err
		}
		if err := tag(tx, s.arn("subnetgroup", g.Name), in.Tags); err != nil {
			return err
		}
		out.CacheSubnetGroup = s.showSubnetGroup(g)
		return subnetGroups.Put(tx, g.Name, g)
	})
}

// fill replaces the subnets of a group.
func (s *Service) fill(tx *state.Tx, g *subnetGroup, ids []string) error {
	if len(ids) == 0 {
		return invalidValue("SubnetIds must contain at least one subnet.")
	}
	g.Subnets = nil
	for _, id := range ids {
		subnet, err := s.Network.Subnet(tx, id)
		if err != nil {
			return fault("InvalidSubnet", "Some input subnets in :[%s] are invalid.", strings.Join(ids, ", "))
		}
		if g.VPC != "" && g.VPC != subnet.VPC {
			return fault("InvalidSubnet", "The subnets of a cache subnet group must be in one VPC.")
		}
		if slices.ContainsFunc(g.Subnets, func(n groupSubnet) bool { return n.ID == id }) {
			return fault("InvalidSubnet", "Subnet IDs must be unique")
		}
		g.VPC = subnet.VPC
		g.Subnets = append(g.Subnets, groupSubnet{id, subnet.Zone.Name})
	}
	return nil
}

// ModifyCacheSubnetGroup changes the description and the subnets of a group. Subnets in which nodes run must stay.
func (s *Service) ModifyCacheSubnetGroup(_ context.Context, in *api.ModifyCacheSubnetGroupInput) (*api.ModifyCacheSubnetGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.ModifyCacheSubnetGroupOutput) error {
		g, err := findSubnetGroup(tx, wire.Value(in.CacheSubnetGroupName))
		if err != nil {
			return err
		}
		wire.Set(&g.Description, in.CacheSubnetGroupDescription)
		if in.SubnetIds != nil {
			if err := s.fill(tx, &g, in.SubnetIds); err != nil {
				return err
			}
			for _, n := range nodes.All(tx) {
				if n.SubnetGroup == g.Name && !slices.Contains(in.SubnetIds, n.Subnet) {
					return fault("SubnetInUse", "The subnet ID %s is in use by the cache cluster %s.", n.Subnet, n.ID)
				}
			}
		}
		out.CacheSubnetGroup = s.showSubnetGroup(g)
		return subnetGroups.Put(tx, g.Name, g)
	})
}

// DeleteCacheSubnetGroup deletes a group that no replication group uses.
func (s *Service) DeleteCacheSubnetGroup(_ context.Context, in *api.DeleteCacheSubnetGroupInput) (*api.DeleteCacheSubnetGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DeleteCacheSubnetGroupOutput) error {
		g, err := findSubnetGroup(tx, wire.Value(in.CacheSubnetGroupName))
		if err != nil {
			return err
		}
		for _, user := range groups.All(tx) {
			if user.SubnetGroup == g.Name {
				return fault("CacheSubnetGroupInUse", "Cache subnet group %s is currently in use by the replication group %s.", g.Name, user.ID)
			}
		}
		if err := tags.Delete(tx, s.arn("subnetgroup", g.Name)); err != nil {
			return err
		}
		return subnetGroups.Delete(tx, g.Name)
	})
}

// DescribeCacheSubnetGroups lists the groups, or one by its name.
func (s *Service) DescribeCacheSubnetGroups(_ context.Context, in *api.DescribeCacheSubnetGroupsInput) (*api.DescribeCacheSubnetGroupsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeCacheSubnetGroupsOutput) (err error) {
		list, err := oneOrAll(tx, in.CacheSubnetGroupName, findSubnetGroup, subnetGroups.All(tx))
		if err != nil {
			return err
		}
		if list, out.Marker, err = page(list, func(g subnetGroup) string { return g.Name }, in.Marker, in.MaxRecords); err != nil {
			return err
		}
		out.CacheSubnetGroups = []api.CacheSubnetGroup{}
		for _, g := range list {
			out.CacheSubnetGroups = append(out.CacheSubnetGroups, *s.showSubnetGroup(g))
		}
		return nil
	})
}

func (s *Service) showSubnetGroup(g subnetGroup) *api.CacheSubnetGroup {
	out := &api.CacheSubnetGroup{
		ARN: new(s.arn("subnetgroup", g.Name)), CacheSubnetGroupName: &g.Name, CacheSubnetGroupDescription: &g.Description, VpcId: &g.VPC, SupportedNetworkTypes: []string{"ipv4"},
	}
	for _, n := range g.Subnets {
		out.Subnets = append(out.Subnets, api.Subnet{SubnetIdentifier: &n.ID, SubnetAvailabilityZone: &api.AvailabilityZone{Name: &n.Zone}, SupportedNetworkTypes: []string{"ipv4"}})
	}
	return out
}
