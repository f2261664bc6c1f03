package firewallmanager_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/firewallmanager"
	"storefront/components/internal/componenttest"
)

const (
	policy  = "aws:fms/policy:Policy"
	rule    = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
	account = componenttest.Account
)

func args() *firewallmanager.Args {
	return &firewallmanager.Args{Accounts: pulumi.StringArray{pulumi.String(account)}, VpcID: pulumi.String("vpc-1"), ResourceTags: map[string]string{"Project": "shop"}}
}

func run(t *testing.T, a *firewallmanager.Args) *componenttest.Recorder {
	t.Helper()
	return componenttest.Run(t, func(ctx *pulumi.Context, p *aws.Provider) error {
		_, err := firewallmanager.New(ctx, "shop", a, pulumi.Provider(p))
		return err
	})
}

// content checks the JSON of a policy.
func content(t *testing.T, p componenttest.Resource, want map[string]any) {
	t.Helper()
	var got map[string]any
	if err := json.Unmarshal([]byte(p.Input("securityServicePolicyData.managedServiceData").(string)), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", p.Name, diff)
	}
}

func managed(name, action string) map[string]any {
	return map[string]any{"ruleGroupArn": nil, "overrideAction": map[string]any{"type": action}, "ruleGroupType": "ManagedRuleGroup", "excludeRules": []any{},
		"managedRuleGroupIdentifier": map[string]any{"version": nil, "vendorName": "AWS", "managedRuleGroupName": name}}
}

func webACL(action string) map[string]any {
	return map[string]any{"type": "WAFV2", "defaultAction": map[string]any{"type": "ALLOW"}, "overrideCustomerWebACLAssociation": false, "postProcessRuleGroups": []any{},
		"preProcessRuleGroups": []any{managed("AWSManagedRulesAmazonIpReputationList", action), managed("AWSManagedRulesCommonRuleSet", action),
			managed("AWSManagedRulesKnownBadInputsRuleSet", action), managed("AWSManagedRulesSQLiRuleSet", action)}}
}

func TestPolicies(t *testing.T) {
	r := run(t, args())
	r.CheckTree(t, "shop")
	r.GoldenURNs(t, "testdata/urns.txt")
	for _, name := range []string{"shop-web-acl", "shop-content-audit", "shop-usage-audit"} {
		r.One(t, policy, name).CheckInputs(t, map[string]any{"name": name, "includeMap.accounts[0]": account, "includeMap.orgunits": nil, "excludeMap": nil, "deleteAllPolicyResources": true})
	}
	acl := r.One(t, policy, "shop-web-acl")
	acl.CheckInputs(t, map[string]any{"resourceType": "AWS::ElasticLoadBalancingV2::LoadBalancer", "resourceTags.Project": "shop", "excludeResourceTags": false, "remediationEnabled": true})
	content(t, acl, webACL("NONE"))
}

// Firewall Manager reports what it finds in security groups, and changes none.
func TestAuditsReport(t *testing.T) {
	r := run(t, args())
	audit := r.One(t, policy, "shop-content-audit")
	audit.CheckInputs(t, map[string]any{"resourceType": "AWS::EC2::SecurityGroup", "resourceTags": nil, "remediationEnabled": nil})
	content(t, audit, map[string]any{"type": "SECURITY_GROUPS_CONTENT_AUDIT", "securityGroups": []any{map[string]any{"id": "sg-shop-denied"}}, "securityGroupAction": map[string]any{"type": "DENY"}})
	for name, port := range map[string]float64{"shop-denied-ssh": 22, "shop-denied-rdp": 3389} {
		r.One(t, rule, name).CheckInputs(t, map[string]any{"fromPort": port, "toPort": port, "ipProtocol": "tcp", "cidrIpv4": "0.0.0.0/0"})
	}
	usage := r.One(t, policy, "shop-usage-audit")
	usage.CheckInputs(t, map[string]any{"resourceType": "AWS::EC2::SecurityGroup", "resourceTags.Name": "shop-denied", "excludeResourceTags": true, "remediationEnabled": nil})
	content(t, usage, map[string]any{"type": "SECURITY_GROUPS_USAGE_AUDIT", "deleteUnusedSecurityGroups": true, "coalesceRedundantSecurityGroups": true})
}

func TestCountAndShield(t *testing.T) {
	a := args()
	a.Count, a.Shield = true, true
	r := run(t, a)
	content(t, r.One(t, policy, "shop-web-acl"), webACL("COUNT"))
	r.One(t, policy, "shop-shield").CheckInputs(t, map[string]any{"securityServicePolicyData.type": "SHIELD_ADVANCED", "securityServicePolicyData.managedServiceData": nil,
		"resourceType": "AWS::ElasticLoadBalancingV2::LoadBalancer", "resourceTags.Project": "shop", "includeMap.accounts[0]": account, "remediationEnabled": true})
}

func TestArgs(t *testing.T) {
	many := map[string]string{}
	for _, key := range "123456789" {
		many[string(key)] = ""
	}
	for name, change := range map[string]func(*firewallmanager.Args){
		"no account": func(a *firewallmanager.Args) { a.Accounts = nil },
		"no VPC":     func(a *firewallmanager.Args) { a.VpcID = nil },
		"everything": func(a *firewallmanager.Args) { a.ResourceTags = nil },
		"no key":     func(a *firewallmanager.Args) { a.ResourceTags = map[string]string{"": "x"} },
		"nine tags":  func(a *firewallmanager.Args) { a.ResourceTags = many },
	} {
		t.Run(name, func(t *testing.T) {
			a := args()
			change(a)
			componenttest.CheckRefused(t, firewallmanager.ErrArgs, func(ctx *pulumi.Context, p *aws.Provider) error {
				_, err := firewallmanager.New(ctx, "shop", a, pulumi.Provider(p))
				return err
			})
		})
	}
}
