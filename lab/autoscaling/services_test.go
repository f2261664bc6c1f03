package autoscaling_test

import (
	"context"
	"encoding/base64"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/autoscaling"

	api "storefront/lab/api/autoscaling"
	ec2api "storefront/lab/api/ec2"
	elbapi "storefront/lab/api/elbv2"
	"storefront/lab/autoscaling"
	"storefront/lab/ec2"
	"storefront/lab/elbv2"
	"storefront/lab/iam"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire/wiretest"
)

// services is the service between the lab's own EC2, Elastic Load Balancing and IAM; only machines are missing.
type services struct {
	*harness
	ec2 *ec2.Service
	elb *elbv2.Service
}

func newServices(t *testing.T) *services {
	t.Helper()
	store, err := state.Open(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	c, r := &clock{time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)}, region.Default()
	s := &services{harness: &harness{T: t, clock: c, store: store}}
	s.ec2 = ec2.New(ec2.Config{Store: store, Region: r, Now: c.now, Profile: func(*state.Tx, string) (ec2.Profile, bool) { return ec2.Profile{}, false }})
	s.elb = elbv2.New(elbv2.Config{Store: store, Region: r, Now: c.now, VPCs: s.ec2})
	s.service = autoscaling.New(autoscaling.Config{Store: store, Region: r, Now: c.now, EC2: s.ec2, LoadBalancing: s.elb, IAM: iam.New(store, r, c.now)})
	s.client = client.NewFromConfig(wiretest.New(t, api.New(s.service)).Config())
	return s
}

// boot does what the data plane does: pending instances run, and those that shut down end.
func (s *services) boot() {
	s.Helper()
	if err := s.store.Update(func(tx *state.Tx) error {
		var problems []error
		for _, m := range s.ec2.Machines(tx) {
			switch m.State {
			case ec2.Pending:
				problems = append(problems, s.ec2.SetInstanceState(tx, m.ID, ec2.Running, ec2.Reason{}))
			case ec2.ShuttingDown:
				problems = append(problems, s.ec2.SetInstanceState(tx, m.ID, ec2.Terminated, ec2.Reason{}))
			}
		}
		return errors.Join(problems...)
	}); err != nil {
		s.Fatal(err)
	}
}

// turns reconciles and boots in turn.
func (s *services) turns() {
	s.Helper()
	for range 10 {
		s.turn()
		s.boot()
	}
}

func call[I, O any](s *services, f func(context.Context, *I) (*O, error), in *I) *O {
	s.Helper()
	out, err := f(s.Context(), in)
	if err != nil {
		s.Fatal(err)
	}
	return out
}

// stage makes what the stack makes before the group: two subnets, a launch template like that of the component compute, and a target group.
func (s *services) stage() *client.CreateAutoScalingGroupInput {
	s.Helper()
	vpc := call(s, s.ec2.CreateVpc, &ec2api.CreateVpcInput{CidrBlock: new("10.0.0.0/16")}).Vpc.VpcId
	in := input()
	var ids []string
	for i, zone := range []string{"us-east-1a", "us-east-1b"} {
		ids = append(ids, *call(s, s.ec2.CreateSubnet, &ec2api.CreateSubnetInput{VpcId: vpc, CidrBlock: new([]string{"10.0.1.0/24", "10.0.2.0/24"}[i]), AvailabilityZone: &zone}).Subnet.SubnetId)
	}
	in.VPCZoneIdentifier = aws.String(ids[0] + "," + ids[1])
	group := call(s, s.ec2.CreateSecurityGroup, &ec2api.CreateSecurityGroupInput{VpcId: vpc, GroupName: new("shop"), Description: new("shop")}).GroupId
	template := call(s, s.ec2.CreateLaunchTemplate, &ec2api.CreateLaunchTemplateInput{LaunchTemplateName: new("shop"), LaunchTemplateData: &ec2api.RequestLaunchTemplateData{
		ImageId: new(region.AmazonLinux2023), InstanceType: new("t3.small"), UserData: new(base64.StdEncoding.EncodeToString([]byte("#!/bin/bash\n"))),
		NetworkInterfaces: []ec2api.LaunchTemplateInstanceNetworkInterfaceSpecificationRequest{{DeviceIndex: new(int64(0)), AssociatePublicIpAddress: new(false), Groups: []string{*group}}},
		TagSpecifications: []ec2api.LaunchTemplateTagSpecificationRequest{{ResourceType: new("instance"), Tags: []ec2api.Tag{{Key: new("Name"), Value: new("shop")}}}},
	}}).LaunchTemplate
	in.MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.LaunchTemplateId = template.LaunchTemplateId
	tg := call(s, s.elb.CreateTargetGroup, &elbapi.CreateTargetGroupInput{Name: new("shop"), Protocol: new("HTTP"), Port: new(int64(8080)), VpcId: vpc, TargetType: new("instance")})
	in.TargetGroupARNs = []string{*tg.TargetGroups[0].TargetGroupArn}
	return in
}

// The life of the stack's group between the lab's own services.
func TestBetweenTheLabsServices(t *testing.T) {
	s := newServices(t)
	in := s.stage()
	must(s.harness, s.client.CreateAutoScalingGroup, in)
	s.turns()
	if got := s.inService(); len(got) != 2 {
		t.Fatalf("in service: %v; %+v", got, s.activities())
	}
	for n, i := range s.instances() {
		tags := map[string]string{}
		for _, v := range i.Tags {
			tags[*v.Key] = *v.Value
		}
		if *i.InstanceLifecycle != "spot" || *i.Placement.AvailabilityZone != []string{"us-east-1a", "us-east-1b"}[n] || tags["Name"] != "shop" || tags["Team"] != "web" ||
			tags["aws:autoscaling:groupName"] != "shop" || len(i.NetworkInterfaces) != 1 || *i.NetworkInterfaces[0].Groups[0].GroupName != "shop" {
			t.Errorf("instance %s: %+v, tags %v", *i.InstanceId, i.Placement, tags)
		}
	}
	targets := call(s, s.elb.DescribeTargetHealth, &elbapi.DescribeTargetHealthInput{TargetGroupArn: &in.TargetGroupARNs[0]}).TargetHealthDescriptions
	if len(targets) != 2 || *targets[0].Target.Port != 8080 {
		t.Errorf("targets: %+v", targets)
	}
	lost := s.inService()[0]
	if err := s.store.Update(func(tx *state.Tx) error {
		return s.ec2.SetInstanceState(tx, lost, ec2.Terminated, ec2.Reason{})
	}); err != nil {
		t.Fatal(err)
	}
	s.turns()
	if got := s.inService(); len(got) != 2 || got[0] == lost {
		t.Errorf("after a loss: %v", got)
	}
	must(s.harness, s.client.UpdateAutoScalingGroup, &client.UpdateAutoScalingGroupInput{AutoScalingGroupName: aws.String("shop"), MinSize: aws.Int32(0), MaxSize: aws.Int32(0), DesiredCapacity: aws.Int32(0)})
	s.turns()
	must(s.harness, s.client.DeleteAutoScalingGroup, &client.DeleteAutoScalingGroupInput{AutoScalingGroupName: aws.String("shop")})
	for _, i := range s.instances() {
		if *i.State.Name != "terminated" {
			t.Errorf("%s is %s", *i.InstanceId, *i.State.Name)
		}
	}
	if left := call(s, s.elb.DescribeTargetHealth, &elbapi.DescribeTargetHealthInput{TargetGroupArn: &in.TargetGroupARNs[0]}).TargetHealthDescriptions; len(left) != 0 {
		t.Errorf("targets are left: %+v", left)
	}
}

func (s *services) instances() []ec2api.Instance {
	s.Helper()
	var all []ec2api.Instance
	for _, r := range call(s, s.ec2.DescribeInstances, &ec2api.DescribeInstancesInput{}).Reservations {
		all = append(all, r.Instances...)
	}
	return all
}

// What EC2 refuses ends as a failed activity, which is what the provider reports.
func TestRefusedByEC2(t *testing.T) {
	s := newServices(t)
	in := s.stage()
	in.MixedInstancesPolicy.LaunchTemplate.Overrides[0].InstanceType = aws.String("x9.none")
	in.MixedInstancesPolicy.LaunchTemplate.Overrides = in.MixedInstancesPolicy.LaunchTemplate.Overrides[:1]
	must(s.harness, s.client.CreateAutoScalingGroup, in)
	s.turns()
	if a := s.activities(); len(a) != 2 || a[0].StatusCode != "Failed" || *a[0].StatusMessage != "Invalid value 'x9.none' for InstanceType. Launching EC2 instance failed." {
		t.Errorf("activities: %+v", a)
	}
	in.AutoScalingGroupName, in.VPCZoneIdentifier = aws.String("nowhere"), aws.String("subnet-0")
	refused(s.harness, s.client.CreateAutoScalingGroup, in, "ValidationError", "subnet-0")
}
