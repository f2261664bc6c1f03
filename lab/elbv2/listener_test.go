package elbv2_test

import (
	"fmt"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"storefront/lab/state"
	"storefront/lab/wire/wiretest"
)

func TestListenerLife(t *testing.T) {
	f := newFixture(t)
	lb, tg := f.loadBalancer(t, "web"), f.targetGroup(t, "web")
	l := f.listener(t, lb, 80, forwardTo(tg.TargetGroupArn))
	action := l.DefaultActions[0]
	if *action.TargetGroupArn != *tg.TargetGroupArn || len(action.ForwardConfig.TargetGroups) != 1 || *action.ForwardConfig.TargetGroups[0].Weight != 1 || *action.ForwardConfig.TargetGroupStickinessConfig.Enabled {
		t.Errorf("the action reads back as %+v", action)
	}
	_, err := f.CreateListener(t.Context(), &sdk.CreateListenerInput{LoadBalancerArn: lb.LoadBalancerArn, Port: new(int32(80)), Protocol: types.ProtocolEnumHttp, DefaultActions: forwardTo(tg.TargetGroupArn)})
	wantError(t, err, "DuplicateListener", "already exists on this port")
	_, err = f.DeleteTargetGroup(t.Context(), &sdk.DeleteTargetGroupInput{TargetGroupArn: tg.TargetGroupArn})
	wantError(t, err, "ResourceInUse", "is currently in use by a listener or a rule")

	redirect := []types.Action{{Type: types.ActionTypeEnumRedirect, RedirectConfig: &types.RedirectActionConfig{
		Protocol: new("HTTPS"), Port: new("443"), StatusCode: types.RedirectActionStatusCodeEnumHttp301,
	}}}
	out, err := f.ModifyListener(t.Context(), &sdk.ModifyListenerInput{ListenerArn: l.ListenerArn, DefaultActions: redirect})
	if err != nil {
		t.Fatal(err)
	}
	r := out.Listeners[0].DefaultActions[0].RedirectConfig
	if *r.Host != "#{host}" || *r.Path != "/#{path}" || *r.Query != "#{query}" {
		t.Errorf("the redirect reads back as %+v", r)
	}
	if _, err := f.DeleteTargetGroup(t.Context(), &sdk.DeleteTargetGroupInput{TargetGroupArn: tg.TargetGroupArn}); err != nil {
		t.Errorf("a target group that is no longer used: %v", err)
	}
	if _, err := f.DeleteListener(t.Context(), &sdk.DeleteListenerInput{ListenerArn: l.ListenerArn}); err != nil {
		t.Fatal(err)
	}
	_, err = f.DescribeRules(t.Context(), &sdk.DescribeRulesInput{ListenerArn: l.ListenerArn})
	wantError(t, err, "ListenerNotFound", "not found")
}

func TestHTTPSListener(t *testing.T) {
	f := newFixture(t)
	lb := f.loadBalancer(t, "web")
	fixed := []types.Action{{Type: types.ActionTypeEnumFixedResponse, FixedResponseConfig: &types.FixedResponseActionConfig{StatusCode: new("200")}}}
	create := func(change func(*sdk.CreateListenerInput)) (*sdk.CreateListenerOutput, error) {
		in := &sdk.CreateListenerInput{LoadBalancerArn: lb.LoadBalancerArn, Port: new(int32(443)), Protocol: types.ProtocolEnumHttps, DefaultActions: fixed,
			Certificates: []types.Certificate{{CertificateArn: new(certificateARN)}}}
		change(in)
		return f.CreateListener(t.Context(), in)
	}
	for _, c := range []struct {
		code   string
		change func(*sdk.CreateListenerInput)
	}{
		{"ValidationError", func(in *sdk.CreateListenerInput) { in.Certificates = nil }},
		{"CertificateNotFound", func(in *sdk.CreateListenerInput) { in.Certificates[0].CertificateArn = new(pendingARN + "x") }},
		{"UnsupportedCertificate", func(in *sdk.CreateListenerInput) { in.Certificates[0].CertificateArn = new(pendingARN) }},
		{"SSLPolicyNotFound", func(in *sdk.CreateListenerInput) { in.SslPolicy = new("ELBSecurityPolicy-none") }},
		{"ValidationError", func(in *sdk.CreateListenerInput) { in.Protocol = types.ProtocolEnumHttp }},
		{"ValidationError", func(in *sdk.CreateListenerInput) { in.Protocol = types.ProtocolEnumTcp }},
		{"InvalidConfigurationRequest", func(in *sdk.CreateListenerInput) {
			in.MutualAuthentication = &types.MutualAuthenticationAttributes{Mode: new("verify")}
		}},
	} {
		_, err := create(c.change)
		wantError(t, err, c.code, "")
	}
	out, err := create(func(in *sdk.CreateListenerInput) { in.SslPolicy = new("ELBSecurityPolicy-TLS13-1-2-2021-06") })
	if err != nil {
		t.Fatal(err)
	}
	l := out.Listeners[0]
	if *l.SslPolicy != "ELBSecurityPolicy-TLS13-1-2-2021-06" || *l.Certificates[0].CertificateArn != certificateARN || *l.MutualAuthentication.Mode != "off" {
		t.Errorf("got %+v", l)
	}
	_, err = f.RemoveListenerCertificates(t.Context(), &sdk.RemoveListenerCertificatesInput{ListenerArn: l.ListenerArn, Certificates: l.Certificates})
	wantError(t, err, "OperationNotPermitted", "Default certificate")
}

func TestCertificatesByName(t *testing.T) {
	f := newFixture(t)
	lb := f.loadBalancer(t, "web")
	fixed := []types.Action{{Type: types.ActionTypeEnumFixedResponse, FixedResponseConfig: &types.FixedResponseActionConfig{StatusCode: new("200")}}}
	listener := wiretest.Must(f.CreateListener(t.Context(), &sdk.CreateListenerInput{LoadBalancerArn: lb.LoadBalancerArn, Port: new(int32(443)), Protocol: types.ProtocolEnumHttps, DefaultActions: fixed,
		Certificates: []types.Certificate{{CertificateArn: new(certificateARN)}}})).Listeners[0].ListenerArn
	add := func(arns ...string) error {
		in := &sdk.AddListenerCertificatesInput{ListenerArn: listener}
		for _, arn := range arns {
			in.Certificates = append(in.Certificates, types.Certificate{CertificateArn: &arn})
		}
		_, err := f.AddListenerCertificates(t.Context(), in)
		return err
	}
	var many []string
	for i := range 25 {
		many = append(many, fmt.Sprint(certificateARN, i))
	}
	if err := add(many...); err != nil {
		t.Fatal(err)
	}
	wantError(t, add(certificateARN+"25"), "TooManyCertificates", "")
	wantError(t, add(pendingARN), "UnsupportedCertificate", "")
	if all := wiretest.Must(f.DescribeListenerCertificates(t.Context(), &sdk.DescribeListenerCertificatesInput{ListenerArn: listener})).Certificates; len(all) != 26 || !*all[0].IsDefault || *all[1].IsDefault {
		t.Errorf("got %d certificates, the first two: %+v", len(all), all[:2])
	}
	users := func(arn string) (users []string) {
		_ = f.store.View(func(tx *state.Tx) error { users = f.service.CertificateUsers(tx, arn); return nil })
		return users
	}
	if got := users(many[3]); len(got) != 1 || got[0] != *lb.LoadBalancerArn {
		t.Errorf("the certificate is used by %v, want %s", got, *lb.LoadBalancerArn)
	}
	wiretest.Must(f.RemoveListenerCertificates(t.Context(), &sdk.RemoveListenerCertificatesInput{ListenerArn: listener, Certificates: []types.Certificate{{CertificateArn: &many[3]}}}))
	if got := users(many[3]); len(got) != 0 {
		t.Errorf("after its removal the certificate is used by %v", got)
	}
}

func TestRules(t *testing.T) {
	f := newFixture(t)
	lb, tg := f.loadBalancer(t, "web"), f.targetGroup(t, "web")
	l := f.listener(t, lb, 80, forwardTo(tg.TargetGroupArn))
	path := []types.RuleCondition{{Field: new("path-pattern"), PathPatternConfig: &types.PathPatternConditionConfig{Values: []string{"/a*"}}}}
	create := func(priority int32, conditions []types.RuleCondition) (*sdk.CreateRuleOutput, error) {
		return f.CreateRule(t.Context(), &sdk.CreateRuleInput{ListenerArn: l.ListenerArn, Priority: &priority, Conditions: conditions, Actions: forwardTo(tg.TargetGroupArn)})
	}
	first, err := create(20, path)
	if err != nil {
		t.Fatal(err)
	}
	if c := first.Rules[0].Conditions[0]; len(c.Values) != 1 || c.Values[0] != "/a*" {
		t.Errorf("a path condition reads back as %+v", c)
	}
	second, err := create(3, []types.RuleCondition{{Field: new("host-header"), Values: []string{"*.example.com"}}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = create(3, path)
	wantError(t, err, "PriorityInUse", "Priority '3' is currently in use")
	for _, bad := range [][]types.RuleCondition{
		{{Field: new("cookie"), Values: []string{"a"}}},
		{{Field: new("path-pattern")}},
		{{Field: new("path-pattern"), Values: []string{"/a b"}}},
		{{Field: new("path-pattern"), Values: []string{"/1", "/2", "/3", "/4", "/5", "/6"}}},
		{path[0], path[0]},
		{{Field: new("source-ip"), SourceIpConfig: &types.SourceIpConditionConfig{Values: []string{"10.0.0.1"}}}},
		{{Field: new("http-request-method"), HttpRequestMethodConfig: &types.HttpRequestMethodConditionConfig{Values: []string{"get"}}}},
	} {
		_, err := create(4, bad)
		wantError(t, err, "ValidationError", "")
	}
	if _, err := f.SetRulePriorities(t.Context(), &sdk.SetRulePrioritiesInput{RulePriorities: []types.RulePriorityPair{
		{RuleArn: first.Rules[0].RuleArn, Priority: new(int32(3))}, {RuleArn: second.Rules[0].RuleArn, Priority: new(int32(20))},
	}}); err != nil {
		t.Errorf("trading places: %v", err)
	}
	_, err = f.SetRulePriorities(t.Context(), &sdk.SetRulePrioritiesInput{RulePriorities: []types.RulePriorityPair{{RuleArn: first.Rules[0].RuleArn, Priority: new(int32(20))}}})
	wantError(t, err, "PriorityInUse", "20")
	out, err := f.DescribeRules(t.Context(), &sdk.DescribeRulesInput{ListenerArn: l.ListenerArn})
	if err != nil || len(out.Rules) != 3 || *out.Rules[0].RuleArn != *first.Rules[0].RuleArn || *out.Rules[2].Priority != "default" {
		t.Fatalf("got %v, %v", out, err)
	}
	_, err = f.DeleteRule(t.Context(), &sdk.DeleteRuleInput{RuleArn: out.Rules[2].RuleArn})
	wantError(t, err, "OperationNotPermitted", "Default rule")
}

func TestActionRefusals(t *testing.T) {
	f := newFixture(t)
	lb, tg, other := f.loadBalancer(t, "web"), f.targetGroup(t, "web"), f.targetGroup(t, "other")
	f.listener(t, f.loadBalancer(t, "second"), 80, forwardTo(other.TargetGroupArn))
	redirect := func(r types.RedirectActionConfig) []types.Action {
		r.StatusCode = types.RedirectActionStatusCodeEnumHttp302
		return []types.Action{{Type: types.ActionTypeEnumRedirect, RedirectConfig: &r}}
	}
	for _, c := range []struct {
		code    string
		actions []types.Action
	}{
		{"TargetGroupNotFound", forwardTo(new(*tg.TargetGroupArn + "0"))},
		{"TargetGroupAssociationLimit", forwardTo(other.TargetGroupArn)},
		{"InvalidLoadBalancerAction", redirect(types.RedirectActionConfig{Query: new("a=b")})},
		{"ValidationError", redirect(types.RedirectActionConfig{Path: new("nope")})},
		{"ValidationError", redirect(types.RedirectActionConfig{Port: new("0")})},
		{"ValidationError", []types.Action{{Type: types.ActionTypeEnumFixedResponse, FixedResponseConfig: &types.FixedResponseActionConfig{StatusCode: new("302")}}}},
		{"InvalidLoadBalancerAction", append(forwardTo(tg.TargetGroupArn), forwardTo(tg.TargetGroupArn)...)},
		{"InvalidConfigurationRequest", []types.Action{{Type: types.ActionTypeEnumAuthenticateCognito}}},
	} {
		_, err := f.CreateListener(t.Context(), &sdk.CreateListenerInput{LoadBalancerArn: lb.LoadBalancerArn, Port: new(int32(80)), Protocol: types.ProtocolEnumHttp, DefaultActions: c.actions})
		wantError(t, err, c.code, "")
	}
}
