package network_test

import (
	"errors"
	"fmt"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/componenttest"
	"storefront/components/network"
)

func args() *network.Args {
	return &network.Args{Region: "us-east-1", Zones: []string{"us-east-1a", "us-east-1b"}, CIDR: "10.0.0.0/16"}
}

func run(t *testing.T, a *network.Args) *componenttest.Recorder {
	t.Helper()
	return componenttest.Run(t, func(ctx *pulumi.Context, p *aws.Provider) error {
		_, err := network.NewNetwork(ctx, "shop", a, pulumi.Provider(p))
		return err
	})
}

func TestNetwork(t *testing.T) {
	r := run(t, args())
	r.CheckTree(t, "shop")
	r.GoldenURNs(t, "testdata/urns.txt")
	want := map[string]int{
		"aws:ec2/vpc:Vpc": 1, "aws:ec2/subnet:Subnet": 6, "aws:ec2/internetGateway:InternetGateway": 1,
		"aws:ec2/routeTable:RouteTable": 4, "aws:ec2/routeTableAssociation:RouteTableAssociation": 6, "aws:ec2/route:Route": 3,
		"aws:ec2/natGateway:NatGateway": 2, "aws:ec2/eip:Eip": 2,
		"aws:ec2/networkAcl:NetworkAcl": 3, "aws:ec2/networkAclRule:NetworkAclRule": 6, "aws:ec2/networkAclAssociation:NetworkAclAssociation": 6,
		"aws:ec2/defaultNetworkAcl:DefaultNetworkAcl": 1, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": 1,
		"aws:ec2/defaultRouteTable:DefaultRouteTable": 1, "aws:ec2/vpcEndpoint:VpcEndpoint": 1,
		"aws:ec2/flowLog:FlowLog": 1, "aws:cloudwatch/logGroup:LogGroup": 1, "aws:iam/role:Role": 1, "aws:iam/rolePolicy:RolePolicy": 1,
		"aws:rds/subnetGroup:SubnetGroup": 1,
	}
	r.CheckCounts(t, want)
	for name, cidr := range map[string]string{
		"shop-private-us-east-1a": "10.0.0.0/20", "shop-public-us-east-1a": "10.0.16.0/22", "shop-data-us-east-1a": "10.0.20.0/22",
		"shop-private-us-east-1b": "10.0.32.0/20", "shop-public-us-east-1b": "10.0.48.0/22", "shop-data-us-east-1b": "10.0.52.0/22",
	} {
		s := r.One(t, "aws:ec2/subnet:Subnet", name)
		if s.Input("cidrBlock") != cidr || s.Input("mapPublicIpOnLaunch") != false {
			t.Errorf("%s: %v, public addresses %v; want %s and false", name, s.Input("cidrBlock"), s.Input("mapPublicIpOnLaunch"), cidr)
		}
	}
}

func TestDefaultsAreEmpty(t *testing.T) {
	r := run(t, args())
	group := r.One(t, "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "shop")
	if group.Input("ingress") != nil || group.Input("egress") != nil {
		t.Errorf("default security group: ingress %v, egress %v; want none", group.Input("ingress"), group.Input("egress"))
	}
	acl := r.One(t, "aws:ec2/defaultNetworkAcl:DefaultNetworkAcl", "shop")
	if acl.Input("ingress") != nil || acl.Input("egress") != nil {
		t.Errorf("default network ACL: ingress %v, egress %v; want none", acl.Input("ingress"), acl.Input("egress"))
	}
	if got := len(acl.DependsOn); got < 6 {
		t.Errorf("the default network ACL waits for %d associations, want 6", got)
	}
	if routes, ok := r.One(t, "aws:ec2/defaultRouteTable:DefaultRouteTable", "shop").Input("routes").([]any); !ok || len(routes) != 0 {
		t.Errorf("default route table: routes %v, want an empty list: without one the provider leaves what is there", routes)
	}
}

func TestDataTierStaysInside(t *testing.T) {
	r := run(t, args())
	for _, route := range r.All("aws:ec2/route:Route") {
		if table := route.Input("routeTableId"); table == "shop-data-id" {
			t.Errorf("route %s is in the data tier's table", route.Name)
		}
	}
	for _, direction := range []string{"in", "out"} {
		if got := r.One(t, "aws:ec2/networkAclRule:NetworkAclRule", "shop-data-"+direction).Input("cidrBlock"); got != "10.0.0.0/16" {
			t.Errorf("data tier, %s: %v is allowed, want the VPC only", direction, got)
		}
	}
}

func TestNAT(t *testing.T) {
	for _, tt := range []struct {
		mode     network.NAT
		gateways int
		routes   map[string]any // private route tables' gateways
	}{
		{network.NATPerZone, 2, map[string]any{"shop-nat-us-east-1a": "shop-nat-us-east-1a-id", "shop-nat-us-east-1b": "shop-nat-us-east-1b-id"}},
		{network.NATSingle, 1, map[string]any{"shop-nat-us-east-1a": "shop-nat-us-east-1b-id", "shop-nat-us-east-1b": "shop-nat-us-east-1b-id"}},
		{network.NATNone, 0, map[string]any{}},
	} {
		t.Run(string(tt.mode), func(t *testing.T) {
			a := args()
			a.Zones, a.NAT = []string{"us-east-1b", "us-east-1a"}, tt.mode
			r := run(t, a)
			if got := len(r.All("aws:ec2/natGateway:NatGateway")); got != tt.gateways {
				t.Errorf("%d gateways, want %d", got, tt.gateways)
			}
			routes := map[string]any{}
			for _, route := range r.All("aws:ec2/route:Route") {
				if nat := route.Input("natGatewayId"); nat != nil {
					routes[route.Name] = nat
				}
			}
			if diff := cmp.Diff(tt.routes, routes); diff != "" {
				t.Errorf("routes (-want +got):\n%s", diff)
			}
		})
	}
}

// A third zone adds resources; of those that were there, none gets another input that AWS would replace it for.
func TestAddingAZoneMovesNothing(t *testing.T) {
	before := run(t, args())
	a := args()
	a.Zones = []string{"us-east-1c", "us-east-1a", "us-east-1b"}
	after := run(t, a)
	for _, kind := range []string{"aws:ec2/subnet:Subnet", "aws:ec2/natGateway:NatGateway", "aws:ec2/routeTable:RouteTable", "aws:ec2/route:Route", "aws:ec2/eip:Eip"} {
		for _, old := range before.All(kind) {
			now := after.One(t, kind, old.Name)
			if diff := cmp.Diff(fmt.Sprint(old.Inputs), fmt.Sprint(now.Inputs)); diff != "" || old.URN != now.URN {
				t.Errorf("%s %s changed:\n%s", kind, old.Name, diff)
			}
		}
	}
	if got := len(after.All("aws:ec2/subnet:Subnet")); got != 9 {
		t.Errorf("%d subnets with three zones, want 9", got)
	}
}

func TestInterfaceEndpoints(t *testing.T) {
	a := args()
	a.InterfaceEndpoints = []string{"secretsmanager", "kms"}
	r := run(t, a)
	if got := len(r.All("aws:ec2/vpcEndpoint:VpcEndpoint")); got != 3 {
		t.Errorf("%d endpoints, want 3", got)
	}
	e := r.One(t, "aws:ec2/vpcEndpoint:VpcEndpoint", "shop-secretsmanager")
	if e.Input("serviceName") != "com.amazonaws.us-east-1.secretsmanager" || e.Input("privateDnsEnabled") != true {
		t.Errorf("endpoint: %v", e.Inputs)
	}
	rule := r.One(t, "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "shop-endpoints-https")
	if rule.Input("cidrIpv4") != "10.0.0.0/16" || rule.Input("fromPort") != 443.0 || rule.Input("toPort") != 443.0 {
		t.Errorf("rule: %v", rule.Inputs)
	}
	if got := r.All("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"); len(got) != 0 {
		t.Errorf("endpoints may reach out: %v", got)
	}
}

func TestFlowLogRole(t *testing.T) {
	r := run(t, args())
	role := r.One(t, "aws:iam/role:Role", "shop-flow-logs")
	const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"vpc-flow-logs.amazonaws.com"},"Action":"sts:AssumeRole",` +
		`"Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:ec2:us-east-1:123456789012:vpc-flow-log/*"},"StringEquals":{"aws:SourceAccount":"123456789012"}}}]}`
	if got := role.Input("assumeRolePolicy"); got != trust {
		t.Errorf("trust policy:\ngot  %v\nwant %s", got, trust)
	}
	const write = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["logs:CreateLogStream","logs:PutLogEvents"],` +
		`"Resource":"arn:aws:logs:us-east-1:123456789012:log-group:shop-flow-logs:*"},` +
		`{"Effect":"Allow","Action":["logs:DescribeLogGroups","logs:DescribeLogStreams"],"Resource":"*"}]}`
	if got := r.One(t, "aws:iam/rolePolicy:RolePolicy", "shop-flow-logs").Input("policy"); got != write {
		t.Errorf("role policy:\ngot  %v\nwant %s", got, write)
	}
	if got := r.One(t, "aws:cloudwatch/logGroup:LogGroup", "shop-flow-logs").Input("retentionInDays"); got != 30.0 {
		t.Errorf("flow logs are kept for %v days, want 30", got)
	}
}

func TestRefusals(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*network.Args)
		want   error
	}{
		"no zones":     {func(a *network.Args) { a.Zones = nil }, network.ErrArgs},
		"four zones":   {func(a *network.Args) { a.Zones = []string{"us-east-1a", "us-east-1b", "us-east-1c", "us-east-1d"} }, network.ErrArgs},
		"twice":        {func(a *network.Args) { a.Zones = []string{"us-east-1a", "us-east-1a"} }, network.ErrArgs},
		"other region": {func(a *network.Args) { a.Zones = []string{"eu-west-1a"} }, network.ErrZone},
		"bad block":    {func(a *network.Args) { a.CIDR = "10.0.0.0/8" }, network.ErrCIDR},
		"NAT mode":     {func(a *network.Args) { a.NAT = "ha" }, network.ErrArgs},
	} {
		t.Run(name, func(t *testing.T) {
			a := args()
			tt.change(a)
			r, err := componenttest.Try(func(ctx *pulumi.Context, p *aws.Provider) error {
				_, err := network.NewNetwork(ctx, "shop", a, pulumi.Provider(p))
				if !errors.Is(err, tt.want) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
				return err
			})
			if err == nil || len(r.Counts()) != 0 {
				t.Errorf("error %v, resources %v; want an error and none", err, maps.Clone(r.Counts()))
			}
		})
	}
}
