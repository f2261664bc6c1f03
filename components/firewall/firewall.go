// Package firewall makes a regional web ACL for a load balancer: AWS's managed groups against common attacks, bad inputs, SQL injection and clients of bad
// reputation, each of which can count before it blocks; a limit on the requests of one client; lists of addresses that always and never pass; and a log without
// the fields that carry secrets.
//
// It is a package of its own because the types of AWS WAF take long to compile. Left out: CloudFront, bot and fraud control, CAPTCHA, rules about countries.
package firewall

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/wafv2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/tags"
)

// Type is the component's type token.
const Type = "storefront:firewall:Firewall"

// ErrArgs says that the arguments cannot make a firewall; the text tells which and why.
var ErrArgs = errors.New("firewall arguments")

const (
	scope     = "REGIONAL"
	logPrefix = "aws-waf-logs-" // AWS WAF writes to no log group of another name
)

// Args describe a firewall.
type Args struct {
	LoadBalancerARN pulumi.StringInput
	KeyARN          pulumi.StringInput // KMS key of the log; nil means CloudWatch Logs' own encryption
	LogDays         int                // days to keep the log; 0 means 30

	// Count names what only counts the requests that it would block: managed groups ("sqli"), which is how a group is tried on real traffic first, and rules
	// of them ("common/SizeRestrictions_BODY"), for those that block what is wanted. See Groups.
	Count []string

	RateLimit int      // requests of one client in five minutes, 100 to 2,000,000,000; 0 means 2000
	Blocked   []string // IPv4 blocks that never pass
	Allowed   []string // IPv4 blocks that always pass, whatever they send; they go before Blocked
}

// Firewall is a web ACL in front of a load balancer.
type Firewall struct {
	pulumi.ResourceState

	WebACLARN  pulumi.StringOutput `pulumi:"webAclArn"`
	WebACLName pulumi.StringOutput `pulumi:"webAclName"`
	LogGroup   pulumi.StringOutput `pulumi:"logGroup"`

	name string
	args Args
}

// group is a managed group of the preset.
type group struct {
	name, managed string
	priority      int
}

// preset is in the order of evaluation: who is known as bad is turned away before anything is looked at.
func preset() []group {
	return []group{
		{"reputation", "AWSManagedRulesAmazonIpReputationList", 10}, {"common", "AWSManagedRulesCommonRuleSet", 20},
		{"bad-inputs", "AWSManagedRulesKnownBadInputsRuleSet", 30}, {"sqli", "AWSManagedRulesSQLiRuleSet", 40},
	}
}

// Groups are the names of the managed groups, as Args.Count takes them.
func Groups() []string {
	var names []string
	for _, g := range preset() {
		names = append(names, g.name)
	}
	return names
}

// New makes a firewall. Errors of arguments are ErrArgs.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Firewall, error) {
	a := *args
	a.LogDays, a.RateLimit = cmp.Or(a.LogDays, 30), cmp.Or(a.RateLimit, 2000)
	if err := check(&a); err != nil {
		return nil, fmt.Errorf("firewall %s: %w", name, err)
	}
	f := &Firewall{name: name, args: a}
	if err := ctx.RegisterComponentResource(Type, name, f, opts...); err != nil {
		return nil, err
	}
	child := pulumi.Parent(f)
	rules, err := f.rules(ctx, child)
	if err != nil {
		return nil, err
	}
	acl, err := wafv2.NewWebAcl(ctx, name, &wafv2.WebAclArgs{
		Scope:            pulumi.String(scope),
		DefaultAction:    &wafv2.WebAclDefaultActionArgs{Allow: &wafv2.WebAclDefaultActionAllowArgs{}},
		Rules:            rules,
		VisibilityConfig: &wafv2.WebAclVisibilityConfigArgs{CloudwatchMetricsEnabled: pulumi.Bool(true), SampledRequestsEnabled: pulumi.Bool(true), MetricName: pulumi.String(name)},
		Tags:             tags.Named(name),
	}, child)
	if err != nil {
		return nil, fmt.Errorf("creating the web ACL: %w", err)
	}
	logs, err := f.log(ctx, acl, child)
	if err != nil {
		return nil, err
	}
	_, err = wafv2.NewWebAclAssociation(ctx, name, &wafv2.WebAclAssociationArgs{ResourceArn: a.LoadBalancerARN, WebAclArn: acl.Arn},
		child, pulumi.DependsOn([]pulumi.Resource{logs})) // nothing is decided that the log misses
	if err != nil {
		return nil, fmt.Errorf("associating the web ACL: %w", err)
	}
	f.WebACLARN, f.WebACLName = acl.Arn, acl.Name
	return f, ctx.RegisterResourceOutputs(f, pulumi.Map{"webAclArn": f.WebACLARN, "webAclName": f.WebACLName, "logGroup": f.LogGroup})
}

func check(a *Args) error {
	if a.LoadBalancerARN == nil {
		return fmt.Errorf("%w: LoadBalancerARN is required", ErrArgs)
	}
	if a.RateLimit < 100 || a.RateLimit > 2_000_000_000 {
		return fmt.Errorf("%w: RateLimit %d: 100 to 2,000,000,000 are allowed", ErrArgs, a.RateLimit)
	}
	for _, name := range a.Count {
		group, rule, ofGroup := strings.Cut(name, "/")
		if known := Groups(); !slices.Contains(known, group) || ofGroup && rule == "" {
			return fmt.Errorf("%w: Count: %q is no group like those of %q, and no rule like common/SizeRestrictions_BODY", ErrArgs, name, known)
		}
	}
	for _, list := range [][]string{a.Blocked, a.Allowed} {
		for _, block := range list {
			if p, err := netip.ParsePrefix(block); err != nil || !p.Addr().Is4() || p.Masked() != p || p.Bits() == 0 {
				return fmt.Errorf("%w: %q is no IPv4 block like 192.0.2.0/24", ErrArgs, block)
			}
		}
	}
	return nil
}

// log makes the web ACL's log. What proves who a client is stays out of it.
func (f *Firewall) log(ctx *pulumi.Context, acl *wafv2.WebAcl, child pulumi.ResourceOption) (pulumi.Resource, error) {
	var key pulumi.StringPtrInput
	if f.args.KeyARN != nil {
		key = f.args.KeyARN.ToStringOutput().ToStringPtrOutput()
	}
	logs, err := cloudwatch.NewLogGroup(ctx, f.name+"-log", &cloudwatch.LogGroupArgs{NamePrefix: pulumi.String(logPrefix + f.name + "-"), RetentionInDays: pulumi.Int(f.args.LogDays), KmsKeyId: key, Tags: tags.Named(f.name)}, child)
	if err != nil {
		return nil, fmt.Errorf("creating the log group: %w", err)
	}
	f.LogGroup = logs.Name
	var redacted wafv2.WebAclLoggingConfigurationRedactedFieldArray
	for _, header := range []string{"authorization", "cookie"} {
		redacted = append(redacted, &wafv2.WebAclLoggingConfigurationRedactedFieldArgs{
			SingleHeader: &wafv2.WebAclLoggingConfigurationRedactedFieldSingleHeaderArgs{Name: pulumi.String(header)}})
	}
	made, err := wafv2.NewWebAclLoggingConfiguration(ctx, f.name, &wafv2.WebAclLoggingConfigurationArgs{
		ResourceArn: acl.Arn, LogDestinationConfigs: pulumi.StringArray{logs.Arn}, RedactedFields: redacted,
	}, child)
	if err != nil {
		return nil, fmt.Errorf("configuring the log: %w", err)
	}
	return made, nil
}
