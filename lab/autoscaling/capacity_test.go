package autoscaling_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	ec2api "storefront/lab/api/ec2"
	"storefront/lab/wire"
)

func TestLaunch(t *testing.T) {
	h := newHarness(t)
	h.ec2.booting = true
	h.create()
	if got := h.ids(types.LifecycleStatePending); len(got) != 2 {
		t.Fatalf("pending: %v", got)
	}
	for id := range h.ec2.instances {
		h.ec2.set(id, "running")
	}
	h.settle()
	h.wantInService(id(1), id(2))
	for n, i := range h.group().Instances {
		e := h.ec2.instances[*i.InstanceId]
		if zone := []string{"us-east-1a", "us-east-1b"}[n]; *i.AvailabilityZone != zone || *i.HealthStatus != "Healthy" || *i.InstanceType != "t3.small" ||
			*i.LaunchTemplate.LaunchTemplateId != "lt-1" || *i.LaunchTemplate.Version != "1" {
			t.Errorf("instance %+v in the wrong place or shape", i)
		}
		if aws.ToString(e.InstanceLifecycle) != "spot" || h.elb.targets[targetGroup][*i.InstanceId] != "healthy" {
			t.Errorf("%s is no spot instance, or not registered", *i.InstanceId)
		}
		if tags := h.ec2.tags[*i.InstanceId]; tags["aws:autoscaling:groupName"] != "shop" || tags["Team"] != "web" || tags["Name"] != "" {
			t.Errorf("tags %v", tags)
		}
	}
	a := h.activities()[0]
	const cause = "At 2025-01-02T03:04:05Z a user request created an AutoScalingGroup changing the desired capacity from 0 to 2.  " +
		"At 2025-01-02T03:04:05Z an instance was started in response to a difference between desired and actual capacity, increasing the capacity from 0 to 2."
	if *a.Description != "Launching a new EC2 instance: "+id(1) || *a.Cause != cause || a.StatusCode != types.ScalingActivityStatusCodeSuccessful || *a.Progress != 100 ||
		a.EndTime == nil || *a.Details != `{"Subnet ID":"subnet-a","Availability Zone":"us-east-1a"}` {
		t.Errorf("activity: %s; %s; %s; %s", *a.Description, *a.Cause, a.StatusCode, *a.Details)
	}
	all := must(h, h.client.DescribeAutoScalingInstances, &client.DescribeAutoScalingInstancesInput{InstanceIds: []string{id(2)}})
	if len(all.AutoScalingInstances) != 1 || *all.AutoScalingInstances[0].AutoScalingGroupName != "shop" || *all.AutoScalingInstances[0].HealthStatus != "HEALTHY" {
		t.Errorf("instances: %+v", all.AutoScalingInstances)
	}
	calls := len(h.ec2.calls)
	h.settle()
	if len(h.ec2.calls) != calls {
		t.Errorf("a group at rest still calls EC2: %v", h.ec2.calls[calls:])
	}
}

// Zones come first, subnets second.
func TestInstancesAreSpread(t *testing.T) {
	h := newHarness(t)
	h.create(func(in *client.CreateAutoScalingGroupInput) {
		in.VPCZoneIdentifier, in.DesiredCapacity = aws.String("subnet-a,subnet-a2,subnet-b"), aws.Int32(4)
	})
	got := map[string]int{}
	for _, i := range h.ec2.instances {
		got[*i.SubnetId]++
	}
	if got["subnet-a"] != 1 || got["subnet-a2"] != 1 || got["subnet-b"] != 2 {
		t.Errorf("instances by subnet: %v", got)
	}
}

// The daemon may die before, during or after RunInstances: never is there an instance too many or one forgotten.
func TestLaunchSurvivesACrash(t *testing.T) {
	for name, inject := range map[string]func(*fakeEC2, func() error){
		"before": func(f *fakeEC2, crash func() error) { f.run = func(*ec2api.RunInstancesInput) error { return crash() } },
		"after":  func(f *fakeEC2, crash func() error) { f.lost = crash },
	} {
		for _, deleted := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				h := newHarness(t)
				crashed := errors.New("kill -9")
				inject(h.ec2, func() error { return crashed })
				must(h, h.client.CreateAutoScalingGroup, input())
				if err := h.service.Reconcile(t.Context()); !errors.Is(err, crashed) {
					t.Fatalf("got %v, want the crash", err)
				}
				h.ec2.run, h.ec2.lost = nil, nil
				h.start()
				if deleted {
					must(h, h.client.DeleteAutoScalingGroup, &client.DeleteAutoScalingGroupInput{AutoScalingGroupName: aws.String("shop"), ForceDelete: aws.Bool(true)})
				}
				h.settle()
				running := 0
				for _, i := range h.ec2.instances {
					if *i.State.Name == "running" {
						running++
					}
				}
				if want := map[bool]int{false: 2, true: 0}[deleted]; running != want {
					t.Errorf("%d instances run, want %d", running, want)
				}
				if !deleted {
					h.wantInService(id(1), id(2))
				}
			})
		}
	}
}

func TestFailedLaunchIsShownAndTriedAgain(t *testing.T) {
	h := newHarness(t)
	var types []string
	h.ec2.run = func(in *ec2api.RunInstancesInput) error {
		types = append(types, *in.InstanceType)
		return wire.Errorf(500, "InsufficientInstanceCapacity", "There is no Spot capacity available that matches your request.")
	}
	h.create()
	a := h.activities()[0]
	if a.StatusCode != "Failed" || *a.Progress != 100 || *a.StatusMessage != "There is no Spot capacity available that matches your request. Launching EC2 instance failed." {
		t.Errorf("activity: %s %s", a.StatusCode, *a.StatusMessage)
	}
	if len(types) != 2 {
		t.Errorf("%d launches at once, want one for each instance", len(types))
	}
	h.after(3 * time.Second)
	if len(types) != 2 {
		t.Error("the launch was tried again at once")
	}
	h.ec2.run = func(in *ec2api.RunInstancesInput) error {
		if *in.InstanceType == "t3.small" {
			return wire.Errorf(500, "InsufficientInstanceCapacity", "There is no Spot capacity available that matches your request.")
		}
		return nil
	}
	for range 4 {
		h.after(5 * time.Minute)
	}
	if n := len(h.inService()); n != 2 {
		t.Errorf("%d in service: the other pool was not tried", n)
	}
}

func TestPurchaseOptions(t *testing.T) {
	h := newHarness(t)
	h.create(func(in *client.CreateAutoScalingGroupInput) {
		d := in.MixedInstancesPolicy.InstancesDistribution
		d.OnDemandBaseCapacity, d.OnDemandPercentageAboveBaseCapacity = aws.Int32(1), aws.Int32(25)
		in.MaxSize, in.DesiredCapacity = aws.Int32(10), aws.Int32(9)
	})
	count := func() (spot, onDemand int, byType map[string]int) {
		byType = map[string]int{}
		for _, i := range h.ec2.instances {
			if *i.State.Name != "running" {
				continue
			}
			if i.InstanceLifecycle != nil {
				spot++
				byType[*i.InstanceType]++
			} else if onDemand++; *i.InstanceType != "t3.small" {
				t.Errorf("an on-demand instance of type %s, which is not the first", *i.InstanceType)
			}
		}
		return spot, onDemand, byType
	}
	if spot, onDemand, byType := count(); onDemand != 3 || spot != 6 || byType["t3.small"] == 0 || byType["t3a.small"] == 0 {
		t.Errorf("%d on demand and %d spot %v, want 1 + 25%% of 8, and both pools used", onDemand, spot, byType)
	}
	h.setDesired(5)
	if spot, onDemand, _ := count(); onDemand != 2 || spot != 3 {
		t.Errorf("after the scale-in: %d on demand and %d spot, want 2 and 3", onDemand, spot)
	}
}

func TestTargetGroupsOfAGroup(t *testing.T) {
	h := newHarness(t)
	h.create()
	name := aws.String("shop")
	states := func() string {
		var all []string
		for _, v := range must(h, h.client.DescribeLoadBalancerTargetGroups, &client.DescribeLoadBalancerTargetGroupsInput{AutoScalingGroupName: name}).LoadBalancerTargetGroups {
			all = append(all, strings.Split(*v.LoadBalancerTargetGroupARN, "/")[1]+" "+*v.State)
		}
		return strings.Join(all, ", ")
	}
	if got := states(); got != "shop InService" {
		t.Errorf("target groups: %s", got)
	}
	h.elb.fresh, h.elb.slow = "initial", true
	must(h, h.client.AttachLoadBalancerTargetGroups, &client.AttachLoadBalancerTargetGroupsInput{AutoScalingGroupName: name, TargetGroupARNs: []string{otherGroup}})
	if got := states(); got != "shop InService, other Adding" {
		t.Errorf("target groups: %s", got)
	}
	h.settle()
	if got := states(); got != "shop InService, other Added" || h.elb.targets[otherGroup][id(1)] != "initial" {
		t.Errorf("target groups: %s", got)
	}
	must(h, h.client.DetachTrafficSources, &client.DetachTrafficSourcesInput{AutoScalingGroupName: name, TrafficSources: []types.TrafficSourceIdentifier{{Identifier: aws.String(targetGroup)}}})
	h.settle()
	if got := states(); got != "other Added, shop Removing" {
		t.Errorf("target groups: %s", got)
	}
	h.elb.finish()
	h.settle()
	if got := states(); got != "other Added" || len(h.elb.targets[targetGroup]) != 0 {
		t.Errorf("target groups: %s", got)
	}
	refused(h, h.client.DetachLoadBalancerTargetGroups, &client.DetachLoadBalancerTargetGroupsInput{AutoScalingGroupName: name, TargetGroupARNs: []string{targetGroup}}, "ValidationError", "not part of the group")
	sources := must(h, h.client.DescribeTrafficSources, &client.DescribeTrafficSourcesInput{AutoScalingGroupName: name})
	if len(sources.TrafficSources) != 1 || *sources.TrafficSources[0].Type != "elbv2" || *sources.TrafficSources[0].State != "Added" {
		t.Errorf("traffic sources: %+v", sources.TrafficSources)
	}
	h.wantInService(id(1), id(2))
}

func TestZonesAreBalanced(t *testing.T) {
	h := newHarness(t)
	h.create()
	must(h, h.client.UpdateAutoScalingGroup, &client.UpdateAutoScalingGroupInput{AutoScalingGroupName: aws.String("shop"), VPCZoneIdentifier: aws.String("subnet-b,subnet-c")})
	h.ec2.booting = true
	h.settle()
	h.wantInService(id(1), id(2)) // the one in the lost zone stays until the new one serves
	h.ec2.booting = false
	h.ec2.set(id(3), "running")
	h.settle()
	h.wantInService(id(2), id(3))
	for n, zone := range []string{"us-east-1b", "us-east-1c"} {
		if got := *h.group().Instances[n].AvailabilityZone; got != zone {
			t.Errorf("instance %d is in %s, want %s", n, got, zone)
		}
	}
	h.wantCause("an imbalance of the group's Availability Zones")
}

func TestSuspendedProcesses(t *testing.T) {
	h := newHarness(t)
	h.create()
	processes := func(names ...string) ([]string, *string) { return names, aws.String("shop") }
	names, shop := processes("Launch", "HealthCheck")
	must(h, h.client.SuspendProcesses, &client.SuspendProcessesInput{AutoScalingGroupName: shop, ScalingProcesses: names})
	if got := h.group().SuspendedProcesses; len(got) != 2 || *got[0].ProcessName != "HealthCheck" || *got[0].SuspensionReason != "User suspended at 2025-01-02T03:04:05Z" {
		t.Errorf("suspended: %+v", got)
	}
	h.ec2.set(id(1), "stopped")
	h.setDesired(3)
	h.wantInService(id(1), id(2))
	must(h, h.client.ResumeProcesses, &client.ResumeProcessesInput{AutoScalingGroupName: shop})
	h.settle()
	h.wantInService(id(2), id(3), id(4))
	refused(h, h.client.SuspendProcesses, &client.SuspendProcessesInput{AutoScalingGroupName: shop, ScalingProcesses: []string{"Sleep"}}, "ValidationError", "Scaling process 'Sleep' is not valid")
}

func TestScheduledAction(t *testing.T) {
	h := newHarness(t)
	h.create()
	at := h.clock.t.Add(time.Hour)
	in := &client.PutScheduledUpdateGroupActionInput{AutoScalingGroupName: aws.String("shop"), ScheduledActionName: aws.String("sale"), StartTime: &at, MinSize: aws.Int32(3), DesiredCapacity: aws.Int32(4)}
	must(h, h.client.PutScheduledUpdateGroupAction, in)
	out := must(h, h.client.DescribeScheduledActions, &client.DescribeScheduledActionsInput{AutoScalingGroupName: aws.String("shop")})
	if len(out.ScheduledUpdateGroupActions) != 1 || !out.ScheduledUpdateGroupActions[0].StartTime.Equal(at) || *out.ScheduledUpdateGroupActions[0].MinSize != 3 {
		t.Errorf("actions: %+v", out.ScheduledUpdateGroupActions)
	}
	h.after(59 * time.Minute)
	h.wantInService(id(1), id(2))
	h.after(time.Minute)
	if n := len(h.inService()); n != 4 {
		t.Errorf("%d in service", n)
	}
	h.wantCause("a scheduled action update of AutoScalingGroup constraints to min: 3, max: 4, desired: 4 changing the desired capacity from 2 to 4.")
	h.after(time.Second)
	refused(h, h.client.PutScheduledUpdateGroupAction, in, "ValidationError", "Given start time is in the past")
	in.StartTime, in.Recurrence = nil, aws.String("0 9 * * *")
	refused(h, h.client.PutScheduledUpdateGroupAction, in, "ValidationError", "Recurrence is not supported")
	refused(h, h.client.DeleteScheduledAction, &client.DeleteScheduledActionInput{AutoScalingGroupName: aws.String("shop"), ScheduledActionName: aws.String("sale")}, "ValidationError", "Scheduled action name not found")
}
