//go:build linux

package daemon

import (
	"cmp"
	"context"
	"time"

	"storefront/lab/api/elbv2"
	wafapi "storefront/lab/api/wafv2"
	"storefront/lab/dataplane"
	"storefront/lab/firewall"
	"storefront/lab/fms"
	"storefront/lab/state"
	"storefront/lab/wafv2"
	"storefront/lab/wire"
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
	l.guard = fms.New(fms.Config{Store: l.store, Region: l.region, Now: time.Now, Firewall: l.waf, LoadBalancers: l.guardedBalancers, SecurityGroups: l.guardedGroups, Log: l.log})
}

// guardedBalancers are the load balancers that Firewall Manager looks at.
func (l *lab) guardedBalancers(tx *state.Tx) (list []fms.Resource) {
	for _, lb := range l.elb.LoadBalancers(tx) {
		tags, err := l.elb.Tags(tx, lb.ARN)
		if err != nil {
			l.log.Error("reading the tags of a load balancer", "load balancer", lb.Name, "error", err)
			continue
		}
		if lb.State == elbv2.LoadBalancerStateEnumActive {
			list = append(list, fms.Resource{ID: lb.ARN, Tags: tags})
		}
	}
	return list
}

// guardedGroups are the security groups that Firewall Manager looks at: those that customers created, so no default ones.
func (l *lab) guardedGroups(tx *state.Tx) (list []fms.Resource) {
	for _, g := range l.ec2.SecurityGroups(tx) {
		if g.Name == "default" {
			continue
		}
		r := fms.Resource{ID: g.ID, Tags: l.ec2.Tags(tx, g.ID), Unused: !l.ec2.SecurityGroupUsed(tx, g.ID)}
		for _, rule := range g.Rules {
			r.Rules = append(r.Rules, fms.Rule{Egress: rule.Egress, Protocol: rule.Protocol, From: wire.Or(rule.From, -1), To: wire.Or(rule.To, -1), Peer: cmp.Or(rule.CIDR, rule.PrefixList, rule.Group)})
		}
		list = append(list, r)
	}
	return list
}

func (l *lab) countPolicies(context.Context) (int, error) { return l.guard.Policies() }

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
