package elbv2

import (
	"context"
	"slices"
	"strconv"
	"strings"

	api "storefront/lab/api/elbv2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// CreateRule adds a rule to a listener.
func (s *Service) CreateRule(_ context.Context, in *api.CreateRuleInput) (*api.CreateRuleOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.CreateRuleOutput) error {
		l, err := findListener(tx, wire.Value(in.ListenerArn))
		if err != nil {
			return err
		}
		lb, err := findLoadBalancer(tx, l.LoadBalancer)
		if err != nil {
			return err
		}
		r := Rule{Listener: l.ARN, Priority: int(wire.Value(in.Priority))}
		existing := rulesOf(tx, l.ARN)
		if slices.ContainsFunc(existing, func(o Rule) bool { return o.Priority == r.Priority }) {
			return fault("PriorityInUse", "Priority '%d' is currently in use", r.Priority)
		}
		if len(existing) > 100 {
			return fault("TooManyRules", "The maximum number of rules on load balancer '%s' has been reached", lb.ARN)
		}
		if r.Conditions, err = checkConditions(in.Conditions); err != nil {
			return err
		}
		if r.Actions, err = s.checkActions(tx, lb, in.Actions); err != nil {
			return err
		}
		if r.ARN, err = newRuleARN(tx, l.ARN); err != nil {
			return err
		}
		if err := setTags(tx, r.ARN, in.Tags); err != nil {
			return err
		}
		out.Rules = []api.Rule{describeRule(r)}
		return rules.Put(tx, r.ARN, r)
	})
}

func newRuleARN(tx *state.Tx, listener string) (string, error) {
	id, err := newID(tx, "listener-rule")
	return strings.Replace(listener, ":listener/", ":listener-rule/", 1) + "/" + id, err
}

func describeRule(r Rule) api.Rule {
	priority := "default"
	if r.Priority > 0 {
		priority = strconv.Itoa(r.Priority)
	}
	conditions := r.Conditions
	if conditions == nil {
		conditions = []api.RuleCondition{}
	}
	return api.Rule{RuleArn: &r.ARN, Priority: &priority, Conditions: conditions, Actions: r.Actions, IsDefault: new(r.Priority == 0)}
}

// DescribeRules describes rules by ARN, or those of a listener in the order of evaluation.
func (s *Service) DescribeRules(_ context.Context, in *api.DescribeRulesInput) (*api.DescribeRulesOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeRulesOutput) error {
		var found []api.Rule
		switch {
		case in.ListenerArn != nil && in.RuleArns == nil:
			if _, err := findListener(tx, *in.ListenerArn); err != nil {
				return err
			}
			for _, r := range rulesOf(tx, *in.ListenerArn) {
				found = append(found, describeRule(r))
			}
		case in.RuleArns != nil && in.ListenerArn == nil:
			for _, arn := range in.RuleArns {
				r, err := findRule(tx, arn)
				if err != nil {
					return err
				}
				found = append(found, describeRule(r))
			}
		default:
			return invalid("You must specify either listener rule ARNs or a listener ARN")
		}
		var err error
		out.Rules, out.NextMarker, err = paged(found, in.Marker, in.PageSize)
		return err
	})
}

// ModifyRule replaces the conditions, the actions or both of a rule.
func (s *Service) ModifyRule(_ context.Context, in *api.ModifyRuleInput) (*api.ModifyRuleOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.ModifyRuleOutput) error {
		r, err := findRule(tx, wire.Value(in.RuleArn))
		if err != nil {
			return err
		}
		lb, err := findLoadBalancer(tx, loadBalancerOf(r.Listener))
		if err != nil {
			return err
		}
		if r.Priority == 0 {
			return fault("OperationNotPermitted", "Default rule '%s' cannot be modified", r.ARN)
		}
		if in.Conditions != nil {
			if r.Conditions, err = checkConditions(in.Conditions); err != nil {
				return err
			}
		}
		if in.Actions != nil {
			if r.Actions, err = s.checkActions(tx, lb, in.Actions); err != nil {
				return err
			}
		}
		out.Rules = []api.Rule{describeRule(r)}
		return rules.Put(tx, r.ARN, r)
	})
}

// SetRulePriorities changes the priorities of rules at once, so that rules can trade places.
func (s *Service) SetRulePriorities(_ context.Context, in *api.SetRulePrioritiesInput) (*api.SetRulePrioritiesOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.SetRulePrioritiesOutput) error {
		listener := ""
		for _, p := range in.RulePriorities {
			r, err := findRule(tx, wire.Value(p.RuleArn))
			switch {
			case err != nil:
				return err
			case r.Priority == 0:
				return fault("OperationNotPermitted", "The priority of default rule '%s' cannot be changed", r.ARN)
			case listener != "" && r.Listener != listener:
				return invalid("All rules must belong to the same listener")
			}
			listener, r.Priority = r.Listener, int(wire.Value(p.Priority))
			if err := rules.Put(tx, r.ARN, r); err != nil {
				return err
			}
			out.Rules = append(out.Rules, describeRule(r))
		}
		taken := map[int]bool{}
		for _, r := range rulesOf(tx, listener) {
			if taken[r.Priority] {
				return fault("PriorityInUse", "Priority '%d' is currently in use", r.Priority)
			}
			taken[r.Priority] = true
		}
		return nil
	})
}

// DeleteRule deletes a rule other than the default one.
func (s *Service) DeleteRule(_ context.Context, in *api.DeleteRuleInput) (*api.DeleteRuleOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DeleteRuleOutput) error {
		r, err := findRule(tx, wire.Value(in.RuleArn))
		if err != nil {
			return err
		}
		if r.Priority == 0 {
			return fault("OperationNotPermitted", "Default rule '%s' cannot be deleted", r.ARN)
		}
		return removeRule(tx, r.ARN)
	})
}

func removeRule(tx *state.Tx, arn string) error {
	if err := tags.Delete(tx, arn); err != nil {
		return err
	}
	return rules.Delete(tx, arn)
}
