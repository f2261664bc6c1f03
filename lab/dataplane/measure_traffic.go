package dataplane

import (
	"fmt"
	"strings"
	"sync"

	"storefront/lab/balancer"
	"storefront/lab/metrics"
)

// Traffic measures what load balancers observe, as the page "CloudWatch metrics for your Application Load Balancer" lists it: it is a balancer.Metrics.
type Traffic struct {
	Metrics *metrics.Store

	names sync.Map // of balancerMetric to metrics.Name: a request must not pay for making names
}

// balancerMetric names a metric of a load balancer, or of one of its target groups.
type balancerMetric struct{ metric, unit, balancer, group string }

// Observe implements balancer.Metrics.
func (t *Traffic) Observe(o balancer.Observation) {
	if o.Action == "forward" {
		t.count(o, "RequestCount")
	}
	switch {
	case o.TargetStatus >= 200 && o.TargetStatus < 600:
		t.count(o, targetCodes()[o.TargetStatus/100-2])
		t.add(o, "TargetResponseTime", "Seconds", o.TargetTime.Seconds())
	case o.TargetStatus == 0 && o.Action != "fixed-response" && o.Action != "redirect":
		t.ownAnswer(o)
	}
	switch o.Action {
	case "fixed-response":
		t.one("HTTP_Fixed_Response_Count", o.LoadBalancer)
	case "redirect":
		t.one("HTTP_Redirect_Count", o.LoadBalancer)
	}
}

func targetCodes() [4]string {
	return [4]string{"HTTPCode_Target_2XX_Count", "HTTPCode_Target_3XX_Count", "HTTPCode_Target_4XX_Count", "HTTPCode_Target_5XX_Count"}
}

// ownAnswer counts an answer that came from no target and no rule: an error of the load balancer.
func (t *Traffic) ownAnswer(o balancer.Observation) {
	switch {
	case o.Status >= 500:
		t.one("HTTPCode_ELB_5XX_Count", o.LoadBalancer)
		switch o.Status {
		case 500, 502, 503, 504:
			t.one(fmt.Sprintf("HTTPCode_ELB_%d_Count", o.Status), o.LoadBalancer)
		}
	case o.Status >= 400:
		t.one("HTTPCode_ELB_4XX_Count", o.LoadBalancer)
	}
}

func (t *Traffic) count(o balancer.Observation, metric string) { t.add(o, metric, "Count", 1) }

// add records a value of the load balancer, and of the target group if there is one.
func (t *Traffic) add(o balancer.Observation, metric, unit string, value float64) {
	t.Metrics.Add(t.name(balancerMetric{metric, unit, o.LoadBalancer, ""}), value)
	if o.TargetGroup != "" {
		t.Metrics.Add(t.name(balancerMetric{metric, unit, o.LoadBalancer, resourceOf(o.TargetGroup)}), value)
	}
}

func (t *Traffic) one(metric, balancer string) {
	t.Metrics.Add(t.name(balancerMetric{metric, "Count", balancer, ""}), 1)
}

func (t *Traffic) name(m balancerMetric) metrics.Name {
	if known, ok := t.names.Load(m); ok {
		return known.(metrics.Name)
	}
	name := balancerName(m)
	t.names.Store(m, name)
	return name
}

func balancerName(m balancerMetric) metrics.Name {
	by := []string{"LoadBalancer", m.balancer}
	if m.group != "" {
		by = append(by, "TargetGroup", m.group)
	}
	return metrics.Name{Namespace: "AWS/ApplicationELB", Metric: m.metric, Unit: m.unit, Dimensions: metrics.By(by...)}
}

// resourceOf returns the resource part of an ARN, such as "targetgroup/web/943f017f100becff".
func resourceOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	return parts[len(parts)-1]
}
