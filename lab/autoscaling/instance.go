package autoscaling

import (
	"context"
	"fmt"
	"slices"

	api "storefront/lab/api/autoscaling"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// DescribeAutoScalingInstances implements the operation of that name.
func (s *Service) DescribeAutoScalingInstances(_ context.Context, in *api.DescribeAutoScalingInstancesInput) (*api.DescribeAutoScalingInstancesOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeAutoScalingInstancesOutput) error {
		var found []api.AutoScalingInstanceDetails
		for _, m := range members.All(tx) {
			if m.ID != "" && (len(in.InstanceIds) == 0 || slices.Contains(in.InstanceIds, m.ID)) {
				found = append(found, api.AutoScalingInstanceDetails{
					AutoScalingGroupName: new(m.Group), AvailabilityZone: new(m.Zone), HealthStatus: new(upper(m.health())), InstanceId: new(m.ID),
					InstanceType: wire.Optional(m.Type), LaunchTemplate: m.Template, LifecycleState: new(m.State), ProtectedFromScaleIn: new(m.Protected),
				})
			}
		}
		var err error
		found, out.NextToken, err = page(found, in.NextToken, in.MaxRecords, 50)
		out.AutoScalingInstances = append([]api.AutoScalingInstanceDetails{}, found...)
		return err
	})
}

// upper is how this operation writes health, other than DescribeAutoScalingGroups.
func upper(health string) string {
	if health == "Healthy" {
		return "HEALTHY"
	}
	return "UNHEALTHY"
}

// TerminateInstanceInAutoScalingGroup implements the operation of that name.
func (s *Service) TerminateInstanceInAutoScalingGroup(_ context.Context, in *api.TerminateInstanceInAutoScalingGroupInput) (*api.TerminateInstanceInAutoScalingGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.TerminateInstanceInAutoScalingGroupOutput) error {
		m, ok := memberByID(tx, *in.InstanceId)
		if !ok {
			return invalid("Instance Id not found - No managed instance found for instance ID: %s", *in.InstanceId)
		}
		if m.terminating() {
			return fault("ScalingActivityInProgress", "Instance %s is being terminated already.", m.ID)
		}
		g, err := liveGroup(tx, &m.Group)
		if err != nil {
			return err
		}
		cause := fmt.Sprintf("At %s instance %s was taken out of service in response to a user request", stamp(s.now()), m.ID)
		if *in.ShouldDecrementDesiredCapacity {
			if g.Desired <= g.Min {
				return invalid("Currently, desiredSize equals minSize (%d). Terminating instance without replacement will violate group's min size constraint. "+
					"Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.", g.Min)
			}
			g.Desired--
			cause += fmt.Sprintf(", shrinking the capacity from %d to %d", g.Desired+1, g.Desired)
		}
		if err := leave(tx, &g, &m, s.now(), cause+"."); err != nil {
			return err
		}
		for _, a := range of(tx, activities, g.Name) {
			if a.ID == m.Activity {
				out.Activity = new(a.describe())
			}
		}
		return groups.Put(tx, g.Name, g)
	})
}

// SetInstanceHealth implements the operation of that name.
func (s *Service) SetInstanceHealth(_ context.Context, in *api.SetInstanceHealthInput) (*api.SetInstanceHealthOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.SetInstanceHealthOutput) error {
		m, ok := memberByID(tx, *in.InstanceId)
		if !ok {
			return invalid("Instance Id not found - No managed instance found for instance ID %s", *in.InstanceId)
		}
		g, err := liveGroup(tx, &m.Group)
		if err != nil {
			return err
		}
		switch *in.HealthStatus {
		case "Healthy":
			m.Unhealthy = ""
		case "Unhealthy":
			if wire.Or(in.ShouldRespectGracePeriod, true) && inGrace(g, m, s.now()) {
				return nil
			}
			m.Unhealthy = "a user health-check"
		default:
			return invalid("Valid instance health states are: [Healthy, Unhealthy].")
		}
		return members.Put(tx, m.key(), m)
	})
}

// SetInstanceProtection implements the operation of that name.
func (s *Service) SetInstanceProtection(_ context.Context, in *api.SetInstanceProtectionInput) (*api.SetInstanceProtectionOutput, error) {
	return edit(s, in.AutoScalingGroupName, func(tx *state.Tx, g *group, _ *api.SetInstanceProtectionOutput) error {
		if len(in.InstanceIds) > 50 {
			return invalid("The number of instances must not exceed 50.")
		}
		for _, id := range in.InstanceIds {
			m, ok := memberByID(tx, id)
			if !ok || m.Group != g.Name {
				return invalid("The instance %s is not part of Auto Scaling group %s.", id, g.Name)
			}
			m.Protected = *in.ProtectedFromScaleIn
			if err := members.Put(tx, m.key(), m); err != nil {
				return err
			}
		}
		return nil
	})
}
