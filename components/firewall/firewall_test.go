package firewall_test

import (
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/firewall"
	"storefront/components/internal/componenttest"
)

const (
	key      = "arn:aws:kms:us-east-1:123456789012:key/k"
	balancer = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/shop/50dc6c495c0c9188"
	acl      = "aws:wafv2/webAcl:WebAcl"
)

func args() *firewall.Args {
	return &firewall.Args{LoadBalancerARN: pulumi.String(balancer), KeyARN: pulumi.String(key), Allowed: []string{"198.51.100.7/32"}, Blocked: []string{"192.0.2.0/24"}}
}

func run(t *testing.T, a *firewall.Args) *componenttest.Recorder {
	t.Helper()
	return componenttest.Run(t, func(ctx *pulumi.Context, p *aws.Provider) error {
		_, err := firewall.New(ctx, "shop", a, pulumi.Provider(p))
		return err
	})
}

func TestFirewall(t *testing.T) {
	r := run(t, args())
	r.CheckTree(t, "shop")
	r.GoldenURNs(t, "testdata/urns.txt")
	r.One(t, acl, "shop").CheckInputs(t, map[string]any{
		"scope": "REGIONAL", "visibilityConfig.metricName": "shop", "visibilityConfig.sampledRequestsEnabled": true,
		"rules[0].name": "allowed", "rules[0].priority": 0.0, "rules[1].name": "blocked", "rules[2].name": "rate",
		"rules[2].statement.rateBasedStatement.limit": 2000.0, "rules[2].statement.rateBasedStatement.aggregateKeyType": "IP",
		"rules[3].statement.managedRuleGroupStatement.name": "AWSManagedRulesAmazonIpReputationList", "rules[4].statement.managedRuleGroupStatement.name": "AWSManagedRulesCommonRuleSet",
		"rules[5].statement.managedRuleGroupStatement.name": "AWSManagedRulesKnownBadInputsRuleSet", "rules[6].statement.managedRuleGroupStatement.name": "AWSManagedRulesSQLiRuleSet",
		"rules[4].overrideAction.count": nil,
	})
	r.One(t, "aws:wafv2/ipSet:IpSet", "shop-blocked").CheckInputs(t, map[string]any{"addresses[0]": "192.0.2.0/24", "ipAddressVersion": "IPV4"})
	r.One(t, "aws:wafv2/ipSet:IpSet", "shop-allowed").CheckInputs(t, map[string]any{"addresses[0]": "198.51.100.7/32"})
	r.One(t, "aws:wafv2/webAclAssociation:WebAclAssociation", "shop").CheckInputs(t, map[string]any{"resourceArn": balancer})
}

func TestLogHasNoSecrets(t *testing.T) {
	r := run(t, args())
	r.One(t, "aws:cloudwatch/logGroup:LogGroup", "shop-log").CheckInputs(t, map[string]any{"namePrefix": "aws-waf-logs-shop-", "kmsKeyId": key, "retentionInDays": 30.0})
	r.One(t, "aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration", "shop").CheckInputs(t, map[string]any{
		"redactedFields[0].singleHeader.name": "authorization", "redactedFields[1].singleHeader.name": "cookie",
		"logDestinationConfigs[0]": "arn:aws:logs:us-east-1:123456789012:log-group:shop-log",
	})
}

func TestGroupsCountBeforeTheyBlock(t *testing.T) {
	a := args()
	a.Count = []string{"sqli", "common/SizeRestrictions_BODY"}
	rules := run(t, a).One(t, acl, "shop")
	if rules.Input("rules[6].overrideAction.count") == nil || rules.Input("rules[6].overrideAction.none") != nil || rules.Input("rules[4].overrideAction.none") == nil {
		t.Error("sqli must count, and common must not")
	}
	rules.CheckInputs(t, map[string]any{"rules[4].statement.managedRuleGroupStatement.ruleActionOverrides[0].name": "SizeRestrictions_BODY"})
}

// Nobody is let past the rules unless somebody is named; the list of those who are turned away is there for an emergency.
func TestNobodyIsAllowed(t *testing.T) {
	a := args()
	a.Allowed, a.Blocked = nil, nil
	r := run(t, a)
	r.One(t, acl, "shop").CheckInputs(t, map[string]any{"rules[0].name": "blocked", "rules[0].priority": 1.0, "rules[1].name": "rate"})
	r.One(t, "aws:wafv2/ipSet:IpSet", "shop-blocked").CheckInputs(t, map[string]any{"addresses[0]": nil})
}

func TestArgs(t *testing.T) {
	for name, change := range map[string]func(*firewall.Args){
		"no load balancer": func(a *firewall.Args) { a.LoadBalancerARN = nil },
		"rate":             func(a *firewall.Args) { a.RateLimit = 99 },
		"group":            func(a *firewall.Args) { a.Count = []string{"bots"} },
		"rule of a group":  func(a *firewall.Args) { a.Count = []string{"bots/x"} },
		"rule of no name":  func(a *firewall.Args) { a.Count = []string{"sqli/"} },
		"host bits":        func(a *firewall.Args) { a.Blocked = []string{"192.0.2.1/24"} },
		"everything":       func(a *firewall.Args) { a.Allowed = []string{"0.0.0.0/0"} },
		"IPv6":             func(a *firewall.Args) { a.Allowed = []string{"2001:db8::/32"} },
	} {
		t.Run(name, func(t *testing.T) {
			a := args()
			change(a)
			componenttest.CheckRefused(t, firewall.ErrArgs, func(ctx *pulumi.Context, p *aws.Provider) error {
				_, err := firewall.New(ctx, "shop", a, pulumi.Provider(p))
				return err
			})
		})
	}
}
