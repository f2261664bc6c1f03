package applicationautoscaling_test

import (
	"slices"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"

	"storefront/lab/wire/wiretest"
)

func TestMinimumIsKept(t *testing.T) {
	h := start(t, "one")
	h.register(2, 6)
	h.reconcile()
	if a := h.activities(); h.made() != 1 || len(a) != 1 || a[0].StatusCode != types.ScalingActivityStatusCodeInProgress || *a[0].Description != "Setting replica count to 2." || *a[0].Cause != "minimum capacity was set to 2" {
		t.Fatalf("readers %v, activities %+v", h.readers, a)
	}
	h.reconcile() // the reader is not available yet
	if len(h.readers) != 2 || h.activities()[0].EndTime != nil {
		t.Errorf("while it is created: readers %v", h.readers)
	}
	h.settle()
	if a := h.activities(); len(h.readers) != 2 || len(a) != 1 || a[0].StatusCode != types.ScalingActivityStatusCodeSuccessful || a[0].EndTime == nil {
		t.Errorf("readers %v, activities %+v", h.readers, a)
	}
}

func TestTargetTracking(t *testing.T) {
	h := start(t, "one", "two")
	h.register(1, 6)
	h.track(nil)
	h.minutes(4, 85)
	if h.made() != 0 {
		t.Fatal("four minutes above the target are enough")
	}
	h.minutes(1, 85)
	if len(h.readers) != 3 { // 2 * 85 / 60
		t.Fatalf("readers %v", h.readers)
	}
	h.minutes(3, 85)
	if len(h.readers) != 3 {
		t.Fatalf("in the cooldown: readers %v", h.readers)
	}
	h.minutes(2, 85)
	if len(h.readers) != 5 { // 3 * 85 / 60
		t.Fatalf("after the cooldown: readers %v", h.readers)
	}
	h.minutes(14, 1)
	if len(h.readers) != 5 {
		t.Fatalf("fourteen minutes below the target are enough: readers %v", h.readers)
	}
	h.minutes(1, 1)
	if !slices.Equal(h.readers, []string{"one", "two"}) {
		t.Errorf("readers %v, want those alone that it did not make", h.readers)
	}
	if a := h.activities(); len(a) != 3 || *a[0].Description != "Setting replica count to 2." {
		t.Errorf("activities %+v", a)
	}
	h.minutes(20, 1)
	if a := h.activities(); len(h.readers) != 2 || len(a) != 3 {
		t.Errorf("readers %v, %d activities: the readers of others are not to be taken away", h.readers, len(a))
	}
}

func TestMaximumHolds(t *testing.T) {
	h := start(t, "one")
	h.register(1, 2)
	h.track(nil)
	h.minutes(20, 100)
	if len(h.readers) != 2 {
		t.Errorf("readers %v", h.readers)
	}
}

func TestNothingScalesWhileReadersComeAndGo(t *testing.T) {
	h := start(t, "one")
	h.busy = true
	h.register(3, 6)
	h.reconcile()
	if len(h.readers) != 1 {
		t.Errorf("readers %v while one is not available", h.readers)
	}
	h.busy = false
	h.settle()
	if len(h.readers) != 3 {
		t.Errorf("readers %v", h.readers)
	}
}

func TestScaleInCanBeOff(t *testing.T) {
	h := start(t, "one")
	h.register(1, 6)
	h.track(func(c *types.TargetTrackingScalingPolicyConfiguration) { c.DisableScaleIn = new(true) })
	h.minutes(5, 90)
	h.minutes(30, 1)
	if h.made() != 1 {
		t.Errorf("readers %v", h.readers)
	}
	h.track(nil)
	in := registration(1, 6)
	in.SuspendedState = &types.SuspendedState{DynamicScalingInSuspended: new(true)}
	wiretest.Must(h.RegisterScalableTarget(t.Context(), in))
	h.minutes(16, 1)
	if h.made() != 1 {
		t.Errorf("readers %v, though scaling in is suspended", h.readers)
	}
	in.SuspendedState.DynamicScalingInSuspended = new(false)
	wiretest.Must(h.RegisterScalableTarget(t.Context(), in))
	h.minutes(1, 1)
	if h.made() != 0 {
		t.Errorf("readers %v", h.readers)
	}
}

func TestRefusalOfRDS(t *testing.T) {
	h := start(t)
	h.refusal = errQuota
	h.register(1, 6)
	h.settle()
	h.settle()
	if a := h.activities(); len(a) != 1 || a[0].StatusCode != types.ScalingActivityStatusCodeFailed || *a[0].StatusMessage != "Failed to set replica count to 1: Too many instances" {
		t.Fatalf("activities %+v", a)
	}
	h.refusal, h.now = nil, h.now.Add(time.Minute)
	h.settle()
	if len(h.readers) != 1 || h.activities()[0].StatusCode != types.ScalingActivityStatusCodeSuccessful {
		t.Errorf("a minute later: readers %v", h.readers)
	}
}

func TestScheduledAction(t *testing.T) {
	h := start(t, "one")
	h.register(1, 6)
	put := func(schedule string) error {
		_, err := h.PutScheduledAction(t.Context(), &sdk.PutScheduledActionInput{ServiceNamespace: types.ServiceNamespaceRds, ScalableDimension: types.ScalableDimensionRDSClusterReadReplicaCount, ResourceId: new(shop),
			ScheduledActionName: new("sale"), Schedule: &schedule, Timezone: new("Europe/Berlin"), ScalableTargetAction: &types.ScalableTargetAction{MinCapacity: new(int32(3))}})
		return err
	}
	wiretest.Refused(t, put("cron(0 8 * * ? *)"), "ValidationException", "recurring")
	wiretest.Refused(t, put("at(2026-03-01)"), "ValidationException", "at(yyyy")
	wiretest.Refused(t, put("at(2026-03-01T12:30:00)"), "ValidationException", "in the past") // 11:30 UTC
	if err := put("at(2026-03-01T13:30:00)"); err != nil {
		t.Fatal(err)
	}
	list := func() []types.ScheduledAction {
		return wiretest.Must(h.DescribeScheduledActions(t.Context(), &sdk.DescribeScheduledActionsInput{ServiceNamespace: types.ServiceNamespaceRds})).ScheduledActions
	}
	h.settle()
	if len(h.readers) != 1 || len(list()) != 1 {
		t.Fatalf("before it is due: readers %v, actions %+v", h.readers, list())
	}
	h.now = h.now.Add(30 * time.Minute)
	h.settle()
	if len(h.readers) != 3 || len(list()) != 0 {
		t.Errorf("when it is due: readers %v, actions %+v", h.readers, list())
	}
}
