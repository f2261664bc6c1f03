package elbv2_test

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"storefront/lab/elbv2"
	"storefront/lab/state"
)

func TestTargetGroupDefaultsAndChanges(t *testing.T) {
	f := newFixture(t)
	tg := f.targetGroup(t, "web")
	if *tg.HealthCheckIntervalSeconds != 30 || *tg.HealthCheckTimeoutSeconds != 5 || *tg.HealthyThresholdCount != 5 || *tg.UnhealthyThresholdCount != 2 || *tg.HealthCheckPath != "/" ||
		*tg.HealthCheckPort != "traffic-port" || *tg.Matcher.HttpCode != "200" || *tg.ProtocolVersion != "HTTP1" || tg.TargetType != types.TargetTypeEnumInstance {
		t.Errorf("got %+v", tg)
	}
	modify := func(change func(*sdk.ModifyTargetGroupInput)) error {
		in := &sdk.ModifyTargetGroupInput{TargetGroupArn: tg.TargetGroupArn}
		change(in)
		_, err := f.ModifyTargetGroup(t.Context(), in)
		return err
	}
	if err := modify(func(in *sdk.ModifyTargetGroupInput) {
		in.HealthCheckPath, in.Matcher, in.HealthCheckIntervalSeconds = new("/healthz"), &types.Matcher{HttpCode: new("200-299,301")}, new(int32(10))
	}); err != nil {
		t.Fatal(err)
	}
	out, err := f.DescribeTargetGroups(t.Context(), &sdk.DescribeTargetGroupsInput{Names: []string{"web"}})
	if err != nil || *out.TargetGroups[0].HealthCheckPath != "/healthz" || *out.TargetGroups[0].Matcher.HttpCode != "200-299,301" {
		t.Errorf("got %+v, %v", out, err)
	}
	for text, change := range map[string]func(*sdk.ModifyTargetGroupInput){
		"greater than the timeout": func(in *sdk.ModifyTargetGroupInput) { in.HealthCheckTimeoutSeconds = new(int32(10)) },
		"'200-499'":                func(in *sdk.ModifyTargetGroupInput) { in.Matcher = &types.Matcher{HttpCode: new("600")} },
		"path":                     func(in *sdk.ModifyTargetGroupInput) { in.HealthCheckPath = new("x") },
		"port":                     func(in *sdk.ModifyTargetGroupInput) { in.HealthCheckPort = new("70000") },
		"disabled":                 func(in *sdk.ModifyTargetGroupInput) { in.HealthCheckEnabled = new(false) },
	} {
		wantError(t, modify(change), "ValidationError", text)
	}
}

func TestCreateTargetGroupRefusals(t *testing.T) {
	f := newFixture(t)
	f.targetGroup(t, "taken")
	for _, c := range []struct {
		code, text string
		change     func(*sdk.CreateTargetGroupInput)
	}{
		{"ValidationError", "longer than '32'", func(in *sdk.CreateTargetGroupInput) { in.Name = new("a23456789012345678901234567890123") }},
		{"ValidationError", "vpc-x", func(in *sdk.CreateTargetGroupInput) { in.VpcId = new("vpc-x") }},
		{"InvalidConfigurationRequest", "lambda", func(in *sdk.CreateTargetGroupInput) { in.TargetType = types.TargetTypeEnumLambda }},
		{"InvalidConfigurationRequest", "GRPC", func(in *sdk.CreateTargetGroupInput) { in.ProtocolVersion = new("GRPC") }},
		{"InvalidConfigurationRequest", "TCP", func(in *sdk.CreateTargetGroupInput) { in.Protocol = types.ProtocolEnumTcp }},
		{"DuplicateTargetGroupName", "taken", func(in *sdk.CreateTargetGroupInput) { in.Name = new("taken"); in.Port = new(int32(1)) }},
	} {
		in := &sdk.CreateTargetGroupInput{Name: new("new"), Protocol: types.ProtocolEnumHttp, Port: new(int32(8080)), VpcId: new("vpc-1")}
		c.change(in)
		_, err := f.CreateTargetGroup(t.Context(), in)
		wantError(t, err, c.code, c.text)
	}
}

func TestTargetGroupAttributes(t *testing.T) {
	f := newFixture(t)
	tg := f.targetGroup(t, "web")
	modify := func(pairs ...string) error {
		in := &sdk.ModifyTargetGroupAttributesInput{TargetGroupArn: tg.TargetGroupArn}
		for i := 0; i < len(pairs); i += 2 {
			in.Attributes = append(in.Attributes, types.TargetGroupAttribute{Key: &pairs[i], Value: &pairs[i+1]})
		}
		_, err := f.ModifyTargetGroupAttributes(t.Context(), in)
		return err
	}
	if err := modify("stickiness.enabled", "true", "stickiness.type", "app_cookie", "stickiness.app_cookie.cookie_name", "session", "deregistration_delay.timeout_seconds", "5"); err != nil {
		t.Fatal(err)
	}
	out, err := f.DescribeTargetGroupAttributes(t.Context(), &sdk.DescribeTargetGroupAttributesInput{TargetGroupArn: tg.TargetGroupArn})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, a := range out.Attributes {
		got[*a.Key] = *a.Value
	}
	if got["stickiness.app_cookie.cookie_name"] != "session" || got["deregistration_delay.timeout_seconds"] != "5" || got["load_balancing.algorithm.type"] != "round_robin" {
		t.Errorf("got %v", got)
	}
	wantError(t, modify("slow_start.duration_seconds", "10"), "ValidationError", "'10'")
	wantError(t, modify("slow_start.duration_seconds", "30", "load_balancing.algorithm.type", "least_outstanding_requests"), "InvalidConfigurationRequest", "round_robin")
	wantError(t, modify("stickiness.app_cookie.cookie_name", ""), "InvalidConfigurationRequest", "cookie name")
	wantError(t, modify("preserve_client_ip.enabled", "true"), "ValidationError", "not recognized")
}

func TestTargetHealth(t *testing.T) {
	f := newFixture(t)
	lb, tg := f.loadBalancer(t, "web"), f.targetGroup(t, "web")
	register := func(id string) error {
		_, err := f.RegisterTargets(t.Context(), &sdk.RegisterTargetsInput{TargetGroupArn: tg.TargetGroupArn, Targets: []types.TargetDescription{{Id: &id}}})
		return err
	}
	health := func(ids ...string) map[string]types.TargetHealth {
		t.Helper()
		in := &sdk.DescribeTargetHealthInput{TargetGroupArn: tg.TargetGroupArn}
		for _, id := range ids {
			in.Targets = append(in.Targets, types.TargetDescription{Id: &id})
		}
		out, err := f.DescribeTargetHealth(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]types.TargetHealth{}
		for _, d := range out.TargetHealthDescriptions {
			got[*d.Target.Id] = *d.TargetHealth
		}
		return got
	}
	want := func(h types.TargetHealth, state types.TargetHealthStateEnum, reason types.TargetHealthReasonEnum) {
		t.Helper()
		if h.State != state || h.Reason != reason {
			t.Errorf("got %s (%s), want %s (%s)", h.State, h.Reason, state, reason)
		}
	}
	wantError(t, register("i-none"), "InvalidTarget", "i-none")
	wantError(t, register("i-stopped"), "InvalidTarget", "not in a running state")
	wantError(t, register("i-other"), "InvalidTarget", "vpc-1")
	for _, id := range []string{"i-1", "i-2"} {
		if err := register(id); err != nil {
			t.Fatal(err)
		}
	}
	want(health()["i-1"], types.TargetHealthStateEnumUnused, types.TargetHealthReasonEnumNotInUse)
	f.listener(t, lb, 80, forwardTo(tg.TargetGroupArn))
	want(health()["i-1"], types.TargetHealthStateEnumInitial, types.TargetHealthReasonEnumRegistrationInProgress)
	want(health()["i-2"], types.TargetHealthStateEnumUnused, types.TargetHealthReasonEnumNotInUse) // its zone is not enabled
	f.health["i-1"] = elbv2.Health{State: "healthy"}
	want(health("i-1")["i-1"], types.TargetHealthStateEnumHealthy, "")
	want(health("i-9")["i-9"], types.TargetHealthStateEnumUnused, types.TargetHealthReasonEnumNotRegistered)

	if _, err := f.DeregisterTargets(t.Context(), &sdk.DeregisterTargetsInput{TargetGroupArn: tg.TargetGroupArn, Targets: []types.TargetDescription{{Id: new("i-1")}}}); err != nil {
		t.Fatal(err)
	}
	want(health()["i-1"], types.TargetHealthStateEnumDraining, types.TargetHealthReasonEnumDeregistrationInProgress)
	if err := f.store.Update(func(tx *state.Tx) error {
		for _, target := range f.service.Targets(tx, *tg.TargetGroupArn) {
			if err := f.service.Drained(tx, target); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if got := health(); len(got) != 1 {
		t.Errorf("after draining: %v, want i-2 alone", got)
	}
}

func TestAddressTargets(t *testing.T) {
	f := newFixture(t)
	out, err := f.CreateTargetGroup(t.Context(), &sdk.CreateTargetGroupInput{Name: new("ips"), Protocol: types.ProtocolEnumHttp, Port: new(int32(80)), VpcId: new("vpc-1"), TargetType: types.TargetTypeEnumIp})
	if err != nil {
		t.Fatal(err)
	}
	register := func(ip, zone string) error {
		d := types.TargetDescription{Id: &ip}
		if zone != "" {
			d.AvailabilityZone = &zone
		}
		_, err := f.RegisterTargets(t.Context(), &sdk.RegisterTargetsInput{TargetGroupArn: out.TargetGroups[0].TargetGroupArn, Targets: []types.TargetDescription{d}})
		return err
	}
	if err := register("10.0.1.5", ""); err != nil {
		t.Error(err)
	}
	if err := register("192.168.0.1", "all"); err != nil {
		t.Error(err)
	}
	wantError(t, register("nonsense", ""), "ValidationError", "nonsense")
	wantError(t, register("8.8.8.8", "all"), "ValidationError", "8.8.8.8")
	wantError(t, register("192.168.0.1", ""), "ValidationError", "'all'")
}

func TestSSLPolicies(t *testing.T) {
	f := newFixture(t)
	out, err := f.DescribeSSLPolicies(t.Context(), &sdk.DescribeSSLPoliciesInput{Names: []string{"ELBSecurityPolicy-TLS13-1-2-2021-06"}})
	if err != nil || len(out.SslPolicies[0].SslProtocols) != 2 || out.SslPolicies[0].SslProtocols[0] != "TLSv1.2" {
		t.Errorf("got %v, %v", out, err)
	}
	_, err = f.DescribeSSLPolicies(t.Context(), &sdk.DescribeSSLPoliciesInput{Names: []string{"none"}})
	wantError(t, err, "SSLPolicyNotFound", "")
}
