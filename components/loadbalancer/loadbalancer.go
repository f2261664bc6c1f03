// Package loadbalancer makes an application load balancer: HTTPS with a modern policy when a certificate is given (plain HTTP
// is then redirected), invalid headers dropped, access logs in a bucket of its own, alarms, security group rules for its clients and
// its targets and nobody else. Listeners, rules and target groups are kept by name, so that one more changes no other.
//
// Left out, for later issues: requesting and validating the certificate, the Route 53 alias and the WAF association (they come
// with those blocks), weighted target groups, connection logs, zonal shift, IPv6.
package loadbalancer

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/bucket"
	"storefront/components/internal/naming"
	"storefront/components/internal/tags"
)

// Type is the component's type token.
const Type = "storefront:loadbalancer:LoadBalancer"

// ErrArgs says that the arguments cannot make a load balancer; the text tells which and why.
var ErrArgs = errors.New("load balancer arguments")

// Args describe a load balancer.
type Args struct {
	Region    string
	AccountID pulumi.StringInput // whose load balancers may write the access logs
	VpcID     pulumi.StringInput
	SubnetIDs pulumi.StringArrayInput // in at least two zones

	// CertificateARN is an ACM certificate. Nil means plain HTTP on port 80.
	CertificateARN pulumi.StringPtrInput
	// AllowedCIDRs are the clients' IPv4 blocks; empty means anyone.
	AllowedCIDRs []string

	TargetGroups map[string]TargetGroup // by a stable name
	Default      string                 // the target group of requests that no rule matches; empty answers them 404
	Rules        map[string]Rule        // by a stable name

	DeletionProtection bool
	LogDays            int  // days to keep access logs; 0 means 90
	ForceDestroy       bool // let a destroy delete the access logs

	AlarmActions []pulumi.StringInput // topics that alarms are told to; empty leaves the alarms out
}

// TargetGroup describes servers that answer the same requests.
type TargetGroup struct {
	Port int // where they listen, HTTP
	// HealthPath must answer 200. Targets that do not are out of rotation, and an auto scaling group may replace them: it must
	// not depend on what all servers share, or the loss of that costs the whole fleet too.
	HealthPath     string
	HealthInterval int // seconds between checks, 5 to 300; 0 means 10
	DrainSeconds   int // how long a leaving target may finish its requests, 1 to 3600; 0 means 30
}

// Rule sends what matches any of the paths to a target group.
type Rule struct {
	Priority    int      // 1 to 50000, smaller first, unique
	Paths       []string // patterns with * and ?
	TargetGroup string
}

// LoadBalancer is a load balancer with its listeners.
type LoadBalancer struct {
	pulumi.ResourceState

	ARN             pulumi.StringOutput `pulumi:"arn"`
	DNSName         pulumi.StringOutput `pulumi:"dnsName"`
	ZoneID          pulumi.StringOutput `pulumi:"zoneId"` // for alias records
	URL             pulumi.StringOutput `pulumi:"url"`
	SecurityGroupID pulumi.IDOutput     `pulumi:"securityGroupId"`
	LogBucket       pulumi.StringOutput `pulumi:"logBucket"`

	name     string
	args     Args
	balancer *lb.LoadBalancer
	group    *ec2.SecurityGroup
	groups   map[string]*lb.TargetGroup
	listener *lb.Listener // the one that forwards
}

// New makes a load balancer. Errors of arguments are ErrArgs.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*LoadBalancer, error) {
	if err := check(args); err != nil {
		return nil, fmt.Errorf("load balancer %s: %w", name, err)
	}
	l := &LoadBalancer{name: name, args: *args, groups: map[string]*lb.TargetGroup{}}
	if err := ctx.RegisterComponentResource(Type, name, l, opts...); err != nil {
		return nil, err
	}
	child := pulumi.Parent(l)
	logs, err := l.makeLogBucket(ctx, child)
	if err != nil {
		return nil, err
	}
	if err := l.makeSecurityGroup(ctx, child); err != nil {
		return nil, err
	}
	if err := l.makeBalancer(ctx, logs, child); err != nil {
		return nil, err
	}
	if err := l.makeTargetGroups(ctx, child); err != nil {
		return nil, err
	}
	if err := l.makeListeners(ctx, child); err != nil {
		return nil, err
	}
	if err := l.makeAlarms(ctx, child); err != nil {
		return nil, err
	}
	scheme := "http"
	if args.CertificateARN != nil {
		scheme = "https"
	}
	l.ARN, l.DNSName, l.ZoneID, l.SecurityGroupID = l.balancer.Arn, l.balancer.DnsName, l.balancer.ZoneId, l.group.ID()
	l.URL, l.LogBucket = pulumi.Sprintf("%s://%s", scheme, l.DNSName), logs.Bucket.Bucket
	return l, ctx.RegisterResourceOutputs(l, pulumi.Map{
		"arn": l.ARN, "dnsName": l.DNSName, "zoneId": l.ZoneID, "url": l.URL, "securityGroupId": l.SecurityGroupID, "logBucket": l.LogBucket,
	})
}

func check(args *Args) error {
	if _, ok := args.TargetGroups[args.Default]; args.Default != "" && !ok {
		return fmt.Errorf("%w: the default target group %q is not among the target groups", ErrArgs, args.Default)
	}
	priorities := map[int]string{}
	for _, name := range slices.Sorted(maps.Keys(args.Rules)) {
		r := args.Rules[name]
		if _, ok := args.TargetGroups[r.TargetGroup]; !ok {
			return fmt.Errorf("%w: rule %q: there is no target group %q", ErrArgs, name, r.TargetGroup)
		}
		if r.Priority < 1 || r.Priority > 50000 {
			return fmt.Errorf("%w: rule %q: priority %d: 1 to 50000 are allowed", ErrArgs, name, r.Priority)
		}
		if other, ok := priorities[r.Priority]; ok {
			return fmt.Errorf("%w: rules %q and %q have the same priority %d", ErrArgs, other, name, r.Priority)
		}
		priorities[r.Priority] = name
	}
	for name, g := range args.TargetGroups {
		if g.Port < 1 || g.Port > 65535 {
			return fmt.Errorf("%w: target group %q: port %d", ErrArgs, name, g.Port)
		}
	}
	return nil
}

func (l *LoadBalancer) makeBalancer(ctx *pulumi.Context, logs *bucket.Bucket, child pulumi.ResourceOption) error {
	var err error
	l.balancer, err = lb.NewLoadBalancer(ctx, naming.Logical(naming.LoadBalancerLimit, l.name), &lb.LoadBalancerArgs{
		LoadBalancerType:         pulumi.String("application"),
		Subnets:                  l.args.SubnetIDs,
		SecurityGroups:           pulumi.StringArray{l.group.ID()},
		DropInvalidHeaderFields:  pulumi.Bool(true),
		DesyncMitigationMode:     pulumi.String("defensive"),
		EnableHttp2:              pulumi.Bool(true),
		EnableDeletionProtection: pulumi.Bool(l.args.DeletionProtection),
		IdleTimeout:              pulumi.Int(60),
		AccessLogs:               &lb.LoadBalancerAccessLogsArgs{Bucket: logs.Bucket.Bucket, Enabled: pulumi.Bool(true)},
		Tags:                     tags.Named(l.name),
	}, child, pulumi.DependsOn([]pulumi.Resource{logs.Policy})) // AWS tries to write before it accepts the bucket
	if err != nil {
		return fmt.Errorf("creating the load balancer: %w", err)
	}
	return nil
}

// TargetGroupARN returns the ARN of a target group, once a listener forwards to it: a server that registers earlier is
// "unused", not healthy. It waits for the listener's URN: its ARN would be unknown in a preview that adds a certificate, and with it all that names the target group.
func (l *LoadBalancer) TargetGroupARN(name string) (pulumi.StringOutput, error) {
	g, err := l.targetGroup(name)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return pulumi.All(g.Arn, l.listener.URN()).ApplyT(func(v []any) string { return v[0].(string) }).(pulumi.StringOutput), nil
}

// RequestLabel returns the resource label of a target group's ALBRequestCountPerTarget metric.
func (l *LoadBalancer) RequestLabel(name string) (pulumi.StringOutput, error) {
	g, err := l.targetGroup(name)
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return pulumi.All(l.balancer.ArnSuffix, g.ArnSuffix, l.listener.URN()).ApplyT(func(v []any) string {
		return v[0].(string) + "/" + v[1].(string)
	}).(pulumi.StringOutput), nil
}

func (l *LoadBalancer) targetGroup(name string) (*lb.TargetGroup, error) {
	g := l.groups[name]
	if g == nil {
		return nil, fmt.Errorf("%w: there is no target group %q", ErrArgs, name)
	}
	return g, nil
}
