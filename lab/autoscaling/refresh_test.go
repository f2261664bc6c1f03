package autoscaling_test

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	ec2api "storefront/lab/api/ec2"
	"storefront/lab/autoscaling"
	"storefront/lab/wire"
)

// refresh starts one as the provider does: the group is updated first.
func (h *harness) refresh(change ...func(*client.StartInstanceRefreshInput)) string {
	h.Helper()
	must(h, h.client.UpdateAutoScalingGroup, &client.UpdateAutoScalingGroupInput{AutoScalingGroupName: aws.String("shop"), MixedInstancesPolicy: mixed("2")})
	in := &client.StartInstanceRefreshInput{AutoScalingGroupName: aws.String("shop"), Strategy: types.RefreshStrategyRolling,
		DesiredConfiguration: &types.DesiredConfiguration{MixedInstancesPolicy: mixed("2")},
		Preferences:          &types.RefreshPreferences{MinHealthyPercentage: aws.Int32(100), MaxHealthyPercentage: aws.Int32(150), AutoRollback: aws.Bool(true)}}
	for _, f := range change {
		f(in)
	}
	return *must(h, h.client.StartInstanceRefresh, in).InstanceRefreshId
}

func (h *harness) lastRefresh() types.InstanceRefresh {
	h.Helper()
	return must(h, h.client.DescribeInstanceRefreshes, &client.DescribeInstanceRefreshesInput{AutoScalingGroupName: aws.String("shop")}).InstanceRefreshes[0]
}

// versions counts the instances in service by the version of their template.
func (h *harness) versions() map[string]int {
	h.Helper()
	count := map[string]int{}
	for _, i := range h.group().Instances {
		if i.LifecycleState == types.LifecycleStateInService {
			count[*i.LaunchTemplate.Version]++
		}
	}
	return count
}

func TestInstanceRefresh(t *testing.T) {
	h := newHarness(t)
	h.create()
	h.after(time.Minute)
	started := h.refresh()
	if r := h.lastRefresh(); *r.InstanceRefreshId != started || r.Status != types.InstanceRefreshStatusPending {
		t.Errorf("refresh %s is %s", *r.InstanceRefreshId, r.Status)
	}
	refused(h, h.client.StartInstanceRefresh, &client.StartInstanceRefreshInput{AutoScalingGroupName: aws.String("shop")}, "InstanceRefreshInProgress", "An Instance Refresh is already in progress")
	h.elb.fresh = "initial"
	for range 8 { // minutes
		h.turn()
		if n := h.versions(); n["1"]+n["2"] > 3 {
			t.Errorf("%v in service: more than 150 percent", n)
		}
		if healthy := slices.DeleteFunc(h.inService(), func(id string) bool { return h.elb.targets[targetGroup][id] != "healthy" }); len(healthy) < 2 {
			t.Errorf("%v are healthy and in service: less than 100 percent", healthy)
		}
		h.after(30 * time.Second)
		for id, s := range h.elb.targets[targetGroup] {
			if s == "initial" {
				h.elb.targets[targetGroup][id] = "healthy"
			}
		}
		h.after(30 * time.Second)
	}
	r := h.lastRefresh()
	if r.Status != types.InstanceRefreshStatusSuccessful || *r.PercentageComplete != 100 || *r.InstancesToUpdate != 0 || r.EndTime == nil || *r.Preferences.InstanceWarmup != 60 {
		t.Errorf("refresh: %s, %d%%, %d left", r.Status, *r.PercentageComplete, *r.InstancesToUpdate)
	}
	if n := h.versions(); n["2"] != 2 || n["1"] != 0 || len(h.ids()) != 2 {
		t.Errorf("versions: %v", n)
	}
	h.wantCause("an instance was launched in response to an instance refresh.")
	h.wantCause("an instance was taken out of service in response to an instance refresh.")
}

// A refresh ends when its last instance has warmed up.
func TestInstanceRefreshWarmsUp(t *testing.T) {
	h := newHarness(t)
	h.create()
	h.refresh(func(in *client.StartInstanceRefreshInput) {
		in.Preferences = &types.RefreshPreferences{MinHealthyPercentage: aws.Int32(0), InstanceWarmup: aws.Int32(300)}
	})
	h.settle()
	h.after(299 * time.Second)
	if r := h.lastRefresh(); h.versions()["2"] != 2 || r.Status != types.InstanceRefreshStatusInProgress {
		t.Errorf("refresh: %s, versions %v", r.Status, h.versions())
	}
	h.after(time.Second)
	if r := h.lastRefresh(); r.Status != types.InstanceRefreshStatusSuccessful {
		t.Errorf("refresh: %s", r.Status)
	}
}

// With less than everything in service, the old go first.
func TestInstanceRefreshInPlace(t *testing.T) {
	for _, low := range []int32{50, 90} { // 90 percent of two leaves no room: one at a time goes nevertheless
		h := newHarness(t)
		h.create()
		h.refresh(func(in *client.StartInstanceRefreshInput) {
			in.Preferences = &types.RefreshPreferences{MinHealthyPercentage: &low, InstanceWarmup: aws.Int32(0)}
		})
		h.turn()
		if n := len(h.ids(types.LifecycleStateTerminating)); n != 1 {
			t.Errorf("%d%%: %d go at once, want one", low, n)
		}
		h.settle()
		h.after(time.Second)
		if r := h.lastRefresh(); r.Status != types.InstanceRefreshStatusSuccessful {
			t.Errorf("%d%%: the refresh is %s", low, r.Status)
		}
	}
}

func TestInstanceRefreshSkipsWhatMatches(t *testing.T) {
	h := newHarness(t)
	h.create()
	must(h, h.client.UpdateAutoScalingGroup, &client.UpdateAutoScalingGroupInput{AutoScalingGroupName: aws.String("shop"), MixedInstancesPolicy: mixed("2")})
	h.setDesired(3) // the third has the new version
	h.after(time.Minute)
	h.refresh(func(in *client.StartInstanceRefreshInput) { in.Preferences.SkipMatching = aws.Bool(true) })
	for range 4 {
		h.after(time.Minute)
	}
	if got := h.inService(); len(got) != 3 || got[0] != id(3) {
		t.Errorf("in service: %v, want %s kept", got, id(3))
	}
}

func TestInstanceRefreshRollsBack(t *testing.T) {
	for name, fail := range map[string]func(h *harness){
		"launch": func(h *harness) {
			h.ec2.run = func(in *ec2api.RunInstancesInput) error {
				if *in.LaunchTemplate.Version == "2" {
					return wire.Errorf(400, "InvalidAMIID.NotFound", "The image id '[ami-2]' does not exist")
				}
				return nil
			}
		},
		"health": func(h *harness) { h.elb.fresh = "unhealthy" },
	} {
		t.Run(name, func(t *testing.T) {
			h := newHarness(t)
			h.create()
			h.after(time.Minute)
			h.refresh()
			fail(h)
			for range 30 {
				if h.after(time.Minute); h.lastRefresh().EndTime != nil {
					break
				}
			}
			r := h.lastRefresh()
			if r.Status != types.InstanceRefreshStatusRollbackSuccessful || r.RollbackDetails == nil || *r.RollbackDetails.PercentageCompleteOnRollback != 0 {
				t.Errorf("refresh: %s %+v", r.Status, r.RollbackDetails)
			}
			h.wantInService(id(1), id(2))
			if v := *h.group().MixedInstancesPolicy.LaunchTemplate.LaunchTemplateSpecification.Version; v != "1" {
				t.Errorf("the group has version %s", v)
			}
		})
	}
}

func TestInstanceRefreshFails(t *testing.T) {
	h := newHarness(t)
	h.create()
	h.refresh(func(in *client.StartInstanceRefreshInput) { in.Preferences.AutoRollback = aws.Bool(false) })
	h.ec2.run = func(*ec2api.RunInstancesInput) error { return wire.Errorf(400, "InvalidAMIID.NotFound", "gone") }
	for range 10 {
		h.after(time.Minute)
	}
	if r := h.lastRefresh(); r.Status != types.InstanceRefreshStatusFailed || r.StatusReason == nil {
		t.Errorf("refresh: %s", r.Status)
	}
	h.wantInService(id(1), id(2))
}

func TestInterruptedInstanceRefresh(t *testing.T) {
	h := newHarness(t)
	h.create()
	cancel := &client.CancelInstanceRefreshInput{AutoScalingGroupName: aws.String("shop")}
	refused(h, h.client.CancelInstanceRefresh, cancel, "ActiveInstanceRefreshNotFound", "No in progress or pending Instance Refresh found")
	h.refresh()
	h.turn()
	must(h, h.client.CancelInstanceRefresh, cancel)
	if r := h.lastRefresh(); r.Status != types.InstanceRefreshStatusCancelling {
		t.Errorf("refresh: %s", r.Status)
	}
	for range 3 {
		h.after(time.Minute)
	}
	if r := h.lastRefresh(); r.Status != types.InstanceRefreshStatusCancelled || r.EndTime == nil {
		t.Errorf("refresh: %s", r.Status)
	}
	if got := h.inService(); len(got) != 2 {
		t.Errorf("in service: %v", got)
	}
	h.refresh()
	h.after(time.Minute)
	must(h, h.client.RollbackInstanceRefresh, &client.RollbackInstanceRefreshInput{AutoScalingGroupName: aws.String("shop")})
	for range 6 {
		h.after(time.Minute)
	}
	if r := h.lastRefresh(); r.Status != types.InstanceRefreshStatusRollbackSuccessful || h.versions()["2"] != 0 {
		t.Errorf("refresh: %s, versions %v", r.Status, h.versions())
	}
	for text, p := range map[string]*types.RefreshPreferences{
		"Checkpoints of an instance refresh is not supported": {CheckpointPercentages: []int32{50}},
		"cannot be greater than 100":                          {MinHealthyPercentage: aws.Int32(50), MaxHealthyPercentage: aws.Int32(200)},
		"AutoRollback cannot be set to true without":          {AutoRollback: aws.Bool(true)},
	} {
		refused(h, h.client.StartInstanceRefresh, &client.StartInstanceRefreshInput{AutoScalingGroupName: aws.String("shop"), Preferences: p}, "ValidationError", text)
	}
}

func TestCapacityRebalancing(t *testing.T) {
	h := newHarness(t)
	h.create()
	h.ec2.booting = true
	h.spot[id(1)] = autoscaling.SpotSignals{Rebalance: true}
	h.settle()
	h.wantInService(id(1), id(2)) // the replacement comes first
	h.ec2.set(id(3), "running")
	h.settle()
	h.wantInService(id(2), id(3))
	h.wantCause("an instance was launched in response to an EC2 instance rebalance recommendation.")

	h.ec2.booting, h.elb.slow = false, true
	h.spot[id(2)] = autoscaling.SpotSignals{Rebalance: true, Interruption: true}
	h.settle() // there are two minutes: it drains while the replacement starts
	h.wantInService(id(3), id(4))
	if s := h.elb.targets[targetGroup][id(2)]; s != "draining" {
		t.Errorf("the interrupted instance is %s", s)
	}
	must(h, h.client.UpdateAutoScalingGroup, &client.UpdateAutoScalingGroupInput{AutoScalingGroupName: aws.String("shop"), CapacityRebalance: aws.Bool(false)})
	h.spot[id(3)] = autoscaling.SpotSignals{Rebalance: true, Interruption: true}
	h.settle()
	h.wantInService(id(3), id(4))
}
