package autoscaling

import (
	"context"
	"fmt"
	"slices"
	"time"

	api "storefront/lab/api/autoscaling"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// settings are what creating and updating a group have in common. What is nil stays as it is.
type settings struct {
	min, max, desired, cooldown, warmup, grace, lifetime *int64
	healthCheck, capacityType, placementGroup, context   *string
	rebalance                                            *bool
	maintenance                                          *api.InstanceMaintenancePolicy
	terminationPolicies                                  []string
}

func (v settings) apply(g *group) error {
	switch {
	case wire.Value(v.capacityType) != "" && *v.capacityType != "units":
		return unsupported("DesiredCapacityType " + *v.capacityType)
	case wire.Value(v.placementGroup) != "":
		return unsupported("PlacementGroup")
	case wire.Value(v.context) != "":
		return unsupported("Context")
	}
	g.Min, g.Max, g.Desired = wire.Or(v.min, g.Min), wire.Or(v.max, g.Max), wire.Or(v.desired, g.Desired)
	if v.desired == nil { // new bounds take the capacity with them
		g.Desired = max(g.Min, min(g.Max, g.Desired))
	}
	g.Cooldown, g.Grace, g.CapacityRebalance = wire.Or(v.cooldown, g.Cooldown), wire.Or(v.grace, g.Grace), wire.Or(v.rebalance, g.CapacityRebalance)
	g.HealthCheck, g.MaxLifetime = wire.Or(v.healthCheck, g.HealthCheck), wire.Or(v.lifetime, g.MaxLifetime)
	if v.warmup != nil {
		if g.Warmup = v.warmup; *v.warmup == -1 { // -1 takes the setting away
			g.Warmup = nil
		}
	}
	if v.maintenance != nil {
		if g.Maintenance = v.maintenance; wire.Value(v.maintenance.MinHealthyPercentage) == -1 && wire.Value(v.maintenance.MaxHealthyPercentage) == -1 {
			g.Maintenance = nil
		}
	}
	if v.terminationPolicies != nil {
		g.TerminationPolicies = v.terminationPolicies
	}
	return g.check()
}

func (g *group) check() error {
	switch {
	case g.Min < 0 || g.Max < 0:
		return invalid("Min and max size must be greater than or equal to 0.")
	case g.Min > g.Max:
		return invalid("Max bound, %d, must be greater than or equal to min bound, %d", g.Max, g.Min)
	case g.Desired < g.Min || g.Desired > g.Max:
		return invalid("Desired capacity:%d must be between the specified min size:%d and max size:%d", g.Desired, g.Min, g.Max)
	case g.Max > maxCapacity:
		return fault("LimitExceeded", "The lab runs at most %d instances in a group.", maxCapacity)
	case g.Cooldown < 0 || g.Grace < 0 || wire.Value(g.Warmup) < 0:
		return invalid("Cooldown, health check grace period and instance warmup must be greater than or equal to 0.")
	case !slices.Contains([]string{"EC2", "ELB", "EC2,ELB", "ELB,EC2"}, g.HealthCheck):
		return invalid("Valid health check types are: EC2, ELB. The health check type '%s' is not supported.", g.HealthCheck)
	case g.MaxLifetime != 0 && g.MaxLifetime < 86400:
		return invalid("Max instance lifetime must be equal to 0 or between 86400 and 31536000 seconds.")
	}
	for _, p := range g.TerminationPolicies {
		if !slices.Contains(terminationPolicies(), p) {
			return invalid("Invalid termination policy '%s'. The valid termination policies are: %v", p, terminationPolicies())
		}
	}
	return checkHealthyRange(g.Maintenance)
}

// maxCapacity bounds what one group may ask of the machine.
const maxCapacity = 100

func checkHealthyRange(p *api.InstanceMaintenancePolicy) error {
	if p == nil {
		return nil
	}
	low, high := wire.Or(p.MinHealthyPercentage, -1), wire.Or(p.MaxHealthyPercentage, -1)
	if low < 0 || high < 100 || high-low > 100 || low > 100 || high > 200 {
		return invalid("MinHealthyPercentage must be between 0 and 100, MaxHealthyPercentage between 100 and 200, and their difference at most 100.")
	}
	return nil
}

// UpdateAutoScalingGroup implements the operation of that name.
func (s *Service) UpdateAutoScalingGroup(ctx context.Context, in *api.UpdateAutoScalingGroupInput) (*api.UpdateAutoScalingGroupOutput, error) {
	if in.LaunchConfigurationName != nil {
		return nil, unsupported("LaunchConfigurationName")
	}
	var (
		launched launch
		places   []subnet
		role     string
		err      error
	)
	if in.LaunchTemplate != nil || in.MixedInstancesPolicy != nil {
		if launched, err = s.newLaunch(ctx, in.LaunchTemplate, in.MixedInstancesPolicy); err != nil {
			return nil, err
		}
	}
	if in.VPCZoneIdentifier != nil || in.AvailabilityZones != nil {
		if places, err = s.places(ctx, wire.Value(in.VPCZoneIdentifier), in.AvailabilityZones); err != nil {
			return nil, err
		}
	}
	if in.ServiceLinkedRoleARN != nil {
		if role, err = s.serviceRole(ctx, in.ServiceLinkedRoleARN); err != nil {
			return nil, err
		}
	}
	return edit(s, in.AutoScalingGroupName, func(_ *state.Tx, g *group, _ *api.UpdateAutoScalingGroupOutput) error {
		before := *g
		if launched != (launch{}) {
			g.Launch = launched
		}
		if places != nil {
			g.Subnets = places
		}
		if role != "" {
			g.ServiceRole = role
		}
		g.ProtectNew = wire.Or(in.NewInstancesProtectedFromScaleIn, g.ProtectNew)
		err := settings{
			min: in.MinSize, max: in.MaxSize, desired: in.DesiredCapacity, cooldown: in.DefaultCooldown, warmup: in.DefaultInstanceWarmup, grace: in.HealthCheckGracePeriod,
			healthCheck: in.HealthCheckType, rebalance: in.CapacityRebalance, lifetime: in.MaxInstanceLifetime, maintenance: in.InstanceMaintenancePolicy,
			terminationPolicies: in.TerminationPolicies, capacityType: in.DesiredCapacityType, placementGroup: in.PlacementGroup, context: in.Context,
		}.apply(g)
		if g.Desired != before.Desired {
			g.resized(s.now(), "a user request update of AutoScalingGroup constraints"+bounds(before, *g))
		}
		return err
	})
}

// resized notes why the desired capacity is another. It is tried at once, whatever has failed before.
func (g *group) resized(now time.Time, cause string) {
	g.Cause, g.Settled, g.LaunchAfter = fmt.Sprintf("At %s %s", stamp(now), cause), false, now
}

// bounds says how the size of a group has changed, as causes of activities do.
func bounds(before, after group) string {
	return fmt.Sprintf(" to min: %d, max: %d, desired: %d changing the desired capacity from %d to %d.", after.Min, after.Max, after.Desired, before.Desired, after.Desired)
}

// SetDesiredCapacity implements the operation of that name.
func (s *Service) SetDesiredCapacity(_ context.Context, in *api.SetDesiredCapacityInput) (*api.SetDesiredCapacityOutput, error) {
	return edit(s, in.AutoScalingGroupName, func(_ *state.Tx, g *group, _ *api.SetDesiredCapacityOutput) error {
		want := *in.DesiredCapacity
		switch {
		case want > g.Max:
			return invalid("New SetDesiredCapacity value %d is above max value %d for the AutoScalingGroup.", want, g.Max)
		case want < g.Min:
			return invalid("New SetDesiredCapacity value %d is below min value %d for the AutoScalingGroup.", want, g.Min)
		case wire.Value(in.HonorCooldown) && g.coolingDown(s.now()):
			return fault("ScalingActivityInProgress", "Scaling activity in progress: the cooldown of %d seconds has not ended.", g.Cooldown)
		case want != g.Desired:
			g.resized(s.now(), fmt.Sprintf("a user request explicitly set group desired capacity changing the desired capacity from %d to %d.", g.Desired, want))
			g.Desired = want
		}
		return nil
	})
}
