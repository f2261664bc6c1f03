package elbv2

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	api "storefront/lab/api/elbv2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// CreateTargetGroup creates a target group for instances or IP addresses.
func (s *Service) CreateTargetGroup(_ context.Context, in *api.CreateTargetGroupInput) (*api.CreateTargetGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.CreateTargetGroupOutput) error {
		g, err := s.newTargetGroup(tx, in)
		if err != nil {
			return err
		}
		if old, exists := targetGroupNamed(tx, g.Name); exists {
			if old.Protocol != g.Protocol || old.Port != g.Port || old.VPC != g.VPC || old.TargetType != g.TargetType || old.HealthCheck != g.HealthCheck {
				return fault("DuplicateTargetGroupName", "A target group with the same name '%s' exists, but with different settings", g.Name)
			}
			out.TargetGroups = []api.TargetGroup{describeGroup(tx, old)}
			return nil
		}
		if err := setTags(tx, g.ARN, in.Tags); err != nil {
			return err
		}
		out.TargetGroups = []api.TargetGroup{describeGroup(tx, g)}
		return targetGroups.Put(tx, g.ARN, g)
	})
}

func (s *Service) newTargetGroup(tx *state.Tx, in *api.CreateTargetGroupInput) (TargetGroup, error) {
	g := TargetGroup{
		Name: wire.Value(in.Name), Protocol: wire.Value(in.Protocol), Port: int(wire.Value(in.Port)), VPC: wire.Value(in.VpcId),
		TargetType: wire.Or(in.TargetType, api.TargetTypeEnumInstance), Attributes: defaults(targetGroupAttributes),
	}
	if err := checkTargetGroup(g, in); err != nil {
		return g, err
	}
	if _, err := s.VPCs.VPC(tx, g.VPC); err != nil {
		var w *wire.Error
		if errors.As(err, &w) {
			err = invalid("The VPC ID '%s' is not found", g.VPC)
		}
		return g, err
	}
	g.HealthCheck = HealthCheck{Protocol: "HTTP", Port: trafficPort, Path: "/", Codes: "200", Interval: 30, Timeout: 5, Healthy: 5, Unhealthy: 2}
	if err := g.HealthCheck.set(healthCheckInput{
		in.HealthCheckEnabled, in.HealthCheckProtocol, in.HealthCheckPort, in.HealthCheckPath, in.Matcher,
		in.HealthCheckIntervalSeconds, in.HealthCheckTimeoutSeconds, in.HealthyThresholdCount, in.UnhealthyThresholdCount,
	}); err != nil {
		return g, err
	}
	var err error
	if g.ID, err = newID(tx, "target-group"); err != nil {
		return g, err
	}
	g.ARN = s.Region.ARN("elasticloadbalancing", "targetgroup/"+g.Name+"/"+g.ID)
	return g, nil
}

func checkTargetGroup(g TargetGroup, in *api.CreateTargetGroupInput) error {
	switch {
	case len(g.Name) > 32:
		return invalid("Target group name '%s' cannot be longer than '32' characters", g.Name)
	case !plainName.MatchString(g.Name):
		return invalid("Target group name '%s' can only contain characters that are alphanumeric characters or hyphens(-)", g.Name)
	case strings.HasPrefix(g.Name, "-") || strings.HasSuffix(g.Name, "-"):
		return invalid("Target group name '%s' cannot begin or end with a hyphen(-)", g.Name)
	case g.TargetType != api.TargetTypeEnumInstance && g.TargetType != api.TargetTypeEnumIp:
		return unsupported("The target type '" + g.TargetType + "'")
	case g.Protocol == "":
		return invalid("A protocol must be specified")
	case g.Protocol != "HTTP" && g.Protocol != "HTTPS":
		return unsupported("The target group protocol '" + g.Protocol + "'")
	// The AWS provider sends an empty protocol version when its user names none, and AWS takes that as none.
	case cmp.Or(wire.Value(in.ProtocolVersion), "HTTP1") != "HTTP1":
		return unsupported("The protocol version '" + *in.ProtocolVersion + "'")
	case wire.Or(in.IpAddressType, "ipv4") != "ipv4":
		return unsupported("The IP address type '" + *in.IpAddressType + "'")
	case g.Port == 0:
		return invalid("A port must be specified")
	case g.VPC == "":
		return invalid("A VPC ID must be specified")
	}
	return nil
}

func targetGroupNamed(tx *state.Tx, name string) (TargetGroup, bool) {
	for _, g := range targetGroups.All(tx) {
		if g.Name == name {
			return g, true
		}
	}
	return TargetGroup{}, false
}

func describeGroup(tx *state.Tx, g TargetGroup) api.TargetGroup {
	h := g.HealthCheck
	arns := users(tx, g.ARN)
	if arns == nil {
		arns = []string{}
	}
	return api.TargetGroup{
		TargetGroupArn: &g.ARN, TargetGroupName: &g.Name, Protocol: &g.Protocol, ProtocolVersion: new("HTTP1"), Port: new(int64(g.Port)), VpcId: &g.VPC,
		TargetType: &g.TargetType, IpAddressType: new("ipv4"), LoadBalancerArns: arns,
		HealthCheckEnabled: new(true), HealthCheckProtocol: &h.Protocol, HealthCheckPort: &h.Port, HealthCheckPath: &h.Path, Matcher: &api.Matcher{HttpCode: &h.Codes},
		HealthCheckIntervalSeconds: new(int64(h.Interval)), HealthCheckTimeoutSeconds: new(int64(h.Timeout)),
		HealthyThresholdCount: new(int64(h.Healthy)), UnhealthyThresholdCount: new(int64(h.Unhealthy)),
	}
}

// DescribeTargetGroups describes target groups by ARN, name or load balancer, or all.
func (s *Service) DescribeTargetGroups(_ context.Context, in *api.DescribeTargetGroupsInput) (*api.DescribeTargetGroupsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeTargetGroupsOutput) error {
		var found []TargetGroup
		for _, arn := range in.TargetGroupArns {
			g, err := findGroup(tx, arn)
			if err != nil {
				return err
			}
			found = append(found, g)
		}
		for _, name := range in.Names {
			g, ok := targetGroupNamed(tx, name)
			if !ok {
				return fault("TargetGroupNotFound", "One or more target groups not found")
			}
			found = append(found, g)
		}
		if in.LoadBalancerArn != nil {
			if _, err := findLoadBalancer(tx, *in.LoadBalancerArn); err != nil {
				return err
			}
			found = append(found, groupsOf(tx, *in.LoadBalancerArn)...)
		} else if in.TargetGroupArns == nil && in.Names == nil {
			for _, g := range targetGroups.All(tx) {
				found = append(found, g)
			}
		}
		page, next, err := paged(found, in.Marker, in.PageSize)
		for _, g := range page {
			out.TargetGroups = append(out.TargetGroups, describeGroup(tx, g))
		}
		out.NextMarker = next
		return err
	})
}

// groupsOf returns the target groups that a load balancer's rules forward to.
func groupsOf(tx *state.Tx, loadBalancer string) []TargetGroup {
	var found []TargetGroup
	for _, g := range targetGroups.All(tx) {
		if slices.Contains(users(tx, g.ARN), loadBalancer) {
			found = append(found, g)
		}
	}
	return found
}

// ModifyTargetGroup changes the health check settings that the request names.
func (s *Service) ModifyTargetGroup(_ context.Context, in *api.ModifyTargetGroupInput) (*api.ModifyTargetGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.ModifyTargetGroupOutput) error {
		g, err := findGroup(tx, wire.Value(in.TargetGroupArn))
		if err != nil {
			return err
		}
		if err := g.HealthCheck.set(healthCheckInput{
			in.HealthCheckEnabled, in.HealthCheckProtocol, in.HealthCheckPort, in.HealthCheckPath, in.Matcher,
			in.HealthCheckIntervalSeconds, in.HealthCheckTimeoutSeconds, in.HealthyThresholdCount, in.UnhealthyThresholdCount,
		}); err != nil {
			return err
		}
		out.TargetGroups = []api.TargetGroup{describeGroup(tx, g)}
		return targetGroups.Put(tx, g.ARN, g)
	})
}

// DeleteTargetGroup deletes a target group that no rule uses, with its targets. One that does not exist is no error.
func (s *Service) DeleteTargetGroup(_ context.Context, in *api.DeleteTargetGroupInput) (*api.DeleteTargetGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DeleteTargetGroupOutput) error {
		arn := wire.Value(in.TargetGroupArn)
		if _, ok, err := targetGroups.Get(tx, arn); err != nil || !ok {
			return err
		}
		if len(users(tx, arn)) > 0 {
			return fault("ResourceInUse", "Target group '%s' is currently in use by a listener or a rule", arn)
		}
		for _, t := range targetsOf(tx, arn) {
			if err := targets.Delete(tx, t.key()); err != nil {
				return err
			}
		}
		if err := tags.Delete(tx, arn); err != nil {
			return err
		}
		return targetGroups.Delete(tx, arn)
	})
}

// DescribeTargetGroupAttributes describes all attributes of a target group.
func (s *Service) DescribeTargetGroupAttributes(_ context.Context, in *api.DescribeTargetGroupAttributesInput) (*api.DescribeTargetGroupAttributesOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeTargetGroupAttributesOutput) error {
		g, err := findGroup(tx, wire.Value(in.TargetGroupArn))
		out.Attributes = describeGroupAttributes(g)
		return err
	})
}

// ModifyTargetGroupAttributes changes attributes of a target group.
func (s *Service) ModifyTargetGroupAttributes(_ context.Context, in *api.ModifyTargetGroupAttributesInput) (*api.ModifyTargetGroupAttributesOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.ModifyTargetGroupAttributesOutput) error {
		g, err := findGroup(tx, wire.Value(in.TargetGroupArn))
		if err != nil {
			return err
		}
		asked := map[string]string{}
		for _, a := range in.Attributes {
			asked[wire.Value(a.Key)] = wire.Value(a.Value)
		}
		if err := setAttributes("Target group", targetGroupAttributes, g.Attributes, asked); err != nil {
			return err
		}
		if g.Attributes["slow_start.duration_seconds"] != "0" && g.Attributes["load_balancing.algorithm.type"] != "round_robin" {
			return fault("InvalidConfigurationRequest", "Slow start mode can be used with the algorithm 'round_robin' only")
		}
		if g.Attributes["stickiness.enabled"] == "true" && g.Attributes["stickiness.type"] == "app_cookie" && g.Attributes["stickiness.app_cookie.cookie_name"] == "" {
			return fault("InvalidConfigurationRequest", "A cookie name must be specified for stickiness of type 'app_cookie'")
		}
		out.Attributes = describeGroupAttributes(g)
		return targetGroups.Put(tx, g.ARN, g)
	})
}

func describeGroupAttributes(g TargetGroup) []api.TargetGroupAttribute {
	var out []api.TargetGroupAttribute
	for _, key := range slices.Sorted(maps.Keys(g.Attributes)) {
		out = append(out, api.TargetGroupAttribute{Key: &key, Value: new(g.Attributes[key])})
	}
	return out
}
