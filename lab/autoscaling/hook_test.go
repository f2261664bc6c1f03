package autoscaling_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling/types"

	"storefront/lab/autoscaling"
	"storefront/lab/state"
)

const (
	launching   = "autoscaling:EC2_INSTANCE_LAUNCHING"
	terminating = "autoscaling:EC2_INSTANCE_TERMINATING"
)

func (h *harness) hook(name, transition, result string) {
	h.Helper()
	must(h, h.client.PutLifecycleHook, &client.PutLifecycleHookInput{AutoScalingGroupName: aws.String("shop"), LifecycleHookName: &name, LifecycleTransition: &transition,
		HeartbeatTimeout: aws.Int32(60), DefaultResult: &result})
}

func (h *harness) complete(n int, name, result string) {
	h.Helper()
	must(h, h.client.CompleteLifecycleAction, &client.CompleteLifecycleActionInput{AutoScalingGroupName: aws.String("shop"), LifecycleHookName: &name, InstanceId: aws.String(id(n)), LifecycleActionResult: &result})
}

// target is the lifecycle state that an instance sees in its metadata.
func (h *harness) target(n int) (lifecycle string) {
	h.Helper()
	if err := h.store.View(func(tx *state.Tx) error {
		lifecycle, _ = autoscaling.LifecycleState(tx, id(n))
		return nil
	}); err != nil {
		h.Fatal(err)
	}
	return lifecycle
}

// An instance that leaves is drained first; then it is told; it is terminated when it has answered.
func TestTerminationHook(t *testing.T) {
	h := newHarness(t)
	h.create(func(in *client.CreateAutoScalingGroupInput) {
		in.MinSize, in.DesiredCapacity = aws.Int32(0), aws.Int32(1)
	})
	h.hook("drain", terminating, "CONTINUE")
	h.elb.slow = true
	h.setDesired(0)
	if got := h.ids(types.LifecycleStateTerminating); len(got) != 1 || h.target(1) != "InService" || h.elb.targets[targetGroup][id(1)] != "draining" {
		t.Errorf("while it drains: %v, the instance sees %s", got, h.target(1))
	}
	if a := h.activities()[1]; a.StatusCode != types.ScalingActivityStatusCodeWaitingForELBConnectionDraining {
		t.Errorf("activity %s", a.StatusCode)
	}
	h.elb.finish()
	h.settle()
	if got := h.ids(types.LifecycleStateTerminatingWait); len(got) != 1 || h.target(1) != "Terminated" || *h.ec2.instances[id(1)].State.Name != "running" {
		t.Errorf("while the hook waits: %v, the instance sees %s", got, h.target(1))
	}
	h.clock.t = h.clock.t.Add(50 * time.Second)
	must(h, h.client.RecordLifecycleActionHeartbeat, &client.RecordLifecycleActionHeartbeatInput{AutoScalingGroupName: aws.String("shop"), LifecycleHookName: aws.String("drain"), InstanceId: aws.String(id(1))})
	h.after(50 * time.Second) // the heartbeat has prolonged it
	if got := h.ids(types.LifecycleStateTerminatingWait); len(got) != 1 {
		t.Fatal("the heartbeat was not heeded")
	}
	h.complete(1, "drain", "CONTINUE")
	h.settle()
	if *h.ec2.instances[id(1)].State.Name != "terminated" || len(h.ids()) != 0 || h.target(1) != "" {
		t.Error("the instance is still there after its answer")
	}
	if a := h.activities()[1]; a.StatusCode != types.ScalingActivityStatusCodeSuccessful || *a.Description != "Terminating EC2 instance: "+id(1) {
		t.Errorf("activity %s: %s", *a.Description, a.StatusCode)
	}
}

func TestHooksTimeOut(t *testing.T) {
	h := newHarness(t)
	h.create()
	h.hook("drain", terminating, "CONTINUE")
	h.hook("log", terminating, "CONTINUE")
	must(h, h.client.TerminateInstanceInAutoScalingGroup, &client.TerminateInstanceInAutoScalingGroupInput{InstanceId: aws.String(id(1)), ShouldDecrementDesiredCapacity: aws.Bool(false)})
	h.settle()
	h.wantInService(id(2), id(3))
	h.complete(1, "drain", "CONTINUE")
	h.after(59 * time.Second)
	if got := h.ids(types.LifecycleStateTerminatingWait); len(got) != 1 {
		t.Error("the second hook was not waited for")
	}
	h.after(time.Second)
	h.wantInService(h.ids()...)
	if *h.ec2.instances[id(1)].State.Name != "terminated" {
		t.Error("the instance outlived the heartbeat timeout")
	}
}

func TestAbandonedTerminationEndsAllHooks(t *testing.T) {
	h := newHarness(t)
	h.create()
	h.hook("a", terminating, "CONTINUE")
	h.hook("b", terminating, "CONTINUE")
	must(h, h.client.TerminateInstanceInAutoScalingGroup, &client.TerminateInstanceInAutoScalingGroupInput{InstanceId: aws.String(id(1)), ShouldDecrementDesiredCapacity: aws.Bool(false)})
	h.settle()
	h.complete(1, "b", "ABANDON")
	h.settle()
	if *h.ec2.instances[id(1)].State.Name != "terminated" {
		t.Error("the other hook was waited for")
	}
}

func TestLaunchHook(t *testing.T) {
	h := newHarness(t)
	h.create(func(in *client.CreateAutoScalingGroupInput) {
		in.LifecycleHookSpecificationList = []types.LifecycleHookSpecification{{LifecycleHookName: aws.String("warm"), LifecycleTransition: aws.String(launching)}}
	})
	if got := h.ids(types.LifecycleStatePendingWait); len(got) != 2 || len(h.elb.targets[targetGroup]) != 0 {
		t.Fatalf("waiting: %v, registered: %v", got, h.elb.targets[targetGroup])
	}
	if a := h.activities()[0]; a.StatusCode != types.ScalingActivityStatusCodeMidLifecycleAction {
		t.Errorf("activity %s", a.StatusCode)
	}
	h.complete(1, "warm", "CONTINUE")
	h.complete(2, "warm", "ABANDON")
	h.settle()
	h.wantInService(id(1))
	if a := h.activities()[1]; a.StatusCode != types.ScalingActivityStatusCodeFailed {
		t.Errorf("activity of the abandoned launch: %s", a.StatusCode)
	}
	h.after(time.Minute)
	h.complete(3, "warm", "CONTINUE")
	h.settle()
	h.wantInService(id(1), id(3))
}

func TestHooksReadBack(t *testing.T) {
	h := newHarness(t)
	h.create()
	name := aws.String("shop")
	h.hook("drain", terminating, "CONTINUE")
	describe := func() []types.LifecycleHook {
		return must(h, h.client.DescribeLifecycleHooks, &client.DescribeLifecycleHooksInput{AutoScalingGroupName: name}).LifecycleHooks
	}
	if got := describe(); len(got) != 1 || *got[0].LifecycleTransition != terminating || *got[0].HeartbeatTimeout != 60 || *got[0].DefaultResult != "CONTINUE" || *got[0].GlobalTimeout != 6000 {
		t.Errorf("hooks: %+v", got)
	}
	must(h, h.client.PutLifecycleHook, &client.PutLifecycleHookInput{AutoScalingGroupName: name, LifecycleHookName: aws.String("drain"), HeartbeatTimeout: aws.Int32(30)})
	if got := describe(); *got[0].HeartbeatTimeout != 30 || *got[0].DefaultResult != "CONTINUE" {
		t.Errorf("after the change: %+v", got)
	}
	for text, in := range map[string]*client.PutLifecycleHookInput{
		"lifecycle transition is required":                         {LifecycleHookName: aws.String("x")},
		"Heartbeat Timeout must be between 30 and 7200 seconds":    {LifecycleHookName: aws.String("drain"), HeartbeatTimeout: aws.Int32(10)},
		"Invalid default result":                                   {LifecycleHookName: aws.String("drain"), DefaultResult: aws.String("RETRY")},
		"notification target of a lifecycle hook is not supported": {LifecycleHookName: aws.String("drain"), NotificationTargetARN: aws.String("arn:aws:sqs:us-east-1:000000000000:q")},
	} {
		in.AutoScalingGroupName = name
		refused(h, h.client.PutLifecycleHook, in, "ValidationError", text)
	}
	refused(h, h.client.CompleteLifecycleAction, &client.CompleteLifecycleActionInput{AutoScalingGroupName: name, LifecycleHookName: aws.String("drain"), InstanceId: aws.String(id(1)),
		LifecycleActionResult: aws.String("CONTINUE")}, "ValidationError", "No active Lifecycle Action found with instance ID "+id(1))
	must(h, h.client.TerminateInstanceInAutoScalingGroup, &client.TerminateInstanceInAutoScalingGroupInput{InstanceId: aws.String(id(1)), ShouldDecrementDesiredCapacity: aws.Bool(false)})
	h.settle()
	must(h, h.client.DeleteLifecycleHook, &client.DeleteLifecycleHookInput{AutoScalingGroupName: name, LifecycleHookName: aws.String("drain")})
	h.settle() // what waited for it goes on
	h.wantInService(h.ids()...)
	refused(h, h.client.DeleteLifecycleHook, &client.DeleteLifecycleHookInput{AutoScalingGroupName: name, LifecycleHookName: aws.String("drain")}, "ValidationError", "No Lifecycle Hook found")
}

// A dead instance answers no hook, and nothing waits for it.
func TestDeadInstancesAreNotWaitedFor(t *testing.T) {
	h := newHarness(t)
	h.create()
	h.hook("drain", terminating, "CONTINUE")
	h.elb.slow = true
	h.ec2.set(id(1), "terminated")
	h.settle()
	h.wantInService(id(2), id(3))
	if got := h.ids(); len(got) != 2 {
		t.Errorf("instances: %v", got)
	}
}
