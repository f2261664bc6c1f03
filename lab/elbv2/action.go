package elbv2

import (
	"regexp"
	"slices"
	"strings"

	api "storefront/lab/api/elbv2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// checkActions checks the actions of a rule and completes them as they read back. Since authentication is not served, there is exactly one.
func (s *Service) checkActions(tx *state.Tx, lb LoadBalancer, actions []api.Action) ([]api.Action, error) {
	if len(actions) != 1 {
		for _, a := range actions {
			if strings.HasPrefix(wire.Value(a.Type), "authenticate-") {
				return nil, unsupported("The action type '" + wire.Value(a.Type) + "'")
			}
		}
		return nil, fault("InvalidLoadBalancerAction", "A rule must have exactly one action of type 'forward', 'redirect' or 'fixed-response'")
	}
	a := actions[0]
	var err error
	switch wire.Value(a.Type) {
	case api.ActionTypeEnumForward:
		err = checkForward(tx, lb, &a)
	case api.ActionTypeEnumRedirect:
		err = checkRedirect(a.RedirectConfig)
	case api.ActionTypeEnumFixedResponse:
		err = checkFixedResponse(a.FixedResponseConfig)
	default:
		err = unsupported("The action type '" + wire.Value(a.Type) + "'")
	}
	return []api.Action{a}, err
}

// checkForward checks a forward action. It reads back in both forms: a sole target group is also the action's TargetGroupArn, and a
// TargetGroupArn is also a forward configuration.
func checkForward(tx *state.Tx, lb LoadBalancer, a *api.Action) error {
	f := a.ForwardConfig
	switch {
	case f == nil && a.TargetGroupArn == nil:
		return invalid("You must specify a target group for the action type 'forward'")
	case f == nil:
		f = &api.ForwardActionConfig{TargetGroups: []api.TargetGroupTuple{{TargetGroupArn: a.TargetGroupArn, Weight: new(int64(1))}}}
	case a.TargetGroupArn != nil && (len(f.TargetGroups) != 1 || wire.Value(f.TargetGroups[0].TargetGroupArn) != *a.TargetGroupArn):
		return invalid("You can specify both a target group ARN and a forward configuration only if they name the same, single target group")
	}
	if n := len(f.TargetGroups); n < 1 || n > 5 {
		return fault("InvalidLoadBalancerAction", "A forward action must have between 1 and 5 target groups")
	}
	f.TargetGroups = slices.Clone(f.TargetGroups)
	for i := range f.TargetGroups {
		t := &f.TargetGroups[i]
		if t.Weight == nil {
			t.Weight = new(int64(1))
		}
		if *t.Weight < 0 || *t.Weight > 999 {
			return fault("InvalidLoadBalancerAction", "The weight '%d' of a target group must be between 0 and 999", *t.Weight)
		}
		if err := checkForwardTarget(tx, lb, wire.Value(t.TargetGroupArn)); err != nil {
			return err
		}
	}
	if f.TargetGroupStickinessConfig == nil {
		f.TargetGroupStickinessConfig = &api.TargetGroupStickinessConfig{Enabled: new(false)}
	}
	if k := f.TargetGroupStickinessConfig; wire.Value(k.Enabled) && (wire.Value(k.DurationSeconds) < 1 || *k.DurationSeconds > 604800) {
		return invalid("The target group stickiness duration must be between 1 and 604800 seconds")
	}
	a.ForwardConfig, a.TargetGroupArn = f, nil
	if len(f.TargetGroups) == 1 {
		a.TargetGroupArn = f.TargetGroups[0].TargetGroupArn
	}
	return nil
}

func checkForwardTarget(tx *state.Tx, lb LoadBalancer, arn string) error {
	g, ok, err := targetGroups.Get(tx, arn)
	switch {
	case err != nil:
		return err
	case !ok:
		return fault("TargetGroupNotFound", "Target groups '%s' not found", arn)
	case g.VPC != lb.VPC:
		return fault("InvalidConfigurationRequest", "The target group '%s' and the load balancer '%s' must be in the same VPC", arn, lb.ARN)
	}
	for _, user := range users(tx, arn) {
		if user != lb.ARN {
			return fault("TargetGroupAssociationLimit", "The following target groups cannot be associated with more than one load balancer: %s", arn)
		}
	}
	return nil
}

// forwardsTo returns the ARNs of the target groups that actions forward to.
func forwardsTo(actions []api.Action) []string {
	var arns []string
	for _, a := range actions {
		if a.ForwardConfig != nil {
			for _, t := range a.ForwardConfig.TargetGroups {
				arns = append(arns, wire.Value(t.TargetGroupArn))
			}
		}
	}
	return arns
}

var redirectPort = regexp.MustCompile(`^([1-9][0-9]{0,4}|#\{port\})$`)

func checkRedirect(r *api.RedirectActionConfig) error {
	if r == nil {
		return invalid("You must specify a redirect configuration for the action type 'redirect'")
	}
	fill := func(p **string, otherwise string) {
		if *p == nil || **p == "" {
			*p = &otherwise
		}
	}
	fill(&r.Protocol, "#{protocol}")
	fill(&r.Host, "#{host}")
	fill(&r.Port, "#{port}")
	fill(&r.Path, "/#{path}")
	if r.Query == nil {
		r.Query = new("#{query}")
	}
	switch {
	case !slices.Contains([]string{"HTTP", "HTTPS", "#{protocol}"}, *r.Protocol):
		return invalid("Redirect protocol '%s' must be one of 'HTTP, HTTPS, #{protocol}'", *r.Protocol)
	case !redirectPort.MatchString(*r.Port):
		return invalid("Redirect port '%s' must be a number from 1 to 65535 or '#{port}'", *r.Port)
	case !strings.HasPrefix(*r.Path, "/"):
		return invalid("Redirect path '%s' must begin with a '/'", *r.Path)
	case *r.Protocol == "#{protocol}" && *r.Host == "#{host}" && *r.Port == "#{port}" && *r.Path == "/#{path}":
		return fault("InvalidLoadBalancerAction", "The redirect configuration is not valid because it creates a loop.")
	}
	return nil
}

var fixedStatus = regexp.MustCompile(`^[245][0-9][0-9]$`)

func checkFixedResponse(f *api.FixedResponseActionConfig) error {
	if f == nil {
		return invalid("You must specify a fixed-response configuration for the action type 'fixed-response'")
	}
	types := []string{"text/plain", "text/css", "text/html", "application/javascript", "application/json"}
	switch {
	case !fixedStatus.MatchString(wire.Value(f.StatusCode)):
		return invalid("The fixed-response status code '%s' must be 2XX, 4XX or 5XX", wire.Value(f.StatusCode))
	case f.ContentType != nil && !slices.Contains(types, *f.ContentType):
		return invalid("The fixed-response content type '%s' must be one of '%s'", *f.ContentType, strings.Join(types, ", "))
	}
	return nil
}
