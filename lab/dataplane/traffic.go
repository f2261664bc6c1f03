package dataplane

import (
	"sync/atomic"
	"time"

	"storefront/lab/balancer"
)

// Traffic counts the requests of a target group since the lab started: what CloudWatch's metrics of load balancers are made from.
type Traffic struct {
	Requests               uint64        // that targets answered or failed to
	Success, Client, Fault uint64        // answers of targets by status: below 400, 4xx, 5xx
	TargetTime             time.Duration // sum over the answers
}

type traffic struct {
	requests, success, client, fault atomic.Uint64
	targetTime                       atomic.Int64
}

// Observe implements balancer.Metrics.
func (b *Balancers) Observe(o balancer.Observation) {
	if o.TargetGroup == "" {
		return
	}
	v, _ := b.traffic.LoadOrStore(o.TargetGroup, new(traffic))
	t, _ := v.(*traffic)
	t.requests.Add(1)
	switch {
	case o.TargetStatus >= 500:
		t.fault.Add(1)
	case o.TargetStatus >= 400:
		t.client.Add(1)
	case o.TargetStatus > 0:
		t.success.Add(1)
	}
	t.targetTime.Add(int64(o.TargetTime))
}

// Traffic returns the counts of a target group. Scaling policies compare two readings.
func (b *Balancers) Traffic(groupARN string) Traffic {
	v, ok := b.traffic.Load(groupARN)
	if !ok {
		return Traffic{}
	}
	t, _ := v.(*traffic)
	return Traffic{t.requests.Load(), t.success.Load(), t.client.Load(), t.fault.Load(), time.Duration(t.targetTime.Load())}
}
