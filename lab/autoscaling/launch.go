package autoscaling

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	api "storefront/lab/api/autoscaling"
	ec2api "storefront/lab/api/ec2"
	"storefront/lab/wire"
)

// newLaunch checks a launch template or a mixed instances policy, one of which must be given, and fills in AWS's defaults.
func (s *Service) newLaunch(ctx context.Context, template *api.LaunchTemplateSpecification, mixed *api.MixedInstancesPolicy) (launch, error) {
	switch {
	case (template == nil) == (mixed == nil):
		return launch{}, invalid("Valid requests must contain either LaunchTemplate, LaunchConfigurationName, InstanceId or MixedInstancesPolicy parameter.")
	case template != nil:
		t, err := s.resolve(ctx, template)
		return launch{Template: t}, err
	}
	m, err := s.newMixed(ctx, mixed)
	return launch{Mixed: m}, err
}

func (s *Service) newMixed(ctx context.Context, in *api.MixedInstancesPolicy) (*api.MixedInstancesPolicy, error) {
	if in.LaunchTemplate == nil || in.LaunchTemplate.LaunchTemplateSpecification == nil {
		return nil, invalid("Valid requests must contain a LaunchTemplateSpecification in the LaunchTemplate of the MixedInstancesPolicy.")
	}
	t, err := s.resolve(ctx, in.LaunchTemplate.LaunchTemplateSpecification)
	if err != nil {
		return nil, err
	}
	out := &api.MixedInstancesPolicy{LaunchTemplate: &api.LaunchTemplate{LaunchTemplateSpecification: t}}
	if len(in.LaunchTemplate.Overrides) > 40 {
		return nil, invalid("Number of Overrides must be less than or equal to 40.")
	}
	for _, o := range in.LaunchTemplate.Overrides {
		switch {
		case o.InstanceRequirements != nil:
			return nil, unsupported("InstanceRequirements")
		case o.WeightedCapacity != nil:
			return nil, unsupported("WeightedCapacity")
		case o.LaunchTemplateSpecification != nil:
			if o.LaunchTemplateSpecification, err = s.resolve(ctx, o.LaunchTemplateSpecification); err != nil {
				return nil, err
			}
		}
		if slices.ContainsFunc(out.LaunchTemplate.Overrides, func(p api.LaunchTemplateOverrides) bool {
			return wire.Value(p.InstanceType) == wire.Value(o.InstanceType)
		}) {
			return nil, invalid("Duplicate instance type '%s' in the overrides of the MixedInstancesPolicy.", wire.Value(o.InstanceType))
		}
		out.LaunchTemplate.Overrides = append(out.LaunchTemplate.Overrides, o)
	}
	out.InstancesDistribution, err = newDistribution(in.InstancesDistribution)
	return out, err
}

func newDistribution(in *api.InstancesDistribution) (*api.InstancesDistribution, error) {
	if in == nil {
		in = &api.InstancesDistribution{}
	}
	d := *in
	d.OnDemandAllocationStrategy = new(wire.Or(d.OnDemandAllocationStrategy, "prioritized"))
	d.OnDemandBaseCapacity = new(wire.Or(d.OnDemandBaseCapacity, 0))
	d.OnDemandPercentageAboveBaseCapacity = new(wire.Or(d.OnDemandPercentageAboveBaseCapacity, 100))
	d.SpotAllocationStrategy = new(wire.Or(d.SpotAllocationStrategy, "lowest-price"))
	if d.SpotMaxPrice = wire.Optional(wire.Value(d.SpotMaxPrice)); d.SpotMaxPrice != nil {
		return nil, unsupported("SpotMaxPrice")
	}
	switch {
	case !slices.Contains([]string{"prioritized", "lowest-price"}, *d.OnDemandAllocationStrategy):
		return nil, invalid("Unsupported OnDemandAllocationStrategy: %s.", *d.OnDemandAllocationStrategy)
	case !slices.Contains([]string{"lowest-price", "capacity-optimized", "capacity-optimized-prioritized", "price-capacity-optimized"}, *d.SpotAllocationStrategy):
		return nil, invalid("Unsupported SpotAllocationStrategy: %s.", *d.SpotAllocationStrategy)
	case *d.OnDemandBaseCapacity < 0:
		return nil, invalid("OnDemandBaseCapacity must be greater than or equal to 0.")
	case *d.OnDemandPercentageAboveBaseCapacity < 0 || *d.OnDemandPercentageAboveBaseCapacity > 100:
		return nil, invalid("OnDemandPercentageAboveBaseCapacity must be between 0 and 100.")
	case d.SpotInstancePools != nil && *d.SpotAllocationStrategy != "lowest-price":
		return nil, invalid("SpotInstancePools option is only available with the lowest-price allocation strategy.")
	case *d.SpotAllocationStrategy == "lowest-price":
		d.SpotInstancePools = new(wire.Or(d.SpotInstancePools, 2))
		if *d.SpotInstancePools < 1 || *d.SpotInstancePools > 20 {
			return nil, invalid("SpotInstancePools must be between 1 and 20.")
		}
	}
	return &d, nil
}

// resolve checks that a launch template has the version, and returns its specification with ID, name and version, as AWS answers it.
func (s *Service) resolve(ctx context.Context, in *api.LaunchTemplateSpecification) (*api.LaunchTemplateSpecification, error) {
	if (in.LaunchTemplateId == nil) == (in.LaunchTemplateName == nil) {
		return nil, invalid("Valid requests must contain either launchTemplateId or LaunchTemplateName")
	}
	version := wire.Or(in.Version, "$Default")
	v, err := s.version(ctx, in, version)
	if err != nil {
		return nil, err
	}
	return &api.LaunchTemplateSpecification{LaunchTemplateId: v.LaunchTemplateId, LaunchTemplateName: v.LaunchTemplateName, Version: &version}, nil
}

func (s *Service) version(ctx context.Context, in *api.LaunchTemplateSpecification, version string) (ec2api.LaunchTemplateVersion, error) {
	q := &ec2api.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: in.LaunchTemplateId, Versions: []string{version}}
	if in.LaunchTemplateId == nil {
		q.LaunchTemplateName = in.LaunchTemplateName
	}
	out, err := s.EC2.DescribeLaunchTemplateVersions(s.asService(ctx), q)
	if e, ok := errors.AsType[*wire.Error](err); ok {
		return ec2api.LaunchTemplateVersion{}, invalid("You must use a valid fully-formed launch template. %s", e.Message)
	}
	if err != nil {
		return ec2api.LaunchTemplateVersion{}, err
	}
	if len(out.LaunchTemplateVersions) == 0 {
		return ec2api.LaunchTemplateVersion{}, invalid("You must use a valid fully-formed launch template. Could not find the specified version %s.", version)
	}
	return out.LaunchTemplateVersions[0], nil
}

// template returns the launch template of one instance type.
func (l launch) template(instanceType string) *api.LaunchTemplateSpecification {
	if l.Mixed == nil {
		return l.Template
	}
	for _, o := range l.Mixed.LaunchTemplate.Overrides {
		if wire.Value(o.InstanceType) == instanceType && o.LaunchTemplateSpecification != nil {
			return o.LaunchTemplateSpecification
		}
	}
	return l.Mixed.LaunchTemplate.LaunchTemplateSpecification
}

// types returns the instance types to launch from, in order; "" is the template's own.
func (l launch) types() []string {
	if l.Mixed == nil || len(l.Mixed.LaunchTemplate.Overrides) == 0 {
		return []string{""}
	}
	var types []string
	for _, o := range l.Mixed.LaunchTemplate.Overrides {
		types = append(types, wire.Value(o.InstanceType))
	}
	return types
}

// places checks subnets and returns them with their zones, sorted by zone. Subnets of other zones than those asked for are refused.
func (s *Service) places(ctx context.Context, identifier string, zones []string) ([]subnet, error) {
	if identifier == "" {
		if len(zones) == 0 {
			return nil, invalid("At least one Availability Zone or VPC Subnet is required.")
		}
		return nil, invalid("No default subnet for availability zone: '%s'.", zones[0])
	}
	ids := strings.Split(identifier, ",")
	for i := range ids {
		ids[i] = strings.TrimSpace(ids[i])
	}
	out, err := s.EC2.DescribeSubnets(s.asService(ctx), &ec2api.DescribeSubnetsInput{SubnetIds: ids})
	if e, ok := errors.AsType[*wire.Error](err); ok {
		return nil, invalid("%s", e.Message)
	}
	if err != nil {
		return nil, err
	}
	var places []subnet
	for _, id := range ids {
		i := slices.IndexFunc(out.Subnets, func(n ec2api.Subnet) bool { return wire.Value(n.SubnetId) == id })
		if i < 0 {
			return nil, invalid("The subnet ID '%s' does not exist", id)
		}
		n := out.Subnets[i]
		if wire.Value(n.VpcId) != wire.Value(out.Subnets[0].VpcId) {
			return nil, invalid("The subnets %s are in different VPCs.", identifier)
		}
		if len(zones) > 0 && !slices.Contains(zones, wire.Value(n.AvailabilityZone)) {
			return nil, invalid("The availability zones of the specified subnets and the Auto Scaling group do not match")
		}
		places = append(places, subnet{ID: id, Zone: wire.Value(n.AvailabilityZone)})
	}
	return places, nil
}

// zones returns the zones of a group, sorted.
func (g group) zones() []string {
	var zones []string
	for _, p := range g.Subnets {
		zones = append(zones, p.Zone)
	}
	slices.SortFunc(zones, cmp.Compare[string])
	return slices.Compact(zones)
}
