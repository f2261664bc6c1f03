package fms_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/fms"
	"github.com/aws/aws-sdk-go-v2/service/fms/types"

	api "storefront/lab/api/fms"
	"storefront/lab/firewall"
	"storefront/lab/fms"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wafv2"
	"storefront/lab/wire/wiretest"
)

const (
	account  = "000000000000"
	balancer = "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/"
)

// harness is Firewall Manager behind a wire server, over a WAF, with two load balancers and some security groups.
type harness struct {
	*sdk.Client
	t       *testing.T
	service *fms.Service
	waf     *wafv2.Service
	store   *state.Store
	groups  []fms.Resource
}

// added are the load balancers beyond those of every test, under a name that Firewall Manager watches.
var added = state.NewTable[fms.Resource]("elbv2.test")

func start(t *testing.T) *harness {
	h := &harness{t: t, store: wiretest.Must(state.Open(filepath.Join(t.TempDir(), "state")))}
	t.Cleanup(func() { _ = h.store.Close() })
	h.waf = wafv2.New(wafv2.Config{Store: h.store, Region: region.Default(), Now: time.Now, Engine: firewall.New(time.Now), Resource: func(*state.Tx, string) (bool, bool) { return true, true }})
	h.service = fms.New(fms.Config{Store: h.store, Region: region.Default(), Now: time.Now, Firewall: h.waf, Log: slog.New(slog.DiscardHandler),
		LoadBalancers: func(tx *state.Tx) []fms.Resource {
			list := []fms.Resource{{ID: balancer + "shop/1", Tags: map[string]string{"env": "prod"}}, {ID: balancer + "other/1"}}
			for _, lb := range added.All(tx) {
				list = append(list, lb)
			}
			return list
		},
		SecurityGroups: func(*state.Tx) []fms.Resource { return h.groups }})
	h.Client = sdk.NewFromConfig(wiretest.New(t, api.New(h.service)).Config())
	return h
}

func (h *harness) administer() {
	h.t.Helper()
	wiretest.Must(h.AssociateAdminAccount(h.t.Context(), &sdk.AssociateAdminAccountInput{AdminAccount: new(account)}))
}

func policy(kind types.SecurityServiceType, resource, data string, remediate bool) *types.Policy {
	return &types.Policy{PolicyName: new("p"), ResourceType: &resource, RemediationEnabled: remediate, SecurityServicePolicyData: &types.SecurityServicePolicyData{Type: kind, ManagedServiceData: &data}}
}

const web = `{"type":"WAFV2","preProcessRuleGroups":[{"ruleGroupType":"ManagedRuleGroup","managedRuleGroupIdentifier":{"vendorName":"AWS","managedRuleGroupName":"AWSManagedRulesSQLiRuleSet"},"overrideAction":{"type":"NONE"},"excludeRules":[]}],
	"postProcessRuleGroups":[],"defaultAction":{"type":"ALLOW"},"overrideCustomerWebACLAssociation":false}`

func wafPolicy(remediate bool) *types.Policy {
	p := policy(types.SecurityServiceTypeWafv2, "AWS::ElasticLoadBalancingV2::LoadBalancer", web, remediate)
	p.ResourceTags = []types.ResourceTag{{Key: new("env"), Value: new("prod")}}
	return p
}

func (h *harness) violators(id *string) (list []types.ComplianceViolator) {
	h.t.Helper()
	return wiretest.Must(h.GetComplianceDetail(h.t.Context(), &sdk.GetComplianceDetailInput{PolicyId: id, MemberAccount: new(account)})).PolicyComplianceDetail.Violators
}

func TestWithoutAnAdministrator(t *testing.T) {
	h := start(t)
	ctx := t.Context()
	_, err := h.PutPolicy(ctx, &sdk.PutPolicyInput{Policy: wafPolicy(false)})
	wiretest.Refused(t, err, "AccessDeniedException", "is not currently delegated by AWS FM")
	_, err = h.GetAdminAccount(ctx, &sdk.GetAdminAccountInput{}) // as the AWS provider expects before it makes an account the administrator
	wiretest.Refused(t, err, "ResourceNotFoundException", "has no administrator of AWS FM")
	_, err = h.DisassociateAdminAccount(ctx, &sdk.DisassociateAdminAccountInput{})
	wiretest.Refused(t, err, "AccessDeniedException", "No default admin could be found for account")
	h.administer()
	if got := wiretest.Must(h.GetAdminAccount(ctx, &sdk.GetAdminAccountInput{})); *got.AdminAccount != account || got.RoleStatus != types.AccountRoleStatusReady {
		t.Errorf("got %+v", got)
	}
}

// association is the web ACL in front of a load balancer.
func (h *harness) association(name string) (acl string) {
	h.t.Helper()
	if err := h.store.View(func(tx *state.Tx) (err error) { acl, err = h.waf.Association(tx, balancer+name); return err }); err != nil {
		h.t.Fatal(err)
	}
	return acl
}

// A load balancer that is made later gets the web ACL without anybody asking.
func TestNewLoadBalancerGetsTheWebACL(t *testing.T) {
	h := start(t)
	h.administer()
	ctx, end := context.WithCancel(t.Context())
	ran := make(chan error, 1)
	go func() { ran <- h.service.Run(ctx) }()
	wiretest.Must(h.PutPolicy(ctx, &sdk.PutPolicyInput{Policy: wafPolicy(true)}))
	if err := h.store.Update(func(tx *state.Tx) error {
		for name, env := range map[string]string{"new/1": "prod", "test/1": "test"} {
			if err := added.Put(tx, name, fms.Resource{ID: balancer + name, Tags: map[string]string{"env": env}}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); h.association("new/1") == ""; runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("the new load balancer has no web ACL")
		}
	}
	if acl := h.association("test/1"); acl != "" {
		t.Errorf("a load balancer out of scope has the web ACL %s", acl)
	}
	end()
	if err := <-ran; err != nil {
		t.Error(err)
	}
}

// A policy is about the accounts that it includes, or about all but those that it excludes.
func TestAccountsInScope(t *testing.T) {
	h := start(t)
	h.administer()
	for name, tt := range map[string]struct {
		include, exclude map[string][]string
		in               bool
	}{
		"everybody": {nil, nil, true}, "empty": {map[string][]string{"ACCOUNT": {}, "ORG_UNIT": {}}, nil, true}, "included": {map[string][]string{"ACCOUNT": {account}}, nil, true}, "others": {map[string][]string{"ACCOUNT": {"111111111111"}}, nil, false},
		"excluded": {nil, map[string][]string{"ACCOUNT": {account}}, false}, "both": {map[string][]string{"ACCOUNT": {account}}, map[string][]string{"ACCOUNT": {account}}, true},
	} {
		p := wafPolicy(false)
		p.PolicyName, p.IncludeMap, p.ExcludeMap = &name, tt.include, tt.exclude
		made := wiretest.Must(h.PutPolicy(t.Context(), &sdk.PutPolicyInput{Policy: p})).Policy
		if v := h.violators(made.PolicyId); len(v) > 0 != tt.in {
			t.Errorf("%s: violators %+v", name, v)
		}
	}
	p := wafPolicy(false)
	p.PolicyName, p.IncludeMap = new("unit"), map[string][]string{"ORG_UNIT": {"ou-1"}}
	_, err := h.PutPolicy(t.Context(), &sdk.PutPolicyInput{Policy: p})
	wiretest.Refused(t, err, "InvalidInputException", "ORG_UNIT")
}

// A group that lets in what the policy's group lists is reported; one that only refers to other groups is not.
func TestDeniedRules(t *testing.T) {
	h := start(t)
	h.administer()
	ssh := fms.Rule{Protocol: "tcp", From: 22, To: 22, Peer: "0.0.0.0/0"}
	h.groups = []fms.Resource{
		{ID: "sg-denied", Rules: []fms.Rule{ssh}},
		{ID: "sg-shop", Rules: []fms.Rule{{Protocol: "tcp", From: 443, To: 443, Peer: "0.0.0.0/0"}, {Protocol: "tcp", From: 22, To: 22, Peer: "sg-bastion"}}},
		{ID: "sg-office", Rules: []fms.Rule{{Protocol: "tcp", From: 22, To: 22, Peer: "198.51.100.0/24"}}},
		{ID: "sg-open", Rules: []fms.Rule{{Protocol: "-1", From: -1, To: -1, Peer: "0.0.0.0/0"}}},
		{ID: "sg-out", Rules: []fms.Rule{{Egress: true, Protocol: "tcp", From: 22, To: 22, Peer: "0.0.0.0/0"}}},
	}
	made := wiretest.Must(h.PutPolicy(t.Context(), &sdk.PutPolicyInput{Policy: policy(types.SecurityServiceTypeSecurityGroupsContentAudit, "AWS::EC2::SecurityGroup",
		`{"type":"SECURITY_GROUPS_CONTENT_AUDIT","securityGroups":[{"id":"sg-denied"}],"securityGroupAction":{"type":"DENY"}}`, false)})).Policy
	if v := h.violators(made.PolicyId); len(v) != 2 || *v[0].ResourceId != "sg-office" || *v[1].ResourceId != "sg-open" {
		t.Errorf("got %+v", v)
	}
}

func TestWebACLGoesToLoadBalancersInScope(t *testing.T) {
	h := start(t)
	h.administer()
	ctx := t.Context()
	made := wiretest.Must(h.PutPolicy(ctx, &sdk.PutPolicyInput{Policy: wafPolicy(false)})).Policy
	if v := h.violators(made.PolicyId); len(v) != 1 || *v[0].ResourceId != balancer+"shop/1" || v[0].ViolationReason != types.ViolationReasonResourceMissingWebAcl {
		t.Fatalf("got %+v", v)
	}
	association := h.association
	if err := h.service.Reconcile(); err != nil || association("shop/1") != "" {
		t.Fatalf("a policy without remediation attached %q, %v", association("shop/1"), err)
	}
	made.RemediationEnabled = true
	updated := wiretest.Must(h.PutPolicy(ctx, &sdk.PutPolicyInput{Policy: made})).Policy
	_, err := h.PutPolicy(ctx, &sdk.PutPolicyInput{Policy: made})
	wiretest.Refused(t, err, "InvalidOperationException", "PolicyUpdateToken")
	if err := h.service.Reconcile(); err != nil || association("shop/1") == "" || association("other/1") != "" {
		t.Fatalf("in scope %q, out of scope %q, %v", association("shop/1"), association("other/1"), err)
	}
	if v := h.violators(updated.PolicyId); len(v) != 0 {
		t.Errorf("got %+v", v)
	}
	_ = h.store.View(func(tx *state.Tx) error {
		a, ok, err := h.waf.ACLOf(tx, balancer+"shop/1")
		if err != nil || !ok || len(a.ACL.Rules) != 1 {
			t.Errorf("the web ACL has %d rules, %v", len(a.ACL.Rules), err)
		}
		return nil
	})
	wiretest.Must(h.DeletePolicy(ctx, &sdk.DeletePolicyInput{PolicyId: made.PolicyId, DeleteAllPolicyResources: true}))
	if association("shop/1") != "" {
		t.Error("the web ACL outlived its policy")
	}
}

func TestAuditsOfSecurityGroups(t *testing.T) {
	h := start(t)
	h.administer()
	ctx := t.Context()
	https := fms.Rule{Protocol: "tcp", From: 443, To: 443, Peer: "0.0.0.0/0"}
	h.groups = []fms.Resource{
		{ID: "sg-audit", Rules: []fms.Rule{https, {Protocol: "tcp", From: 0, To: 65535, Peer: "10.0.0.0/8"}}},
		{ID: "sg-good", Rules: []fms.Rule{https, {Protocol: "tcp", From: 5432, To: 5432, Peer: "10.1.0.0/16"}}},
		{ID: "sg-ssh", Rules: []fms.Rule{{Protocol: "tcp", From: 22, To: 22, Peer: "0.0.0.0/0"}}},
		{ID: "sg-same", Rules: []fms.Rule{{Protocol: "tcp", From: 22, To: 22, Peer: "0.0.0.0/0"}}},
		{ID: "sg-unused", Unused: true},
	}
	const group = "AWS::EC2::SecurityGroup"
	content := wiretest.Must(h.PutPolicy(ctx, &sdk.PutPolicyInput{Policy: policy(types.SecurityServiceTypeSecurityGroupsContentAudit, group,
		`{"type":"SECURITY_GROUPS_CONTENT_AUDIT","securityGroups":[{"id":"sg-audit"}],"securityGroupAction":{"type":"ALLOW"}}`, false)})).Policy
	if v := h.violators(content.PolicyId); len(v) != 2 || *v[0].ResourceId != "sg-ssh" || v[0].ViolationReason != types.ViolationReasonResourceViolatesAuditSecurityGroup {
		t.Errorf("content: %+v", v)
	}
	usage := policy(types.SecurityServiceTypeSecurityGroupsUsageAudit, group, `{"type":"SECURITY_GROUPS_USAGE_AUDIT","deleteUnusedSecurityGroups":true,"coalesceRedundantSecurityGroups":true}`, false)
	usage.PolicyName = new("usage")
	made := wiretest.Must(h.PutPolicy(ctx, &sdk.PutPolicyInput{Policy: usage})).Policy
	if v := h.violators(made.PolicyId); len(v) != 2 || *v[0].ResourceId != "sg-same" || v[1].ViolationReason != types.ViolationReasonSecurityGroupUnused {
		t.Errorf("usage: %+v", v)
	}
	status := wiretest.Must(h.ListComplianceStatus(ctx, &sdk.ListComplianceStatusInput{PolicyId: made.PolicyId})).PolicyComplianceStatusList[0].EvaluationResults[0]
	if status.ComplianceStatus != types.PolicyComplianceStatusTypeNonCompliant || status.ViolatorCount != 2 {
		t.Errorf("got %+v", status)
	}
	for name, p := range map[string]*types.Policy{
		"Shield":      policy(types.SecurityServiceTypeShieldAdvanced, "AWS::ElasticLoadBalancingV2::LoadBalancer", `{"type":"SHIELD_ADVANCED"}`, false),
		"remediation": policy(types.SecurityServiceTypeSecurityGroupsUsageAudit, group, *usage.SecurityServicePolicyData.ManagedServiceData, true),
		"no JSON":     policy(types.SecurityServiceTypeWafv2, "AWS::ElasticLoadBalancingV2::LoadBalancer", `{`, false),
		"resource":    policy(types.SecurityServiceTypeWafv2, group, web, false),
		"DNS":         policy(types.SecurityServiceTypeDnsFirewall, "AWS::EC2::VPC", `{"type":"DNS_FIREWALL"}`, false),
	} {
		p.PolicyName = &name
		_, err := h.PutPolicy(ctx, &sdk.PutPolicyInput{Policy: p})
		code := "InvalidInputException"
		if name == "Shield" {
			code = "InvalidOperationException"
		}
		wiretest.Refused(t, err, code, "")
	}
}
