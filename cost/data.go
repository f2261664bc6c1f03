package cost

import (
	"strconv"
	"strings"

	"storefront/internal/inventory"
)

func itoa(i int) string { return strconv.Itoa(i) }

// database counts the instances of Aurora clusters, with the readers that Application Auto Scaling may add. Storage and I/O are assumed.
func (e *estimator) database() {
	for _, c := range e.stack.All(cluster) {
		if engine := c.Text("engine"); engine != "aurora-postgresql" {
			e.lack("database engine %s (%s)", engine, c.Name)
			continue
		}
		if kind := c.Text("storageType"); kind != "" && kind != "aurora" {
			e.lack("database storage %s (%s)", kind, c.Name)
		}
		instances := e.stack.About(c, clusterInstance, "clusterIdentifier")
		for _, i := range instances {
			e.charge("instances, "+i.Text("instanceClass"), exactly(hours), "aurora", i.Text("instanceClass"))
			if days, _ := i.Number("performanceInsightsRetentionPeriod"); i.On("performanceInsightsEnabled") && days > 7 {
				e.lack("Performance Insights kept for more than 7 days (%s)", i.Name)
			}
		}
		if len(instances) > 0 {
			e.readers(c, instances[0].Text("instanceClass"), float64(len(instances)-1))
		}
		e.use("storage", "databaseGB", "aurora storage", "GB")
		e.use("I/O", "databaseIO", "aurora storage", "million I/O")
		if e.number(c, "backupRetentionPeriod", 1) > 1 {
			e.use("continuous backups", "databaseBackupGB", "aurora backup", "GB")
		}
	}
}

// readers counts the readers that scaling adds to those that are declared.
func (e *estimator) readers(c *inventory.Resource, class string, declared float64) {
	for _, t := range e.stack.All(scalingTarget) {
		if t.Text("serviceNamespace") != "rds" || !inventory.Refers(t, "resourceId", c) && t.Text("resourceId") != "cluster:"+c.Text("clusterIdentifier") {
			continue
		}
		more := Range{max(0, e.number(t, "minCapacity", 0)-declared), max(0, e.number(t, "maxCapacity", 0)-declared)}
		e.charge("readers that scaling adds, "+class, more.times(hours), "aurora", class)
	}
}

// cache counts nodes.
func (e *estimator) cache() {
	for _, r := range e.stack.All(replicationGroup) {
		nodes := e.number(r, "numCacheClusters", 0)
		if nodes == 0 {
			nodes = e.number(r, "numNodeGroups", 1) * (1 + e.number(r, "replicasPerNodeGroup", 0))
		}
		engine := r.Text("engine")
		if engine == "" {
			engine = "redis"
		}
		e.charge("nodes, "+r.Text("nodeType"), exactly(nodes*hours), engine, r.Text("nodeType"))
		if e.number(r, "snapshotRetentionLimit", 0) > 1 {
			e.use("snapshots", "cacheBackupGB", "cache backup", "GB")
		}
	}
}

// search counts data nodes, dedicated masters and volumes.
func (e *estimator) search() {
	for _, r := range e.stack.All(elasticsearch, openSearch) {
		nodes := e.number(r, "clusterConfig.instanceCount", 1)
		e.nodes("data nodes", r.Text("clusterConfig.instanceType"), nodes)
		if r.On("clusterConfig.dedicatedMasterEnabled") {
			e.nodes("dedicated masters", r.Text("clusterConfig.dedicatedMasterType"), e.number(r, "clusterConfig.dedicatedMasterCount", 3))
		}
		if r.On("clusterConfig.warmEnabled") {
			e.lack("warm nodes (%s)", r.Name)
		}
		if iops, _ := r.Number("ebsOptions.iops"); iops > 3000 {
			e.lack("I/O beyond 3,000 a second (%s)", r.Name)
		}
		kind := r.Text("ebsOptions.volumeType")
		if kind == "" {
			kind = "gp2"
		}
		if r.On("ebsOptions.ebsEnabled") {
			e.charge("volumes", exactly(nodes*e.number(r, "ebsOptions.volumeSize", 0)), "search volume", kind)
		}
	}
}

func (e *estimator) nodes(what, kind string, count float64) {
	kind = strings.TrimSuffix(strings.TrimSuffix(kind, ".elasticsearch"), ".search")
	e.charge(what+", "+kind, exactly(count*hours), "search", kind)
}

// buckets count by what is in them, which is assumed.
func (e *estimator) buckets() {
	if !e.has(bucket) {
		return
	}
	e.use("objects", "objectsGB", "s3", "GB")
	e.use("objects written", "objectWrites", "s3", "million writes")
	e.use("objects read", "objectReads", "s3", "million reads")
}

// backup counts the recovery points of vaults, which are assumed.
func (e *estimator) backup() {
	if e.has(vault) {
		e.use("snapshots in the vault", "vaultGB", "backup vault", "GB")
	}
}
