package autoscaling

import (
	"reflect"
	"slices"
	"time"

	api "storefront/lab/api/autoscaling"
)

// Why members are replaced, as causes of activities say it.
const (
	forRefresh   = "an instance refresh"
	forRebalance = "an EC2 instance rebalance recommendation"
	forLifetime  = "max instance lifetime"
	forZones     = "an imbalance of the group's Availability Zones"
)

// maxFailures ends an instance refresh: so many of its instances did not start or turned unhealthy.
const maxFailures = 3

// mark has a member replaced: another one comes first, unless the floor, a percentage of the desired capacity, lets it go before.
func (t *turn) mark(m *member, why string, floor int64) {
	if m.Replace == "" {
		m.Replace, m.ReplaceFloor = why, floor
	}
}

func (t *turn) unmark(why string) {
	for _, m := range t.members {
		if m.Replace == why {
			m.Replace, m.ReplaceFloor = "", 0
		}
	}
}

// steer marks what is to be replaced.
func (t *turn) steer() error {
	t.proceedRefresh()
	if err := t.heedSpot(); err != nil {
		return err
	}
	t.retire()
	t.balanceZones()
	return nil
}

// heedSpot heeds the warnings of spot capacity: a recommendation has the instance replaced, an interruption notice takes it out at once, as there
// are two minutes left for its requests.
func (t *turn) heedSpot() error {
	if !t.group.CapacityRebalance || t.Spot == nil {
		return nil
	}
	for _, m := range t.live() {
		if !m.Spot || m.ID == "" {
			continue
		}
		switch signals := t.Spot(t.tx, m.ID); {
		case signals.Interruption && !t.group.suspended(processTerminate):
			if err := t.leave(m, "At "+stamp(t.now)+" an instance was taken out of service in response to an EC2 Spot Instance interruption notice."); err != nil {
				return err
			}
		case signals.Rebalance:
			t.mark(m, forRebalance, 100)
		}
	}
	return nil
}

// retire replaces what has reached the maximum lifetime, one at a time.
func (t *turn) retire() {
	lifetime := time.Duration(t.group.MaxLifetime) * time.Second
	if lifetime == 0 || t.group.suspended(processTerminate) {
		return
	}
	for _, m := range t.live() {
		if m.Replace != "" {
			return
		}
	}
	for _, m := range t.live() {
		if !m.Protected && t.now.Sub(m.Created) >= lifetime {
			t.mark(m, forLifetime, 100)
			return
		}
	}
}

// balanceZones replaces an instance that is in no subnet of the group any more, or in a zone with more than one too many, while the group is at
// rest.
func (t *turn) balanceZones() {
	live := t.live()
	restless := func(m *member) bool { return m.State != api.LifecycleStateInService || m.Replace != "" }
	if t.group.suspended(processRebalance) || len(live) != len(t.members) || len(live) != int(t.group.Desired) || slices.ContainsFunc(live, restless) {
		return
	}
	counts := map[string]int{}
	for _, zone := range t.group.zones() {
		counts[zone] = 0
	}
	for _, m := range live {
		if !slices.ContainsFunc(t.group.Subnets, func(p subnet) bool { return p.ID == m.Subnet }) {
			t.mark(m, forZones, 100)
			return
		}
		counts[m.Zone]++
	}
	least := len(live)
	for _, n := range counts {
		least = min(least, n)
	}
	for _, m := range live {
		if counts[m.Zone] > least+1 && !m.Protected {
			t.mark(m, forZones, 100)
			return
		}
	}
}

// proceedRefresh takes the instance refresh on: it marks what is to be replaced, and ends when all is, or too much has failed.
func (t *turn) proceedRefresh() {
	r := t.refresh
	switch {
	case r == nil || t.group.suspended(processRefresh):
		return
	case r.Status == api.InstanceRefreshStatusCancelling:
		t.unmark(forRefresh)
		r.finish(api.InstanceRefreshStatusCancelled, r.Reason, t.now)
		return
	case r.Status == api.InstanceRefreshStatusPending:
		r.Status = api.InstanceRefreshStatusInProgress
	}
	if r.Failures >= maxFailures {
		t.failRefresh()
		return
	}
	live := t.live()
	r.Left = 0
	for _, m := range live {
		if t.outdated(m) {
			r.Left++
			t.mark(m, forRefresh, *r.Preferences.MinHealthyPercentage)
		}
	}
	r.Total = max(r.Total, r.Left)
	settled := func(m *member) bool { return t.serving(m, *r.Preferences.InstanceWarmup) || !t.refreshed(m) }
	if r.Left > 0 || len(live) < int(t.group.Desired) || slices.ContainsFunc(live, func(m *member) bool { return !settled(m) }) {
		return
	}
	if r.Status == api.InstanceRefreshStatusRollbackInProgress {
		r.finish(api.InstanceRefreshStatusRollbackSuccessful, r.RollbackFrom.Reason, t.now)
		return
	}
	r.finish(api.InstanceRefreshStatusSuccessful, "", t.now)
}

// refreshed reports whether a member was launched since the running refresh began.
func (t *turn) refreshed(m *member) bool {
	return t.refresh != nil && m.Refreshes == t.group.Refreshes
}

// outdated reports whether the refresh has to replace a member.
func (t *turn) outdated(m *member) bool {
	r, current := t.refresh, reflect.DeepEqual(m.Launch, t.group.Launch)
	switch {
	case m.Protected && *r.Preferences.ScaleInProtectedInstances == api.ScaleInProtectedInstancesIgnore:
		return false
	case r.Status == api.InstanceRefreshStatusRollbackInProgress:
		return !current
	case *r.Preferences.SkipMatching && current:
		return false
	}
	return !t.refreshed(m)
}

func (t *turn) failRefresh() {
	r := t.refresh
	const reason = "Too many replacement instances failed to launch or to pass their health checks."
	switch {
	case r.Status == api.InstanceRefreshStatusRollbackInProgress:
		r.finish(api.InstanceRefreshStatusRollbackFailed, reason, t.now)
	case *r.Preferences.AutoRollback:
		t.unmark(forRefresh)
		t.group.LaunchAfter = t.now // the former configuration did launch
		r.rollBack(t.group, t.now, reason)
		return
	default:
		r.finish(api.InstanceRefreshStatusFailed, reason, t.now)
	}
	t.unmark(forRefresh)
}
