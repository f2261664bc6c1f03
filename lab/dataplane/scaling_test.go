package dataplane_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	api "storefront/lab/api/autoscaling"
	ec2api "storefront/lab/api/ec2"
	iamapi "storefront/lab/api/iam"
	"storefront/lab/autoscaling"
	"storefront/lab/dataplane"
	"storefront/lab/metrics"
	"storefront/lab/region"
	"storefront/lab/state"
)

// launches is an EC2 that only launches.
type launches struct {
	autoscaling.EC2
	instances []ec2api.Instance
}

func (l *launches) DescribeSubnets(context.Context, *ec2api.DescribeSubnetsInput) (*ec2api.DescribeSubnetsOutput, error) {
	return &ec2api.DescribeSubnetsOutput{Subnets: []ec2api.Subnet{{SubnetId: new("subnet-a"), AvailabilityZone: new("us-east-1a"), VpcId: new("vpc-1")}}}, nil
}

func (l *launches) DescribeLaunchTemplateVersions(context.Context, *ec2api.DescribeLaunchTemplateVersionsInput) (*ec2api.DescribeLaunchTemplateVersionsOutput, error) {
	return &ec2api.DescribeLaunchTemplateVersionsOutput{LaunchTemplateVersions: []ec2api.LaunchTemplateVersion{
		{LaunchTemplateId: new("lt-1"), LaunchTemplateName: new("shop"), VersionNumber: new(int64(1))}}}, nil
}

func (l *launches) RunInstances(_ context.Context, in *ec2api.RunInstancesInput) (*ec2api.RunInstancesOutput, error) {
	i := ec2api.Instance{InstanceId: new("i-1"), ClientToken: in.ClientToken, InstanceType: new("t3.small"), State: &ec2api.InstanceState{Name: new("running")}}
	l.instances = append(l.instances, i)
	return &ec2api.RunInstancesOutput{Instances: []ec2api.Instance{i}}, nil
}

func (l *launches) DescribeInstances(context.Context, *ec2api.DescribeInstancesInput) (*ec2api.DescribeInstancesOutput, error) {
	return &ec2api.DescribeInstancesOutput{Reservations: []ec2api.Reservation{{Instances: l.instances}}}, nil
}

type roles struct{}

func (roles) CreateServiceLinkedRole(context.Context, *iamapi.CreateServiceLinkedRoleInput) (*iamapi.CreateServiceLinkedRoleOutput, error) {
	return &iamapi.CreateServiceLinkedRoleOutput{}, nil
}

// The loop follows a change at once, and time without any; it measures what is in service.
func TestScalingFollowsChangesAndTime(t *testing.T) {
	store, err := state.Open(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	synctest.Test(t, func(t *testing.T) {
		machines := &launches{}
		series := metrics.New(time.Now, 15*time.Minute)
		groups := autoscaling.New(autoscaling.Config{Store: store, Region: region.Default(), Now: time.Now, EC2: machines, IAM: roles{}})
		booted := time.Now()
		scaling := &dataplane.Scaling{Store: store, Groups: groups, Metrics: series, Now: time.Now, Log: slog.New(slog.DiscardHandler),
			CPUTime: func(id string) (time.Duration, bool) { return time.Since(booted) / 4, id == "i-1" }}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- scaling.Run(ctx) }()
		synctest.Wait()

		inService := func() int {
			groupOf, err := groups.InService()
			if err != nil {
				t.Fatal(err)
			}
			return len(groupOf)
		}
		_, err := groups.CreateAutoScalingGroup(ctx, &api.CreateAutoScalingGroupInput{AutoScalingGroupName: new("shop"), MinSize: new(int64(1)), MaxSize: new(int64(1)),
			VPCZoneIdentifier: new("subnet-a"), LaunchTemplate: &api.LaunchTemplateSpecification{LaunchTemplateId: new("lt-1")},
			LifecycleHookSpecificationList: []api.LifecycleHookSpecification{{LifecycleHookName: new("warm"), LifecycleTransition: new("autoscaling:EC2_INSTANCE_LAUNCHING"),
				HeartbeatTimeout: new(int64(60)), DefaultResult: new("CONTINUE")}}})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if len(machines.instances) != 1 || inService() != 0 {
			t.Errorf("%d instances at once, %d in service; want one that waits for its hook", len(machines.instances), inService())
		}
		time.Sleep(61 * time.Second) // the clock of the bubble
		synctest.Wait()
		if inService() != 1 {
			t.Error("the end of the hook's time was not seen")
		}
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		for _, p := range series.Last(metrics.CPUUtilization("i-1"), 1) {
			if p.Count != 4 || p.Average() != 25 {
				t.Errorf("CPUUtilization of a minute: %+v, want 4 samples of 25 percent", p)
			}
		}
		if len(series.Last(metrics.CPUUtilization("i-1"), 1)) == 0 {
			t.Error("nothing was measured")
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
