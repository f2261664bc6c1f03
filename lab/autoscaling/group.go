package autoscaling

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	api "storefront/lab/api/autoscaling"
	iamapi "storefront/lab/api/iam"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// CreateAutoScalingGroup implements the operation of that name.
func (s *Service) CreateAutoScalingGroup(ctx context.Context, in *api.CreateAutoScalingGroupInput) (*api.CreateAutoScalingGroupOutput, error) {
	for _, refused := range []struct {
		given bool
		what  string
	}{
		{in.LaunchConfigurationName != nil, "LaunchConfigurationName"}, {in.InstanceId != nil, "InstanceId"}, {len(in.LoadBalancerNames) > 0, "LoadBalancerNames"},
	} {
		if refused.given {
			return nil, unsupported(refused.what)
		}
	}
	g, err := s.newGroup(ctx, in)
	if err != nil {
		return nil, err
	}
	return state.Change(s.Store, func(tx *state.Tx, _ *api.CreateAutoScalingGroupOutput) error {
		if _, ok, err := groups.Get(tx, g.Name); err != nil {
			return err
		} else if ok {
			return fault("AlreadyExists", "AutoScalingGroup by this name already exists - A group with the name %s already exists", g.Name)
		}
		id, err := region.NewUUID(tx, "autoscaling-group")
		if err != nil {
			return err
		}
		g.ARN = s.Region.ARN("autoscaling", "autoScalingGroup:"+id+":autoScalingGroupName/"+g.Name)
		for _, h := range in.LifecycleHookSpecificationList {
			if err := putHook(tx, g.Name, hookInput(h)); err != nil {
				return err
			}
		}
		return groups.Put(tx, g.Name, g)
	})
}

// newGroup makes a group from what AWS calls its settings, and checks all of them.
func (s *Service) newGroup(ctx context.Context, in *api.CreateAutoScalingGroupInput) (group, error) {
	g := group{
		Name: *in.AutoScalingGroupName, Created: s.now(), Cooldown: 300, HealthCheck: "EC2", TerminationPolicies: []string{"Default"},
		Desired: wire.Or(in.DesiredCapacity, *in.MinSize), ProtectNew: wire.Value(in.NewInstancesProtectedFromScaleIn), Tags: map[string]groupTag{}, Suspended: map[string]string{},
	}
	if strings.Contains(g.Name, ":") {
		return g, invalid("AutoScalingGroup name '%s' must not contain the character ':'", g.Name)
	}
	settings := settings{
		min: in.MinSize, max: in.MaxSize, desired: in.DesiredCapacity, cooldown: in.DefaultCooldown, warmup: in.DefaultInstanceWarmup, grace: in.HealthCheckGracePeriod,
		healthCheck: in.HealthCheckType, rebalance: in.CapacityRebalance, lifetime: in.MaxInstanceLifetime, maintenance: in.InstanceMaintenancePolicy,
		terminationPolicies: in.TerminationPolicies, capacityType: in.DesiredCapacityType, placementGroup: in.PlacementGroup, context: in.Context,
	}
	if err := settings.apply(&g); err != nil {
		return g, err
	}
	g.Cause = fmt.Sprintf("At %s a user request created an AutoScalingGroup changing the desired capacity from 0 to %d.", stamp(g.Created), g.Desired)
	var err error
	if g.Launch, err = s.newLaunch(ctx, in.LaunchTemplate, in.MixedInstancesPolicy); err != nil {
		return g, err
	}
	if g.Subnets, err = s.places(ctx, wire.Value(in.VPCZoneIdentifier), in.AvailabilityZones); err != nil {
		return g, err
	}
	sources := in.TrafficSources
	for _, arn := range in.TargetGroupARNs {
		sources = append(sources, api.TrafficSourceIdentifier{Identifier: new(arn)})
	}
	if g.TargetGroups, err = s.newSources(ctx, sources); err != nil {
		return g, err
	}
	if err := setTags(&g, in.Tags); err != nil {
		return g, err
	}
	g.ServiceRole, err = s.serviceRole(ctx, in.ServiceLinkedRoleARN)
	return g, err
}

// serviceRole returns the service-linked role of a group. The default one comes into being with the first group that needs it.
func (s *Service) serviceRole(ctx context.Context, arn *string) (string, error) {
	prefix := s.Region.GlobalARN("iam", "role/aws-service-role/"+principal+"/AWSServiceRoleForAutoScaling")
	if arn != nil && *arn != prefix {
		if !strings.HasPrefix(*arn, prefix+"_") {
			return "", invalid("ARN specified for Service-Linked Role does not exist.")
		}
		return *arn, nil
	}
	_, err := s.IAM.CreateServiceLinkedRole(s.asService(ctx), &iamapi.CreateServiceLinkedRoleInput{AWSServiceName: new(principal)})
	if err != nil && !errors.Is(err, &wire.Error{Code: "InvalidInput"}) { // InvalidInput: it is there
		return "", fmt.Errorf("making the service-linked role: %w", err)
	}
	return prefix, nil
}

// DeleteAutoScalingGroup implements the operation of that name. The controller ends the instances of a group that is deleted by force, and then
// the group.
func (s *Service) DeleteAutoScalingGroup(_ context.Context, in *api.DeleteAutoScalingGroupInput) (*api.DeleteAutoScalingGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DeleteAutoScalingGroupOutput) error {
		g, err := findGroup(tx, in.AutoScalingGroupName)
		if err != nil {
			return err
		}
		switch mine := of(tx, members, g.Name); {
		case len(mine) == 0:
			return removeGroup(tx, g.Name)
		case wire.Value(in.ForceDelete):
			g.Deleting, g.Min, g.Max, g.Desired = true, 0, 0, 0
			g.Cause = fmt.Sprintf("At %s a user request force deleted AutoScalingGroup changing the desired capacity to 0.", stamp(s.now()))
			return groups.Put(tx, g.Name, g)
		case slices.ContainsFunc(mine, func(m member) bool { return !m.terminating() }):
			return fault("ResourceInUse", "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.")
		}
		return fault("ScalingActivityInProgress", "You cannot delete an AutoScalingGroup while there are scaling activities in progress for that group.")
	})
}

// removeGroup forgets a group and all that belongs to it. Activities of deleted groups are not kept.
func removeGroup(tx *state.Tx, name string) error {
	return errors.Join(clear(tx, members, name), clear(tx, hooks, name), clear(tx, activities, name), clear(tx, policies, name), clear(tx, refreshes, name),
		clear(tx, schedules, name), groups.Delete(tx, name))
}

// DescribeAutoScalingGroups implements the operation of that name. Names that are not there are left out, as on AWS.
func (s *Service) DescribeAutoScalingGroups(_ context.Context, in *api.DescribeAutoScalingGroupsInput) (*api.DescribeAutoScalingGroupsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeAutoScalingGroupsOutput) error {
		matches, err := tagFilters(in.Filters)
		if err != nil {
			return err
		}
		var found []group
		for name, g := range groups.All(tx) {
			named := len(in.AutoScalingGroupNames) == 0 || slices.ContainsFunc(in.AutoScalingGroupNames, func(ref string) bool { return groupName(ref) == name })
			if named && matches(g) {
				found = append(found, g)
			}
		}
		found, out.NextToken, err = page(found, in.NextToken, in.MaxRecords, 100)
		out.AutoScalingGroups = []api.AutoScalingGroup{}
		for _, g := range found {
			out.AutoScalingGroups = append(out.AutoScalingGroups, g.describe(of(tx, members, g.Name)))
		}
		return err
	})
}

func (g group) describe(mine []member) api.AutoScalingGroup {
	d := api.AutoScalingGroup{
		AutoScalingGroupARN: &g.ARN, AutoScalingGroupName: &g.Name, AvailabilityZones: g.zones(), CreatedTime: &g.Created,
		DefaultCooldown: &g.Cooldown, DefaultInstanceWarmup: g.Warmup, DesiredCapacity: &g.Desired, MinSize: &g.Min, MaxSize: &g.Max,
		HealthCheckType: &g.HealthCheck, HealthCheckGracePeriod: &g.Grace, InstanceMaintenancePolicy: g.Maintenance,
		LaunchTemplate: g.Launch.Template, MixedInstancesPolicy: g.Launch.Mixed, NewInstancesProtectedFromScaleIn: &g.ProtectNew,
		ServiceLinkedRoleARN: &g.ServiceRole, Tags: g.describeTags(), TargetGroupARNs: g.TargetGroups, TerminationPolicies: g.TerminationPolicies,
		TrafficSources: []api.TrafficSourceIdentifier{}, LoadBalancerNames: []string{}, Instances: []api.Instance{}, EnabledMetrics: []api.EnabledMetric{},
		SuspendedProcesses: g.describeSuspended(),
	}
	var identifiers []string
	for _, n := range g.Subnets {
		identifiers = append(identifiers, n.ID)
	}
	d.VPCZoneIdentifier = new(strings.Join(identifiers, ","))
	if g.CapacityRebalance {
		d.CapacityRebalance = new(true)
	}
	if g.MaxLifetime > 0 {
		d.MaxInstanceLifetime = new(g.MaxLifetime)
	}
	if g.Deleting {
		d.Status = new("Delete in progress")
	}
	for _, arn := range g.TargetGroups {
		d.TrafficSources = append(d.TrafficSources, api.TrafficSourceIdentifier{Identifier: new(arn), Type: new("elbv2")})
	}
	for _, name := range g.Metrics {
		d.EnabledMetrics = append(d.EnabledMetrics, api.EnabledMetric{Metric: new(name), Granularity: new(granularity)})
	}
	for _, m := range mine {
		if m.ID != "" {
			d.Instances = append(d.Instances, api.Instance{
				AvailabilityZone: new(m.Zone), HealthStatus: new(m.health()), InstanceId: new(m.ID), InstanceType: wire.Optional(m.Type), LaunchTemplate: m.Template,
				LifecycleState: new(m.State), ProtectedFromScaleIn: new(m.Protected),
			})
		}
	}
	return d
}
