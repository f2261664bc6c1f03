package wafv2

import (
	"context"
	"net/netip"
	"regexp"

	api "storefront/lab/api/wafv2"
	"storefront/lab/firewall"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Quotas of sets, see "AWS WAF quotas".
const (
	maxAddresses = 10000
	maxPatterns  = 10
)

func checkAddresses(version string, addresses []string) error {
	if len(addresses) > maxAddresses {
		return errLimit()
	}
	for _, a := range addresses {
		p, err := netip.ParsePrefix(a)
		if err != nil || p.Masked() != p || p.Bits() == 0 || p.Addr().Is4() != (version == api.IPAddressVersionIpv4) {
			return invalid("IP_ADDRESS", a, "The address range is not valid: it takes CIDR notation of the set's version, without host bits, and not /0.")
		}
	}
	return nil
}

// CreateIPSet implements the operation of that name.
func (s *Service) CreateIPSet(_ context.Context, in *api.CreateIPSetInput) (*api.CreateIPSetOutput, error) {
	if err := checkAddresses(*in.IPAddressVersion, in.Addresses); err != nil {
		return nil, err
	}
	return state.Change(s.Store, func(tx *state.Tx, out *api.CreateIPSetOutput) error {
		e, err := ipSets.create(s, tx, in.Scope, in.Name, in.Description, in.Tags)
		if err != nil {
			return err
		}
		e.Value = api.IPSet{ARN: &e.ARN, Id: &e.ID, Name: &e.Name, Description: in.Description, IPAddressVersion: in.IPAddressVersion, Addresses: in.Addresses}
		err = ipSets.put(tx, &e)
		out.Summary = &api.IPSetSummary{ARN: &e.ARN, Id: &e.ID, Name: &e.Name, Description: &e.Description, LockToken: &e.Token}
		return err
	})
}

// GetIPSet implements the operation of that name.
func (s *Service) GetIPSet(_ context.Context, in *api.GetIPSetInput) (*api.GetIPSetOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.GetIPSetOutput) error {
		e, err := ipSets.find(s, tx, in.Scope, in.Name, in.Id)
		out.IPSet, out.LockToken = &e.Value, &e.Token
		return err
	})
}

// UpdateIPSet implements the operation of that name.
func (s *Service) UpdateIPSet(_ context.Context, in *api.UpdateIPSetInput) (*api.UpdateIPSetOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.UpdateIPSetOutput) error {
		e, err := ipSets.locked(s, tx, in.Scope, in.Name, in.Id, in.LockToken)
		if err != nil {
			return err
		}
		if err := checkAddresses(*e.Value.IPAddressVersion, in.Addresses); err != nil {
			return err
		}
		e.Value.Addresses, e.Value.Description, e.Description = in.Addresses, in.Description, wire.Value(in.Description)
		err = ipSets.put(tx, &e)
		out.NextLockToken = &e.Token
		return err
	})
}

// DeleteIPSet implements the operation of that name.
func (s *Service) DeleteIPSet(_ context.Context, in *api.DeleteIPSetInput) (*api.DeleteIPSetOutput, error) {
	return &api.DeleteIPSetOutput{}, remove(s, ipSets, in.Scope, in.Name, in.Id, in.LockToken)
}

// ListIPSets implements the operation of that name.
func (s *Service) ListIPSets(_ context.Context, in *api.ListIPSetsInput) (*api.ListIPSetsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListIPSetsOutput) error {
		page, next, err := ipSets.list(tx, in.Scope, in.NextMarker, in.Limit)
		out.IPSets, out.NextMarker = []api.IPSetSummary{}, next
		for _, e := range page {
			out.IPSets = append(out.IPSets, api.IPSetSummary{ARN: &e.ARN, Id: &e.ID, Name: &e.Name, Description: &e.Description, LockToken: &e.Token})
		}
		return err
	})
}

func checkPatterns(list []api.Regex) error {
	if len(list) > maxPatterns {
		return errLimit()
	}
	for _, r := range list {
		if _, err := regexp.Compile(wire.Value(r.RegexString)); err != nil || wire.Value(r.RegexString) == "" {
			return invalid("REGEX_PATTERN", wire.Value(r.RegexString), "The regular expression is not valid.")
		}
	}
	return nil
}

// CreateRegexPatternSet implements the operation of that name.
func (s *Service) CreateRegexPatternSet(_ context.Context, in *api.CreateRegexPatternSetInput) (*api.CreateRegexPatternSetOutput, error) {
	if err := checkPatterns(in.RegularExpressionList); err != nil {
		return nil, err
	}
	return state.Change(s.Store, func(tx *state.Tx, out *api.CreateRegexPatternSetOutput) error {
		e, err := patternSets.create(s, tx, in.Scope, in.Name, in.Description, in.Tags)
		if err != nil {
			return err
		}
		e.Value = api.RegexPatternSet{ARN: &e.ARN, Id: &e.ID, Name: &e.Name, Description: in.Description, RegularExpressionList: in.RegularExpressionList}
		err = patternSets.put(tx, &e)
		out.Summary = &api.RegexPatternSetSummary{ARN: &e.ARN, Id: &e.ID, Name: &e.Name, Description: &e.Description, LockToken: &e.Token}
		return err
	})
}

// GetRegexPatternSet implements the operation of that name.
func (s *Service) GetRegexPatternSet(_ context.Context, in *api.GetRegexPatternSetInput) (*api.GetRegexPatternSetOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.GetRegexPatternSetOutput) error {
		e, err := patternSets.find(s, tx, in.Scope, in.Name, in.Id)
		out.RegexPatternSet, out.LockToken = &e.Value, &e.Token
		return err
	})
}

// UpdateRegexPatternSet implements the operation of that name.
func (s *Service) UpdateRegexPatternSet(_ context.Context, in *api.UpdateRegexPatternSetInput) (*api.UpdateRegexPatternSetOutput, error) {
	if err := checkPatterns(in.RegularExpressionList); err != nil {
		return nil, err
	}
	return state.Change(s.Store, func(tx *state.Tx, out *api.UpdateRegexPatternSetOutput) error {
		e, err := patternSets.locked(s, tx, in.Scope, in.Name, in.Id, in.LockToken)
		if err != nil {
			return err
		}
		e.Value.RegularExpressionList, e.Value.Description, e.Description = in.RegularExpressionList, in.Description, wire.Value(in.Description)
		err = patternSets.put(tx, &e)
		out.NextLockToken = &e.Token
		return err
	})
}

// DeleteRegexPatternSet implements the operation of that name.
func (s *Service) DeleteRegexPatternSet(_ context.Context, in *api.DeleteRegexPatternSetInput) (*api.DeleteRegexPatternSetOutput, error) {
	return &api.DeleteRegexPatternSetOutput{}, remove(s, patternSets, in.Scope, in.Name, in.Id, in.LockToken)
}

// ListRegexPatternSets implements the operation of that name.
func (s *Service) ListRegexPatternSets(_ context.Context, in *api.ListRegexPatternSetsInput) (*api.ListRegexPatternSetsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListRegexPatternSetsOutput) error {
		page, next, err := patternSets.list(tx, in.Scope, in.NextMarker, in.Limit)
		out.RegexPatternSets, out.NextMarker = []api.RegexPatternSetSummary{}, next
		for _, e := range page {
			out.RegexPatternSets = append(out.RegexPatternSets, api.RegexPatternSetSummary{ARN: &e.ARN, Id: &e.ID, Name: &e.Name, Description: &e.Description, LockToken: &e.Token})
		}
		return err
	})
}

// sets are all sets and rule groups, as the engine takes them.
func (s *Service) sets(tx *state.Tx) (firewall.Sets, error) {
	all := firewall.Sets{Addresses: map[string][]netip.Prefix{}, Patterns: map[string][]string{}, Groups: map[string]firewall.Group{}}
	for arn, e := range ipSets.table.All(tx) {
		all.Addresses[arn] = []netip.Prefix{}
		for _, a := range e.Value.Addresses {
			p, err := netip.ParsePrefix(a)
			if err != nil {
				return all, err
			}
			all.Addresses[arn] = append(all.Addresses[arn], p)
		}
	}
	for arn, e := range patternSets.table.All(tx) {
		all.Patterns[arn] = []string{}
		for _, r := range e.Value.RegularExpressionList {
			all.Patterns[arn] = append(all.Patterns[arn], wire.Value(r.RegexString))
		}
	}
	for arn, e := range ruleGroups.table.All(tx) {
		all.Groups[arn] = firewall.Group{Labels: wire.Value(e.Value.LabelNamespace), Rules: e.Value.Rules, Bodies: e.Value.CustomResponseBodies}
	}
	return all, nil
}
