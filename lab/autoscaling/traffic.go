package autoscaling

import (
	"context"
	"errors"
	"slices"

	api "storefront/lab/api/autoscaling"
	elbapi "storefront/lab/api/elbv2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// newSources checks traffic sources, which must be target groups, and returns their ARNs.
func (s *Service) newSources(ctx context.Context, sources []api.TrafficSourceIdentifier) ([]string, error) {
	arns := []string{}
	for _, source := range sources {
		if kind := wire.Or(source.Type, "elbv2"); kind != "elbv2" {
			return nil, unsupported("The traffic source type " + kind)
		}
		if !slices.Contains(arns, *source.Identifier) {
			arns = append(arns, *source.Identifier)
		}
	}
	if len(arns) == 0 {
		return arns, nil
	}
	_, err := s.LoadBalancing.DescribeTargetGroups(s.asService(ctx), &elbapi.DescribeTargetGroupsInput{TargetGroupArns: arns})
	if _, ok := errors.AsType[*wire.Error](err); ok {
		return nil, invalid("Provided Target Groups may not be valid. Please ensure they exist and try again.")
	}
	return arns, err
}

func identifiers(arns []string) []api.TrafficSourceIdentifier {
	var sources []api.TrafficSourceIdentifier
	for _, arn := range arns {
		sources = append(sources, api.TrafficSourceIdentifier{Identifier: new(arn)})
	}
	return sources
}

// AttachTrafficSources implements the operation of that name for target groups.
func (s *Service) AttachTrafficSources(ctx context.Context, in *api.AttachTrafficSourcesInput) (*api.AttachTrafficSourcesOutput, error) {
	arns, err := s.newSources(ctx, in.TrafficSources)
	if err != nil {
		return nil, err
	}
	return edit(s, in.AutoScalingGroupName, func(_ *state.Tx, g *group, _ *api.AttachTrafficSourcesOutput) error {
		for _, arn := range arns {
			if !slices.Contains(g.TargetGroups, arn) {
				g.TargetGroups = append(g.TargetGroups, arn)
			}
		}
		return nil
	})
}

// DetachTrafficSources implements the operation of that name for target groups.
func (s *Service) DetachTrafficSources(_ context.Context, in *api.DetachTrafficSourcesInput) (*api.DetachTrafficSourcesOutput, error) {
	return edit(s, in.AutoScalingGroupName, func(_ *state.Tx, g *group, _ *api.DetachTrafficSourcesOutput) error {
		for _, source := range in.TrafficSources {
			i := slices.Index(g.TargetGroups, *source.Identifier)
			if i < 0 {
				return invalid("Trying to remove Traffic Sources that are not part of the group")
			}
			g.TargetGroups = slices.Delete(g.TargetGroups, i, i+1)
		}
		return nil
	})
}

// DescribeTrafficSources implements the operation of that name.
func (s *Service) DescribeTrafficSources(ctx context.Context, in *api.DescribeTrafficSourcesInput) (*api.DescribeTrafficSourcesOutput, error) {
	states, err := s.sourceStates(ctx, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	if in.TrafficSourceType != nil && *in.TrafficSourceType != "elbv2" {
		states = nil
	}
	out := &api.DescribeTrafficSourcesOutput{TrafficSources: []api.TrafficSourceState{}}
	states, out.NextToken, err = page(states, in.NextToken, in.MaxRecords, 50)
	for _, v := range states {
		out.TrafficSources = append(out.TrafficSources, api.TrafficSourceState{Identifier: new(v.arn), TrafficSource: new(v.arn), Type: new("elbv2"), State: new(v.state)})
	}
	return out, err
}

// AttachLoadBalancerTargetGroups implements the operation of that name.
func (s *Service) AttachLoadBalancerTargetGroups(ctx context.Context, in *api.AttachLoadBalancerTargetGroupsInput) (*api.AttachLoadBalancerTargetGroupsOutput, error) {
	_, err := s.AttachTrafficSources(ctx, &api.AttachTrafficSourcesInput{AutoScalingGroupName: in.AutoScalingGroupName, TrafficSources: identifiers(in.TargetGroupARNs)})
	return &api.AttachLoadBalancerTargetGroupsOutput{}, err
}

// DetachLoadBalancerTargetGroups implements the operation of that name.
func (s *Service) DetachLoadBalancerTargetGroups(ctx context.Context, in *api.DetachLoadBalancerTargetGroupsInput) (*api.DetachLoadBalancerTargetGroupsOutput, error) {
	_, err := s.DetachTrafficSources(ctx, &api.DetachTrafficSourcesInput{AutoScalingGroupName: in.AutoScalingGroupName, TrafficSources: identifiers(in.TargetGroupARNs)})
	return &api.DetachLoadBalancerTargetGroupsOutput{}, err
}

// DescribeLoadBalancerTargetGroups implements the operation of that name.
func (s *Service) DescribeLoadBalancerTargetGroups(ctx context.Context, in *api.DescribeLoadBalancerTargetGroupsInput) (*api.DescribeLoadBalancerTargetGroupsOutput, error) {
	states, err := s.sourceStates(ctx, in.AutoScalingGroupName)
	if err != nil {
		return nil, err
	}
	out := &api.DescribeLoadBalancerTargetGroupsOutput{LoadBalancerTargetGroups: []api.LoadBalancerTargetGroupState{}}
	states, out.NextToken, err = page(states, in.NextToken, in.MaxRecords, 100)
	for _, v := range states {
		out.LoadBalancerTargetGroups = append(out.LoadBalancerTargetGroups, api.LoadBalancerTargetGroupState{LoadBalancerTargetGroupARN: new(v.arn), State: new(v.state)})
	}
	return out, err
}

type sourceState struct{ arn, state string }

// sourceStates tells how far the group's instances are registered with each target group: Adding, Added, InService once one of them is
// healthy, and Removing for one that was detached and that instances have not left yet.
func (s *Service) sourceStates(ctx context.Context, name *string) ([]sourceState, error) {
	var (
		g    group
		mine []member
	)
	if err := s.Store.View(func(tx *state.Tx) (err error) {
		g, err = findGroup(tx, name)
		mine = of(tx, members, g.Name)
		return err
	}); err != nil {
		return nil, err
	}
	var states []sourceState
	for _, arn := range g.TargetGroups {
		v := sourceState{arn, "Added"}
		if health, err := s.targetHealth(ctx, arn); err != nil {
			return nil, err
		} else if slices.ContainsFunc(mine, func(m member) bool { return health[m.ID] == elbapi.TargetHealthStateEnumHealthy }) {
			v.state = "InService"
		}
		if slices.ContainsFunc(mine, func(m member) bool {
			return m.State == api.LifecycleStateInService && !slices.Contains(m.Registered, arn)
		}) {
			v.state = "Adding"
		}
		states = append(states, v)
	}
	for _, m := range mine {
		for _, arn := range slices.Concat(m.Registered, m.Draining) {
			leaving := sourceState{arn, "Removing"}
			if !m.terminating() && !slices.Contains(g.TargetGroups, arn) && !slices.Contains(states, leaving) {
				states = append(states, leaving)
			}
		}
	}
	return states, nil
}

// targetHealth returns the states of the targets of a group by instance; none when the target group is gone.
func (s *Service) targetHealth(ctx context.Context, arn string) (map[string]string, error) {
	out, err := s.LoadBalancing.DescribeTargetHealth(s.asService(ctx), &elbapi.DescribeTargetHealthInput{TargetGroupArn: &arn})
	if errors.Is(err, &wire.Error{Code: "TargetGroupNotFound"}) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	health := map[string]string{}
	for _, d := range out.TargetHealthDescriptions {
		if d.Target != nil && d.TargetHealth != nil {
			health[wire.Value(d.Target.Id)] = wire.Value(d.TargetHealth.State)
		}
	}
	return health, nil
}
