package dataplane

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	api "storefront/lab/api/elbv2"
	"storefront/lab/balancer"
	"storefront/lab/ec2"
	"storefront/lab/elbv2"
	"storefront/lab/network"
	"storefront/lab/state"
)

// desired is a load balancer as declared, and what it means for the data plane.
type desired struct {
	lb       elbv2.LoadBalancer
	config   balancer.Config
	logs     logDestination
	draining []elbv2.Target
	gone     []elbv2.Target // registered instances that are terminated
	ports    map[int]int    // host ports recorded so far, by listener port
}

func (b *Balancers) desired(tx *state.Tx) []desired {
	var all []desired
	for _, lb := range b.ELB.LoadBalancers(tx) {
		d := desired{
			lb: lb, ports: map[int]int{}, logs: logDestination{lb.Attributes["access_logs.s3.bucket"], lb.Attributes["access_logs.s3.prefix"]},
			config: balancer.Config{Name: "app/" + lb.Name + "/" + lb.ID, Attributes: attributes(lb.Attributes)},
		}
		if b.Firewall != nil {
			d.config.Firewall = b.Firewall(tx, lb.ARN, d.config.Name)
		}
		for _, n := range lb.Nodes {
			d.config.Nodes = append(d.config.Nodes, balancer.Node{Zone: n.Zone, Place: network.InInterface(n.Interface), Address: n.Address})
		}
		for _, l := range b.ELB.Listeners(tx, lb.ARN) {
			if listener, ok := b.listener(tx, l); ok {
				d.config.Listeners = append(d.config.Listeners, listener)
			}
			if port, ok := b.ELB.HostPort(tx, lb.ARN, l.Port); ok {
				d.ports[l.Port] = port
			}
		}
		for _, g := range b.ELB.TargetGroups(tx, lb.ARN) {
			d.config.TargetGroups = append(d.config.TargetGroups, b.targetGroup(tx, &d, g))
		}
		all = append(all, d)
	}
	return all
}

func attributes(a map[string]string) balancer.Attributes {
	on := func(key string) bool { return a[key] == "true" }
	return balancer.Attributes{
		IdleTimeout:        seconds(a["idle_timeout.timeout_seconds"]),
		ClientKeepAlive:    seconds(a["client_keep_alive.seconds"]),
		DropInvalidHeaders: on("routing.http.drop_invalid_header_fields.enabled"),
		PreserveHost:       on("routing.http.preserve_host_header.enabled"),
		DisableHTTP2:       !on("routing.http2.enabled"),
		ClientPort:         on("routing.http.xff_client_port.enabled"),
		ForwardedFor:       balancer.ForwardedForMode(a["routing.http.xff_header_processing.mode"]),
		Desync:             balancer.DesyncMode(a["routing.http.desync_mitigation_mode"]),
		TLSHeaders:         on("routing.http.x_amzn_tls_version_and_cipher_suite.enabled"),
		AccessLogs:         on("access_logs.s3.enabled"),
		FailOpen:           on("waf.fail_open.enabled"),
	}
}

// seconds reads an attribute that was checked when it was set.
func seconds(s string) time.Duration { return time.Duration(number(s)) * time.Second }

func number(s string) int {
	n, _ := strconv.Atoi(s)
	return n
}

// listener is false for an HTTPS listener without a certificate that can be read.
func (b *Balancers) listener(tx *state.Tx, l elbv2.Listener) (balancer.Listener, bool) {
	out := balancer.Listener{ARN: l.ARN, Port: l.Port}
	for _, r := range b.ELB.Rules(tx, l.ARN) {
		rule := balancer.Rule{Priority: r.Priority, Action: action(r.Actions[0])}
		for _, c := range r.Conditions {
			rule.Conditions = append(rule.Conditions, condition(c))
		}
		out.Rules = append(out.Rules, rule)
	}
	if l.Protocol != "HTTPS" {
		return out, true
	}
	policy, _ := elbv2.SSLPolicy(l.SSLPolicy)
	out.TLS = &balancer.TLS{MinVersion: policy.MinVersion, MaxVersion: policy.MaxVersion, CipherSuites: policy.CipherSuites()}
	out.TLS.Certificates = b.certificates(tx, l.Certificates)
	return out, len(out.TLS.Certificates) > 0
}

func (b *Balancers) certificates(tx *state.Tx, arns []string) []balancer.Certificate {
	var found []balancer.Certificate
	for _, arn := range arns {
		switch c, _, err := b.ELB.Certificate(tx, arn); {
		case err != nil:
			b.Log.Error("reading the certificate of a listener", "certificate", arn, "error", err)
		case c != nil:
			found = append(found, balancer.Certificate{ARN: arn, Certificate: c})
		}
	}
	return found
}

func action(a api.Action) balancer.Action {
	switch {
	case a.ForwardConfig != nil:
		f := &balancer.Forward{}
		for _, g := range a.ForwardConfig.TargetGroups {
			f.Groups = append(f.Groups, balancer.WeightedGroup{ARN: *g.TargetGroupArn, Weight: int(*g.Weight)})
		}
		if k := a.ForwardConfig.TargetGroupStickinessConfig; k.Enabled != nil && *k.Enabled {
			f.Stickiness = time.Duration(*k.DurationSeconds) * time.Second
		}
		return balancer.Action{Forward: f}
	case a.RedirectConfig != nil:
		r := a.RedirectConfig
		return balancer.Action{Redirect: &balancer.Redirect{
			Protocol: *r.Protocol, Host: *r.Host, Port: *r.Port, Path: *r.Path, Query: *r.Query, Status: number(strings.TrimPrefix(*r.StatusCode, "HTTP_")),
		}}
	}
	f := a.FixedResponseConfig
	out := &balancer.FixedResponse{Status: number(*f.StatusCode)}
	if f.ContentType != nil {
		out.ContentType = *f.ContentType
	}
	if f.MessageBody != nil {
		out.Body = *f.MessageBody
	}
	return balancer.Action{Fixed: out}
}

func condition(c api.RuleCondition) balancer.Condition {
	switch *c.Field {
	case "host-header":
		return balancer.Condition{Hosts: c.HostHeaderConfig.Values}
	case "path-pattern":
		return balancer.Condition{Paths: c.PathPatternConfig.Values}
	case "http-header":
		return balancer.Condition{HeaderName: *c.HttpHeaderConfig.HttpHeaderName, HeaderValues: c.HttpHeaderConfig.Values}
	case "http-request-method":
		return balancer.Condition{Methods: c.HttpRequestMethodConfig.Values}
	case "query-string":
		var out balancer.Condition
		for _, v := range c.QueryStringConfig.Values {
			pair := balancer.QueryPair{Value: *v.Value}
			if v.Key != nil {
				pair.Key = *v.Key
			}
			out.Query = append(out.Query, pair)
		}
		return out
	}
	var out balancer.Condition
	for _, s := range c.SourceIpConfig.Values {
		out.Sources = append(out.Sources, netip.MustParsePrefix(s))
	}
	return out
}

func (b *Balancers) targetGroup(tx *state.Tx, d *desired, g elbv2.TargetGroup) balancer.TargetGroup {
	a, h := g.Attributes, g.HealthCheck
	out := balancer.TargetGroup{
		ARN: g.ARN, TLS: g.Protocol == "HTTPS", Algorithm: balancer.Algorithm(a["load_balancing.algorithm.type"]),
		SlowStart: g.Seconds("slow_start.duration_seconds"), ZoneLocal: a["load_balancing.cross_zone.enabled"] == "false",
		HealthCheck: balancer.HealthCheck{
			TLS: h.Protocol == "HTTPS", Port: number(h.Port), Path: h.Path, Codes: h.Codes, // "traffic-port" is no number, and 0 means it
			Interval: time.Duration(h.Interval) * time.Second, Timeout: time.Duration(h.Timeout) * time.Second, Healthy: h.Healthy, Unhealthy: h.Unhealthy,
		},
	}
	if a["stickiness.enabled"] == "true" {
		kind := balancer.StickinessType(a["stickiness.type"])
		out.Stickiness = balancer.Stickiness{Type: kind, Duration: g.Seconds("stickiness." + string(kind) + ".duration_seconds"), Cookie: a["stickiness.app_cookie.cookie_name"]}
	}
	for _, t := range b.ELB.Targets(tx, g.ARN) {
		b.target(tx, d, g, t, &out)
	}
	const minimum = "target_group_health.unhealthy_state_routing.minimum_healthy_targets."
	percent := number(a[minimum+"percentage"]) // "off" is no number
	out.MinimumHealthy = max(number(a[minimum+"count"]), (percent*len(out.Targets)+99)/100)
	return out
}

// target adds a target to its group unless it is unused: not running, or in a zone that the load balancer is not in.
func (b *Balancers) target(tx *state.Tx, d *desired, g elbv2.TargetGroup, t elbv2.Target, out *balancer.TargetGroup) {
	if t.IsDraining() {
		d.draining = append(d.draining, t)
	}
	if g.TargetType == api.TargetTypeEnumIp {
		out.Targets = append(out.Targets, balancer.Target{ID: t.ID, Address: netip.AddrPortFrom(netip.MustParseAddr(t.ID), uint16(t.Port)), Zone: t.Zone, Draining: t.IsDraining()})
		return
	}
	instance, err := b.ELB.VPCs.Instance(tx, t.ID)
	if err != nil || instance.State == ec2.Terminated {
		d.gone = append(d.gone, t)
		return
	}
	enabled := slices.ContainsFunc(d.lb.Nodes, func(n elbv2.Node) bool { return n.Zone == instance.Zone.Name })
	running := instance.State == ec2.Running || instance.State == ec2.Pending || t.IsDraining() && instance.State == ec2.ShuttingDown
	if !enabled || !running || len(instance.Interfaces) == 0 {
		return
	}
	primary, err := b.ELB.VPCs.Interface(tx, instance.Interfaces[0])
	if err != nil {
		return // it is being terminated
	}
	out.Targets = append(out.Targets, balancer.Target{
		ID: t.ID, Address: netip.AddrPortFrom(primary.Address, uint16(t.Port)), Zone: instance.Zone.Name, Draining: t.IsDraining(),
	})
}
