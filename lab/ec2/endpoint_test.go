package ec2_test

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"storefront/lab/ec2"
	"storefront/lab/network"
	"storefront/lab/state"
)

func TestGatewayEndpointIsARoute(t *testing.T) {
	f, ctx := start(t), t.Context()
	vpc := f.vpc("10.0.0.0/16")
	table := f.table(vpc)
	s3 := new("com.amazonaws.us-east-1.s3")
	made := must[*sdk.CreateVpcEndpointOutput](t)(f.CreateVpcEndpoint(ctx, &sdk.CreateVpcEndpointInput{VpcId: &vpc, ServiceName: s3, RouteTableIds: []string{table}})).VpcEndpoint
	if made.VpcEndpointType != types.VpcEndpointTypeGateway || made.State != "available" {
		t.Errorf("got %+v", made)
	}
	refused[*sdk.CreateVpcEndpointOutput](t, "RouteAlreadyExists")(f.CreateVpcEndpoint(ctx, &sdk.CreateVpcEndpointInput{VpcId: &vpc, ServiceName: s3, RouteTableIds: []string{table}}))
	shown := must[*sdk.DescribeRouteTablesOutput](t)(f.DescribeRouteTables(ctx, &sdk.DescribeRouteTablesInput{RouteTableIds: []string{table}})).RouteTables[0].Routes
	if len(shown) != 2 || *shown[1].DestinationPrefixListId != "pl-63a5400a" || *shown[1].GatewayId != *made.VpcEndpointId {
		t.Errorf("got routes %+v", shown)
	}
	lists := must[*sdk.DescribePrefixListsOutput](t)(f.DescribePrefixLists(ctx, &sdk.DescribePrefixListsInput{Filters: filter("prefix-list-name", *s3)})).PrefixLists
	if len(lists) != 1 || lists[0].Cidrs[0] != "203.0.113.10/32" {
		t.Errorf("got %+v", lists)
	}
	for _, r := range f.topology().VPCs[0].RouteTables {
		if r.ID == table && (len(r.Routes) != 1 || r.Routes[0].Kind != network.ToServiceEndpoint || r.Routes[0].Target != "s3") {
			t.Errorf("the data plane gets %+v", r.Routes)
		}
	}
	refused[*sdk.DeleteVpcOutput](t, "DependencyViolation")(f.DeleteVpc(ctx, &sdk.DeleteVpcInput{VpcId: &vpc}))
	must[*sdk.ModifyVpcEndpointOutput](t)(f.ModifyVpcEndpoint(ctx, &sdk.ModifyVpcEndpointInput{VpcEndpointId: made.VpcEndpointId, RemoveRouteTableIds: []string{table}}))
	gone := must[*sdk.DeleteVpcEndpointsOutput](t)(f.DeleteVpcEndpoints(ctx, &sdk.DeleteVpcEndpointsInput{VpcEndpointIds: []string{*made.VpcEndpointId, "vpce-0000000000000ffff"}}))
	if len(gone.Unsuccessful) != 1 || *gone.Unsuccessful[0].Error.Code != "InvalidVpcEndpointId.NotFound" {
		t.Errorf("got %+v", gone.Unsuccessful)
	}
}

func TestInterfaceEndpointHasInterfaces(t *testing.T) {
	f, ctx := start(t), t.Context()
	vpc := f.vpc("10.0.0.0/16")
	a, a2, b := f.subnet(vpc, "10.0.0.0/24", "us-east-1a"), f.subnet(vpc, "10.0.1.0/24", "us-east-1a"), f.subnet(vpc, "10.0.2.0/24", "us-east-1b")
	group := f.group(vpc, "endpoint")
	in := &sdk.CreateVpcEndpointInput{
		VpcId: &vpc, ServiceName: new("com.amazonaws.us-east-1.secretsmanager"), VpcEndpointType: types.VpcEndpointTypeInterface, SubnetIds: []string{a}, SecurityGroupIds: []string{group},
		PrivateDnsEnabled: new(true),
	}
	refused[*sdk.CreateVpcEndpointOutput](t, "InvalidParameter")(f.CreateVpcEndpoint(ctx, in))
	must[*sdk.ModifyVpcAttributeOutput](t)(f.ModifyVpcAttribute(ctx, &sdk.ModifyVpcAttributeInput{VpcId: &vpc, EnableDnsHostnames: &types.AttributeBooleanValue{Value: new(true)}}))
	id := must[*sdk.CreateVpcEndpointOutput](t)(f.CreateVpcEndpoint(ctx, in)).VpcEndpoint.VpcEndpointId
	refused[*sdk.CreateVpcEndpointOutput](t, "InvalidParameter")(f.CreateVpcEndpoint(ctx, in))
	refused[*sdk.ModifyVpcEndpointOutput](t, "DuplicateSubnetsInSameZone")(f.ModifyVpcEndpoint(ctx, &sdk.ModifyVpcEndpointInput{VpcEndpointId: id, AddSubnetIds: []string{a2}}))
	must[*sdk.ModifyVpcEndpointOutput](t)(f.ModifyVpcEndpoint(ctx, &sdk.ModifyVpcEndpointInput{VpcEndpointId: id, AddSubnetIds: []string{b}}))
	shown := must[*sdk.DescribeVpcEndpointsOutput](t)(f.DescribeVpcEndpoints(ctx, &sdk.DescribeVpcEndpointsInput{VpcEndpointIds: []string{*id}})).VpcEndpoints[0]
	if len(shown.NetworkInterfaceIds) != 2 || *shown.DnsEntries[1].DnsName != "secretsmanager.us-east-1.amazonaws.com" || shown.State != "available" {
		t.Errorf("got %+v", shown)
	}
	refused[*sdk.DeleteNetworkInterfaceOutput](t, "OperationNotPermitted")(f.DeleteNetworkInterface(ctx, &sdk.DeleteNetworkInterfaceInput{NetworkInterfaceId: &shown.NetworkInterfaceIds[0]}))
	refused[*sdk.DeleteSecurityGroupOutput](t, "DependencyViolation")(f.DeleteSecurityGroup(ctx, &sdk.DeleteSecurityGroupInput{GroupId: &group}))
	must[*sdk.DeleteVpcEndpointsOutput](t)(f.DeleteVpcEndpoints(ctx, &sdk.DeleteVpcEndpointsInput{VpcEndpointIds: []string{*id}}))
	must[*sdk.DeleteSecurityGroupOutput](t)(f.DeleteSecurityGroup(ctx, &sdk.DeleteSecurityGroupInput{GroupId: &group}))
	refused[*sdk.CreateVpcEndpointOutput](t, "InvalidServiceName")(f.CreateVpcEndpoint(ctx, &sdk.CreateVpcEndpointInput{VpcId: &vpc, ServiceName: new("com.amazonaws.us-east-1.teapot")}))
}

func TestManagedInterfaces(t *testing.T) {
	f, ctx := start(t), t.Context()
	vpc := f.vpc("10.0.0.0/16")
	subnet, group := f.subnet(vpc, "10.0.0.0/24", "us-east-1a"), f.group(vpc, "lb")
	var made ec2.Interface
	update := func(g func(tx *state.Tx) error) {
		t.Helper()
		if err := f.store.Update(g); err != nil {
			t.Fatal(err)
		}
	}
	update(func(tx *state.Tx) (err error) {
		made, err = f.service.CreateManagedInterface(tx, ec2.ManagedInterface{Subnet: subnet, SecurityGroups: []string{group}, Description: "ELB app/web/1", RequesterID: "amazon-elb", Public: true})
		return err
	})
	shown := must[*sdk.DescribeNetworkInterfacesOutput](t)(f.DescribeNetworkInterfaces(ctx, &sdk.DescribeNetworkInterfacesInput{Filters: filter("description", "ELB app/web/*")})).NetworkInterfaces
	if len(shown) != 1 || !*shown[0].RequesterManaged || *shown[0].Association.IpOwnerId != "amazon" || *shown[0].Association.PublicIp != made.Public.Address.String() {
		t.Errorf("got %+v", shown)
	}
	if top := f.topology().VPCs[0].Interfaces; len(top) != 1 || top[0].Public != made.Public.Address || top[0].SecurityGroups[0] != group {
		t.Errorf("the data plane gets %+v", top)
	}
	refused[*sdk.DetachNetworkInterfaceOutput](t, "OperationNotPermitted")(f.DetachNetworkInterface(ctx, &sdk.DetachNetworkInterfaceInput{AttachmentId: shown[0].Attachment.AttachmentId}))
	update(func(tx *state.Tx) error { return f.service.DeleteManagedInterface(tx, made.ID) })
	update(func(tx *state.Tx) error { return f.service.DeleteManagedInterface(tx, made.ID) })
	must[*sdk.DeleteSubnetOutput](t)(f.DeleteSubnet(ctx, &sdk.DeleteSubnetInput{SubnetId: &subnet}))
}

func TestFlowLogs(t *testing.T) {
	f, ctx := start(t), t.Context()
	vpc := f.vpc("10.0.0.0/16")
	in := &sdk.CreateFlowLogsInput{
		ResourceIds: []string{vpc, "vpc-0000000000000ffff"}, ResourceType: types.FlowLogsResourceTypeVpc, TrafficType: types.TrafficTypeAll,
		LogDestination: new("arn:aws:logs:us-east-1:000000000000:log-group:flow"), DeliverLogsPermissionArn: new("arn:aws:iam::000000000000:role/flow"), MaxAggregationInterval: new(int32(60)),
	}
	out := must[*sdk.CreateFlowLogsOutput](t)(f.CreateFlowLogs(ctx, in))
	if len(out.FlowLogIds) != 1 || len(out.Unsuccessful) != 1 || *out.Unsuccessful[0].Error.Code != "InvalidVpcID.NotFound" {
		t.Fatalf("got %+v", out)
	}
	in.ClientToken = new("other")
	refused[*sdk.CreateFlowLogsOutput](t, "FlowLogAlreadyExists")(f.CreateFlowLogs(ctx, in))
	in.DeliverLogsPermissionArn = nil
	refused[*sdk.CreateFlowLogsOutput](t, "InvalidParameter")(f.CreateFlowLogs(ctx, in))
	got := must[*sdk.DescribeFlowLogsOutput](t)(f.DescribeFlowLogs(ctx, &sdk.DescribeFlowLogsInput{Filter: filter("resource-id", vpc)})).FlowLogs
	if len(got) != 1 || *got[0].LogGroupName != "flow" || *got[0].MaxAggregationInterval != 60 {
		t.Errorf("got %+v", got)
	}
	must[*sdk.DeleteFlowLogsOutput](t)(f.DeleteFlowLogs(ctx, &sdk.DeleteFlowLogsInput{FlowLogIds: out.FlowLogIds}))
}
