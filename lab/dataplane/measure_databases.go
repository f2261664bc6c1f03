package dataplane

import (
	"storefront/lab/metrics"
	"storefront/lab/postgres"
)

// measure publishes what a server says of itself, as the page "Amazon CloudWatch metrics for Amazon Aurora" has it: for the instance, for the cluster, and
// for the instances of one role. Processor and memory are not measured: the servers share those of the machine.
func (w *database) measure(cluster, instance string, s postgres.Status) {
	if w.Metrics == nil {
		return
	}
	role := "READER"
	if s.Writer {
		role = "WRITER"
	}
	for _, by := range []metrics.Dimensions{
		metrics.By("DBInstanceIdentifier", instance), metrics.By("DBClusterIdentifier", cluster), metrics.By("DBClusterIdentifier", cluster, "Role", role),
	} {
		w.Metrics.Add(metrics.Name{Namespace: "AWS/RDS", Metric: "DatabaseConnections", Unit: "Count", Dimensions: by}, float64(s.Connections))
		if !s.Writer {
			w.Metrics.Add(metrics.Name{Namespace: "AWS/RDS", Metric: "AuroraReplicaLag", Unit: "Milliseconds", Dimensions: by}, float64(s.Lag.Milliseconds()))
		}
	}
}
