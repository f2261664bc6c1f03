package ec2

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"storefront/lab/access"
	api "storefront/lab/api/ec2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Endpoint is a VPC endpoint.
type Endpoint struct {
	ID             string
	VPC            string
	Type           string // "Gateway" or "Interface"
	Service        string // "com.amazonaws.us-east-1.s3"
	RouteTables    []string
	Subnets        []string // by zone order of creation, with Interfaces beside
	Interfaces     []string
	SecurityGroups []string
	PrivateDNS     bool
	Policy         string
	Created        time.Time
}

func (v Endpoint) id() string { return v.ID }

// service is the short name of the service: "s3", "ssm", "ecr.api".
func (v Endpoint) service(region string) string {
	return strings.TrimPrefix(v.Service, "com.amazonaws."+region+".")
}

var endpoints = kind[Endpoint]{
	table: state.NewTable[Endpoint]("ec2.vpc-endpoint"), prefix: "vpce", tagType: "vpc-endpoint", absent: "InvalidVpcEndpointId.NotFound", noun: "Vpc Endpoint Id",
	filters: map[string]func(Endpoint) []string{
		"vpc-endpoint-id":    one(Endpoint.id),
		"vpc-id":             one(func(v Endpoint) string { return v.VPC }),
		"service-name":       one(func(v Endpoint) string { return v.Service }),
		"vpc-endpoint-type":  one(func(v Endpoint) string { return v.Type }),
		"vpc-endpoint-state": func(Endpoint) []string { return []string{"available"} },
		"ip-address-type":    func(Endpoint) []string { return []string{"ipv4"} },
	},
}

const openPolicy = `{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}],"Version":"2008-10-17"}`

// CreateVpcEndpoint creates a gateway endpoint (routes to S3 or DynamoDB) or an interface endpoint (an interface per subnet).
func (s *Service) CreateVpcEndpoint(ctx context.Context, in *api.CreateVpcEndpointInput) (*api.CreateVpcEndpointOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.CreateVpcEndpointOutput) error {
		if err := checkSpecifications(in.TagSpecifications, "vpc-endpoint"); err != nil {
			return err
		}
		id, err := s.once(tx, "CreateVpcEndpoint", in.ClientToken, in, func() (string, error) {
			v, err := s.newEndpoint(tx, in)
			if err != nil {
				return "", err
			}
			return v.ID, tagNew(ctx, tx, v.ID, in.TagSpecifications, "vpc-endpoint")
		})
		if err != nil {
			return err
		}
		v, err := endpoints.get(tx, id)
		if err != nil {
			return err
		}
		out.ClientToken, out.VpcEndpoint = in.ClientToken, new(s.showEndpoint(tx, v))
		if v.Type == api.VpcEndpointTypeInterface {
			out.VpcEndpoint.State = new("pending")
		}
		return nil
	})
}

func (s *Service) newEndpoint(tx *state.Tx, in *api.CreateVpcEndpointInput) (Endpoint, error) {
	v := Endpoint{Type: wire.Or(in.VpcEndpointType, api.VpcEndpointTypeGateway), Service: wire.Value(in.ServiceName), Policy: wire.Or(in.PolicyDocument, openPolicy), Created: s.Now().UTC()}
	vpc, err := vpcs.get(tx, wire.Value(in.VpcId))
	if err != nil {
		return v, err
	}
	v.VPC = vpc.ID
	if !s.offers(v.Service, v.Type) {
		return v, fault("InvalidServiceName", "The Vpc Endpoint Service '%s' does not exist", v.Service)
	}
	if _, err := access.Parse(v.Policy); err != nil {
		return v, fault("MalformedPolicyDocument", "The policy document is malformed.")
	}
	if t := wire.Or(in.IpAddressType, "ipv4"); t != "ipv4" {
		return v, unsupported("IP address type " + t)
	}
	if v.ID, err = endpoints.newID(tx); err != nil {
		return v, err
	}
	if v.Type == api.VpcEndpointTypeGateway {
		if len(in.SubnetIds) > 0 || len(in.SecurityGroupIds) > 0 || wire.Value(in.PrivateDnsEnabled) {
			return v, fault("InvalidParameter", "Subnets, security groups and private DNS do not apply to gateway endpoints.")
		}
		if err := s.addRouteTables(tx, &v, in.RouteTableIds); err != nil {
			return v, err
		}
		return v, endpoints.put(tx, v)
	}
	if len(in.RouteTableIds) > 0 {
		return v, fault("InvalidParameter", "Route table IDs are only supported for Gateway type VPC Endpoint.")
	}
	v.PrivateDNS = wire.Or(in.PrivateDnsEnabled, true)
	if err := s.checkPrivateDNS(tx, vpc, v); err != nil {
		return v, err
	}
	v.SecurityGroups = in.SecurityGroupIds
	if len(v.SecurityGroups) == 0 {
		def, err := defaultGroup(tx, vpc.ID)
		if err != nil {
			return v, err
		}
		v.SecurityGroups = []string{def.ID}
	}
	if err := s.addSubnets(tx, &v, in.SubnetIds); err != nil {
		return v, err
	}
	return v, endpoints.put(tx, v)
}

// checkPrivateDNS checks that a VPC can resolve a service's public name to an endpoint.
func (s *Service) checkPrivateDNS(tx *state.Tx, vpc VPC, v Endpoint) error {
	if !v.PrivateDNS {
		return nil
	}
	if !vpc.DNSSupport || !vpc.DNSHostnames {
		return fault("InvalidParameter", "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to true for %s", vpc.ID)
	}
	if endpoints.any(tx, func(o Endpoint) bool { return o.ID != v.ID && o.VPC == v.VPC && o.Service == v.Service && o.PrivateDNS }) {
		return fault("InvalidParameter", "private-dns-enabled cannot be set because there is already a conflicting DNS domain for %s in the VPC %s", s.privateDNSName(v.Service), v.VPC)
	}
	return nil
}

// addRouteTables lets the route tables lead to a gateway endpoint.
func (s *Service) addRouteTables(tx *state.Tx, v *Endpoint, ids []string) error {
	for _, id := range ids {
		t, err := routeTables.get(tx, id)
		if err != nil {
			return err
		}
		if t.VPC != v.VPC {
			return fault("InvalidParameter", "Route table %s and the endpoint belong to different networks", id)
		}
		if slices.Contains(v.RouteTables, id) || endpoints.any(tx, func(o Endpoint) bool {
			return o.ID != v.ID && o.Service == v.Service && slices.Contains(o.RouteTables, id)
		}) {
			return fault("RouteAlreadyExists", "route table %s already has a route with destination-prefix-list-id %s", id, prefixListID(v.service(s.Region.Name)))
		}
		v.RouteTables = append(v.RouteTables, id)
	}
	return nil
}

// addSubnets puts an interface of the endpoint into each subnet, one per zone.
func (s *Service) addSubnets(tx *state.Tx, v *Endpoint, ids []string) error {
	for _, id := range ids {
		subnet, err := subnets.get(tx, id)
		if err != nil {
			return err
		}
		if subnet.VPC != v.VPC {
			return fault("InvalidParameter", "Subnet %s and the endpoint belong to different networks", id)
		}
		for _, other := range v.Subnets {
			o, err := subnets.get(tx, other)
			if err != nil {
				return err
			}
			if o.Zone == subnet.Zone {
				return fault("DuplicateSubnetsInSameZone", "Found another VPC endpoint subnet in the availability zone of %s. VPC endpoint subnets should be in different availability zones supported by the VPC endpoint service.", id)
			}
		}
		i, err := s.CreateManagedInterface(tx, ManagedInterface{
			Subnet: id, SecurityGroups: v.SecurityGroups, Description: "VPC Endpoint Interface " + v.ID, RequesterID: "amazon-vpce", InterfaceType: "vpc_endpoint",
		})
		if err != nil {
			return err
		}
		v.Subnets, v.Interfaces = append(v.Subnets, id), append(v.Interfaces, i.ID)
	}
	return nil
}

func (s *Service) removeSubnets(tx *state.Tx, v *Endpoint, ids []string) error {
	for _, id := range ids {
		i := slices.Index(v.Subnets, id)
		if i < 0 {
			return fault("InvalidParameter", "Subnet %s is not part of the endpoint %s", id, v.ID)
		}
		if err := s.DeleteManagedInterface(tx, v.Interfaces[i]); err != nil {
			return err
		}
		v.Subnets, v.Interfaces = slices.Delete(v.Subnets, i, i+1), slices.Delete(v.Interfaces, i, i+1)
	}
	return nil
}

func (s *Service) showEndpoint(tx *state.Tx, v Endpoint) api.VpcEndpoint {
	out := api.VpcEndpoint{
		VpcEndpointId: &v.ID, VpcId: &v.VPC, VpcEndpointType: &v.Type, ServiceName: &v.Service, State: new("available"), PolicyDocument: &v.Policy,
		RouteTableIds: v.RouteTables, SubnetIds: v.Subnets, NetworkInterfaceIds: v.Interfaces, PrivateDnsEnabled: &v.PrivateDNS, RequesterManaged: new(false),
		CreationTimestamp: &v.Created, OwnerId: &s.Region.Account, Tags: showTags(tx, v.ID),
	}
	if v.Type == api.VpcEndpointTypeGateway {
		return out
	}
	out.IpAddressType, out.DnsOptions = new("ipv4"), &api.DnsOptions{DnsRecordIpType: new("ipv4")}
	for _, g := range showGroups(tx, v.SecurityGroups) {
		out.Groups = append(out.Groups, api.SecurityGroupIdentifier(g))
	}
	for _, name := range s.endpointNames(v) {
		out.DnsEntries = append(out.DnsEntries, api.DnsEntry{DnsName: &name, HostedZoneId: new("Z7HUB22UULQXV")})
	}
	return out
}

// endpointNames are the DNS names of an interface endpoint.
func (s *Service) endpointNames(v Endpoint) []string {
	names := []string{fmt.Sprintf("%s.%s.%s.vpce.amazonaws.com", v.ID, v.service(s.Region.Name), s.Region.Name)}
	if v.PrivateDNS {
		names = append(names, s.privateDNSName(v.Service))
	}
	return names
}

// DescribeVpcEndpoints lists VPC endpoints.
func (s *Service) DescribeVpcEndpoints(_ context.Context, in *api.DescribeVpcEndpointsInput) (*api.DescribeVpcEndpointsOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeVpcEndpointsOutput) (err error) {
		out.VpcEndpoints, out.NextToken, err = describe(tx, endpoints, query{in.VpcEndpointIds, in.Filters, in.MaxResults, in.NextToken}, s.showEndpoint)
		return err
	})
}

// ModifyVpcEndpoint changes policy, private DNS, route tables, subnets and security groups.
func (s *Service) ModifyVpcEndpoint(_ context.Context, in *api.ModifyVpcEndpointInput) (*api.ModifyVpcEndpointOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.ModifyVpcEndpointOutput) error {
		v, err := endpoints.get(tx, wire.Value(in.VpcEndpointId))
		if err != nil {
			return err
		}
		if v.Type == api.VpcEndpointTypeGateway && len(in.AddSubnetIds)+len(in.AddSecurityGroupIds) > 0 || v.Type == api.VpcEndpointTypeInterface && len(in.AddRouteTableIds) > 0 {
			return fault("InvalidParameter", "The parameters do not apply to endpoints of type %s.", v.Type)
		}
		if wire.Value(in.ResetPolicy) {
			v.Policy = openPolicy
		} else if in.PolicyDocument != nil {
			if _, err := access.Parse(*in.PolicyDocument); err != nil {
				return fault("MalformedPolicyDocument", "The policy document is malformed.")
			}
			v.Policy = *in.PolicyDocument
		}
		v.RouteTables = slices.DeleteFunc(v.RouteTables, func(id string) bool { return slices.Contains(in.RemoveRouteTableIds, id) })
		if err := s.addRouteTables(tx, &v, in.AddRouteTableIds); err != nil {
			return err
		}
		if err := s.modifyInterfaces(tx, &v, in); err != nil {
			return err
		}
		out.Return = new(true)
		return endpoints.put(tx, v)
	})
}

func (s *Service) modifyInterfaces(tx *state.Tx, v *Endpoint, in *api.ModifyVpcEndpointInput) error {
	if in.PrivateDnsEnabled != nil && v.PrivateDNS != *in.PrivateDnsEnabled {
		v.PrivateDNS = *in.PrivateDnsEnabled
		vpc, err := vpcs.get(tx, v.VPC)
		if err != nil {
			return err
		}
		if err := s.checkPrivateDNS(tx, vpc, *v); err != nil {
			return err
		}
	}
	if err := s.removeSubnets(tx, v, in.RemoveSubnetIds); err != nil {
		return err
	}
	if len(in.AddSecurityGroupIds)+len(in.RemoveSecurityGroupIds) > 0 {
		v.SecurityGroups = slices.DeleteFunc(v.SecurityGroups, func(id string) bool { return slices.Contains(in.RemoveSecurityGroupIds, id) })
		for _, id := range in.AddSecurityGroupIds {
			if !slices.Contains(v.SecurityGroups, id) {
				v.SecurityGroups = append(v.SecurityGroups, id)
			}
		}
		for _, id := range v.Interfaces {
			if err := s.SetManagedInterfaceGroups(tx, id, v.SecurityGroups); err != nil {
				return err
			}
		}
	}
	return s.addSubnets(tx, v, in.AddSubnetIds)
}

// DeleteVpcEndpoints deletes endpoints; those that do not exist are reported one by one.
func (s *Service) DeleteVpcEndpoints(_ context.Context, in *api.DeleteVpcEndpointsInput) (*api.DeleteVpcEndpointsOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.DeleteVpcEndpointsOutput) error {
		for _, id := range in.VpcEndpointIds {
			v, err := endpoints.get(tx, id)
			if item, ok := unsuccessful(id, err); ok {
				out.Unsuccessful = append(out.Unsuccessful, item)
				continue
			} else if err != nil {
				return err
			}
			if err := s.removeSubnets(tx, &v, slices.Clone(v.Subnets)); err != nil {
				return err
			}
			if err := endpoints.remove(tx, id); err != nil {
				return err
			}
		}
		return nil
	})
}
