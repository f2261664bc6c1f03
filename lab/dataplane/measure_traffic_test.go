package dataplane_test

import (
	"testing"
	"time"

	"storefront/lab/balancer"
	"storefront/lab/dataplane"
	"storefront/lab/metrics"
)

func TestTrafficIsMeasured(t *testing.T) {
	now := time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC)
	store := metrics.New(func() time.Time { return now }, time.Hour)
	var m balancer.Metrics = &dataplane.Traffic{Metrics: store}
	const lb, arn = "app/web/50dc6c495c0c9188", "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/shop/943f017f100becff"
	forwarded := balancer.Observation{LoadBalancer: lb, Action: "forward", TargetGroup: arn, Status: 200, TargetStatus: 200, TargetTime: 100 * time.Millisecond}
	for range 3 {
		m.Observe(forwarded)
	}
	failed := forwarded
	failed.Status, failed.TargetStatus, failed.TargetTime = 500, 500, 300*time.Millisecond
	m.Observe(failed)
	m.Observe(balancer.Observation{LoadBalancer: lb, Action: "forward", TargetGroup: arn, Status: 503}) // no healthy target
	m.Observe(balancer.Observation{LoadBalancer: lb, Action: "fixed-response", Status: 503})
	m.Observe(balancer.Observation{LoadBalancer: lb, Status: 400})
	one := func(metric string, by ...string) metrics.Point {
		name := metrics.Name{Namespace: "AWS/ApplicationELB", Metric: metric, Dimensions: metrics.By(by...)}
		points := store.Between(name, now, now.Add(time.Minute), time.Minute)
		if len(points) == 0 {
			return metrics.Point{}
		}
		return points[0]
	}
	for metric, want := range map[string]float64{"RequestCount": 5, "HTTPCode_Target_2XX_Count": 3, "HTTPCode_Target_5XX_Count": 1, "HTTPCode_ELB_5XX_Count": 1, "HTTPCode_ELB_503_Count": 1,
		"HTTPCode_ELB_4XX_Count": 1, "HTTP_Fixed_Response_Count": 1} {
		if got := one(metric, "LoadBalancer", lb).Sum; got != want {
			t.Errorf("%s of the load balancer is %v, want %v", metric, got, want)
		}
	}
	group := []string{"TargetGroup", "targetgroup/shop/943f017f100becff", "LoadBalancer", lb}
	if got := one("RequestCount", group...).Sum; got != 5 {
		t.Errorf("RequestCount of the target group is %v, want 5", got)
	}
	if got := one("TargetResponseTime", group...); got.Count != 4 || got.Max != 0.3 {
		t.Errorf("TargetResponseTime: %+v", got)
	}
	if got := one("HTTPCode_ELB_5XX_Count", group...).Count; got != 0 {
		t.Errorf("errors of the load balancer are counted for the target group: %v", got)
	}
}
