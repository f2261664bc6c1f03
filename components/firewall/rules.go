package firewall

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/wafv2"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/tags"
)

// rules are the web ACL's rules, by priority: the lists, the rate, then the managed groups.
func (f *Firewall) rules(ctx *pulumi.Context, child pulumi.ResourceOption) (wafv2.WebAclRuleArray, error) {
	var rules wafv2.WebAclRuleArray
	if len(f.args.Allowed) > 0 {
		allowed, err := f.list(ctx, "allowed", f.args.Allowed, child)
		if err != nil {
			return nil, err
		}
		rules = append(rules, f.rule("allowed", 0, &wafv2.WebAclRuleActionArgs{Allow: &wafv2.WebAclRuleActionAllowArgs{}}, &wafv2.WebAclRuleStatementArgs{
			IpSetReferenceStatement: &wafv2.WebAclRuleStatementIpSetReferenceStatementArgs{Arn: allowed.Arn}}))
	}
	// This list is there when it is empty, too: who is attacked has no time for a deployment.
	blocked, err := f.list(ctx, "blocked", f.args.Blocked, child)
	if err != nil {
		return nil, err
	}
	block := &wafv2.WebAclRuleActionArgs{Block: &wafv2.WebAclRuleActionBlockArgs{}}
	rules = append(rules,
		f.rule("blocked", 1, block, &wafv2.WebAclRuleStatementArgs{IpSetReferenceStatement: &wafv2.WebAclRuleStatementIpSetReferenceStatementArgs{Arn: blocked.Arn}}),
		f.rule("rate", 2, block, &wafv2.WebAclRuleStatementArgs{RateBasedStatement: &wafv2.WebAclRuleStatementRateBasedStatementArgs{
			AggregateKeyType: pulumi.String("IP"), Limit: pulumi.Int(f.args.RateLimit), EvaluationWindowSec: pulumi.Int(300)}}),
	)
	for _, g := range preset() {
		rules = append(rules, f.managed(g))
	}
	return rules, nil
}

func (f *Firewall) list(ctx *pulumi.Context, kind string, addresses []string, child pulumi.ResourceOption) (*wafv2.IpSet, error) {
	name := f.name + "-" + kind
	set, err := wafv2.NewIpSet(ctx, name, &wafv2.IpSetArgs{Scope: pulumi.String(scope), IpAddressVersion: pulumi.String("IPV4"), Addresses: pulumi.ToStringArray(addresses), Tags: tags.Named(name)}, child)
	if err != nil {
		return nil, fmt.Errorf("creating the list of %s addresses: %w", kind, err)
	}
	return set, nil
}

func (f *Firewall) rule(name string, priority int, action *wafv2.WebAclRuleActionArgs, statement *wafv2.WebAclRuleStatementArgs) *wafv2.WebAclRuleArgs {
	return &wafv2.WebAclRuleArgs{Name: pulumi.String(name), Priority: pulumi.Int(priority), Action: action, Statement: statement, VisibilityConfig: f.visibility(name)}
}

func (f *Firewall) managed(g group) *wafv2.WebAclRuleArgs {
	override := &wafv2.WebAclRuleOverrideActionArgs{None: &wafv2.WebAclRuleOverrideActionNoneArgs{}}
	if slices.Contains(f.args.Count, g.name) {
		override = &wafv2.WebAclRuleOverrideActionArgs{Count: &wafv2.WebAclRuleOverrideActionCountArgs{}}
	}
	var counted wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideArray
	for _, name := range f.args.Count {
		rule, of := strings.CutPrefix(name, g.name+"/")
		if !of {
			continue
		}
		counted = append(counted, &wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideArgs{Name: pulumi.String(rule),
			ActionToUse: &wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideActionToUseArgs{Count: &wafv2.WebAclRuleStatementManagedRuleGroupStatementRuleActionOverrideActionToUseCountArgs{}}})
	}
	return &wafv2.WebAclRuleArgs{Name: pulumi.String(g.name), Priority: pulumi.Int(g.priority), OverrideAction: override, VisibilityConfig: f.visibility(g.name),
		Statement: &wafv2.WebAclRuleStatementArgs{ManagedRuleGroupStatement: &wafv2.WebAclRuleStatementManagedRuleGroupStatementArgs{
			VendorName: pulumi.String("AWS"), Name: pulumi.String(g.managed), RuleActionOverrides: counted}}}
}

func (f *Firewall) visibility(rule string) *wafv2.WebAclRuleVisibilityConfigArgs {
	return &wafv2.WebAclRuleVisibilityConfigArgs{CloudwatchMetricsEnabled: pulumi.Bool(true), SampledRequestsEnabled: pulumi.Bool(true), MetricName: pulumi.String(f.name + "-" + rule)}
}
