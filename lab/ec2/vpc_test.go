package ec2_test

import (
	"fmt"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func TestVPCBringsItsDefaults(t *testing.T) {
	f, ctx := start(t), t.Context()
	out := must[*sdk.CreateVpcOutput](t)(f.CreateVpc(ctx, &sdk.CreateVpcInput{CidrBlock: new("10.0.3.4/16"), TagSpecifications: tags(types.ResourceTypeVpc, "Name", "main")}))
	id := *out.Vpc.VpcId
	if got := *out.Vpc.CidrBlock; got != "10.0.0.0/16" {
		t.Errorf("got block %s, want the host bits cleared", got)
	}
	found := must[*sdk.DescribeVpcsOutput](t)(f.DescribeVpcs(ctx, &sdk.DescribeVpcsInput{Filters: filter("tag:Name", "ma*")}))
	if len(found.Vpcs) != 1 || *found.Vpcs[0].VpcId != id || found.Vpcs[0].State != types.VpcStateAvailable {
		t.Fatalf("got %+v", found.Vpcs)
	}
	tables := must[*sdk.DescribeRouteTablesOutput](t)(f.DescribeRouteTables(ctx, &sdk.DescribeRouteTablesInput{
		Filters: append(filter("association.main", "true"), filter("vpc-id", id)...),
	})).RouteTables
	if len(tables) != 1 || len(tables[0].Routes) != 1 || *tables[0].Routes[0].GatewayId != "local" {
		t.Errorf("got main route tables %+v", tables)
	}
	acls := must[*sdk.DescribeNetworkAclsOutput](t)(f.DescribeNetworkAcls(ctx, &sdk.DescribeNetworkAclsInput{Filters: filter("default", "true")})).NetworkAcls
	if len(acls) != 1 || len(acls[0].Entries) != 4 {
		t.Errorf("got default ACLs %+v", acls)
	}
	groups := must[*sdk.DescribeSecurityGroupsOutput](t)(f.DescribeSecurityGroups(ctx, &sdk.DescribeSecurityGroupsInput{Filters: filter("group-name", "default")})).SecurityGroups
	if len(groups) != 1 || len(groups[0].IpPermissions) != 1 || *groups[0].IpPermissions[0].UserIdGroupPairs[0].GroupId != *groups[0].GroupId {
		t.Errorf("got default groups %+v", groups)
	}
	must[*sdk.DeleteVpcOutput](t)(f.DeleteVpc(ctx, &sdk.DeleteVpcInput{VpcId: &id}))
	if left := must[*sdk.DescribeTagsOutput](t)(f.DescribeTags(ctx, &sdk.DescribeTagsInput{})).Tags; len(left) != 0 {
		t.Errorf("tags outlived their VPC: %+v", left)
	}
	if top := f.topology(); len(top.VPCs) != 0 {
		t.Errorf("the network outlived its VPC: %+v", top.VPCs)
	}
}

func TestVPCRefusals(t *testing.T) {
	f, ctx := start(t), t.Context()
	refused[*sdk.CreateVpcOutput](t, "InvalidVpc.Range")(f.CreateVpc(ctx, &sdk.CreateVpcInput{CidrBlock: new("10.0.0.0/8")}))
	refused[*sdk.CreateVpcOutput](t, "InvalidParameterValue")(f.CreateVpc(ctx, &sdk.CreateVpcInput{CidrBlock: new("ten")}))
	refused[*sdk.CreateVpcOutput](t, "MissingParameter")(f.CreateVpc(ctx, &sdk.CreateVpcInput{}))
	refused[*sdk.CreateVpcOutput](t, "DryRunOperation")(f.CreateVpc(ctx, &sdk.CreateVpcInput{CidrBlock: new("10.0.0.0/16"), DryRun: new(true)}))
	if left := must[*sdk.DescribeVpcsOutput](t)(f.DescribeVpcs(ctx, &sdk.DescribeVpcsInput{})).Vpcs; len(left) != 0 {
		t.Errorf("a refused or dry run made %+v", left)
	}
	refused[*sdk.DescribeVpcsOutput](t, "InvalidParameterValue")(f.DescribeVpcs(ctx, &sdk.DescribeVpcsInput{Filters: filter("colour", "blue")}))
	refused[*sdk.DescribeVpcsOutput](t, "InvalidVpcID.NotFound")(f.DescribeVpcs(ctx, &sdk.DescribeVpcsInput{VpcIds: []string{"vpc-0000000000000000f"}}))
	refused[*sdk.DeleteVpcOutput](t, "InvalidVpcID.Malformed")(f.DeleteVpc(ctx, &sdk.DeleteVpcInput{VpcId: new("subnet-1")}))
	id := f.vpc("10.0.0.0/16")
	refused[*sdk.ModifyVpcAttributeOutput](t, "InvalidParameterCombination")(f.ModifyVpcAttribute(ctx, &sdk.ModifyVpcAttributeInput{VpcId: &id}))
	f.subnet(id, "10.0.0.0/24", "us-east-1a")
	refused[*sdk.DeleteVpcOutput](t, "DependencyViolation")(f.DeleteVpc(ctx, &sdk.DeleteVpcInput{VpcId: &id}))
}

func TestVPCAttributes(t *testing.T) {
	f, ctx := start(t), t.Context()
	id := f.vpc("10.0.0.0/16")
	must[*sdk.ModifyVpcAttributeOutput](t)(f.ModifyVpcAttribute(ctx, &sdk.ModifyVpcAttributeInput{VpcId: &id, EnableDnsHostnames: &types.AttributeBooleanValue{Value: new(true)}}))
	for attribute, want := range map[types.VpcAttributeName]bool{
		types.VpcAttributeNameEnableDnsHostnames: true, types.VpcAttributeNameEnableDnsSupport: true, types.VpcAttributeNameEnableNetworkAddressUsageMetrics: false,
	} {
		out := must[*sdk.DescribeVpcAttributeOutput](t)(f.DescribeVpcAttribute(ctx, &sdk.DescribeVpcAttributeInput{VpcId: &id, Attribute: attribute}))
		for _, got := range []*types.AttributeBooleanValue{out.EnableDnsHostnames, out.EnableDnsSupport, out.EnableNetworkAddressUsageMetrics} {
			if got != nil && *got.Value != want {
				t.Errorf("%s is %v, want %v", attribute, *got.Value, want)
			}
		}
	}
}

func TestSecondaryBlocks(t *testing.T) {
	f, ctx := start(t), t.Context()
	id := f.vpc("10.0.0.0/16")
	refused[*sdk.AssociateVpcCidrBlockOutput](t, "InvalidVpc.Range")(f.AssociateVpcCidrBlock(ctx, &sdk.AssociateVpcCidrBlockInput{VpcId: &id, CidrBlock: new("10.0.128.0/17")}))
	more := must[*sdk.AssociateVpcCidrBlockOutput](t)(f.AssociateVpcCidrBlock(ctx, &sdk.AssociateVpcCidrBlockInput{VpcId: &id, CidrBlock: new("10.1.0.0/16")}))
	subnet := f.subnet(id, "10.1.2.0/24", "us-east-1b")
	gone := &sdk.DisassociateVpcCidrBlockInput{AssociationId: more.CidrBlockAssociation.AssociationId}
	refused[*sdk.DisassociateVpcCidrBlockOutput](t, "DependencyViolation")(f.DisassociateVpcCidrBlock(ctx, gone))
	must[*sdk.DeleteSubnetOutput](t)(f.DeleteSubnet(ctx, &sdk.DeleteSubnetInput{SubnetId: &subnet}))
	must[*sdk.DisassociateVpcCidrBlockOutput](t)(f.DisassociateVpcCidrBlock(ctx, gone))
	refused[*sdk.CreateSubnetOutput](t, "InvalidSubnet.Range")(f.CreateSubnet(ctx, &sdk.CreateSubnetInput{VpcId: &id, CidrBlock: new("10.1.2.0/24")}))
}

func TestSubnets(t *testing.T) {
	f, ctx := start(t), t.Context()
	vpc := f.vpc("10.0.0.0/16")
	id := f.subnet(vpc, "10.0.1.0/28", "us-east-1b")
	for block, code := range map[string]string{
		"10.0.1.8/29": "InvalidSubnet.Range", "10.9.0.0/24": "InvalidSubnet.Range", "10.0.1.0/24": "InvalidSubnet.Conflict", "nowhere": "InvalidParameterValue",
	} {
		refused[*sdk.CreateSubnetOutput](t, code)(f.CreateSubnet(ctx, &sdk.CreateSubnetInput{VpcId: &vpc, CidrBlock: &block}))
	}
	refused[*sdk.CreateSubnetOutput](t, "InvalidParameterValue")(f.CreateSubnet(ctx, &sdk.CreateSubnetInput{VpcId: &vpc, CidrBlock: new("10.0.9.0/24"), AvailabilityZone: new("us-east-1z")}))
	must[*sdk.ModifySubnetAttributeOutput](t)(f.ModifySubnetAttribute(ctx, &sdk.ModifySubnetAttributeInput{SubnetId: &id, MapPublicIpOnLaunch: &types.AttributeBooleanValue{Value: new(true)}}))
	got := must[*sdk.DescribeSubnetsOutput](t)(f.DescribeSubnets(ctx, &sdk.DescribeSubnetsInput{Filters: filter("availability-zone-id", "use1-az2")})).Subnets
	if len(got) != 1 || *got[0].AvailableIpAddressCount != 11 || !*got[0].MapPublicIpOnLaunch {
		t.Errorf("got %+v", got)
	}
	// AWS keeps the first four addresses and the last one.
	for i := range 11 {
		eni := must[*sdk.CreateNetworkInterfaceOutput](t)(f.CreateNetworkInterface(ctx, &sdk.CreateNetworkInterfaceInput{SubnetId: &id}))
		if got, want := *eni.NetworkInterface.PrivateIpAddress, fmt.Sprintf("10.0.1.%d", i+4); got != want {
			t.Fatalf("got address %s, want %s", got, want)
		}
	}
	refused[*sdk.CreateNetworkInterfaceOutput](t, "InsufficientFreeAddressesInSubnet")(f.CreateNetworkInterface(ctx, &sdk.CreateNetworkInterfaceInput{SubnetId: &id}))
	refused[*sdk.DeleteSubnetOutput](t, "DependencyViolation")(f.DeleteSubnet(ctx, &sdk.DeleteSubnetInput{SubnetId: &id}))
}

func TestPages(t *testing.T) {
	f, ctx := start(t), t.Context()
	vpc := f.vpc("10.0.0.0/16")
	want := map[string]bool{}
	for i := range 7 {
		want[f.subnet(vpc, fmt.Sprintf("10.0.%d.0/24", i), "us-east-1a")] = true
	}
	pages := sdk.NewDescribeSubnetsPaginator(f, &sdk.DescribeSubnetsInput{MaxResults: new(int32(5))})
	n := 0
	for pages.HasMorePages() {
		n++
		for _, s := range must[*sdk.DescribeSubnetsOutput](t)(pages.NextPage(ctx)).Subnets {
			delete(want, *s.SubnetId)
		}
	}
	if n != 2 || len(want) != 0 {
		t.Errorf("%d pages, %d subnets missing", n, len(want))
	}
	refused[*sdk.DescribeSubnetsOutput](t, "InvalidNextToken")(f.DescribeSubnets(ctx, &sdk.DescribeSubnetsInput{NextToken: new("?")}))
}

func TestTags(t *testing.T) {
	f, ctx := start(t), t.Context()
	vpc := f.vpc("10.0.0.0/16")
	tag := func(id, key, value string) (*sdk.CreateTagsOutput, error) {
		return f.CreateTags(ctx, &sdk.CreateTagsInput{Resources: []string{id}, Tags: []types.Tag{{Key: &key, Value: &value}}})
	}
	must[*sdk.CreateTagsOutput](t)(tag(vpc, "a", "1"))
	must[*sdk.CreateTagsOutput](t)(tag(vpc, "a", "2"))
	must[*sdk.CreateTagsOutput](t)(tag(vpc, "b", "3"))
	refused[*sdk.CreateTagsOutput](t, "InvalidParameterValue")(tag(vpc, "aws:x", "1"))
	refused[*sdk.CreateTagsOutput](t, "InvalidVpcID.NotFound")(tag("vpc-0000000000000ffff", "a", "1"))
	refused[*sdk.CreateTagsOutput](t, "InvalidID")(tag("thing-1", "a", "1"))
	for i := range 48 {
		must[*sdk.CreateTagsOutput](t)(tag(vpc, fmt.Sprint("k", i), ""))
	}
	refused[*sdk.CreateTagsOutput](t, "TagLimitExceeded")(tag(vpc, "last", ""))
	must[*sdk.DeleteTagsOutput](t)(f.DeleteTags(ctx, &sdk.DeleteTagsInput{Resources: []string{vpc}, Tags: []types.Tag{{Key: new("a"), Value: new("1")}, {Key: new("b")}}}))
	got := must[*sdk.DescribeTagsOutput](t)(f.DescribeTags(ctx, &sdk.DescribeTagsInput{Filters: append(filter("key", "a", "b"), filter("resource-type", "vpc")...)})).Tags
	if len(got) != 1 || *got[0].Value != "2" || *got[0].ResourceId != vpc {
		t.Errorf("got %+v, want a=2 alone", got)
	}
	refused[*sdk.CreateVpcOutput](t, "InvalidParameterValue")(f.CreateVpc(ctx, &sdk.CreateVpcInput{CidrBlock: new("10.0.0.0/16"), TagSpecifications: tags(types.ResourceTypeSubnet, "a", "b")}))
}
