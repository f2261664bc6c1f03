package ec2

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	api "storefront/lab/api/ec2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// route is a route that a user made: one destination, one target.
type route struct {
	Destination netip.Prefix // the zero Prefix when PrefixList is set
	PrefixList  string
	Gateway     string
	NAT         string
	Interface   string
	Instance    string // owner of Interface, when the client named the instance
}

// same reports whether two routes have the same destination.
func (r route) same(o route) bool {
	return r.Destination == o.Destination && r.PrefixList == o.PrefixList
}

func (r route) destination() string {
	if r.PrefixList != "" {
		return r.PrefixList
	}
	return r.Destination.String()
}

// routeTarget is what CreateRoute and ReplaceRoute have in common.
type routeTarget struct {
	cidr, cidr6, prefixList                  *string
	gateway, nat, networkInterface, instance *string
	others                                   []*string // targets that the lab does not have
}

// resolve checks destination and target against the VPC of the route table.
func (s *Service) resolve(tx *state.Tx, t routeTable, in routeTarget) (route, error) {
	r, err := s.parseDestination(in.cidr, in.cidr6, in.prefixList)
	if err != nil {
		return r, err
	}
	if slices.ContainsFunc(in.others, func(p *string) bool { return p != nil }) {
		return r, unsupported("This target of a route")
	}
	targets := 0
	for _, p := range []*string{in.gateway, in.nat, in.networkInterface, in.instance} {
		if p != nil {
			targets++
		}
	}
	if targets != 1 {
		return r, fault("InvalidParameterCombination", "A route needs exactly one target")
	}
	r.Gateway, r.NAT, r.Interface, r.Instance = wire.Value(in.gateway), wire.Value(in.nat), wire.Value(in.networkInterface), wire.Value(in.instance)
	return r, s.checkTarget(tx, t, &r)
}

// checkTarget checks that the target is there and in the same VPC.
func (s *Service) checkTarget(tx *state.Tx, t routeTable, r *route) error {
	vpc := ""
	switch {
	case strings.HasPrefix(r.Gateway, "vpce-"):
		return fault("InvalidParameterValue", "The endpoint %s cannot be the target of a route that is made here; associate the route table with the endpoint", r.Gateway)
	case r.Gateway == "local":
		return fault("InvalidParameterValue", "A local target needs a destination inside the VPC")
	case r.Gateway != "":
		g, err := gateways.get(tx, r.Gateway)
		if err != nil {
			return err
		}
		vpc = g.VPC
	case r.NAT != "":
		g, err := nats.get(tx, r.NAT)
		if err != nil {
			return err
		}
		if g.Deleted != nil {
			return fault("InvalidNatGatewayID.NotFound", "The natGateway ID '%s' does not exist", r.NAT)
		}
		vpc = g.VPC
	default:
		if r.Instance != "" {
			i, err := s.instance(tx, r.Instance)
			if err != nil {
				return err
			}
			if len(i.Interfaces) != 1 {
				return fault("InvalidInstanceID", "There are multiple interfaces attached to instance '%s'. Please specify an interface ID for the operation instead.", i.ID)
			}
			r.Interface = i.Interfaces[0]
		}
		i, err := interfaces.get(tx, r.Interface)
		if err != nil {
			return err
		}
		vpc = i.VPC
	}
	if vpc != t.VPC {
		return fault("InvalidParameterValue", "route table %s and network gateway %s belong to different networks", t.ID, r.Gateway+r.NAT+r.Interface)
	}
	return nil
}

func (s *Service) parseDestination(cidr, cidr6, prefixList *string) (route, error) {
	var r route
	switch {
	case cidr6 != nil:
		return r, unsupported("IPv6")
	case prefixList != nil:
		if _, ok := s.prefixList(*prefixList); !ok {
			return r, fault("InvalidPrefixListId.NotFound", "The prefix list ID '%s' does not exist", *prefixList)
		}
		r.PrefixList = *prefixList
	case cidr != nil:
		p, err := parseCIDR("destinationCidrBlock", *cidr)
		if err != nil {
			return r, err
		}
		r.Destination = p
	default:
		return r, missing("destinationCidrBlock")
	}
	return r, nil
}

// CreateRoute adds a route to a table.
func (s *Service) CreateRoute(_ context.Context, in *api.CreateRouteInput) (*api.CreateRouteOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.CreateRouteOutput) error {
		t, err := routeTables.get(tx, wire.Value(in.RouteTableId))
		if err != nil {
			return err
		}
		r, err := s.resolve(tx, t, routeTarget{
			in.DestinationCidrBlock, in.DestinationIpv6CidrBlock, in.DestinationPrefixListId, in.GatewayId, in.NatGatewayId, in.NetworkInterfaceId, in.InstanceId,
			[]*string{in.CarrierGatewayId, in.CoreNetworkArn, in.EgressOnlyInternetGatewayId, in.LocalGatewayId, in.TransitGatewayId, in.VpcEndpointId, in.VpcPeeringConnectionId},
		})
		if err != nil {
			return err
		}
		vpc, err := vpcs.get(tx, t.VPC)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(t.Routes, r.same) || slices.Contains(vpc.blocks(), r.Destination) {
			return fault("RouteAlreadyExists", "The route identified by %s already exists.", r.destination())
		}
		if r.PrefixList == "" && vpc.contains(r.Destination) {
			return fault("InvalidParameterValue", "The destination CIDR block %s is equal to or more specific than one of this VPC's CIDR blocks. This route can target only an interface or an instance.", r.Destination)
		}
		t.Routes = append(t.Routes, r)
		out.Return = new(true)
		return routeTables.put(tx, t)
	})
}

// ReplaceRoute gives an existing route another target.
func (s *Service) ReplaceRoute(_ context.Context, in *api.ReplaceRouteInput) (*api.ReplaceRouteOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, _ *api.ReplaceRouteOutput) error {
		t, err := routeTables.get(tx, wire.Value(in.RouteTableId))
		if err != nil {
			return err
		}
		if wire.Value(in.LocalTarget) {
			return unsupported("Resetting a local route")
		}
		r, err := s.resolve(tx, t, routeTarget{
			in.DestinationCidrBlock, in.DestinationIpv6CidrBlock, in.DestinationPrefixListId, in.GatewayId, in.NatGatewayId, in.NetworkInterfaceId, in.InstanceId,
			[]*string{in.CarrierGatewayId, in.CoreNetworkArn, in.EgressOnlyInternetGatewayId, in.LocalGatewayId, in.TransitGatewayId, in.VpcEndpointId, in.VpcPeeringConnectionId},
		})
		if err != nil {
			return err
		}
		i := slices.IndexFunc(t.Routes, r.same)
		if i < 0 {
			return fault("InvalidParameterValue", "There is no route defined for '%s' in the route table. Use CreateRoute instead.", r.destination())
		}
		t.Routes[i] = r
		return routeTables.put(tx, t)
	})
}

// DeleteRoute removes a route that a user made.
func (s *Service) DeleteRoute(_ context.Context, in *api.DeleteRouteInput) (*api.DeleteRouteOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, _ *api.DeleteRouteOutput) error {
		t, err := routeTables.get(tx, wire.Value(in.RouteTableId))
		if err != nil {
			return err
		}
		r, err := s.parseDestination(in.DestinationCidrBlock, in.DestinationIpv6CidrBlock, in.DestinationPrefixListId)
		if err != nil {
			return err
		}
		vpc, err := vpcs.get(tx, t.VPC)
		if err != nil {
			return err
		}
		if slices.Contains(vpc.blocks(), r.Destination) {
			return fault("InvalidParameterValue", "cannot remove local route %s in route table %s", r.Destination, t.ID)
		}
		i := slices.IndexFunc(t.Routes, r.same)
		if i < 0 {
			return fault("InvalidRoute.NotFound", "no route with destination-cidr-block %s in route table %s", r.destination(), t.ID)
		}
		t.Routes = slices.Delete(t.Routes, i, i+1)
		return routeTables.put(tx, t)
	})
}

// showRoutes lists the local routes, the user's and those of gateway endpoints.
func (s *Service) showRoutes(tx *state.Tx, t routeTable) []api.Route {
	var out []api.Route
	vpc, _, err := vpcs.table.Get(tx, t.VPC)
	if err != nil {
		panic(err)
	}
	for _, b := range vpc.blocks() {
		out = append(out, api.Route{DestinationCidrBlock: new(b.String()), GatewayId: new("local"), Origin: new("CreateRouteTable"), State: new("active")})
	}
	for _, r := range t.Routes {
		shown := api.Route{
			DestinationPrefixListId: wire.Optional(r.PrefixList), GatewayId: wire.Optional(r.Gateway), NatGatewayId: wire.Optional(r.NAT), NetworkInterfaceId: wire.Optional(r.Interface),
			Origin: new("CreateRoute"), State: new("active"),
		}
		if r.PrefixList == "" {
			shown.DestinationCidrBlock = new(r.Destination.String())
		}
		if i, ok, _ := interfaces.table.Get(tx, r.Interface); ok && i.instance() != "" {
			shown.InstanceId, shown.InstanceOwnerId = new(i.instance()), &s.Region.Account
		}
		if !r.alive(tx, t.VPC) {
			shown.State = new("blackhole")
		}
		out = append(out, shown)
	}
	for _, e := range endpoints.where(tx, func(e Endpoint) bool { return slices.Contains(e.RouteTables, t.ID) }) {
		list := prefixListID(e.service(s.Region.Name))
		out = append(out, api.Route{DestinationPrefixListId: &list, GatewayId: &e.ID, Origin: new("CreateRoute"), State: new("active")})
	}
	return out
}

// alive reports whether the target of a route can take packets; otherwise the route is a black hole.
func (r route) alive(tx *state.Tx, vpc string) bool {
	switch {
	case r.Gateway != "":
		g, ok, _ := gateways.table.Get(tx, r.Gateway)
		return ok && g.VPC == vpc
	case r.NAT != "":
		g, ok, _ := nats.table.Get(tx, r.NAT)
		return ok && g.Deleted == nil
	}
	i, ok, _ := interfaces.table.Get(tx, r.Interface)
	return ok && i.Attachment != nil
}
