package dataplane

import (
	"cmp"
	"context"
	"log/slog"
	"strconv"
	"time"

	"storefront/lab/metrics"
	"storefront/lab/redis"
)

// CacheMeasure publishes what cache nodes tell of themselves, by CacheClusterId and by CacheClusterId and CacheNodeId ("Metrics for Valkey and Redis OSS").
type CacheMeasure struct {
	Caches  *Caches
	Metrics *metrics.Store
	Now     func() time.Time
	Log     *slog.Logger
	Every   time.Duration // how often it looks; 0 is as often as Measure

	last map[string]cacheSample // by node
}

// cacheSample is what a node counted at the beginning of a minute, and at the last look.
type cacheSample struct {
	node         *redis.Node
	minute       time.Time
	first, again cacheCounts
}

// cacheCounts are counters that only grow, by the metric that shows their growth.
type cacheCounts struct {
	at     time.Time
	counts map[string]float64
	cpu    float64 // seconds
}

// Run measures until ctx ends.
func (m *CacheMeasure) Run(ctx context.Context) error {
	m.last = map[string]cacheSample{}
	return loop(ctx, ticks(ctx, cmp.Or(m.Every, measureEvery)), m.Log, func(ctx context.Context) error { m.measure(ctx); return nil })
}

func (m *CacheMeasure) measure(ctx context.Context) {
	before := m.last
	m.last = map[string]cacheSample{}
	for id, n := range m.Caches.nodes() {
		asked, cancel := context.WithTimeout(ctx, cacheCheckTime)
		info, err := n.Info(asked, "everything")
		cancel()
		if err == nil { // a node that does not answer has no metrics
			m.last[id] = m.publish(id, n, before[id], info)
		}
	}
}

// publish publishes a node's metrics. What is counted is published as its growth in the running minute, so that the last look of a minute has all of it.
func (m *CacheMeasure) publish(id string, n *redis.Node, s cacheSample, info map[string]string) cacheSample {
	number := func(field string) float64 { v, _ := strconv.ParseFloat(info[field], 64); return v }
	now := cacheCounts{at: m.Now(), cpu: number("used_cpu_user") + number("used_cpu_sys"), counts: map[string]float64{
		"CacheHits": number("keyspace_hits"), "CacheMisses": number("keyspace_misses"), "Evictions": number("evicted_keys"), "Reclaimed": number("expired_keys"),
		"NewConnections": number("total_connections_received")}}
	switch minute := now.at.Truncate(time.Minute); {
	case s.node != n: // it has just started
		s = cacheSample{node: n, minute: minute, first: now}
	case !s.minute.Equal(minute):
		s.minute, s.first = minute, s.again
	}
	s.again = now
	set := func(metric, unit string, v float64) {
		for _, by := range []metrics.Dimensions{metrics.By("CacheClusterId", id), metrics.By("CacheClusterId", id, "CacheNodeId", "0001")} {
			m.Metrics.Set(metrics.Name{Namespace: "AWS/ElastiCache", Metric: metric, Unit: unit, Dimensions: by}, v)
		}
	}
	for metric, v := range now.counts {
		set(metric, "Count", v-s.first.counts[metric])
	}
	if passed := now.at.Sub(s.first.at).Seconds(); passed > 0 {
		used := min(100, 100*(now.cpu-s.first.cpu)/passed) // of one processor: the nodes of the lab share the host's
		set("CPUUtilization", "Percent", used)
		set("EngineCPUUtilization", "Percent", used)
	}
	if limit := number("maxmemory"); limit > 0 {
		set("DatabaseMemoryUsagePercentage", "Percent", 100*number("used_memory")/limit)
	}
	set("BytesUsedForCache", "Bytes", number("used_memory"))
	set("CurrConnections", "Count", number("connected_clients"))
	set("ReplicationLag", "Seconds", replicationLag(info, number))
	primary := 0.0
	if info["role"] == "master" {
		primary = 1
	}
	set("IsMaster", "Count", primary)
	return s
}

// replicationLag is how long ago a replica heard from its primary; a primary has none.
func replicationLag(info map[string]string, number func(string) float64) float64 {
	if info["role"] == "master" {
		return 0
	}
	if info["master_link_status"] == "up" {
		return max(0, number("master_last_io_seconds_ago"))
	}
	return number("master_link_down_since_seconds")
}
