package dataplane_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	ec2api "storefront/lab/api/ec2"
	"storefront/lab/dataplane"
	"storefront/lab/ec2"
)

func TestSpotInterruption(t *testing.T) {
	r := newTestRegion(t, time.Now)
	spot, early, demand := r.launchSpot(), r.launchSpot(), r.launch(ec2api.RunInstancesInput{})
	if err := r.spot.Interrupt(spot); !errors.Is(err, dataplane.ErrNotSpot) {
		t.Errorf("interrupting a pending instance: got %v, want ErrNotSpot", err)
	}
	for _, id := range []string{spot, early, demand} {
		r.set(id, ec2.Running)
	}
	if err := r.spot.Interrupt(demand); !errors.Is(err, dataplane.ErrNotSpot) {
		t.Errorf("interrupting an on-demand instance: got %v, want ErrNotSpot", err)
	}
	if m := r.shows(spot); m.LifeCycle != "spot" || m.SpotAction != nil || m.Rebalance != nil {
		t.Errorf("before the notice: %s %v %v", m.LifeCycle, m.SpotAction, m.Rebalance)
	}
	synctest.Test(t, func(t *testing.T) {
		told := time.Now()
		stop := r.background(r.spot)
		defer stop()
		for range 2 { // a minute apart: the second changes nothing
			if err := errors.Join(r.spot.Interrupt(spot), r.spot.Interrupt(early)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute - time.Second/2)
			synctest.Wait()
		}
		m := r.shows(spot)
		if m.SpotAction == nil || m.SpotAction.Action != "terminate" || !m.SpotAction.Time.Equal(told.Add(2*time.Minute)) || m.Rebalance == nil || !m.Rebalance.Equal(told) {
			t.Errorf("the notice is %+v, the recommendation of %v", m.SpotAction, m.Rebalance)
		}
		r.set(early, ec2.ShuttingDown) // by itself, before its time
		r.set(early, ec2.Terminated)
		if got := r.instance(spot); got.State != ec2.Running {
			t.Errorf("a second before its end it is %s", got.State)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := r.instance(spot); got.State != ec2.ShuttingDown || got.Reason.Code != "Server.SpotInstanceTermination" {
			t.Errorf("after two minutes it is %s for %q", got.State, got.Reason.Code)
		}
		for _, id := range []string{spot, early} {
			if m := r.shows(id); m.SpotAction != nil || m.Rebalance != nil {
				t.Errorf("the notice of %s is left: %v %v", id, m.SpotAction, m.Rebalance)
			}
		}
		if got := r.instance(early); got.State != ec2.Terminated || got.Reason.Code == "Server.SpotInstanceTermination" {
			t.Errorf("what ended before is %s for %q", got.State, got.Reason.Code)
		}
	})
}
