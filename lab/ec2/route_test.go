package ec2_test

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"storefront/lab/network"
)

func TestRoutesFollowTheirTargets(t *testing.T) {
	f, ctx := start(t), t.Context()
	vpc := f.vpc("10.0.0.0/16")
	public, private := f.subnet(vpc, "10.0.0.0/24", "us-east-1a"), f.subnet(vpc, "10.0.1.0/24", "us-east-1a")
	igw := f.gateway(vpc)
	out, in := f.table(vpc), f.table(vpc)
	everywhere := new("0.0.0.0/0")
	must[*sdk.CreateRouteOutput](t)(f.CreateRoute(ctx, &sdk.CreateRouteInput{RouteTableId: &out, DestinationCidrBlock: everywhere, GatewayId: &igw}))
	refused[*sdk.CreateRouteOutput](t, "RouteAlreadyExists")(f.CreateRoute(ctx, &sdk.CreateRouteInput{RouteTableId: &out, DestinationCidrBlock: everywhere, GatewayId: &igw}))
	refused[*sdk.CreateRouteOutput](t, "RouteAlreadyExists")(f.CreateRoute(ctx, &sdk.CreateRouteInput{RouteTableId: &out, DestinationCidrBlock: new("10.0.0.0/16"), GatewayId: &igw}))
	refused[*sdk.CreateRouteOutput](t, "InvalidInternetGatewayID.NotFound")(f.CreateRoute(ctx, &sdk.CreateRouteInput{RouteTableId: &in, DestinationCidrBlock: everywhere, GatewayId: new("igw-0000000000000ffff")}))
	address := must[*sdk.AllocateAddressOutput](t)(f.AllocateAddress(ctx, &sdk.AllocateAddressInput{Domain: types.DomainTypeVpc}))
	nat := must[*sdk.CreateNatGatewayOutput](t)(f.CreateNatGateway(ctx, &sdk.CreateNatGatewayInput{SubnetId: &public, AllocationId: address.AllocationId, ClientToken: new("one")}))
	again := must[*sdk.CreateNatGatewayOutput](t)(f.CreateNatGateway(ctx, &sdk.CreateNatGatewayInput{SubnetId: &public, AllocationId: address.AllocationId, ClientToken: new("one")}))
	if *nat.NatGateway.NatGatewayId != *again.NatGateway.NatGatewayId {
		t.Error("the same client token made two NAT gateways")
	}
	refused[*sdk.CreateNatGatewayOutput](t, "IdempotentParameterMismatch")(f.CreateNatGateway(ctx, &sdk.CreateNatGatewayInput{SubnetId: &private, AllocationId: address.AllocationId, ClientToken: new("one")}))
	must[*sdk.CreateRouteOutput](t)(f.CreateRoute(ctx, &sdk.CreateRouteInput{RouteTableId: &in, DestinationCidrBlock: everywhere, NatGatewayId: nat.NatGateway.NatGatewayId}))
	must[*sdk.AssociateRouteTableOutput](t)(f.AssociateRouteTable(ctx, &sdk.AssociateRouteTableInput{RouteTableId: &out, SubnetId: &public}))
	bound := must[*sdk.AssociateRouteTableOutput](t)(f.AssociateRouteTable(ctx, &sdk.AssociateRouteTableInput{RouteTableId: &in, SubnetId: &private}))
	refused[*sdk.AssociateRouteTableOutput](t, "Resource.AlreadyAssociated")(f.AssociateRouteTable(ctx, &sdk.AssociateRouteTableInput{RouteTableId: &out, SubnetId: &private}))
	refused[*sdk.DeleteRouteTableOutput](t, "DependencyViolation")(f.DeleteRouteTable(ctx, &sdk.DeleteRouteTableInput{RouteTableId: &in}))

	kinds := func() map[string]network.Route {
		found := map[string]network.Route{}
		for _, table := range f.topology().VPCs[0].RouteTables {
			for _, r := range table.Routes {
				found[table.ID] = r
			}
		}
		return found
	}
	if got := kinds(); got[out].Kind != network.ToInternetGateway || got[in].Kind != network.ToInterface || got[in].Target != *nat.NatGateway.NatGatewayAddresses[0].NetworkInterfaceId {
		t.Errorf("the data plane gets %+v", got)
	}
	for _, s := range f.topology().VPCs[0].Subnets {
		if want := map[string]string{public: out, private: in}[s.ID]; s.RouteTable != want {
			t.Errorf("subnet %s has route table %s, want %s", s.ID, s.RouteTable, want)
		}
	}
	refused[*sdk.ReleaseAddressOutput](t, "InvalidIPAddress.InUse")(f.ReleaseAddress(ctx, &sdk.ReleaseAddressInput{AllocationId: address.AllocationId}))
	refused[*sdk.DetachInternetGatewayOutput](t, "DependencyViolation")(f.DetachInternetGateway(ctx, &sdk.DetachInternetGatewayInput{InternetGatewayId: &igw, VpcId: &vpc}))
	must[*sdk.DeleteNatGatewayOutput](t)(f.DeleteNatGateway(ctx, &sdk.DeleteNatGatewayInput{NatGatewayId: nat.NatGateway.NatGatewayId}))
	if got := kinds(); got[in].Kind != network.Blackhole {
		t.Errorf("the route to a deleted NAT gateway is %+v, want a black hole", got[in])
	}
	must[*sdk.ReleaseAddressOutput](t)(f.ReleaseAddress(ctx, &sdk.ReleaseAddressInput{AllocationId: address.AllocationId}))
	must[*sdk.DisassociateRouteTableOutput](t)(f.DisassociateRouteTable(ctx, &sdk.DisassociateRouteTableInput{AssociationId: bound.AssociationId}))
	must[*sdk.DeleteRouteOutput](t)(f.DeleteRoute(ctx, &sdk.DeleteRouteInput{RouteTableId: &in, DestinationCidrBlock: everywhere}))
	refused[*sdk.DeleteRouteOutput](t, "InvalidRoute.NotFound")(f.DeleteRoute(ctx, &sdk.DeleteRouteInput{RouteTableId: &in, DestinationCidrBlock: everywhere}))
	must[*sdk.DeleteRouteTableOutput](t)(f.DeleteRouteTable(ctx, &sdk.DeleteRouteTableInput{RouteTableId: &in}))
	must[*sdk.DetachInternetGatewayOutput](t)(f.DetachInternetGateway(ctx, &sdk.DetachInternetGatewayInput{InternetGatewayId: &igw, VpcId: &vpc}))
}

func TestMainRouteTableCanBeReplaced(t *testing.T) {
	f, ctx := start(t), t.Context()
	vpc := f.vpc("10.0.0.0/16")
	subnet, table := f.subnet(vpc, "10.0.0.0/24", "us-east-1a"), f.table(vpc)
	main := must[*sdk.DescribeRouteTablesOutput](t)(f.DescribeRouteTables(ctx, &sdk.DescribeRouteTablesInput{Filters: filter("association.main", "true")})).RouteTables[0]
	refused[*sdk.DisassociateRouteTableOutput](t, "InvalidParameterValue")(f.DisassociateRouteTable(ctx, &sdk.DisassociateRouteTableInput{AssociationId: main.Associations[0].RouteTableAssociationId}))
	must[*sdk.ReplaceRouteTableAssociationOutput](t)(f.ReplaceRouteTableAssociation(ctx, &sdk.ReplaceRouteTableAssociationInput{AssociationId: main.Associations[0].RouteTableAssociationId, RouteTableId: &table}))
	if got := f.topology().VPCs[0].Subnets[0]; got.ID != subnet || got.RouteTable != table {
		t.Errorf("got %+v, want the new main table", got)
	}
	must[*sdk.DeleteRouteTableOutput](t)(f.DeleteRouteTable(ctx, &sdk.DeleteRouteTableInput{RouteTableId: main.RouteTableId}))
}

func TestDeletedNATGatewayIsKnownForAnHour(t *testing.T) {
	f, ctx := start(t), t.Context()
	vpc := f.vpc("10.0.0.0/16")
	subnet := f.subnet(vpc, "10.0.0.0/24", "us-east-1a")
	nat := must[*sdk.CreateNatGatewayOutput](t)(f.CreateNatGateway(ctx, &sdk.CreateNatGatewayInput{SubnetId: &subnet, ConnectivityType: types.ConnectivityTypePrivate})).NatGateway
	refused[*sdk.CreateNatGatewayOutput](t, "MissingParameter")(f.CreateNatGateway(ctx, &sdk.CreateNatGatewayInput{SubnetId: &subnet}))
	must[*sdk.DeleteNatGatewayOutput](t)(f.DeleteNatGateway(ctx, &sdk.DeleteNatGatewayInput{NatGatewayId: nat.NatGatewayId}))
	describe := func() (*sdk.DescribeNatGatewaysOutput, error) {
		return f.DescribeNatGateways(ctx, &sdk.DescribeNatGatewaysInput{NatGatewayIds: []string{*nat.NatGatewayId}})
	}
	if got := must[*sdk.DescribeNatGatewaysOutput](t)(describe()).NatGateways; len(got) != 1 || got[0].State != types.NatGatewayStateDeleted {
		t.Errorf("got %+v", got)
	}
	f.now = f.now.Add(61 * 60e9)
	refused[*sdk.DescribeNatGatewaysOutput](t, "NatGatewayNotFound")(describe())
	must[*sdk.DeleteSubnetOutput](t)(f.DeleteSubnet(ctx, &sdk.DeleteSubnetInput{SubnetId: &subnet}))
}

func TestNetworkACL(t *testing.T) {
	f, ctx := start(t), t.Context()
	vpc := f.vpc("10.0.0.0/16")
	subnet := f.subnet(vpc, "10.0.0.0/24", "us-east-1a")
	id := must[*sdk.CreateNetworkAclOutput](t)(f.CreateNetworkAcl(ctx, &sdk.CreateNetworkAclInput{VpcId: &vpc})).NetworkAcl.NetworkAclId
	entry := func(number int32, protocol string) (*sdk.CreateNetworkAclEntryOutput, error) {
		return f.CreateNetworkAclEntry(ctx, &sdk.CreateNetworkAclEntryInput{
			NetworkAclId: id, RuleNumber: &number, Protocol: &protocol, RuleAction: types.RuleActionAllow, Egress: new(false), CidrBlock: new("10.0.0.0/8"),
			PortRange: &types.PortRange{From: new(int32(443)), To: new(int32(443))},
		})
	}
	must[*sdk.CreateNetworkAclEntryOutput](t)(entry(200, "tcp"))
	must[*sdk.CreateNetworkAclEntryOutput](t)(entry(100, "6"))
	refused[*sdk.CreateNetworkAclEntryOutput](t, "NetworkAclEntryAlreadyExists")(entry(100, "tcp"))
	refused[*sdk.CreateNetworkAclEntryOutput](t, "InvalidParameterValue")(entry(32767, "tcp"))
	refused[*sdk.DeleteNetworkAclEntryOutput](t, "InvalidNetworkAclEntry.NotFound")(f.DeleteNetworkAclEntry(ctx, &sdk.DeleteNetworkAclEntryInput{NetworkAclId: id, RuleNumber: new(int32(7)), Egress: new(false)}))
	before := must[*sdk.DescribeNetworkAclsOutput](t)(f.DescribeNetworkAcls(ctx, &sdk.DescribeNetworkAclsInput{Filters: filter("association.subnet-id", subnet)})).NetworkAcls[0]
	must[*sdk.ReplaceNetworkAclAssociationOutput](t)(f.ReplaceNetworkAclAssociation(ctx, &sdk.ReplaceNetworkAclAssociationInput{NetworkAclId: id, AssociationId: before.Associations[0].NetworkAclAssociationId}))
	refused[*sdk.DeleteNetworkAclOutput](t, "DependencyViolation")(f.DeleteNetworkAcl(ctx, &sdk.DeleteNetworkAclInput{NetworkAclId: id}))
	top := f.topology().VPCs[0]
	if top.Subnets[0].ACL != *id {
		t.Errorf("the subnet is under %s, want %s", top.Subnets[0].ACL, *id)
	}
	for _, a := range top.ACLs {
		if a.ID == *id && (len(a.Ingress) != 2 || a.Ingress[0].Number != 100 || a.Ingress[0].Protocol != "tcp" || a.Ingress[0].FromPort != 443) {
			t.Errorf("the data plane gets %+v", a)
		}
	}
}
