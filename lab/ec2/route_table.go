package ec2

import (
	"context"
	"slices"

	api "storefront/lab/api/ec2"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// routeTable is a route table with its own routes: the local ones follow from the VPC, those of gateway endpoints from the endpoints.
type routeTable struct {
	ID           string
	VPC          string
	Routes       []route
	Associations []tableAssociation
}

// tableAssociation binds a route table to a subnet, or to its VPC as the main one.
type tableAssociation struct {
	ID     string
	Subnet string // "" for the main association
}

func (v routeTable) id() string { return v.ID }

func (v routeTable) main() bool {
	return slices.ContainsFunc(v.Associations, func(a tableAssociation) bool { return a.Subnet == "" })
}

// drop ends the association with a subnet and reports whether there was one.
func (v *routeTable) drop(subnet string) bool {
	before := len(v.Associations)
	v.Associations = slices.DeleteFunc(slices.Clone(v.Associations), func(a tableAssociation) bool { return a.Subnet == subnet })
	return len(v.Associations) < before
}

// pick returns a filter's values of the associations.
func associations(f func(tableAssociation) string) func(routeTable) []string {
	return func(v routeTable) []string {
		var out []string
		for _, a := range v.Associations {
			out = append(out, f(a))
		}
		return out
	}
}

// ofRoutes returns a filter's values of the routes.
func ofRoutes(f func(route) string) func(routeTable) []string {
	return func(v routeTable) []string {
		var out []string
		for _, r := range v.Routes {
			out = append(out, f(r))
		}
		return out
	}
}

var routeTables = kind[routeTable]{
	table: state.NewTable[routeTable]("ec2.route-table"), prefix: "rtb", tagType: "route-table", absent: "InvalidRouteTableID.NotFound", noun: "routeTable ID",
	filters: map[string]func(routeTable) []string{
		"route-table-id":                         one(routeTable.id),
		"vpc-id":                                 one(func(v routeTable) string { return v.VPC }),
		"association.route-table-association-id": associations(func(a tableAssociation) string { return a.ID }),
		"association.subnet-id":                  associations(func(a tableAssociation) string { return a.Subnet }),
		"association.route-table-id":             one(routeTable.id),
		"association.main": func(v routeTable) []string {
			if len(v.Associations) == 0 {
				return nil
			}
			return flag(routeTable.main)(v)
		},
		"route.destination-cidr-block":     ofRoutes(func(r route) string { return r.Destination.String() }),
		"route.destination-prefix-list-id": ofRoutes(func(r route) string { return r.PrefixList }),
		"route.gateway-id":                 ofRoutes(func(r route) string { return r.Gateway }),
		"route.nat-gateway-id":             ofRoutes(func(r route) string { return r.NAT }),
		"route.instance-id":                ofRoutes(func(r route) string { return r.Instance }),
	},
}

// createMainRouteTable creates the main route table of a new VPC.
func createMainRouteTable(tx *state.Tx, vpc VPC) error {
	t := routeTable{VPC: vpc.ID}
	id, err := routeTables.newID(tx)
	if err != nil {
		return err
	}
	t.ID = id
	association, err := region.NewID(tx, "rtbassoc")
	if err != nil {
		return err
	}
	t.Associations = []tableAssociation{{ID: association}}
	return routeTables.put(tx, t)
}

// CreateRouteTable creates a route table with nothing but the local routes.
func (s *Service) CreateRouteTable(ctx context.Context, in *api.CreateRouteTableInput) (*api.CreateRouteTableOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.CreateRouteTableOutput) error {
		if err := checkSpecifications(in.TagSpecifications, "route-table"); err != nil {
			return err
		}
		vpc, err := vpcs.get(tx, wire.Value(in.VpcId))
		if err != nil {
			return err
		}
		id, err := s.once(tx, "CreateRouteTable", in.ClientToken, in, func() (string, error) {
			id, err := routeTables.newID(tx)
			if err != nil {
				return "", err
			}
			if err := routeTables.put(tx, routeTable{ID: id, VPC: vpc.ID}); err != nil {
				return "", err
			}
			return id, tagNew(ctx, tx, id, in.TagSpecifications, "route-table")
		})
		if err != nil {
			return err
		}
		t, err := routeTables.get(tx, id)
		out.ClientToken, out.RouteTable = in.ClientToken, new(s.showRouteTable(tx, t))
		return err
	})
}

func (s *Service) showRouteTable(tx *state.Tx, t routeTable) api.RouteTable {
	out := api.RouteTable{RouteTableId: &t.ID, VpcId: &t.VPC, OwnerId: &s.Region.Account, Tags: showTags(tx, t.ID), Routes: s.showRoutes(tx, t)}
	for _, a := range t.Associations {
		out.Associations = append(out.Associations, api.RouteTableAssociation{
			RouteTableAssociationId: &a.ID, RouteTableId: &t.ID, SubnetId: wire.Optional(a.Subnet), Main: new(a.Subnet == ""), AssociationState: associated(),
		})
	}
	return out
}

func associated() *api.RouteTableAssociationState {
	return &api.RouteTableAssociationState{State: new("associated")}
}

// DescribeRouteTables lists route tables.
func (s *Service) DescribeRouteTables(_ context.Context, in *api.DescribeRouteTablesInput) (*api.DescribeRouteTablesOutput, error) {
	return read(s, in.DryRun, func(tx *state.Tx, out *api.DescribeRouteTablesOutput) (err error) {
		out.RouteTables, out.NextToken, err = describe(tx, routeTables, query{in.RouteTableIds, in.Filters, in.MaxResults, in.NextToken}, s.showRouteTable)
		return err
	})
}

// DeleteRouteTable deletes a route table that no subnet uses and that is not the main one.
func (s *Service) DeleteRouteTable(_ context.Context, in *api.DeleteRouteTableInput) (*api.DeleteRouteTableOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, _ *api.DeleteRouteTableOutput) error {
		t, err := routeTables.get(tx, wire.Value(in.RouteTableId))
		if err != nil {
			return err
		}
		if len(t.Associations) > 0 {
			return violation("routeTable", t.ID)
		}
		for _, e := range endpoints.where(tx, func(e Endpoint) bool { return slices.Contains(e.RouteTables, t.ID) }) {
			e.RouteTables = slices.DeleteFunc(e.RouteTables, func(id string) bool { return id == t.ID })
			if err := endpoints.put(tx, e); err != nil {
				return err
			}
		}
		return routeTables.remove(tx, t.ID)
	})
}

// AssociateRouteTable makes a route table the one of a subnet.
func (s *Service) AssociateRouteTable(_ context.Context, in *api.AssociateRouteTableInput) (*api.AssociateRouteTableOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.AssociateRouteTableOutput) error {
		t, err := routeTables.get(tx, wire.Value(in.RouteTableId))
		if err != nil {
			return err
		}
		if in.GatewayId != nil {
			return unsupported("Associating a route table with a gateway")
		}
		if in.SubnetId == nil {
			return missing("subnetId or gatewayId")
		}
		subnet, err := subnets.get(tx, *in.SubnetId)
		if err != nil {
			return err
		}
		if subnet.VPC != t.VPC {
			return fault("InvalidParameterValue", "Route table %s and subnet %s belong to different networks", t.ID, subnet.ID)
		}
		if o := routeTables.where(tx, func(o routeTable) bool { return o.drop(subnet.ID) }); len(o) > 0 {
			return fault("Resource.AlreadyAssociated", "the specified association for route table %s conflicts with an existing association", t.ID)
		}
		out.AssociationState = associated()
		out.AssociationId, err = t.associate(tx, subnet.ID)
		return err
	})
}

// associate adds an association and stores the table.
func (v routeTable) associate(tx *state.Tx, subnet string) (*string, error) {
	id, err := region.NewID(tx, "rtbassoc")
	if err != nil {
		return nil, err
	}
	v.Associations = append(v.Associations, tableAssociation{ID: id, Subnet: subnet})
	return &id, routeTables.put(tx, v)
}

// findAssociation finds an association and takes it out of its table, which is not stored yet.
func findAssociation(tx *state.Tx, id string) (routeTable, tableAssociation, error) {
	for _, t := range routeTables.table.All(tx) {
		for i, a := range t.Associations {
			if a.ID == id {
				t.Associations = slices.Delete(t.Associations, i, i+1)
				return t, a, nil
			}
		}
	}
	return routeTable{}, tableAssociation{}, fault("InvalidAssociationID.NotFound", "The association ID '%s' does not exist", id)
}

// ReplaceRouteTableAssociation moves an association to another table; that of the main table makes the other the main one.
func (s *Service) ReplaceRouteTableAssociation(_ context.Context, in *api.ReplaceRouteTableAssociationInput) (*api.ReplaceRouteTableAssociationOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, out *api.ReplaceRouteTableAssociationOutput) error {
		old, a, err := findAssociation(tx, wire.Value(in.AssociationId))
		if err != nil {
			return err
		}
		if err := routeTables.put(tx, old); err != nil {
			return err
		}
		t, err := routeTables.get(tx, wire.Value(in.RouteTableId))
		if err != nil {
			return err
		}
		if t.VPC != old.VPC {
			return fault("InvalidParameterValue", "Route tables %s and %s belong to different networks", old.ID, t.ID)
		}
		out.AssociationState = associated()
		out.NewAssociationId, err = t.associate(tx, a.Subnet)
		return err
	})
}

// DisassociateRouteTable gives a subnet back to the main route table.
func (s *Service) DisassociateRouteTable(_ context.Context, in *api.DisassociateRouteTableInput) (*api.DisassociateRouteTableOutput, error) {
	return change(s, in.DryRun, func(tx *state.Tx, _ *api.DisassociateRouteTableOutput) error {
		t, a, err := findAssociation(tx, wire.Value(in.AssociationId))
		if err != nil {
			return err
		}
		if a.Subnet == "" {
			return fault("InvalidParameterValue", "cannot disassociate the main route table association %s", a.ID)
		}
		return routeTables.put(tx, t)
	})
}
