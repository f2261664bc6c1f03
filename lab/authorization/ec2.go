package authorization

import (
	"reflect"
	"strings"
)

// ec2 is the table of "Actions, resources, and condition keys for Amazon EC2". What most operations concern are the resources whose IDs stand in their input.
func ec2() service {
	creates := map[string][]string{
		"AllocateAddress": {"elastic-ip/*"}, "CreateFlowLogs": {"vpc-flow-log/*"}, "CreateInternetGateway": {"internet-gateway/*"}, "CreateKeyPair": {"key-pair/{KeyName}"},
		"CreateLaunchTemplate": {"launch-template/*"}, "CreateNatGateway": {"natgateway/*"}, "CreateNetworkAcl": {"network-acl/*"}, "CreateNetworkInterface": {"network-interface/*"},
		"CreateRouteTable": {"route-table/*"}, "CreateSecurityGroup": {"security-group/*"}, "CreateSubnet": {"subnet/*"}, "CreateVpc": {"vpc/*"}, "CreateVpcEndpoint": {"vpc-endpoint/*"},
		"ImportKeyPair": {"key-pair/{KeyName}"}, "RunInstances": {"instance/*", "network-interface/*", "volume/*"},
		"ReplaceNetworkAclAssociation": {"subnet/*"}, "ModifySecurityGroupRules": {"security-group-rule/*"},
	}
	only := map[string][]string{
		"CreateLaunchTemplate": nil, "CreateLaunchTemplateVersion": {"LaunchTemplateId"},
		"CreateRoute": {"RouteTableId"}, "ReplaceRoute": {"RouteTableId"}, "DeleteRoute": {"RouteTableId"}, "ModifySecurityGroupRules": {"GroupId"},
	}
	otherwise := map[string][]string{"DeleteLaunchTemplate": {"launch-template/*"}, "ModifyLaunchTemplate": {"launch-template/*"}, "CreateLaunchTemplateVersion": {"launch-template/*"},
		"DeleteLaunchTemplateVersions": {"launch-template/*"}, "DeleteKeyPair": {"key-pair/*"}, "DeleteSecurityGroup": {"security-group/*"},
		"DetachNetworkInterface": {"instance/*", "network-interface/*"}, "DisassociateAddress": {"elastic-ip/*"}, "DisassociateIamInstanceProfile": {"instance/*"},
		"ReplaceIamInstanceProfileAssociation": {"instance/*"}, "DisassociateRouteTable": {"route-table/*"}, "DisassociateVpcCidrBlock": {"vpc/*"},
	}
	for _, verb := range []string{"AuthorizeSecurityGroup", "RevokeSecurityGroup", "UpdateSecurityGroupRuleDescriptions"} {
		for _, direction := range []string{"Ingress", "Egress"} {
			only[verb+direction] = []string{"GroupId"}
			otherwise[verb+direction] = []string{"security-group/*"} // named by its rules, or by its name
		}
	}
	return service{
		prefix: "ec2", creates: creates, only: only, ids: ec2Resource,
		whole:     []string{"Describe*", "GetEbs*", "EnableEbs*", "DisableEbs*", "ModifyEbs*", "ResetEbs*"},
		otherwise: otherwise,
		context: func(input any) map[string][]string {
			return present(input, map[string]string{"ec2:instancetype": "InstanceType", "ec2:vpcid": "VpcId"})
		},
	}
}

// tagsMade asks for ec2:CreateTags on what an operation makes with tags, from "Grant permission to tag Amazon EC2 resources during creation".
func (a *Authorizer) tagsMade(operation string, input any) (asks []Ask) {
	walk(reflect.ValueOf(input), "", 0, func(depth int, member, value string) {
		if depth == 2 && member == "ResourceType" && value != "" {
			asks = append(asks, Ask{Action: "ec2:CreateTags", Resource: a.Region.ARN("ec2", value+"/*"), Context: map[string][]string{"ec2:createaction": {operation}}})
		}
	})
	return asks
}

// ec2Resource tells what an ID of EC2 is: its beginning says so.
func ec2Resource(_, id string) (string, bool) {
	prefix, number, ok := strings.Cut(id, "-")
	if !ok || len(number) != 17 || strings.Trim(number, "0123456789abcdef") != "" {
		return "", false
	}
	var kind string
	switch prefix {
	case "acl":
		kind = "network-acl"
	case "ami":
		kind = "image"
	case "eipalloc":
		kind = "elastic-ip"
	case "eni":
		kind = "network-interface"
	case "fl":
		kind = "vpc-flow-log"
	case "i":
		kind = "instance"
	case "igw":
		kind = "internet-gateway"
	case "key":
		kind = "key-pair"
	case "lt":
		kind = "launch-template"
	case "nat":
		kind = "natgateway"
	case "pl":
		kind = "prefix-list"
	case "rtb":
		kind = "route-table"
	case "sg":
		kind = "security-group"
	case "sgr":
		kind = "security-group-rule"
	case "subnet", "vpc":
		kind = prefix
	case "vol":
		kind = "volume"
	case "vpce":
		kind = "vpc-endpoint"
	default:
		return "", false
	}
	return kind + "/" + id, true
}
