package autoscaling_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
)

func TestUnhealthyInstancesAreReplaced(t *testing.T) {
	for name, tt := range map[string]struct {
		fail  func(h *harness)
		cause string
		drain bool
	}{
		"terminated": {func(h *harness) { h.ec2.set(id(1), "terminated") }, "in response to an EC2 health check indicating it has been terminated or stopped.", false},
		"stopped":    {func(h *harness) { h.ec2.set(id(1), "stopped") }, "in response to an EC2 health check indicating it has been terminated or stopped.", false},
		"forgotten":  {func(h *harness) { delete(h.ec2.instances, id(1)) }, "in response to an EC2 health check indicating it has been terminated or stopped.", false},
		"load balancer": {func(h *harness) {
			h.elb.targets[targetGroup][id(1)] = "unhealthy"
			h.settle()
			h.wantInService(id(1), id(2)) // the grace period
			h.after(2 * time.Minute)
		}, "in response to an ELB system health check failure.", true},
		"user": {func(h *harness) {
			must(h, h.client.SetInstanceHealth, &client.SetInstanceHealthInput{InstanceId: aws.String(id(1)), HealthStatus: aws.String("Unhealthy")})
			h.settle()
			h.wantInService(id(1), id(2)) // the grace period
			must(h, h.client.SetInstanceHealth, &client.SetInstanceHealthInput{InstanceId: aws.String(id(1)), HealthStatus: aws.String("Unhealthy"), ShouldRespectGracePeriod: aws.Bool(false)})
		}, "in response to a user health-check.", true},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.create()
			h.elb.slow = true
			tt.fail(h)
			h.turn()
			h.turn()
			if tt.drain { // the replacement does not wait for the draining
				if got := h.elb.targets[targetGroup][id(1)]; got != "draining" {
					t.Errorf("the unhealthy instance is %s", got)
				}
			}
			h.settle()
			if got := h.inService(); len(got) != 2 || slices.Contains(got, id(1)) {
				t.Errorf("in service: %v", got)
			}
			h.elb.finish()
			h.settle()
			if got := h.ids(); len(got) != 2 {
				t.Errorf("instances: %v", got)
			}
			if i, ok := h.ec2.instances[id(1)]; ok && *i.State.Name != "terminated" {
				t.Errorf("the unhealthy instance is %s", *i.State.Name)
			}
			if left := h.elb.targets[targetGroup][id(1)]; left != "" {
				t.Errorf("the unhealthy instance is still registered: %s", left)
			}
			h.wantCause(tt.cause)
			h.wantCause("an instance was launched in response to an unhealthy instance needing to be replaced.")
			for _, i := range h.group().Instances {
				if *i.InstanceId != id(2) && *i.AvailabilityZone != "us-east-1a" {
					t.Errorf("the replacement is in %s", *i.AvailabilityZone)
				}
			}
		})
	}
}

func TestMaintenancePolicyReplacesFirst(t *testing.T) {
	h := newHarness(t)
	h.create(func(in *client.CreateAutoScalingGroupInput) {
		in.InstanceMaintenancePolicy = &types.InstanceMaintenancePolicy{MinHealthyPercentage: aws.Int32(100), MaxHealthyPercentage: aws.Int32(150)}
	})
	h.ec2.booting = true
	h.elb.targets[targetGroup][id(1)] = "unhealthy"
	h.after(3 * time.Minute)
	h.wantInService(id(1), id(2))
	h.ec2.set(id(3), "running")
	h.settle()
	h.wantInService(id(2), id(3))
}

func TestScaleIn(t *testing.T) {
	for name, tt := range map[string]struct {
		policies []string
		want     string // the victim of four instances in two zones, the first two older, of which the first has the old template
	}{
		"default":  {nil, id(1)},
		"oldest":   {[]string{"OldestInstance"}, id(1)},
		"newest":   {[]string{"NewestInstance"}, id(4)},
		"template": {[]string{"OldestLaunchTemplate"}, id(1)},
		"hour":     {[]string{"ClosestToNextInstanceHour"}, id(1)},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.create(func(in *client.CreateAutoScalingGroupInput) { in.TerminationPolicies = tt.policies })
			h.after(time.Minute)
			h.setDesired(3)
			h.after(time.Minute)
			h.setDesired(4)
			h.setDesired(3)
			if got := h.inService(); slices.Contains(got, tt.want) || len(got) != 3 {
				t.Errorf("in service: %v, want all but %s", got, tt.want)
			}
			h.wantCause("shrinking the capacity from 4 to 3.  At 2025-01-02T03:06:05Z instance " + tt.want + " was selected for termination.")
			zones := map[string]int{}
			h.setDesired(2)
			for _, i := range h.group().Instances {
				zones[*i.AvailabilityZone]++
			}
			if len(zones) != 2 {
				t.Errorf("the rest is not balanced: %v", zones)
			}
		})
	}
}

func TestProtectionFromScaleIn(t *testing.T) {
	h := newHarness(t)
	h.create(func(in *client.CreateAutoScalingGroupInput) {
		in.NewInstancesProtectedFromScaleIn, in.MinSize = aws.Bool(true), aws.Int32(0)
		in.DesiredCapacity = aws.Int32(2)
	})
	h.setDesired(0)
	h.wantInService(id(1), id(2))
	must(h, h.client.SetInstanceProtection, &client.SetInstanceProtectionInput{AutoScalingGroupName: aws.String("shop"), InstanceIds: []string{id(2)}, ProtectedFromScaleIn: aws.Bool(false)})
	h.settle()
	h.wantInService(id(1))
	refused(h, h.client.SetInstanceProtection, &client.SetInstanceProtectionInput{AutoScalingGroupName: aws.String("shop"), InstanceIds: []string{id(2)}, ProtectedFromScaleIn: aws.Bool(false)},
		"ValidationError", "is not part of Auto Scaling group shop.")
}

func TestTerminateInstance(t *testing.T) {
	h := newHarness(t)
	h.create()
	call := func(n int, decrement bool) *client.TerminateInstanceInAutoScalingGroupInput {
		return &client.TerminateInstanceInAutoScalingGroupInput{InstanceId: aws.String(id(n)), ShouldDecrementDesiredCapacity: &decrement}
	}
	refused(h, h.client.TerminateInstanceInAutoScalingGroup, call(1, true), "ValidationError", "Currently, desiredSize equals minSize (2).")
	refused(h, h.client.TerminateInstanceInAutoScalingGroup, call(9, false), "ValidationError", "No managed instance found for instance ID: "+id(9))
	out := must(h, h.client.TerminateInstanceInAutoScalingGroup, call(1, false))
	if want := "At 2025-01-02T03:04:05Z instance " + id(1) + " was taken out of service in response to a user request."; *out.Activity.Cause != want {
		t.Errorf("cause %q, want %q", *out.Activity.Cause, want)
	}
	refused(h, h.client.TerminateInstanceInAutoScalingGroup, call(1, false), "ScalingActivityInProgress", "being terminated")
	h.settle()
	h.wantInService(id(2), id(3))
	must(h, h.client.UpdateAutoScalingGroup, &client.UpdateAutoScalingGroupInput{AutoScalingGroupName: aws.String("shop"), MinSize: aws.Int32(0)})
	out = must(h, h.client.TerminateInstanceInAutoScalingGroup, call(2, true))
	if !strings.HasSuffix(*out.Activity.Cause, "in response to a user request, shrinking the capacity from 2 to 1.") {
		t.Errorf("cause %q", *out.Activity.Cause)
	}
	h.settle()
	h.wantInService(id(3))
}

func TestMaxInstanceLifetime(t *testing.T) {
	h := newHarness(t)
	h.create(func(in *client.CreateAutoScalingGroupInput) { in.MaxInstanceLifetime = aws.Int32(86400) })
	h.after(24 * time.Hour)
	h.after(time.Minute)
	h.wantInService(id(3), id(4))
	h.wantCause("in response to max instance lifetime.")
}
