package autoscaling

import (
	"fmt"
	"slices"
	"strings"

	api "storefront/lab/api/autoscaling"
	elbapi "storefront/lab/api/elbv2"
	"storefront/lab/wire"
)

const ec2Check = "an EC2 health check indicating it has been terminated or stopped"

// checkHealth finds what is unhealthy, and takes it out: at once, or after its replacement where the maintenance policy says so.
func (t *turn) checkHealth() error {
	for _, m := range t.live() {
		if m.State != api.LifecycleStateInService {
			continue
		}
		t.examine(m)
		if m.Unhealthy == "" || t.group.suspended(processReplace) || t.group.suspended(processTerminate) {
			continue
		}
		if t.replaceFirst() && !t.dead(m) {
			t.mark(m, m.Unhealthy, 100)
			continue
		}
		if err := t.leave(m, fmt.Sprintf("At %s an instance was taken out of service in response to %s.", stamp(t.now), m.Unhealthy)); err != nil {
			return err
		}
	}
	return nil
}

// examine sets the health of a member in service from EC2 and, after the grace period, from its load balancers.
func (t *turn) examine(m *member) {
	if m.Unhealthy != "" || t.group.suspended(processHealthCheck) {
		return
	}
	switch {
	case t.dead(m):
		m.Unhealthy = ec2Check
	case t.checksTargets() && !inGrace(*t.group, *m, t.now) && t.targetState(m, elbapi.TargetHealthStateEnumUnhealthy):
		m.Unhealthy = "an ELB system health check failure"
	default:
		return
	}
	if t.refreshed(m) {
		t.refresh.Failures++
	}
}

func (t *turn) checksTargets() bool { return strings.Contains(t.group.HealthCheck, "ELB") }

// targetState reports whether a member has the state in some target group.
func (t *turn) targetState(m *member, state string) bool {
	return slices.ContainsFunc(m.Registered, func(arn string) bool { return t.health[arn][m.ID] == state })
}

// replaceFirst reports whether the maintenance policy wants a replacement before an unhealthy instance goes.
func (t *turn) replaceFirst() bool {
	p := t.group.Maintenance
	return p != nil && wire.Value(p.MinHealthyPercentage) == 100 && wire.Value(p.MaxHealthyPercentage) > 100
}

// serving reports whether a member does its share: in service for so many seconds, healthy, and not failed or unchecked by a load balancer.
func (t *turn) serving(m *member, warmup int64) bool {
	if !m.warm(t.now, warmup) || m.Unhealthy != "" || t.dead(m) {
		return false
	}
	return !t.checksTargets() || !t.targetState(m, elbapi.TargetHealthStateEnumUnhealthy) && !t.targetState(m, elbapi.TargetHealthStateEnumInitial)
}
