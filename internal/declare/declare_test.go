package declare_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/internal/declare"
)

// TestMain is also the program under test.
func TestMain(m *testing.M) {
	switch os.Getenv("DECLARE") {
	case "listeners":
		pulumi.Run(listeners)
	case "twins":
		pulumi.Run(twins)
	case "failure":
		pulumi.Run(func(*pulumi.Context) error { return errors.New("out of luck") })
	default:
		os.Exit(m.Run())
	}
}

type anything struct {
	pulumi.CustomResourceState
	ARN pulumi.StringOutput `pulumi:"arn"`
}

// listeners declares a load balancer whose listener names it by an output.
func listeners(ctx *pulumi.Context) error {
	var balancer, listener anything
	if err := ctx.RegisterResource("aws:lb/loadBalancer:LoadBalancer", "b", pulumi.Map{"token": pulumi.ToSecret("PLANTED")}, &balancer); err != nil {
		return err
	}
	return ctx.RegisterResource("aws:lb/listener:Listener", "l", pulumi.Map{
		"loadBalancerArn": balancer.ARN, "protocol": pulumi.String("HTTPS"), "sslPolicy": pulumi.String("ELBSecurityPolicy-TLS13-1-2-2021-06"),
	}, &listener)
}

func program(t *testing.T, what string) *declare.Program {
	t.Setenv("DECLARE", what)
	return &declare.Program{Path: os.Args[0], Root: t.TempDir(), Project: "p", Stack: "s"}
}

// What a program declares is seen with the references between its resources.
func TestRun(t *testing.T) {
	s, err := program(t, "listeners").Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	balancers := s.All("aws:lb/loadBalancer:LoadBalancer")
	if len(balancers) != 1 || !balancers[0].Value("token").Secret() {
		t.Fatalf("not the load balancer with its secret: %+v", balancers)
	}
	if l := s.About(balancers[0], "aws:lb/listener:Listener", "loadBalancerArn"); len(l) != 1 || l[0].Text("protocol") != "HTTPS" {
		t.Errorf("the load balancer's listener is not seen: %+v", s.All())
	}
}

// twins declares two resources of one type and name, as two components may.
func twins(ctx *pulumi.Context) error {
	for _, name := range []string{"database", "loadbalancer"} {
		var parent pulumi.ResourceState
		if err := ctx.RegisterComponentResource("storefront:"+name+":Block", "storefront", &parent); err != nil {
			return err
		}
		var group anything
		if err := ctx.RegisterResource("aws:ec2/securityGroup:SecurityGroup", "storefront", pulumi.Map{}, &group, pulumi.Parent(&parent)); err != nil {
			return err
		}
	}
	return nil
}

// What is made up tells such twins apart, or whatever names one would name both.
func TestTwins(t *testing.T) {
	s, err := program(t, "twins").Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	groups := s.All("aws:ec2/securityGroup:SecurityGroup")
	if len(groups) != 2 || groups[0].ID == groups[1].ID || groups[0].Text("arn") == groups[1].Text("arn") {
		t.Errorf("not two different groups: %+v", groups)
	}
}

func TestFailure(t *testing.T) {
	_, err := program(t, "failure").Run(t.Context())
	if !errors.Is(err, declare.ErrProgram) || !strings.Contains(err.Error(), "out of luck") {
		t.Errorf("got %v", err)
	}
	p := program(t, "failure")
	p.Path = "/nonexistent/program"
	if _, err := p.Run(t.Context()); !errors.Is(err, declare.ErrProgram) {
		t.Errorf("no program: %v", err)
	}
}
