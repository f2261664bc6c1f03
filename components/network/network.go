// Package network makes a VPC with public, private and data subnets in two or three availability zones (one is allowed, for
// trials), and what a VPC needs to be safe: the default security group, network ACL and route table are taken over and emptied, flow logs
// are kept, data subnets talk inside the VPC only.
//
// Left out, for later issues: IPv6, IPAM pools, NAT instances and customer-owned addresses, private hosted zones, cache subnet groups.
package network

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/tags"
)

// Type is the component's type token.
const Type = "storefront:network:Network"

// ErrArgs says that the arguments cannot make a network; the text tells which and why.
var ErrArgs = errors.New("network arguments")

// NAT says how private subnets reach the internet.
type NAT string

// NAT modes. The empty mode is NATPerZone.
const (
	NATPerZone NAT = "per-zone" // a gateway in each zone: no zone depends on another
	NATSingle  NAT = "single"   // one gateway in the first zone listed: cheaper; the other zones depend on that one
	NATNone    NAT = "none"     // no way out but VPC endpoints
)

// Args describe a network.
type Args struct {
	Region string   // AWS region
	Zones  []string // names of one to three zones of the region; more can be added later, nothing moves
	CIDR   string   // the VPC's IPv4 block, a private prefix of 16 to 21 bits
	NAT    NAT

	// InterfaceEndpoints are AWS services to reach without NAT, by the last part of their name ("secretsmanager"). The S3
	// gateway endpoint costs nothing and is always there.
	InterfaceEndpoints []string

	FlowLogDays int                   // days to keep flow logs, one of CloudWatch's values (1, 3, 5, 7, 14, 30, ...); 0 means 30
	LogKeyARN   pulumi.StringPtrInput // KMS key for the flow logs; nil means the service's own
}

// Network is a VPC and its subnets.
type Network struct {
	pulumi.ResourceState

	VpcID               pulumi.IDOutput     `pulumi:"vpcId"`
	CIDR                pulumi.StringOutput `pulumi:"cidr"`
	DatabaseSubnetGroup pulumi.StringOutput `pulumi:"databaseSubnetGroup"` // name of the RDS subnet group of the data subnets
	FlowLogGroup        pulumi.StringOutput `pulumi:"flowLogGroup"`
	// Subnets has the subnet of each tier by zone name.
	Subnets map[Tier]map[string]*ec2.Subnet
	// EndpointSecurityGroupID guards the interface endpoints; empty without them.
	EndpointSecurityGroupID pulumi.StringOutput `pulumi:"endpointSecurityGroupId"`

	name    string
	args    Args
	vpc     *ec2.Vpc
	tables  map[Tier]map[string]*ec2.RouteTable // private: by zone; public and data: one, under ""
	gateway *ec2.InternetGateway
	ready   map[Tier][]pulumi.CustomResource // what a subnet needs to work
}

// NewNetwork makes a network. Errors of arguments are ErrArgs, ErrCIDR and ErrZone.
func NewNetwork(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Network, error) {
	block, err := check(args)
	if err != nil {
		return nil, fmt.Errorf("network %s: %w", name, err)
	}
	n := &Network{name: name, args: *args, ready: map[Tier][]pulumi.CustomResource{}, EndpointSecurityGroupID: pulumi.String("").ToStringOutput()}
	if err := ctx.RegisterComponentResource(Type, name, n, opts...); err != nil {
		return nil, err
	}
	child := pulumi.Parent(n)
	n.vpc, err = ec2.NewVpc(ctx, name, &ec2.VpcArgs{
		CidrBlock:          pulumi.String(args.CIDR),
		EnableDnsHostnames: pulumi.Bool(true), // interface endpoints' private names need both
		EnableDnsSupport:   pulumi.Bool(true),
		Tags:               tags.Named(name),
	}, child)
	if err != nil {
		return nil, fmt.Errorf("creating the VPC: %w", err)
	}
	for _, step := range []func(*pulumi.Context, netip.Prefix, pulumi.ResourceOption) error{
		n.makeSubnets, n.makeRoutes, n.makeNAT, n.makeACLs, n.emptyDefaults, n.makeEndpoints, n.makeFlowLogs, n.makeGroups,
	} {
		if err := step(ctx, block, child); err != nil {
			return nil, err
		}
	}
	n.VpcID, n.CIDR = n.vpc.ID(), n.vpc.CidrBlock
	return n, ctx.RegisterResourceOutputs(n, pulumi.Map{
		"vpcId": n.VpcID, "cidr": n.CIDR, "databaseSubnetGroup": n.DatabaseSubnetGroup, "flowLogGroup": n.FlowLogGroup,
		"endpointSecurityGroupId": n.EndpointSecurityGroupID,
	})
}

// SubnetIDs returns the IDs of a tier's subnets, in the order of zone names, once the tier's routes are there: what starts
// in a subnet can reach what the tier reaches. Those that exist are known in a preview, whatever is added beside them.
func (n *Network) SubnetIDs(tier Tier) pulumi.StringArray {
	var ready []any
	for _, r := range n.ready[tier] {
		ready = append(ready, r.URN()) // not the ID, which a preview knows only of what exists
	}
	var ids pulumi.StringArray
	for _, id := range n.subnetIDs(tier) {
		ids = append(ids, pulumi.All(append([]any{id}, ready...)...).ApplyT(func(v []any) string { return v[0].(string) }).(pulumi.StringOutput))
	}
	return ids
}

func (n *Network) subnetIDs(tier Tier) pulumi.StringArray {
	var ids pulumi.StringArray
	for _, zone := range n.zones() {
		ids = append(ids, n.Subnets[tier][zone].ID().ToStringOutput())
	}
	return ids
}

func (n *Network) zones() []string { return slices.Sorted(slices.Values(n.args.Zones)) }

func check(args *Args) (netip.Prefix, error) {
	block, err := ParseVPC(args.CIDR)
	if err != nil {
		return block, err
	}
	if len(args.Zones) < 1 || len(args.Zones) > 3 {
		return block, fmt.Errorf("%w: %d zones: 1 to 3 are allowed", ErrArgs, len(args.Zones))
	}
	for i, zone := range args.Zones {
		if slices.Contains(args.Zones[:i], zone) {
			return block, fmt.Errorf("%w: zone %q is listed twice", ErrArgs, zone)
		}
		if _, err := slot(args.Region, zone); err != nil {
			return block, err
		}
	}
	switch args.NAT {
	case "", NATPerZone, NATSingle, NATNone:
		return block, nil
	}
	return block, fmt.Errorf("%w: NAT %q: none, single and per-zone are allowed", ErrArgs, args.NAT)
}

func (n *Network) makeSubnets(ctx *pulumi.Context, block netip.Prefix, child pulumi.ResourceOption) error {
	n.Subnets = map[Tier]map[string]*ec2.Subnet{}
	for _, tier := range tiers {
		n.Subnets[tier] = map[string]*ec2.Subnet{}
		for _, zone := range n.zones() {
			cidr, err := Block(block, n.args.Region, zone, tier)
			if err != nil {
				return err
			}
			name := fmt.Sprintf("%s-%s-%s", n.name, tier, zone)
			n.Subnets[tier][zone], err = ec2.NewSubnet(ctx, name, &ec2.SubnetArgs{
				VpcId:               n.vpc.ID(),
				AvailabilityZone:    pulumi.String(zone),
				CidrBlock:           pulumi.String(cidr.String()),
				MapPublicIpOnLaunch: pulumi.Bool(false), // public addresses are asked for one by one
				Tags:                tags.Named(name),
			}, child)
			if err != nil {
				return fmt.Errorf("creating subnet %s: %w", name, err)
			}
		}
	}
	return nil
}

func (n *Network) makeGroups(ctx *pulumi.Context, _ netip.Prefix, child pulumi.ResourceOption) error {
	g, err := rds.NewSubnetGroup(ctx, n.name, &rds.SubnetGroupArgs{
		Description: pulumi.String("Data subnets of " + n.name),
		SubnetIds:   n.subnetIDs(Data),
	}, child)
	if err != nil {
		return fmt.Errorf("creating the database subnet group: %w", err)
	}
	n.DatabaseSubnetGroup = g.Name
	return nil
}

func logGroup(ctx *pulumi.Context, name string, days int, key pulumi.StringPtrInput, child pulumi.ResourceOption) (*cloudwatch.LogGroup, error) {
	if days == 0 {
		days = 30
	}
	return cloudwatch.NewLogGroup(ctx, name, &cloudwatch.LogGroupArgs{RetentionInDays: pulumi.Int(days), KmsKeyId: key}, child)
}
