package elbv2_test

import (
	"regexp"
	"strings"
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"storefront/lab/state"
)

func TestLoadBalancerLife(t *testing.T) {
	f := newFixture(t)
	lb := f.loadBalancer(t, "web")
	if !regexp.MustCompile(`^arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/web/[0-9a-f]{16}$`).MatchString(*lb.LoadBalancerArn) {
		t.Errorf("ARN %s", *lb.LoadBalancerArn)
	}
	if !regexp.MustCompile(`^web-\d+\.us-east-1\.elb\.amazonaws\.com$`).MatchString(*lb.DNSName) || *lb.CanonicalHostedZoneId != "Z35SXDOTRQ7X7K" {
		t.Errorf("DNS name %s, zone %s", *lb.DNSName, *lb.CanonicalHostedZoneId)
	}
	if lb.State.Code != types.LoadBalancerStateEnumProvisioning || lb.Type != types.LoadBalancerTypeEnumApplication || lb.Scheme != types.LoadBalancerSchemeEnumInternetFacing || *lb.VpcId != "vpc-1" {
		t.Errorf("got %+v", lb)
	}
	if again := f.loadBalancer(t, "web"); *again.LoadBalancerArn != *lb.LoadBalancerArn {
		t.Error("an equal request made a second load balancer")
	}
	if err := f.store.Update(func(tx *state.Tx) error { return f.service.Activate(tx, *lb.LoadBalancerArn) }); err != nil {
		t.Fatal(err)
	}
	out, err := f.DescribeLoadBalancers(t.Context(), &sdk.DescribeLoadBalancersInput{Names: []string{"web"}})
	if err != nil || out.LoadBalancers[0].State.Code != types.LoadBalancerStateEnumActive {
		t.Errorf("got %v, %v", out, err)
	}
	_ = f.store.View(func(tx *state.Tx) error {
		addresses, ok := f.service.Addresses(tx, strings.ToUpper(*lb.DNSName)+".")
		if !ok || len(addresses) != 2 || addresses[0].String() != "198.18.0.10" {
			t.Errorf("the name resolves to %v", addresses)
		}
		return nil
	})
	f.listener(t, lb, 80, forwardTo(f.targetGroup(t, "web").TargetGroupArn))
	if _, err := f.DeleteLoadBalancer(t.Context(), &sdk.DeleteLoadBalancerInput{LoadBalancerArn: lb.LoadBalancerArn}); err != nil {
		t.Fatal(err)
	}
	if len(f.vpcs.interfaces) != 0 {
		t.Errorf("interfaces left: %v", f.vpcs.interfaces)
	}
	_, err = f.DescribeLoadBalancers(t.Context(), &sdk.DescribeLoadBalancersInput{LoadBalancerArns: []string{*lb.LoadBalancerArn}})
	wantError(t, err, "LoadBalancerNotFound", "not found")
}

func TestCreateLoadBalancerRefusals(t *testing.T) {
	f := newFixture(t)
	f.loadBalancer(t, "taken")
	input := func(change func(*sdk.CreateLoadBalancerInput)) *sdk.CreateLoadBalancerInput {
		in := &sdk.CreateLoadBalancerInput{Name: new("new"), Subnets: []string{"subnet-a", "subnet-b"}}
		change(in)
		return in
	}
	for _, c := range []struct {
		code, text string
		change     func(*sdk.CreateLoadBalancerInput)
	}{
		{"ValidationError", "At least two subnets in two different Availability Zones", func(in *sdk.CreateLoadBalancerInput) { in.Subnets = in.Subnets[:1] }},
		{"InvalidConfigurationRequest", "multiple subnets in the same Availability Zone", func(in *sdk.CreateLoadBalancerInput) { in.Subnets = []string{"subnet-a", "subnet-a2"} }},
		{"InvalidConfigurationRequest", "same VPC", func(in *sdk.CreateLoadBalancerInput) { in.Subnets = []string{"subnet-a", "subnet-other"} }},
		{"SubnetNotFound", "subnet-x", func(in *sdk.CreateLoadBalancerInput) { in.Subnets[1] = "subnet-x" }},
		{"InvalidSecurityGroup", "sg-x", func(in *sdk.CreateLoadBalancerInput) { in.SecurityGroups = []string{"sg-x"} }},
		{"ValidationError", "longer than '32'", func(in *sdk.CreateLoadBalancerInput) { in.Name = new(strings.Repeat("a", 33)) }},
		{"ValidationError", "alphanumeric", func(in *sdk.CreateLoadBalancerInput) { in.Name = new("a_b") }},
		{"ValidationError", "hyphen", func(in *sdk.CreateLoadBalancerInput) { in.Name = new("-a") }},
		{"ValidationError", "internal-", func(in *sdk.CreateLoadBalancerInput) { in.Name = new("internal-a") }},
		{"DuplicateLoadBalancerName", "different settings", func(in *sdk.CreateLoadBalancerInput) {
			in.Name = new("taken")
			in.Subnets = []string{"subnet-b", "subnet-c"}
		}},
		{"InvalidConfigurationRequest", "network", func(in *sdk.CreateLoadBalancerInput) { in.Type = types.LoadBalancerTypeEnumNetwork }},
		{"InvalidConfigurationRequest", "dualstack", func(in *sdk.CreateLoadBalancerInput) { in.IpAddressType = types.IpAddressTypeDualstack }},
		{"DuplicateTagKeys", "a", func(in *sdk.CreateLoadBalancerInput) {
			in.Tags = []types.Tag{{Key: new("a"), Value: new("1")}, {Key: new("a"), Value: new("2")}}
		}},
	} {
		_, err := f.CreateLoadBalancer(t.Context(), input(c.change))
		wantError(t, err, c.code, c.text)
	}
}

func TestLoadBalancerAttributes(t *testing.T) {
	f := newFixture(t)
	lb := f.loadBalancer(t, "web")
	modify := func(pairs ...string) error {
		in := &sdk.ModifyLoadBalancerAttributesInput{LoadBalancerArn: lb.LoadBalancerArn}
		for i := 0; i < len(pairs); i += 2 {
			in.Attributes = append(in.Attributes, types.LoadBalancerAttribute{Key: &pairs[i], Value: &pairs[i+1]})
		}
		_, err := f.ModifyLoadBalancerAttributes(t.Context(), in)
		return err
	}
	if err := modify("idle_timeout.timeout_seconds", "30", "access_logs.s3.enabled", "true", "access_logs.s3.bucket", "logs", "access_logs.s3.prefix", "p"); err != nil {
		t.Fatal(err)
	}
	if f.logs["logs/p/AWSLogs/000000000000/ELBAccessLogTestFile"] == "" {
		t.Errorf("no test file: %v", f.logs)
	}
	out, err := f.DescribeLoadBalancerAttributes(t.Context(), &sdk.DescribeLoadBalancerAttributesInput{LoadBalancerArn: lb.LoadBalancerArn})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, a := range out.Attributes {
		got[*a.Key] = *a.Value
	}
	if len(got) != 20 || got["idle_timeout.timeout_seconds"] != "30" || got["routing.http2.enabled"] != "true" || got["client_keep_alive.seconds"] != "3600" {
		t.Errorf("got %v", got)
	}
	wantError(t, modify("no.such", "1"), "ValidationError", "attribute key 'no.such' is not recognized")
	wantError(t, modify("idle_timeout.timeout_seconds", "0"), "ValidationError", "'0'")
	wantError(t, modify("access_logs.s3.bucket", "denied"), "InvalidConfigurationRequest", "Access Denied for bucket: denied")
	if err := modify("deletion_protection.enabled", "true"); err != nil {
		t.Fatal(err)
	}
	_, err = f.DeleteLoadBalancer(t.Context(), &sdk.DeleteLoadBalancerInput{LoadBalancerArn: lb.LoadBalancerArn})
	wantError(t, err, "OperationNotPermitted", "deletion protection is enabled")
}

func TestSetSubnetsAndGroups(t *testing.T) {
	f := newFixture(t)
	lb := f.loadBalancer(t, "web")
	out, err := f.SetSubnets(t.Context(), &sdk.SetSubnetsInput{LoadBalancerArn: lb.LoadBalancerArn, Subnets: []string{"subnet-b", "subnet-c"}})
	if err != nil || len(out.AvailabilityZones) != 2 || len(f.vpcs.interfaces) != 2 {
		t.Errorf("got %v, %v; interfaces %v", out, err, f.vpcs.interfaces)
	}
	if _, err := f.SetSecurityGroups(t.Context(), &sdk.SetSecurityGroupsInput{LoadBalancerArn: lb.LoadBalancerArn, SecurityGroups: []string{"sg-2"}}); err != nil {
		t.Fatal(err)
	}
	for _, i := range f.vpcs.interfaces {
		if !cmp.Equal(i.SecurityGroups, []string{"sg-2"}) {
			t.Errorf("%s has groups %v", i.ID, i.SecurityGroups)
		}
	}
	_, err = f.SetSubnets(t.Context(), &sdk.SetSubnetsInput{LoadBalancerArn: lb.LoadBalancerArn, Subnets: []string{"subnet-b"}})
	wantError(t, err, "ValidationError", "At least two subnets")
}

func TestTags(t *testing.T) {
	f := newFixture(t)
	lb := f.loadBalancer(t, "web")
	arns := []string{*lb.LoadBalancerArn}
	if _, err := f.AddTags(t.Context(), &sdk.AddTagsInput{ResourceArns: arns, Tags: []types.Tag{{Key: new("b"), Value: new("2")}, {Key: new("a"), Value: new("1")}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := f.RemoveTags(t.Context(), &sdk.RemoveTagsInput{ResourceArns: arns, TagKeys: []string{"b"}}); err != nil {
		t.Fatal(err)
	}
	out, err := f.DescribeTags(t.Context(), &sdk.DescribeTagsInput{ResourceArns: arns})
	if err != nil || len(out.TagDescriptions) != 1 || len(out.TagDescriptions[0].Tags) != 1 || *out.TagDescriptions[0].Tags[0].Key != "a" {
		t.Errorf("got %v, %v", out, err)
	}
	_, err = f.DescribeTags(t.Context(), &sdk.DescribeTagsInput{ResourceArns: []string{arns[0] + "0"}})
	wantError(t, err, "LoadBalancerNotFound", "not found")
}
