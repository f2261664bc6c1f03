package autoscaling

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"time"

	api "storefront/lab/api/autoscaling"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// StartInstanceRefresh implements the operation of that name. Checkpoints and alarms are refused.
func (s *Service) StartInstanceRefresh(ctx context.Context, in *api.StartInstanceRefreshInput) (*api.StartInstanceRefreshOutput, error) {
	p := api.RefreshPreferences{}
	if in.Preferences != nil {
		p = *in.Preferences
	}
	if err := checkPreferences(p, in.DesiredConfiguration); err != nil {
		return nil, err
	}
	var wanted launch
	if d := in.DesiredConfiguration; d != nil {
		var err error
		if wanted, err = s.newLaunch(ctx, d.LaunchTemplate, d.MixedInstancesPolicy); err != nil {
			return nil, err
		}
	}
	return edit(s, in.AutoScalingGroupName, func(tx *state.Tx, g *group, out *api.StartInstanceRefreshOutput) error {
		if _, ok := activeRefresh(tx, g.Name); ok {
			return fault("InstanceRefreshInProgress", "An Instance Refresh is already in progress and blocks the execution of this Instance Refresh.")
		}
		r := refresh{Group: g.Name, Status: api.InstanceRefreshStatusPending, Start: s.now(), Preferences: s.preferences(*g, p), Desired: in.DesiredConfiguration, Before: g.Launch}
		if wanted != (launch{}) {
			r.Desired = &api.DesiredConfiguration{LaunchTemplate: wanted.Template, MixedInstancesPolicy: wanted.Mixed}
			r.Before, g.Launch = before(tx, *g, wanted), wanted
		}
		var err error
		if r.ID, err = region.NewUUID(tx, "autoscaling-refresh"); err != nil {
			return err
		}
		g.Refreshes++
		out.InstanceRefreshId = new(r.ID)
		return refreshes.Put(tx, r.key(g.Refreshes), r)
	})
}

func (r refresh) key(n int) string { return r.Group + ":" + number(uint64(n)) }

func checkPreferences(p api.RefreshPreferences, d *api.DesiredConfiguration) error {
	switch {
	case len(p.CheckpointPercentages) > 0 || p.CheckpointDelay != nil:
		return unsupported("Checkpoints of an instance refresh")
	case p.AlarmSpecification != nil && len(p.AlarmSpecification.Alarms) > 0:
		return unsupported("AlarmSpecification")
	case wire.Value(p.AutoRollback) && d == nil:
		return invalid("AutoRollback cannot be set to true without a DesiredConfiguration.")
	}
	if low, high := wire.Or(p.MinHealthyPercentage, 90), wire.Or(p.MaxHealthyPercentage, 100); high-low > 100 {
		return invalid("The difference between MinHealthyPercentage (%d) and MaxHealthyPercentage (%d) cannot be greater than 100.", low, high)
	}
	return nil
}

// before is the configuration that a rollback returns to. Terraform updates the group first and names the same configuration for the refresh: then
// it is what the newest instance of another configuration was launched from.
func before(tx *state.Tx, g group, wanted launch) launch {
	if !reflect.DeepEqual(wanted, g.Launch) {
		return g.Launch
	}
	for _, m := range slices.Backward(of(tx, members, g.Name)) {
		if !m.terminating() && !reflect.DeepEqual(m.Launch, wanted) {
			return m.Launch
		}
	}
	return g.Launch
}

// preferences fills in the defaults, as DescribeInstanceRefreshes shows them.
func (s *Service) preferences(g group, p api.RefreshPreferences) api.RefreshPreferences {
	low, high := int64(90), int64(100)
	if m := g.Maintenance; m != nil {
		low, high = wire.Or(m.MinHealthyPercentage, low), wire.Or(m.MaxHealthyPercentage, high)
	}
	p.MinHealthyPercentage, p.MaxHealthyPercentage = new(wire.Or(p.MinHealthyPercentage, low)), new(wire.Or(p.MaxHealthyPercentage, high))
	p.InstanceWarmup = new(wire.Or(p.InstanceWarmup, wire.Or(g.Warmup, g.Grace)))
	p.SkipMatching, p.AutoRollback = new(wire.Value(p.SkipMatching)), new(wire.Value(p.AutoRollback))
	p.ScaleInProtectedInstances = new(wire.Or(p.ScaleInProtectedInstances, api.ScaleInProtectedInstancesIgnore))
	p.StandbyInstances = new(wire.Or(p.StandbyInstances, api.StandbyInstancesIgnore))
	return p
}

// running reports whether a refresh has not ended.
func (r refresh) running() bool {
	return slices.Contains([]string{api.InstanceRefreshStatusPending, api.InstanceRefreshStatusInProgress, api.InstanceRefreshStatusCancelling,
		api.InstanceRefreshStatusRollbackInProgress}, r.Status)
}

// activeRefresh returns the key of the refresh that has not ended.
func activeRefresh(tx *state.Tx, group string) (key string, ok bool) {
	for key, r := range refreshes.WithPrefix(tx, group+":") {
		if r.running() {
			return key, true
		}
	}
	return "", false
}

// CancelInstanceRefresh implements the operation of that name.
func (s *Service) CancelInstanceRefresh(_ context.Context, in *api.CancelInstanceRefreshInput) (*api.CancelInstanceRefreshOutput, error) {
	return edit(s, in.AutoScalingGroupName, func(tx *state.Tx, g *group, out *api.CancelInstanceRefreshOutput) error {
		return s.interrupt(tx, g, func(r *refresh) error {
			out.InstanceRefreshId = new(r.ID)
			r.Status, r.Reason = api.InstanceRefreshStatusCancelling, "Cancelled due to user request."
			return nil
		})
	})
}

// RollbackInstanceRefresh implements the operation of that name.
func (s *Service) RollbackInstanceRefresh(_ context.Context, in *api.RollbackInstanceRefreshInput) (*api.RollbackInstanceRefreshOutput, error) {
	return edit(s, in.AutoScalingGroupName, func(tx *state.Tx, g *group, out *api.RollbackInstanceRefreshOutput) error {
		return s.interrupt(tx, g, func(r *refresh) error {
			if r.Desired == nil {
				return fault("IrreversibleInstanceRefresh", "The instance refresh was started without a desired configuration, so there is nothing to roll back to.")
			}
			if r.Status == api.InstanceRefreshStatusRollbackInProgress {
				return fault("InstanceRefreshInProgress", "A rollback is already in progress.")
			}
			out.InstanceRefreshId = new(r.ID)
			r.rollBack(g, s.now(), "Rollback due to user request.")
			return nil
		})
	})
}

func (s *Service) interrupt(tx *state.Tx, g *group, f func(*refresh) error) error {
	key, ok := activeRefresh(tx, g.Name)
	if !ok {
		return fault("ActiveInstanceRefreshNotFound", "No in progress or pending Instance Refresh found for Auto Scaling group %s", g.Name)
	}
	r, _, err := refreshes.Get(tx, key)
	if err != nil {
		return err
	}
	if err := f(&r); err != nil {
		return err
	}
	return refreshes.Put(tx, key, r)
}

// DescribeInstanceRefreshes implements the operation of that name: the newest first.
func (s *Service) DescribeInstanceRefreshes(_ context.Context, in *api.DescribeInstanceRefreshesInput) (*api.DescribeInstanceRefreshesOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeInstanceRefreshesOutput) error {
		g, err := findGroup(tx, in.AutoScalingGroupName)
		if err != nil {
			return err
		}
		var found []api.InstanceRefresh
		for _, r := range slices.Backward(of(tx, refreshes, g.Name)) {
			if len(in.InstanceRefreshIds) == 0 || slices.Contains(in.InstanceRefreshIds, r.ID) {
				found = append(found, r.describe())
			}
		}
		found, out.NextToken, err = page(found, in.NextToken, in.MaxRecords, 100)
		out.InstanceRefreshes = append([]api.InstanceRefresh{}, found...)
		return err
	})
}

func (r refresh) percent() int64 {
	if r.Total == 0 {
		return 100
	}
	return (r.Total - r.Left) * 100 / r.Total
}

func (r refresh) describe() api.InstanceRefresh {
	d := api.InstanceRefresh{AutoScalingGroupName: new(r.Group), InstanceRefreshId: new(r.ID), Status: new(r.Status), StatusReason: wire.Optional(r.Reason),
		StartTime: new(r.Start), Preferences: new(r.Preferences), DesiredConfiguration: r.Desired}
	if r.Status != api.InstanceRefreshStatusPending {
		d.InstancesToUpdate, d.PercentageComplete = new(r.Left), new(r.percent())
	}
	if !r.End.IsZero() {
		d.EndTime = new(r.End)
	}
	if b := r.RollbackFrom; b != nil {
		d.RollbackDetails = &api.RollbackDetails{RollbackReason: new(b.Reason), RollbackStartTime: new(b.Start), PercentageCompleteOnRollback: new(b.Percent),
			InstancesToUpdateOnRollback: new(b.Left)}
	}
	return d
}

// finish ends a refresh.
func (r *refresh) finish(status, reason string, now time.Time) {
	r.Status, r.Reason, r.End = status, reason, now
}

// rollBack turns a refresh around: the group gets its former configuration, and what was launched from the new one is replaced.
func (r *refresh) rollBack(g *group, now time.Time, reason string) {
	r.RollbackFrom = &rollback{Start: now, Reason: reason, Percent: r.percent(), Left: r.Left}
	r.Status, r.Reason = api.InstanceRefreshStatusRollbackInProgress, fmt.Sprintf("Rolling back: %s", reason)
	r.Total, r.Left, r.Failures = 0, 0, 0
	g.Launch = r.Before
}
