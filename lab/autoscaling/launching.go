package autoscaling

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	api "storefront/lab/api/autoscaling"
	ec2api "storefront/lab/api/ec2"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// intend records that an instance is going to be launched, and where.
func (t *turn) intend(cause string) error {
	token, err := region.NewUUID(t.tx, "autoscaling-launch")
	if err != nil {
		return err
	}
	p := t.place()
	m := &member{Group: t.group.Name, Token: token, Subnet: p.ID, Zone: p.Zone, State: api.LifecycleStatePending, Launch: t.group.Launch, Protected: t.group.ProtectNew,
		Created: t.now, Refreshes: t.group.Refreshes}
	m.Type, m.Spot = t.pool(p.Zone)
	if m.Activity, err = start(t.tx, t.group, t.now, "Launching a new EC2 instance", cause, p); err != nil {
		return err
	}
	t.members = append(t.members, m)
	return nil
}

// place picks the subnet for the next instance: in the zone with the fewest that are to stay, there in the subnet with the fewest.
func (t *turn) place() subnet {
	count := func(same func(m *member) bool) (n int) {
		for _, m := range t.live() {
			if m.Replace == "" && same(m) {
				n++
			}
		}
		return n
	}
	return slices.MinFunc(t.group.Subnets, func(a, b subnet) int {
		if d := count(func(m *member) bool { return m.Zone == a.Zone }) - count(func(m *member) bool { return m.Zone == b.Zone }); d != 0 {
			return d
		}
		return count(func(m *member) bool { return m.Subnet == a.ID }) - count(func(m *member) bool { return m.Subnet == b.ID })
	})
}

// pool picks instance type and purchase option of the next instance. On-demand instances come from the first type. Spot instances come from the
// pool that the group uses least in the zone: the lab has neither prices nor capacity of its own, and the pool that is used least is the one with
// most room. After a failed launch the next pool has its turn.
func (t *turn) pool(zone string) (instanceType string, spot bool) {
	l := t.group.Launch
	types := l.types()
	if l.Mixed == nil || t.onDemandMissing() {
		return types[min(t.group.Failures, 1)*(t.group.Failures%len(types))], false
	}
	d := l.Mixed.InstancesDistribution
	if *d.SpotAllocationStrategy == "lowest-price" {
		types = types[:min(len(types), int(*d.SpotInstancePools))]
	}
	used := map[string]int{}
	for _, m := range t.live() {
		if m.Spot && m.Zone == zone && m.Replace == "" {
			used[m.Type]++
		}
	}
	types = slices.Clone(types)
	if *d.SpotAllocationStrategy != "capacity-optimized-prioritized" {
		slices.SortStableFunc(types, func(a, b string) int { return used[a] - used[b] })
	}
	return types[t.group.Failures%len(types)], true
}

// onDemandMissing reports whether fewer instances than the distribution wants are on demand.
func (t *turn) onDemandMissing() bool {
	have := 0
	for _, m := range t.live() {
		if !m.Spot && m.Replace == "" {
			have++
		}
	}
	return have < onDemandShare(t.group.Launch, t.group.Desired)
}

// onDemandShare is how many of the desired instances are on demand; a fraction counts as a whole one.
func onDemandShare(l launch, desired int64) int {
	if l.Mixed == nil {
		return int(desired)
	}
	d := l.Mixed.InstancesDistribution
	base := min(*d.OnDemandBaseCapacity, desired)
	return int(base + ((desired-base)**d.OnDemandPercentageAboveBaseCapacity+99)/100)
}

// launch runs the instance of a member. The token makes a second call for the same member harmless.
func (t *turn) launch(m *member) {
	t.effects = append(t.effects, func(ctx context.Context) error {
		id, err := t.run(ctx, *t.group, m)
		e, refused := errors.AsType[*wire.Error](err)
		if err != nil && !refused {
			return fmt.Errorf("launching an instance: %w", err) // not an answer of EC2's: try again
		}
		return t.later(m, func(tx *state.Tx, g *group, v *member) error {
			if refused {
				return t.refused(tx, g, v, e)
			}
			v.ID, v.Type, v.Template = id, m.Type, m.Template
			return progress(tx, g.Name, v.Activity, func(a *activity) {
				a.Description = "Launching a new EC2 instance: " + id
				a.set(api.ScalingActivityStatusCodePreInService, "", t.now)
			})
		})
	})
}

// refused forgets a launch that EC2 has refused.
func (t *turn) refused(tx *state.Tx, g *group, m *member, e *wire.Error) error {
	g.backOff(t.now)
	if key, ok := activeRefresh(tx, g.Name); ok {
		r, _, err := refreshes.Get(tx, key)
		if err != nil {
			return err
		}
		r.Failures++
		if err := refreshes.Put(tx, key, r); err != nil {
			return err
		}
	}
	err := progress(tx, g.Name, m.Activity, func(a *activity) {
		a.Description = "Launching a new EC2 instance.  Status Reason: " + e.Message + " Launching EC2 instance failed."
		a.set(api.ScalingActivityStatusCodeFailed, e.Message+" Launching EC2 instance failed.", t.now)
	})
	m.State = gone
	return err
}

// run calls RunInstances for one member, with the version of the launch template that it resolves to now.
func (t *turn) run(ctx context.Context, g group, m *member) (id string, err error) {
	spec := m.Launch.template(m.Type)
	version, err := t.EC2.DescribeLaunchTemplateVersions(ctx, &ec2api.DescribeLaunchTemplateVersionsInput{
		LaunchTemplateId: spec.LaunchTemplateId, Versions: []string{*spec.Version}})
	if err != nil {
		return "", err
	}
	if len(version.LaunchTemplateVersions) == 0 {
		return "", invalid("The launch template %s has no version %s.", *spec.LaunchTemplateId, *spec.Version)
	}
	number := strconv.FormatInt(wire.Value(version.LaunchTemplateVersions[0].VersionNumber), 10)
	m.Template = &api.LaunchTemplateSpecification{LaunchTemplateId: spec.LaunchTemplateId, LaunchTemplateName: spec.LaunchTemplateName, Version: &number}
	in := &ec2api.RunInstancesInput{
		ClientToken: &m.Token, MinCount: new(int64(1)), MaxCount: new(int64(1)), InstanceType: wire.Optional(m.Type), SubnetId: &m.Subnet,
		LaunchTemplate:    &ec2api.LaunchTemplateSpecification{LaunchTemplateId: spec.LaunchTemplateId, Version: &number},
		TagSpecifications: []ec2api.TagSpecification{{ResourceType: new("instance"), Tags: propagated(g)}},
	}
	if m.Spot {
		in.InstanceMarketOptions = &ec2api.InstanceMarketOptionsRequest{MarketType: new("spot")}
	}
	out, err := t.EC2.RunInstances(ctx, in)
	if err != nil {
		return "", err
	}
	if len(out.Instances) != 1 {
		return "", fmt.Errorf("RunInstances answered %d instances instead of one", len(out.Instances))
	}
	m.Type = wire.Value(out.Instances[0].InstanceType)
	return wire.Value(out.Instances[0].InstanceId), nil
}

// propagated are the tags of an instance that come from its group.
func propagated(g group) []ec2api.Tag {
	tags := []ec2api.Tag{{Key: new("aws:autoscaling:groupName"), Value: new(g.Name)}}
	for _, t := range g.describeTags() {
		if *t.PropagateAtLaunch {
			tags = append(tags, ec2api.Tag{Key: t.Key, Value: t.Value})
		}
	}
	return tags
}
