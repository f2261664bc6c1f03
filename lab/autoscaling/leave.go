package autoscaling

import (
	"fmt"
	"strings"
	"time"

	api "storefront/lab/api/autoscaling"
	"storefront/lab/state"
)

// leave takes a member out of the capacity of its group for good: it is drained, its termination hooks are run, and it is terminated.
func leave(tx *state.Tx, g *group, m *member, now time.Time, cause string) error {
	if m.Activity != "" { // its launch has not ended
		if err := progress(tx, g.Name, m.Activity, func(a *activity) {
			a.set(api.ScalingActivityStatusCodeCancelled, "The instance was terminated before it came into service.", now)
		}); err != nil {
			return err
		}
	}
	var err error
	m.State, m.Actions, m.Hooked, m.Replace = api.LifecycleStateTerminating, nil, false, ""
	m.Activity, err = start(tx, g, now, strings.TrimSpace("Terminating EC2 instance: "+m.ID), cause, subnet{ID: m.Subnet, Zone: m.Zone})
	if err != nil {
		return err
	}
	return members.Put(tx, m.key(), *m)
}

// inGrace reports whether the health checks of load balancers do not count yet.
func inGrace(g group, m member, now time.Time) bool {
	return m.InService.IsZero() || now.Before(m.InService.Add(time.Duration(g.Grace)*time.Second))
}

// warm reports whether a member has been in service for so many seconds.
func (m member) warm(now time.Time, seconds int64) bool {
	return m.State == api.LifecycleStateInService && !now.Before(m.InService.Add(time.Duration(seconds)*time.Second))
}

// difference is what causes of activities say when the capacity follows the desired one.
func difference(now time.Time, verb, change string, from, to int) string {
	return fmt.Sprintf("At %s an instance was %s in response to a difference between desired and actual capacity, %s the capacity from %d to %d.", stamp(now), verb, change, from, to)
}
