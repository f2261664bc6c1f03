//go:build linux

package daemon

import (
	"context"
	"time"

	"storefront/lab/api/elbv2"
	wafapi "storefront/lab/api/wafv2"
	"storefront/lab/dataplane"
	"storefront/lab/firewall"
	"storefront/lab/state"
	"storefront/lab/wafv2"
)

// openFirewall builds AWS WAF and what runs its web ACLs: each asks the other.
func (l *lab) openFirewall() {
	engine := firewall.New(time.Now)
	l.waf = wafv2.New(wafv2.Config{Store: l.store, Region: l.region, Now: time.Now, Engine: engine, Resource: l.balancerState, LogGroup: l.logs.Group,
		Sampled: func(acl, metric string, from, to time.Time, most int) ([]wafapi.SampledHTTPRequest, int64) {
			return l.walls.Sampled(acl, metric, from, to, most)
		},
		Limited: func(acl, rule string) []string { return l.walls.Limited(acl, rule) }})
	l.walls = dataplane.NewFirewalls(&dataplane.Firewalls{WAF: l.waf, Engine: engine, Metrics: l.metrics, Logs: l.logs, Region: l.region, Now: time.Now, Log: l.log})
}

// balancerState tells whether a load balancer exists, and whether it is past provisioning.
func (l *lab) balancerState(tx *state.Tx, arn string) (active, known bool) {
	for _, lb := range l.elb.LoadBalancers(tx) {
		if lb.ARN == arn {
			return lb.State == elbv2.LoadBalancerStateEnumActive, true
		}
	}
	return false, false
}

func (l *lab) countWebACLs(ctx context.Context) (int, error) {
	out, err := l.waf.ListWebACLs(ctx, &wafapi.ListWebACLsInput{Scope: new(wafapi.ScopeRegional)})
	if err != nil {
		return 0, err
	}
	return len(out.WebACLs), nil
}

func (l *lab) countIPSets(ctx context.Context) (int, error) {
	out, err := l.waf.ListIPSets(ctx, &wafapi.ListIPSetsInput{Scope: new(wafapi.ScopeRegional)})
	if err != nil {
		return 0, err
	}
	return len(out.IPSets), nil
}
