package metrics

import "storefront/lab/balancer"

// Requests feeds what load balancers observe into a store: it is a balancer.Metrics.
type Requests struct{ Store *Store }

// Observe implements balancer.Metrics: RequestCount of the target group.
func (r Requests) Observe(o balancer.Observation) {
	if o.TargetGroup != "" {
		r.Store.Add(RequestCount(o.TargetGroup), 1)
	}
}

// RequestCount is the number of requests that were sent to a target group.
func RequestCount(targetGroupARN string) Name {
	return Name{Namespace: "AWS/ApplicationELB", Metric: "RequestCount", Dimension: targetGroupARN}
}

// CPUUtilization is the percentage of its processors that an instance uses.
func CPUUtilization(instanceID string) Name {
	return Name{Namespace: "AWS/EC2", Metric: "CPUUtilization", Dimension: instanceID}
}
