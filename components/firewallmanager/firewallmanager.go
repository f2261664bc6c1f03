// Package firewallmanager makes policies of AWS Firewall Manager, which watch over what a stack does not make itself: a web ACL for load balancers that somebody
// adds, reports on security groups that open administration to anyone or that nobody uses, and Shield Advanced for accounts that are subscribed to it.
//
// Its caller must be an administrator of Firewall Manager, in an organization whose accounts have AWS Config on. Left out: WAF Classic, common security groups,
// network ACLs, Network Firewall, DNS Firewall, managed audit rules, organizational units, and the logs of the web ACL, which Firewall Manager sends to S3 and Firehose only.
package firewallmanager

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/fms"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/securitygroup"
	"storefront/components/internal/tags"
)

// Type is the component's type token.
const Type = "storefront:firewallmanager:Policies"

// ErrArgs says that the arguments cannot make policies; the text tells which and why.
var ErrArgs = errors.New("firewall manager arguments")

// What policies are about.
const (
	loadBalancers  = "AWS::ElasticLoadBalancingV2::LoadBalancer"
	securityGroups = "AWS::EC2::SecurityGroup"
)

// Args describe policies.
type Args struct {
	Accounts pulumi.StringArray // IDs of the accounts that the policies are about: nothing holds for a whole organization by default
	VpcID    pulumi.StringInput // of the group that holds what security groups are audited against; nothing joins it

	// ResourceTags are the tags of the load balancers that get a web ACL and Shield, all of them; an empty value stands for any. At least one is required.
	ResourceTags map[string]string
	// Count makes the web ACL's groups only count what they would block.
	Count bool
	// Shield protects the load balancers with Shield Advanced. The accounts must be subscribed to it; a subscription costs by the year.
	Shield bool
}

// Policies are those of Firewall Manager.
type Policies struct {
	pulumi.ResourceState

	WebACLID       pulumi.StringOutput `pulumi:"webAclPolicyId"`
	ContentAuditID pulumi.StringOutput `pulumi:"contentAuditPolicyId"`
	UsageAuditID   pulumi.StringOutput `pulumi:"usageAuditPolicyId"`

	name string
	args Args
}

// New makes policies. Errors of arguments are ErrArgs.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Policies, error) {
	if err := check(args); err != nil {
		return nil, fmt.Errorf("firewall manager %s: %w", name, err)
	}
	p := &Policies{name: name, args: *args}
	if err := ctx.RegisterComponentResource(Type, name, p, opts...); err != nil {
		return nil, err
	}
	child := pulumi.Parent(p)
	acl, err := p.policy(ctx, "web-acl", &fms.PolicyArgs{ResourceType: pulumi.String(loadBalancers), ResourceTags: pulumi.ToStringMap(args.ResourceTags), RemediationEnabled: pulumi.Bool(true),
		SecurityServicePolicyData: data("WAFV2", pulumi.String(webACL(args.Count)))}, child)
	if err != nil {
		return nil, err
	}
	denied, err := p.denied(ctx, child)
	if err != nil {
		return nil, err
	}
	content, err := p.policy(ctx, "content-audit", &fms.PolicyArgs{ResourceType: pulumi.String(securityGroups),
		SecurityServicePolicyData: data("SECURITY_GROUPS_CONTENT_AUDIT", denied.ID().ToStringOutput().ApplyT(contentAudit).(pulumi.StringOutput))}, child)
	if err != nil {
		return nil, err
	}
	usage, err := p.policy(ctx, "usage-audit", &fms.PolicyArgs{ResourceType: pulumi.String(securityGroups), ResourceTags: tags.Named(p.deniedName()), ExcludeResourceTags: pulumi.Bool(true),
		SecurityServicePolicyData: data("SECURITY_GROUPS_USAGE_AUDIT", pulumi.String(usageAudit()))}, child)
	if err != nil {
		return nil, err
	}
	if args.Shield {
		if _, err := p.policy(ctx, "shield", &fms.PolicyArgs{ResourceType: pulumi.String(loadBalancers), ResourceTags: pulumi.ToStringMap(args.ResourceTags), RemediationEnabled: pulumi.Bool(true),
			SecurityServicePolicyData: data("SHIELD_ADVANCED", nil)}, child); err != nil {
			return nil, err
		}
	}
	p.WebACLID, p.ContentAuditID, p.UsageAuditID = acl.ID().ToStringOutput(), content.ID().ToStringOutput(), usage.ID().ToStringOutput()
	return p, ctx.RegisterResourceOutputs(p, pulumi.Map{"webAclPolicyId": p.WebACLID, "contentAuditPolicyId": p.ContentAuditID, "usageAuditPolicyId": p.UsageAuditID})
}

func check(a *Args) error {
	switch {
	case len(a.Accounts) == 0:
		return fmt.Errorf("%w: Accounts: name one at least", ErrArgs)
	case a.VpcID == nil:
		return fmt.Errorf("%w: VpcID is required", ErrArgs)
	case len(a.ResourceTags) == 0 || len(a.ResourceTags) > 8:
		return fmt.Errorf("%w: ResourceTags has %d tags: 1 to 8 are allowed", ErrArgs, len(a.ResourceTags))
	}
	for key := range a.ResourceTags {
		if key == "" {
			return fmt.Errorf("%w: ResourceTags: a key is empty", ErrArgs)
		}
	}
	return nil
}

// policy makes a policy about the accounts. What it protected goes with it.
func (p *Policies) policy(ctx *pulumi.Context, kind string, args *fms.PolicyArgs, child pulumi.ResourceOption) (*fms.Policy, error) {
	name := p.name + "-" + kind
	args.Name, args.Tags = pulumi.String(name), tags.Named(name)
	args.IncludeMap = &fms.PolicyIncludeMapArgs{Accounts: p.args.Accounts}
	args.DeleteAllPolicyResources = pulumi.Bool(true)
	if args.ExcludeResourceTags == nil {
		args.ExcludeResourceTags = pulumi.Bool(false)
	}
	made, err := fms.NewPolicy(ctx, name, args, child)
	if err != nil {
		return nil, fmt.Errorf("creating the policy %s: %w", name, err)
	}
	return made, nil
}

func (p *Policies) deniedName() string { return p.name + "-denied" }

// denied makes a group of rules that no security group may have. It is in front of nothing: a list, in the only form that Firewall Manager reads.
func (p *Policies) denied(ctx *pulumi.Context, child pulumi.ResourceOption) (*ec2.SecurityGroup, error) {
	name := p.deniedName()
	g, err := securitygroup.New(ctx, name, "What AWS Firewall Manager reports in other groups: attach it to nothing", p.args.VpcID, child)
	if err != nil {
		return nil, err
	}
	for service, port := range map[string]int{"ssh": 22, "rdp": 3389} {
		if _, err := vpc.NewSecurityGroupIngressRule(ctx, name+"-"+service, &vpc.SecurityGroupIngressRuleArgs{
			SecurityGroupId: g.ID(), Description: pulumi.String("Reported: " + service), IpProtocol: pulumi.String("tcp"), FromPort: pulumi.Int(port), ToPort: pulumi.Int(port),
			CidrIpv4: pulumi.String("0.0.0.0/0"),
		}, child); err != nil {
			return nil, fmt.Errorf("listing %s as denied: %w", service, err)
		}
	}
	return g, nil
}
