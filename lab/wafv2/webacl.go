package wafv2

import (
	"context"
	"maps"
	"slices"

	api "storefront/lab/api/wafv2"
	"storefront/lab/firewall"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// maxCapacity is how many web ACL capacity units a web ACL may use, see "AWS WAF quotas".
const maxCapacity = 5000

// CreateWebACL implements the operation of that name.
func (s *Service) CreateWebACL(_ context.Context, in *api.CreateWebACLInput) (*api.CreateWebACLOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.CreateWebACLOutput) error {
		e, err := acls.create(s, tx, in.Scope, in.Name, in.Description, in.Tags)
		if err != nil {
			return err
		}
		e.Value = api.WebACL{ARN: &e.ARN, Id: &e.ID, Name: &e.Name, Description: in.Description, AssociationConfig: in.AssociationConfig, CaptchaConfig: in.CaptchaConfig, ChallengeConfig: in.ChallengeConfig,
			CustomResponseBodies: in.CustomResponseBodies, DefaultAction: in.DefaultAction, Rules: in.Rules, TokenDomains: in.TokenDomains, VisibilityConfig: in.VisibilityConfig,
			LabelNamespace: new("awswaf:" + s.Region.Account + ":webacl:" + e.Name + ":"), ManagedByFirewallManager: new(false)}
		if err := s.checkWebACL(tx, &e.Value); err != nil {
			return err
		}
		if err := acls.put(tx, &e); err != nil {
			return err
		}
		out.Summary = summary(e)
		return nil
	})
}

func summary(e entity[api.WebACL]) *api.WebACLSummary {
	return &api.WebACLSummary{ARN: &e.ARN, Id: &e.ID, Name: &e.Name, Description: &e.Description, LockToken: &e.Token}
}

// checkWebACL compiles a web ACL, and sets its capacity.
func (s *Service) checkWebACL(tx *state.Tx, w *api.WebACL) error {
	sets, err := s.sets(tx)
	if err != nil {
		return err
	}
	if w.AssociationConfig != nil && len(w.AssociationConfig.RequestBody) > 0 {
		return invalid("ASSOCIATION_CONFIG", "RequestBody", "The size of inspected bodies cannot be set for Application Load Balancers.")
	}
	if _, err := s.Engine.Compile(compiled(w, sets), nil); err != nil {
		return refused(err)
	}
	capacity, err := s.capacity(tx, allRules(w))
	if err != nil {
		return err
	}
	if capacity > maxCapacity {
		return errLimit()
	}
	w.Capacity = &capacity
	return nil
}

func compiled(w *api.WebACL, sets firewall.Sets) firewall.ACL {
	return firewall.ACL{Labels: wire.Value(w.LabelNamespace), Default: *w.DefaultAction, Rules: allRules(w), Bodies: w.CustomResponseBodies, Sets: sets}
}

func (s *Service) capacity(tx *state.Tx, rules []api.Rule) (int64, error) {
	groups := map[string]int64{}
	for arn, g := range ruleGroups.table.All(tx) {
		groups[arn] = *g.Value.Capacity
	}
	n, err := firewall.Capacity(rules, groups)
	return n, refused(err)
}

// GetWebACL implements the operation of that name.
func (s *Service) GetWebACL(_ context.Context, in *api.GetWebACLInput) (*api.GetWebACLOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.GetWebACLOutput) error {
		e, err := acls.find(s, tx, in.Scope, in.Name, in.Id)
		out.WebACL, out.LockToken = &e.Value, &e.Token
		return err
	})
}

// UpdateWebACL implements the operation of that name.
func (s *Service) UpdateWebACL(_ context.Context, in *api.UpdateWebACLInput) (*api.UpdateWebACLOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.UpdateWebACLOutput) error {
		e, err := acls.locked(s, tx, in.Scope, in.Name, in.Id, in.LockToken)
		if err != nil {
			return err
		}
		w := &e.Value
		w.AssociationConfig, w.CaptchaConfig, w.ChallengeConfig, w.CustomResponseBodies = in.AssociationConfig, in.CaptchaConfig, in.ChallengeConfig, in.CustomResponseBodies
		w.DefaultAction, w.Description, w.Rules, w.TokenDomains, w.VisibilityConfig = in.DefaultAction, in.Description, in.Rules, in.TokenDomains, in.VisibilityConfig
		e.Description = wire.Value(in.Description)
		if err := s.checkWebACL(tx, w); err != nil {
			return err
		}
		err = acls.put(tx, &e)
		out.NextLockToken = &e.Token
		return err
	})
}

// DeleteWebACL implements the operation of that name.
func (s *Service) DeleteWebACL(_ context.Context, in *api.DeleteWebACLInput) (*api.DeleteWebACLOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DeleteWebACLOutput) error {
		e, err := acls.locked(s, tx, in.Scope, in.Name, in.Id, in.LockToken)
		if err != nil {
			return err
		}
		used, gone := s.protected(tx, e.ARN)
		if len(used) > 0 {
			return errAssociated()
		}
		for _, resource := range gone {
			if err := associations.Delete(tx, resource); err != nil {
				return err
			}
		}
		if err := logging.Delete(tx, e.ARN); err != nil {
			return err
		}
		return acls.table.Delete(tx, e.ARN)
	})
}

// ListWebACLs implements the operation of that name.
func (s *Service) ListWebACLs(_ context.Context, in *api.ListWebACLsInput) (*api.ListWebACLsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListWebACLsOutput) (err error) {
		page, next, err := acls.list(tx, in.Scope, in.NextMarker, in.Limit)
		out.WebACLs, out.NextMarker = []api.WebACLSummary{}, next
		for _, e := range page {
			out.WebACLs = append(out.WebACLs, *summary(e))
		}
		return err
	})
}

// CheckCapacity implements the operation of that name.
func (s *Service) CheckCapacity(_ context.Context, in *api.CheckCapacityInput) (*api.CheckCapacityOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.CheckCapacityOutput) error {
		if err := checkScope(in.Scope); err != nil {
			return err
		}
		n, err := s.capacity(tx, in.Rules)
		out.Capacity = &n
		return err
	})
}

// protected are the load balancers that a web ACL is associated with, and those that are gone since.
func (s *Service) protected(tx *state.Tx, acl string) (used, gone []string) {
	for resource, arn := range associations.All(tx) {
		if arn != acl {
			continue
		}
		if _, known := s.resource(tx, resource); known {
			used = append(used, resource)
		} else {
			gone = append(gone, resource)
		}
	}
	return used, gone
}

func (s *Service) resource(tx *state.Tx, arn string) (active, known bool) {
	if s.Resource == nil {
		return false, false
	}
	return s.Resource(tx, arn)
}

// refersTo tells whether a rule of a list, or a statement in it, refers to an ARN.
func refersTo(rules []api.Rule, arn string) bool {
	return slices.ContainsFunc(rules, func(r api.Rule) bool { return r.Statement != nil && statementRefersTo(r.Statement, arn) })
}

func statementRefersTo(s *api.Statement, arn string) bool {
	var inner []api.Statement
	var single *api.Statement
	switch {
	case s.IPSetReferenceStatement != nil:
		return *s.IPSetReferenceStatement.ARN == arn
	case s.RegexPatternSetReferenceStatement != nil:
		return *s.RegexPatternSetReferenceStatement.ARN == arn
	case s.RuleGroupReferenceStatement != nil:
		return *s.RuleGroupReferenceStatement.ARN == arn
	case s.AndStatement != nil:
		inner = s.AndStatement.Statements
	case s.OrStatement != nil:
		inner = s.OrStatement.Statements
	case s.NotStatement != nil:
		single = s.NotStatement.Statement
	case s.RateBasedStatement != nil:
		single = s.RateBasedStatement.ScopeDownStatement
	case s.ManagedRuleGroupStatement != nil:
		single = s.ManagedRuleGroupStatement.ScopeDownStatement
	}
	return single != nil && statementRefersTo(single, arn) || slices.ContainsFunc(inner, func(i api.Statement) bool { return statementRefersTo(&i, arn) })
}

// inUse tells whether a web ACL or rule group refers to an ARN.
func inUse(tx *state.Tx, arn string) bool {
	for _, e := range acls.table.All(tx) {
		if refersTo(allRules(&e.Value), arn) {
			return true
		}
	}
	for _, e := range ruleGroups.table.All(tx) {
		if refersTo(e.Value.Rules, arn) {
			return true
		}
	}
	return false
}

// remove deletes a set or rule group that nothing refers to.
func remove[T any](s *Service, k kind[T], scope, name, id, token *string) error {
	return s.Store.Update(func(tx *state.Tx) error {
		e, err := k.locked(s, tx, scope, name, id, token)
		if err != nil {
			return err
		}
		if inUse(tx, e.ARN) {
			return errAssociated()
		}
		return k.table.Delete(tx, e.ARN)
	})
}

// Tags returns the tags of a web ACL, set or rule group. It is for other services of the lab.
func (s *Service) Tags(tx *state.Tx, arn string) (map[string]string, error) {
	switch {
	case acls.holds(arn):
		e, err := acls.byARN(tx, arn)
		return maps.Clone(e.Tags), err
	case ipSets.holds(arn):
		e, err := ipSets.byARN(tx, arn)
		return maps.Clone(e.Tags), err
	case patternSets.holds(arn):
		e, err := patternSets.byARN(tx, arn)
		return maps.Clone(e.Tags), err
	case ruleGroups.holds(arn):
		e, err := ruleGroups.byARN(tx, arn)
		return maps.Clone(e.Tags), err
	}
	return nil, errMissing()
}
