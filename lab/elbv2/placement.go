package elbv2

import (
	"context"
	"errors"
	"slices"
	"strings"

	api "storefront/lab/api/elbv2"
	"storefront/lab/ec2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

func subnetIDs(subnets []string, mappings []api.SubnetMapping) []string {
	ids := slices.Clone(subnets)
	for _, m := range mappings {
		ids = append(ids, wire.Value(m.SubnetId))
	}
	return ids
}

func checkSubnetArguments(subnets []string, mappings []api.SubnetMapping) error {
	if subnets != nil && mappings != nil {
		return invalid("You must specify either subnets or subnet mappings, but not both")
	}
	for _, m := range mappings {
		if m.AllocationId != nil || m.PrivateIPv4Address != nil || m.IPv6Address != nil {
			return invalid("You cannot specify addresses in the subnet mappings of a load balancer of type 'application'")
		}
	}
	return nil
}

// firstSubnet checks the form of the request's subnets and returns the first, which decides the VPC.
func (s *Service) firstSubnet(tx *state.Tx, subnets []string, mappings []api.SubnetMapping) (ec2.Subnet, error) {
	if err := checkSubnetArguments(subnets, mappings); err != nil {
		return ec2.Subnet{}, err
	}
	ids := subnetIDs(subnets, mappings)
	if len(ids) < 2 {
		return ec2.Subnet{}, invalid("At least two subnets in two different Availability Zones must be specified")
	}
	return s.subnet(tx, ids[0])
}

func (s *Service) subnet(tx *state.Tx, id string) (ec2.Subnet, error) {
	v, err := s.VPCs.Subnet(tx, id)
	var w *wire.Error
	if errors.As(err, &w) {
		err = fault("SubnetNotFound", "The subnet ID '%s' does not exist", id)
	}
	return v, err
}

// place returns the nodes that a load balancer needs in the subnets: those it has there already, and new ones.
func (s *Service) place(tx *state.Tx, lb LoadBalancer, subnets []string, mappings []api.SubnetMapping) ([]Node, error) {
	var nodes []Node
	ids := subnetIDs(subnets, mappings)
	for _, id := range ids {
		subnet, err := s.subnet(tx, id)
		if err != nil {
			return nil, err
		}
		if subnet.VPC != lb.VPC {
			return nil, fault("InvalidConfigurationRequest", "All subnets must belong to the same VPC: '%s'", lb.VPC)
		}
		if slices.ContainsFunc(nodes, func(n Node) bool { return n.Zone == subnet.Zone.Name }) {
			return nil, fault("InvalidConfigurationRequest", "A load balancer cannot be attached to multiple subnets in the same Availability Zone")
		}
		if i := slices.IndexFunc(lb.Nodes, func(n Node) bool { return n.Subnet == id }); i >= 0 {
			nodes = append(nodes, lb.Nodes[i])
			continue
		}
		eni, err := s.VPCs.CreateManagedInterface(tx, ec2.ManagedInterface{
			Subnet: id, SecurityGroups: lb.SecurityGroups, Description: "ELB app/" + lb.Name + "/" + lb.ID, RequesterID: "amazon-elb",
			Public: lb.Scheme == api.LoadBalancerSchemeEnumInternetFacing,
		})
		var w *wire.Error
		if errors.As(err, &w) {
			err = fault("InvalidSubnet", "%s", w.Message)
		}
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, Node{Zone: subnet.Zone.Name, Subnet: id, Interface: eni.ID, Address: eni.Address, Public: eni.Public.Address})
	}
	if len(nodes) < 2 {
		return nil, invalid("At least two subnets in two different Availability Zones must be specified")
	}
	slices.SortFunc(nodes, func(a, b Node) int { return strings.Compare(a.Zone, b.Zone) })
	return nodes, nil
}

// securityGroups checks that groups belong to the VPC. No groups means the VPC's default group.
func (s *Service) securityGroups(tx *state.Tx, vpc string, ids []string) ([]string, error) {
	if len(ids) == 0 {
		def, err := s.VPCs.DefaultSecurityGroup(tx, vpc)
		return []string{def.ID}, err
	}
	if len(ids) > 5 {
		return nil, fault("InvalidConfigurationRequest", "A load balancer can have at most 5 security groups")
	}
	for _, id := range ids {
		g, err := s.VPCs.SecurityGroup(tx, id)
		var w *wire.Error
		switch {
		case errors.As(err, &w):
			return nil, fault("InvalidSecurityGroup", "The security group '%s' does not exist", id)
		case err != nil:
			return nil, err
		case g.VPC != vpc:
			return nil, fault("InvalidConfigurationRequest", "One or more security groups are invalid: '%s' is not in VPC '%s'", id, vpc)
		}
	}
	return ids, nil
}

// SetSubnets moves a load balancer to other subnets. Nodes in subnets that stay are kept.
func (s *Service) SetSubnets(_ context.Context, in *api.SetSubnetsInput) (*api.SetSubnetsOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.SetSubnetsOutput) error {
		lb, err := findLoadBalancer(tx, wire.Value(in.LoadBalancerArn))
		if err != nil {
			return err
		}
		if t := wire.Or(in.IpAddressType, lb.IPAddressType); t != lb.IPAddressType {
			return unsupported("The IP address type '" + t + "'")
		}
		if err := checkSubnetArguments(in.Subnets, in.SubnetMappings); err != nil {
			return err
		}
		nodes, err := s.place(tx, lb, in.Subnets, in.SubnetMappings)
		if err != nil {
			return err
		}
		for _, old := range lb.Nodes {
			if !slices.Contains(nodes, old) {
				if err := s.VPCs.DeleteManagedInterface(tx, old.Interface); err != nil {
					return err
				}
			}
		}
		lb.Nodes = nodes
		out.AvailabilityZones, out.IpAddressType = describeZones(lb), &lb.IPAddressType
		return loadBalancers.Put(tx, lb.ARN, lb)
	})
}

// SetSecurityGroups replaces the security groups of a load balancer.
func (s *Service) SetSecurityGroups(_ context.Context, in *api.SetSecurityGroupsInput) (*api.SetSecurityGroupsOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.SetSecurityGroupsOutput) error {
		lb, err := findLoadBalancer(tx, wire.Value(in.LoadBalancerArn))
		if err != nil {
			return err
		}
		if in.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic != nil {
			return invalid("EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic is for load balancers of type 'network'")
		}
		if len(in.SecurityGroups) == 0 {
			return invalid("A load balancer of type 'application' must have at least one security group")
		}
		if lb.SecurityGroups, err = s.securityGroups(tx, lb.VPC, in.SecurityGroups); err != nil {
			return err
		}
		for _, n := range lb.Nodes {
			if err := s.VPCs.SetManagedInterfaceGroups(tx, n.Interface, lb.SecurityGroups); err != nil {
				return err
			}
		}
		out.SecurityGroupIds = lb.SecurityGroups
		return loadBalancers.Put(tx, lb.ARN, lb)
	})
}

// SetIpAddressType accepts ipv4 only.
func (s *Service) SetIpAddressType(_ context.Context, in *api.SetIpAddressTypeInput) (*api.SetIpAddressTypeOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.SetIpAddressTypeOutput) error {
		if _, err := findLoadBalancer(tx, wire.Value(in.LoadBalancerArn)); err != nil {
			return err
		}
		if *in.IpAddressType != api.IpAddressTypeIpv4 {
			return unsupported("The IP address type '" + *in.IpAddressType + "'")
		}
		out.IpAddressType = in.IpAddressType
		return nil
	})
}
