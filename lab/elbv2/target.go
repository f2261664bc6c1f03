package elbv2

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"time"

	api "storefront/lab/api/elbv2"
	"storefront/lab/ec2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// RegisterTargets registers instances or addresses. One that is draining is registered again.
func (s *Service) RegisterTargets(_ context.Context, in *api.RegisterTargetsInput) (*api.RegisterTargetsOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.RegisterTargetsOutput) error {
		g, err := findGroup(tx, wire.Value(in.TargetGroupArn))
		if err != nil {
			return err
		}
		for _, d := range in.Targets {
			t := Target{Group: g.ARN, ID: wire.Value(d.Id), Port: int(wire.Or(d.Port, int64(g.Port))), Zone: wire.Value(d.AvailabilityZone)}
			if err := s.checkTarget(tx, g, t); err != nil {
				return err
			}
			if err := targets.Put(tx, t.key(), t); err != nil {
				return err
			}
		}
		if n := len(targetsOf(tx, g.ARN)); n > 1000 {
			return fault("TooManyTargets", "The maximum number of targets for target group '%s' has been reached", g.ARN)
		}
		return nil
	})
}

func (s *Service) checkTarget(tx *state.Tx, g TargetGroup, t Target) error {
	if g.TargetType == api.TargetTypeEnumIp {
		return s.checkAddress(tx, g, t)
	}
	instance, err := s.VPCs.Instance(tx, t.ID)
	var w *wire.Error
	switch {
	case errors.As(err, &w):
		return fault("InvalidTarget", "Instance ID '%s' is not valid", t.ID)
	case err != nil:
		return err
	case t.Zone != "":
		return invalid("You cannot specify an Availability Zone for targets of type 'instance'")
	case instance.VPC != g.VPC:
		return fault("InvalidTarget", "The following targets are not in the target group VPC '%s': '%s'", g.VPC, t.ID)
	case instance.State != ec2.Pending && instance.State != ec2.Running:
		return fault("InvalidTarget", "The following targets are not in a running state and cannot be registered: '%s'", t.ID)
	}
	return nil
}

func (s *Service) checkAddress(tx *state.Tx, g TargetGroup, t Target) error {
	ip, err := netip.ParseAddr(t.ID)
	if err != nil || !ip.Is4() {
		return invalid("The IP address '%s' is not a valid IPv4 address", t.ID)
	}
	vpc, err := s.VPCs.VPC(tx, g.VPC)
	if err != nil {
		return err
	}
	inside := slices.ContainsFunc(vpcRanges(vpc), func(p netip.Prefix) bool { return p.Contains(ip) })
	switch {
	case !inside && !ip.IsPrivate() && !netip.MustParsePrefix("100.64.0.0/10").Contains(ip):
		return invalid("The IP address '%s' is not within the VPC and not a private address", t.ID)
	case !inside && t.Zone != "all":
		return invalid("You must specify the Availability Zone 'all' for the IP address '%s', which is outside the VPC '%s'", t.ID, g.VPC)
	case inside && t.Zone == "all":
		return invalid("You cannot specify the Availability Zone 'all' for the IP address '%s', which is in the VPC '%s'", t.ID, g.VPC)
	}
	return nil
}

// DeregisterTargets takes targets out of service. In a group that a load balancer uses, they drain for up to the deregistration delay.
func (s *Service) DeregisterTargets(_ context.Context, in *api.DeregisterTargetsInput) (*api.DeregisterTargetsOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DeregisterTargetsOutput) error {
		g, err := findGroup(tx, wire.Value(in.TargetGroupArn))
		if err != nil {
			return err
		}
		delay := time.Duration(g.number("deregistration_delay.timeout_seconds")) * time.Second
		used := len(users(tx, g.ARN)) > 0
		for _, t := range targetsOf(tx, g.ARN) {
			named := func(d api.TargetDescription) bool {
				return wire.Value(d.Id) == t.ID && (d.Port == nil || int(*d.Port) == t.Port)
			}
			if !slices.ContainsFunc(in.Targets, named) || t.draining() {
				continue
			}
			if !used || delay == 0 {
				err = targets.Delete(tx, t.key())
			} else {
				t.Draining = s.Now().Add(delay).UTC()
				err = targets.Put(tx, t.key(), t)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// number is a numeric attribute; checked when it was set.
func (g TargetGroup) number(key string) int {
	n, _ := strconv.Atoi(g.Attributes[key])
	return n
}

// DescribeTargetHealth tells the state of targets, as the data plane sees it.
func (s *Service) DescribeTargetHealth(_ context.Context, in *api.DescribeTargetHealthInput) (*api.DescribeTargetHealthOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeTargetHealthOutput) error {
		g, err := findGroup(tx, wire.Value(in.TargetGroupArn))
		if err != nil {
			return err
		}
		zones := zonesOf(tx, g.ARN)
		registered := targetsOf(tx, g.ARN)
		for _, t := range registered {
			if in.Targets != nil && !slices.ContainsFunc(in.Targets, t.matches) {
				continue
			}
			out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, describeHealth(g, t, s.health(tx, t, zones)))
		}
		for _, d := range in.Targets {
			if !slices.ContainsFunc(registered, func(t Target) bool { return t.matches(d) }) {
				absent := Target{ID: wire.Value(d.Id), Port: int(wire.Or(d.Port, int64(g.Port)))}
				out.TargetHealthDescriptions = append(out.TargetHealthDescriptions, describeHealth(g, absent,
					Health{"unused", "Target.NotRegistered", "Target is not registered to the target group"}))
			}
		}
		return nil
	})
}

func (t Target) matches(d api.TargetDescription) bool {
	return wire.Value(d.Id) == t.ID && (d.Port == nil || int(*d.Port) == t.Port)
}

// zonesOf returns the zones of the load balancer that uses a group; nil when none does.
func zonesOf(tx *state.Tx, group string) []string {
	var zones []string
	for _, arn := range users(tx, group) {
		lb, _, _ := loadBalancers.Get(tx, arn)
		for _, n := range lb.Nodes {
			zones = append(zones, n.Zone)
		}
	}
	return zones
}

// health tells the state of a target, from what is declared or else from the data plane.
func (s *Service) health(tx *state.Tx, t Target, zones []string) Health {
	if t.draining() {
		return Health{"draining", "Target.DeregistrationInProgress", "Target deregistration is in progress"}
	}
	if zones == nil {
		return Health{"unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"}
	}
	if instance, err := s.VPCs.Instance(tx, t.ID); err == nil {
		if instance.State != ec2.Running && instance.State != ec2.Pending {
			return Health{"unused", "Target.InvalidState", "Target is in the " + string(instance.State) + " state"}
		}
		if !slices.Contains(zones, instance.Zone.Name) {
			return Health{"unused", "Target.NotInUse", "Target is in an Availability Zone that is not enabled for the load balancer"}
		}
	}
	if s.Config.Health != nil {
		if h, ok := s.Config.Health(t.Group, t.ID, t.Port); ok {
			return h
		}
	}
	return Health{"initial", "Elb.RegistrationInProgress", "Target registration is in progress"}
}

func describeHealth(g TargetGroup, t Target, h Health) api.TargetHealthDescription {
	port := g.HealthCheck.Port
	if port == trafficPort {
		port = strconv.Itoa(t.Port)
	}
	out := api.TargetHealthDescription{
		Target: &api.TargetDescription{Id: &t.ID, Port: new(int64(t.Port))}, HealthCheckPort: &port, TargetHealth: &api.TargetHealth{State: &h.State},
	}
	if t.Zone != "" {
		out.Target.AvailabilityZone = &t.Zone
	}
	if h.Reason != "" {
		out.TargetHealth.Reason, out.TargetHealth.Description = &h.Reason, &h.Description
	}
	return out
}
