package dataplane

import (
	"time"

	"storefront/lab/metrics"
	"storefront/lab/postgres"
)

// measure publishes what a server says of itself, and the share of one processor that it uses, as the page "Amazon CloudWatch metrics for Amazon Aurora" has
// it: for the instance, for the cluster, and for the instances of one role. Memory is not measured: servers share that of the machine.
func (w *database) measure(cluster, instance string, n *node, s postgres.Status) {
	if w.Metrics == nil {
		return
	}
	role := "READER"
	if s.Writer {
		role = "WRITER"
	}
	percent, measured := n.busy(time.Now())
	for _, by := range []metrics.Dimensions{
		metrics.By("DBInstanceIdentifier", instance), metrics.By("DBClusterIdentifier", cluster), metrics.By("DBClusterIdentifier", cluster, "Role", role),
	} {
		add := func(metric, unit string, value float64) {
			w.Metrics.Add(metrics.Name{Namespace: "AWS/RDS", Metric: metric, Unit: unit, Dimensions: by}, value)
		}
		add("DatabaseConnections", "Count", float64(s.Connections))
		if !s.Writer {
			add("AuroraReplicaLag", "Milliseconds", float64(s.Lag.Milliseconds()))
		}
		if measured {
			add("CPUUtilization", "Percent", percent)
		}
	}
}

// busy returns the percentage of one processor that the server has used since it was asked last; it knows nothing the first time.
func (n *node) busy(now time.Time) (percent float64, ok bool) {
	used, err := n.CPUTime()
	if err != nil {
		return 0, false // it has just ended
	}
	last := n.processor
	n.processor = cpuSample{now, used}
	if last.at.IsZero() || used < last.used || !now.After(last.at) { // less than before: a process has ended while it was measured
		return 0, false
	}
	return min(100, 100*float64(used-last.used)/float64(now.Sub(last.at))), true
}
