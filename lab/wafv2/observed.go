package wafv2

import (
	"context"
	"net/netip"
	"strings"

	api "storefront/lab/api/wafv2"
	"storefront/lab/state"
)

// GetSampledRequests implements the operation of that name.
func (s *Service) GetSampledRequests(_ context.Context, in *api.GetSampledRequestsInput) (*api.GetSampledRequestsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.GetSampledRequestsOutput) error {
		if err := checkScope(in.Scope); err != nil {
			return err
		}
		if _, err := acls.byARN(tx, *in.WebAclArn); err != nil {
			return err
		}
		out.TimeWindow, out.PopulationSize, out.SampledRequests = in.TimeWindow, new(int64(0)), []api.SampledHTTPRequest{}
		if s.Sampled != nil {
			list, population := s.Sampled(*in.WebAclArn, *in.RuleMetricName, *in.TimeWindow.StartTime, *in.TimeWindow.EndTime, int(*in.MaxItems))
			out.SampledRequests, out.PopulationSize = append(out.SampledRequests, list...), &population
		}
		return nil
	})
}

// GetRateBasedStatementManagedKeys implements the operation of that name.
func (s *Service) GetRateBasedStatementManagedKeys(_ context.Context, in *api.GetRateBasedStatementManagedKeysInput) (*api.GetRateBasedStatementManagedKeysOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.GetRateBasedStatementManagedKeysOutput) error {
		e, err := acls.find(s, tx, in.Scope, in.WebACLName, in.WebACLId)
		if err != nil {
			return err
		}
		if in.RuleGroupRuleName != nil {
			return invalid("RULE_GROUP", *in.RuleGroupRuleName, "Rate-based rules inside rule groups are not listed in this region.")
		}
		v4, v6 := []string{}, []string{}
		if s.Limited != nil {
			for _, client := range s.Limited(e.ARN, *in.RuleName) {
				if strings.Contains(client, ":") {
					v6 = append(v6, client)
				} else if _, err := netip.ParseAddr(client); err == nil {
					v4 = append(v4, client+"/32")
				}
			}
		}
		out.ManagedKeysIPV4 = &api.RateBasedStatementManagedKeysIPSet{IPAddressVersion: new(api.IPAddressVersionIpv4), Addresses: v4}
		out.ManagedKeysIPV6 = &api.RateBasedStatementManagedKeysIPSet{IPAddressVersion: new(api.IPAddressVersionIpv6), Addresses: v6}
		return nil
	})
}
