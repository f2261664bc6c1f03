package ec2_test

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func tcp(port int32, cidr string) []types.IpPermission {
	return []types.IpPermission{{IpProtocol: new("tcp"), FromPort: &port, ToPort: &port, IpRanges: []types.IpRange{{CidrIp: &cidr, Description: new("why")}}}}
}

func TestSecurityGroupRulesAreResources(t *testing.T) {
	f, ctx := start(t), t.Context()
	vpc := f.vpc("10.0.0.0/16")
	web, app := f.group(vpc, "web"), f.group(vpc, "app")
	added := must[*sdk.AuthorizeSecurityGroupIngressOutput](t)(f.AuthorizeSecurityGroupIngress(ctx, &sdk.AuthorizeSecurityGroupIngressInput{
		GroupId: &web, IpPermissions: tcp(443, "0.0.0.0/0"), TagSpecifications: tags(types.ResourceTypeSecurityGroupRule, "Name", "https"),
	})).SecurityGroupRules
	if len(added) != 1 || *added[0].CidrIpv4 != "0.0.0.0/0" || *added[0].Description != "why" || *added[0].Tags[0].Value != "https" {
		t.Fatalf("got %+v", added)
	}
	must[*sdk.AuthorizeSecurityGroupIngressOutput](t)(f.AuthorizeSecurityGroupIngress(ctx, &sdk.AuthorizeSecurityGroupIngressInput{
		GroupId: &app, IpPermissions: []types.IpPermission{{IpProtocol: new("6"), FromPort: new(int32(8080)), ToPort: new(int32(8080)), UserIdGroupPairs: []types.UserIdGroupPair{{GroupId: &web}}}},
	}))
	refused[*sdk.AuthorizeSecurityGroupIngressOutput](t, "InvalidPermission.Duplicate")(f.AuthorizeSecurityGroupIngress(ctx, &sdk.AuthorizeSecurityGroupIngressInput{GroupId: &web, IpPermissions: tcp(443, "0.0.0.0/0")}))
	must[*sdk.ModifySecurityGroupRulesOutput](t)(f.ModifySecurityGroupRules(ctx, &sdk.ModifySecurityGroupRulesInput{GroupId: &web, SecurityGroupRules: []types.SecurityGroupRuleUpdate{{
		SecurityGroupRuleId: added[0].SecurityGroupRuleId,
		SecurityGroupRule:   &types.SecurityGroupRuleRequest{IpProtocol: new("tcp"), FromPort: new(int32(80)), ToPort: new(int32(81)), CidrIpv4: new("10.0.0.0/8")},
	}}}))
	rules := must[*sdk.DescribeSecurityGroupRulesOutput](t)(f.DescribeSecurityGroupRules(ctx, &sdk.DescribeSecurityGroupRulesInput{Filters: filter("group-id", web)})).SecurityGroupRules
	if len(rules) != 2 || *rules[1].SecurityGroupRuleId != *added[0].SecurityGroupRuleId || *rules[1].ToPort != 81 || !*rules[0].IsEgress {
		t.Errorf("got %+v", rules)
	}
	refused[*sdk.DeleteSecurityGroupOutput](t, "DependencyViolation")(f.DeleteSecurityGroup(ctx, &sdk.DeleteSecurityGroupInput{GroupId: &web}))
	must[*sdk.RevokeSecurityGroupIngressOutput](t)(f.RevokeSecurityGroupIngress(ctx, &sdk.RevokeSecurityGroupIngressInput{GroupId: &web, SecurityGroupRuleIds: []string{*added[0].SecurityGroupRuleId}}))
	refused[*sdk.DescribeSecurityGroupRulesOutput](t, "InvalidSecurityGroupRuleId.NotFound")(f.DescribeSecurityGroupRules(ctx, &sdk.DescribeSecurityGroupRulesInput{SecurityGroupRuleIds: []string{*added[0].SecurityGroupRuleId}}))
	must[*sdk.DeleteSecurityGroupOutput](t)(f.DeleteSecurityGroup(ctx, &sdk.DeleteSecurityGroupInput{GroupId: &app}))
	must[*sdk.DeleteSecurityGroupOutput](t)(f.DeleteSecurityGroup(ctx, &sdk.DeleteSecurityGroupInput{GroupId: &web}))
}

func TestPermissionsAreGroupedByPorts(t *testing.T) {
	f, ctx := start(t), t.Context()
	vpc := f.vpc("10.0.0.0/16")
	id := f.group(vpc, "web")
	for _, p := range [][]types.IpPermission{tcp(80, "10.0.0.0/8"), tcp(80, "192.168.0.0/16"), {{IpProtocol: new("-1"), PrefixListIds: []types.PrefixListId{{PrefixListId: new("pl-63a5400a")}}}}} {
		must[*sdk.AuthorizeSecurityGroupIngressOutput](t)(f.AuthorizeSecurityGroupIngress(ctx, &sdk.AuthorizeSecurityGroupIngressInput{GroupId: &id, IpPermissions: p}))
	}
	got := must[*sdk.DescribeSecurityGroupsOutput](t)(f.DescribeSecurityGroups(ctx, &sdk.DescribeSecurityGroupsInput{GroupIds: []string{id}})).SecurityGroups[0]
	if len(got.IpPermissions) != 2 || len(got.IpPermissions[0].IpRanges) != 2 || got.IpPermissions[1].FromPort != nil || len(got.IpPermissionsEgress) != 1 {
		t.Errorf("got %+v", got)
	}
	must[*sdk.RevokeSecurityGroupEgressOutput](t)(f.RevokeSecurityGroupEgress(ctx, &sdk.RevokeSecurityGroupEgressInput{GroupId: &id, IpPermissions: got.IpPermissionsEgress}))
	refused[*sdk.RevokeSecurityGroupEgressOutput](t, "InvalidPermission.NotFound")(f.RevokeSecurityGroupEgress(ctx, &sdk.RevokeSecurityGroupEgressInput{GroupId: &id, IpPermissions: got.IpPermissionsEgress}))
	for _, g := range f.topology().VPCs[0].SecurityGroups {
		if g.ID != id {
			continue
		}
		if len(g.Ingress) != 3 || g.Ingress[2].CIDR.String() != "203.0.113.10/32" || len(g.Egress) != 0 {
			t.Errorf("the data plane gets %+v", g)
		}
	}
}

func TestSecurityGroupRefusals(t *testing.T) {
	f, ctx := start(t), t.Context()
	vpc, other := f.vpc("10.0.0.0/16"), f.vpc("10.1.0.0/16")
	id, stranger := f.group(vpc, "web"), f.group(other, "web")
	create := func(name, description string) (*sdk.CreateSecurityGroupOutput, error) {
		return f.CreateSecurityGroup(ctx, &sdk.CreateSecurityGroupInput{VpcId: &vpc, GroupName: &name, Description: &description})
	}
	refused[*sdk.CreateSecurityGroupOutput](t, "InvalidGroup.Duplicate")(create("web", "again"))
	refused[*sdk.CreateSecurityGroupOutput](t, "InvalidParameterValue")(create("sg-x", "name"))
	refused[*sdk.CreateSecurityGroupOutput](t, "InvalidParameterValue")(create("default", "name"))
	refused[*sdk.CreateSecurityGroupOutput](t, "InvalidParameterValue")(create("late", "naïve"))
	for code, p := range map[string]types.IpPermission{
		"InvalidParameterValue":        {IpProtocol: new("tcp"), FromPort: new(int32(90)), ToPort: new(int32(80)), IpRanges: []types.IpRange{{CidrIp: new("10.0.0.0/8")}}},
		"InvalidPermission.Malformed":  {IpProtocol: new("carrier-pigeon"), IpRanges: []types.IpRange{{CidrIp: new("10.0.0.0/8")}}},
		"InvalidGroup.NotFound":        {IpProtocol: new("-1"), UserIdGroupPairs: []types.UserIdGroupPair{{GroupId: &stranger}}},
		"InvalidPrefixListId.NotFound": {IpProtocol: new("-1"), PrefixListIds: []types.PrefixListId{{PrefixListId: new("pl-1")}}},
		"MissingParameter":             {IpProtocol: new("-1")},
	} {
		refused[*sdk.AuthorizeSecurityGroupIngressOutput](t, code)(f.AuthorizeSecurityGroupIngress(ctx, &sdk.AuthorizeSecurityGroupIngressInput{GroupId: &id, IpPermissions: []types.IpPermission{p}}))
	}
	defaults := must[*sdk.DescribeSecurityGroupsOutput](t)(f.DescribeSecurityGroups(ctx, &sdk.DescribeSecurityGroupsInput{Filters: filter("group-name", "default")})).SecurityGroups
	refused[*sdk.DeleteSecurityGroupOutput](t, "CannotDelete")(f.DeleteSecurityGroup(ctx, &sdk.DeleteSecurityGroupInput{GroupId: defaults[0].GroupId}))
}
