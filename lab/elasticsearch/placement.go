package elasticsearch

import (
	"fmt"
	"slices"

	api "storefront/lab/api/opensearch"
	"storefront/lab/ec2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// place checks where the domain is to be, and declares its nodes there.
func (s *Service) place(tx *state.Tx, d *domain, given *api.VPCOptions) error {
	if given != nil && len(given.SubnetIds) > 0 {
		d.Subnets = slices.Sorted(slices.Values(given.SubnetIds))
	}
	zones, err := s.checkSubnets(tx, d)
	if err != nil {
		return err
	}
	if given != nil && len(given.SecurityGroupIds) > 0 || len(d.Groups) == 0 {
		if err := s.setGroups(tx, d, wire.Value(given).SecurityGroupIds); err != nil {
			return err
		}
	}
	return s.spread(tx, d, zones)
}

// checkSubnets wants a subnet in each zone, all of one VPC. It returns the subnets' zones.
func (s *Service) checkSubnets(tx *state.Tx, d *domain) (zones map[string]string, err error) {
	switch n := d.zoneCount(); {
	case n == 1 && len(d.Subnets) != 1:
		return nil, invalid("You must specify exactly one subnet.")
	case n != len(d.Subnets):
		return nil, invalid("You must specify exactly %s subnets because you’ve set zone count to %s.", word(n), word(n))
	}
	zones = map[string]string{}
	vpc := ""
	d.Zones = nil
	for _, id := range d.Subnets {
		subnet, err := s.Network.Subnet(tx, id)
		if err != nil {
			return nil, invalid("The subnet ID '%s' does not exist", id)
		}
		if vpc != "" && subnet.VPC != vpc {
			return nil, invalid("All subnets must belong to the same VPC.")
		}
		if slices.Contains(d.Zones, subnet.Zone.Name) {
			return nil, invalid("Subnets must be in different Availability Zones; %s has more than one of them.", subnet.Zone.Name)
		}
		vpc, zones[id] = subnet.VPC, subnet.Zone.Name
		d.Zones = append(d.Zones, subnet.Zone.Name)
	}
	if d.VPC != "" && d.VPC != vpc {
		return nil, invalid("You cannot move a domain to another VPC.")
	}
	d.VPC = vpc
	slices.Sort(d.Zones)
	return zones, nil
}

// setGroups replaces the security groups; none stands for the VPC's default one.
func (s *Service) setGroups(tx *state.Tx, d *domain, ids []string) error {
	if len(ids) == 0 {
		g, err := s.Network.DefaultSecurityGroup(tx, d.VPC)
		if err != nil {
			return err
		}
		ids = []string{g.ID}
	}
	for _, id := range ids {
		if g, err := s.Network.SecurityGroup(tx, id); err != nil || g.VPC != d.VPC {
			return invalid("Security group %s does not exist in the VPC %s.", id, d.VPC)
		}
	}
	d.Groups = slices.Sorted(slices.Values(ids))
	for _, n := range d.Nodes {
		if err := s.Network.SetManagedInterfaceGroups(tx, n.Interface, d.Groups); err != nil {
			return err
		}
	}
	return nil
}

// spread declares the nodes, each kind in turns over the subnets. Nodes that are where one is wanted stay; those too many leave once their data has moved.
func (s *Service) spread(tx *state.Tx, d *domain, zones map[string]string) error {
	counts := []struct {
		master bool
		n      int
	}{{false, int(*d.Cluster.InstanceCount)}, {true, int(wire.Value(d.Cluster.DedicatedMasterCount))}}
	for i := range d.Nodes {
		d.Nodes[i].Leaving = true
	}
	for _, kind := range counts {
		for i := range kind.n {
			subnet := d.Subnets[i%len(d.Subnets)]
			at := slices.IndexFunc(d.Nodes, func(n node) bool { return n.Leaving && n.Subnet == subnet && n.Master == kind.master })
			if at >= 0 {
				d.Nodes[at].Leaving = false
				continue
			}
			if err := s.addNode(tx, d, node{Master: kind.master, Subnet: subnet, Zone: zones[subnet]}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Service) addNode(tx *state.Tx, d *domain, n node) error {
	number, err := tx.Sequence("es.node")
	if err != nil {
		return err
	}
	n.ID = fmt.Sprintf("node-%012x", number)
	eni, err := s.Network.CreateManagedInterface(tx, ec2.ManagedInterface{
		Subnet: n.Subnet, SecurityGroups: d.Groups, Description: "ES " + d.Name, RequesterID: "amazon-elasticsearch", InterfaceType: "interface",
	})
	if err != nil {
		return invalid("No network interface can be made in the subnet %s: %s", n.Subnet, message(err))
	}
	n.Interface, n.Address = eni.ID, eni.Address
	d.Nodes = append(d.Nodes, n)
	return nil
}
