package dataplane_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	api "storefront/lab/api/elasticache"
	apilogs "storefront/lab/api/logs"
	"storefront/lab/dataplane"
	"storefront/lab/elasticache"
	"storefront/lab/kms"
	"storefront/lab/logs"
	"storefront/lab/metrics"
	"storefront/lab/network"
	"storefront/lab/redis"
	"storefront/lab/region"
	"storefront/lab/state"
)

const cacheToken = "correct-horse-battery-staple"

// cacheLab is a region with a network, in which caches run and a client sits.
type cacheLab struct {
	*testRegion
	cache  *elasticache.Service
	engine *redis.Engine
	caches *dataplane.Caches
	client string // network interface
}

func newCacheLab(t *testing.T) *cacheLab {
	t.Helper()
	r, subnets, client := newDataRegion(t)
	r.dir = filepath.Join(r.dir, "caches")
	l := &cacheLab{testRegion: r, client: client}
	l.openEngine()
	here := region.Default()
	l.cache = elasticache.New(elasticache.Config{Store: l.store, Region: here, Now: time.Now, Engine: l.engine, Network: l.ec2, Keys: kms.New(l.store, here, time.Now)})
	must(l.cache.CreateCacheSubnetGroup(l.Context(), &api.CreateCacheSubnetGroupInput{CacheSubnetGroupName: new("data"), CacheSubnetGroupDescription: new("d"), SubnetIds: subnets}))(l.T)
	return l
}

func (l *cacheLab) openEngine() {
	l.Helper()
	engine, err := redis.Open(redis.Config{Dir: l.dir, Network: l.net, Issuer: l.authority, Log: l.log})
	if errors.Is(err, redis.ErrNoServer) {
		l.Skip(err)
	}
	if err != nil {
		l.Fatal(err)
	}
	l.engine = engine
}

func (l *cacheLab) run() (stop func()) {
	l.caches = &dataplane.Caches{Store: l.store, Cache: l.cache, Engine: l.engine, Log: l.log}
	return l.background(l.caches)
}

func (l *cacheLab) create(nodes int64) {
	l.Helper()
	must(l.cache.CreateReplicationGroup(l.Context(), &api.CreateReplicationGroupInput{
		ReplicationGroupId: new("shop"), ReplicationGroupDescription: new("d"), CacheNodeType: new("cache.t4g.micro"), CacheSubnetGroupName: new("data"), NumCacheClusters: &nodes,
		AutomaticFailoverEnabled: new(nodes > 1), MultiAZEnabled: new(nodes > 1), TransitEncryptionEnabled: new(true), AuthToken: new(cacheToken),
	}))(l.T)
	l.settled()
}

// group returns the group as the API shows it, or nil when it is gone.
func (l *cacheLab) group() *api.ReplicationGroup {
	l.Helper()
	out := must(l.cache.DescribeReplicationGroups(l.Context(), &api.DescribeReplicationGroupsInput{}))(l.T)
	if len(out.ReplicationGroups) == 0 {
		return nil
	}
	return &out.ReplicationGroups[0]
}

func (l *cacheLab) settled() {
	l.Helper()
	l.eventually("everything is available", func() bool {
		g := l.group()
		ok := g != nil && *g.Status == "available"
		for _, n := range must(l.cache.DescribeCacheClusters(l.Context(), &api.DescribeCacheClustersInput{}))(l.T).CacheClusters {
			ok = ok && *n.CacheClusterStatus == "available"
		}
		return ok
	})
}

func (l *cacheLab) primary() string {
	l.Helper()
	for _, m := range l.group().NodeGroups[0].NodeGroupMembers {
		if *m.CurrentRole == "primary" {
			return *m.CacheClusterId
		}
	}
	return ""
}

// connect makes a client in the client's interface of an endpoint, whose name it resolves for each connection and verifies.
func (l *cacheLab) connect(endpoint, token string) *goredis.Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var addresses []netip.Addr
		_ = l.store.View(func(tx *state.Tx) error { addresses, _ = l.cache.Resolve(tx, endpoint); return nil })
		if len(addresses) == 0 {
			return nil, fmt.Errorf("%s leads nowhere", endpoint)
		}
		c, err := l.net.Dial(ctx, network.InInterface(l.client), "tcp", netip.AddrPortFrom(addresses[0], 6379).String())
		if err != nil {
			return nil, err
		}
		return tls.Client(c, &tls.Config{RootCAs: l.authority.Pool(), ServerName: endpoint, MinVersion: tls.VersionTLS12}), nil
	}
	c := goredis.NewClient(&goredis.Options{Addr: endpoint, Dialer: dial, Password: token, MaxRetries: -1, DialerRetries: 1, DisableIdentity: true, DialTimeout: time.Second, ReadTimeout: time.Second})
	l.Cleanup(func() { _ = c.Close() })
	return c
}

func (l *cacheLab) endpoints() (primary, reader string) {
	shard := l.group().NodeGroups[0]
	return *shard.PrimaryEndpoint.Address, *shard.ReaderEndpoint.Address
}

// servers maps nodes to the processes of their servers.
func (l *cacheLab) servers() map[string]*os.Process {
	l.Helper()
	found := map[string]*os.Process{}
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		data, _ := os.ReadFile(file)
		args := strings.Split(strings.TrimRight(string(data), "\x00"), "\x00")
		if len(args) == 4 && strings.HasPrefix(args[3], l.dir+"/") {
			var pid int
			fmt.Sscanf(file, "/proc/%d/", &pid)
			found[filepath.Base(filepath.Dir(args[3]))], _ = os.FindProcess(pid)
		}
	}
	return found
}

func (l *cacheLab) deleteAll() {
	l.Helper()
	must(l.cache.DeleteReplicationGroup(l.Context(), &api.DeleteReplicationGroupInput{ReplicationGroupId: new("shop")}))(l.T)
	l.eventually("the group is gone", func() bool { return l.group() == nil })
	if left := l.servers(); len(left) > 0 {
		l.Errorf("servers left: %v", left)
	}
	if left, _ := os.ReadDir(l.dir); len(left) > 0 {
		l.Errorf("directories left: %v", left)
	}
}

func TestCachesFromDeclarationToDeletion(t *testing.T) {
	l := newCacheLab(t)
	l.run()
	l.create(2)
	primary, reader := l.endpoints()
	if !strings.HasPrefix(primary, "master.shop.") || !strings.HasPrefix(reader, "replica.shop.") {
		t.Errorf("the endpoints are %s and %s", primary, reader)
	}
	writer := l.connect(primary, cacheToken)
	if err := writer.Set(t.Context(), "a", "1", 0).Err(); err != nil {
		t.Fatal(err)
	}
	l.eventually("the replica has it", func() bool { return l.connect(reader, cacheToken).Get(t.Context(), "a").Val() == "1" })
	if err := l.connect(reader, cacheToken).Set(t.Context(), "a", "2", 0).Err(); err == nil || !strings.HasPrefix(err.Error(), "READONLY") {
		t.Errorf("a write on the replica: got %v, want READONLY", err)
	}
	if err := l.connect(primary, "0123456789abcdef").Ping(t.Context()).Err(); err == nil || !strings.HasPrefix(err.Error(), "WRONGPASS") {
		t.Errorf("another token: got %v, want WRONGPASS", err)
	}

	must(l.cache.TestFailover(t.Context(), &api.TestFailoverInput{ReplicationGroupId: new("shop"), NodeGroupId: new("0001")}))(t)
	l.eventually("the other node is the primary", func() bool { return l.primary() == "shop-002" })
	l.settled()
	if got := l.connect(primary, cacheToken).Get(t.Context(), "a").Val(); got != "1" {
		t.Errorf("after the failover the value is %q", got)
	}

	l.measured(primary)

	const next = "another-token-of-the-test"
	rotate := func(strategy string) {
		must(l.cache.ModifyReplicationGroup(t.Context(), &api.ModifyReplicationGroupInput{
			ReplicationGroupId: new("shop"), AuthToken: new(next), AuthTokenUpdateStrategy: &strategy, ApplyImmediately: new(true)}))(t)
		l.settled()
	}
	rotate("ROTATE")
	for _, token := range []string{cacheToken, next} {
		if err := l.connect(primary, token).Ping(t.Context()).Err(); err != nil {
			t.Errorf("while tokens rotate: %v", err)
		}
	}
	rotate("SET")
	if err := l.connect(primary, cacheToken).Ping(t.Context()).Err(); err == nil {
		t.Error("the old token lets in after SET")
	}

	must(l.cache.IncreaseReplicaCount(t.Context(), &api.IncreaseReplicaCountInput{ReplicationGroupId: new("shop"), NewReplicaCount: new(int64(2)), ApplyImmediately: new(true)}))(t)
	l.settled()
	if n := len(l.servers()); n != 3 {
		t.Errorf("%d servers run, want 3", n)
	}
	must(l.cache.DecreaseReplicaCount(t.Context(), &api.DecreaseReplicaCountInput{ReplicationGroupId: new("shop"), NewReplicaCount: new(int64(1)), ApplyImmediately: new(true)}))(t)
	l.settled()
	if g := l.group(); len(g.MemberClusters) != 2 || l.primary() != "shop-002" {
		t.Errorf("the members are %v, the primary is %s", g.MemberClusters, l.primary())
	}
	l.deleteAll()
}

// measured wants the metrics of the primary to show what a client does.
func (l *cacheLab) measured(endpoint string) {
	l.Helper()
	store := metrics.New(time.Now, time.Hour)
	l.background(&dataplane.CacheMeasure{Caches: l.caches, Metrics: store, Now: time.Now, Log: l.log, Every: 20 * time.Millisecond})
	client := l.connect(endpoint, cacheToken)
	value := func(metric string) (sum float64) {
		name := metrics.Name{Namespace: "AWS/ElastiCache", Metric: metric, Dimensions: metrics.By("CacheClusterId", l.primary())}
		for _, p := range store.Between(name, time.Now().Add(-2*time.Minute), time.Now().Add(time.Minute), time.Minute) {
			sum += p.Sum
		}
		return sum
	}
	l.eventually("the primary is measured", func() bool {
		return value("IsMaster") > 0 && value("CurrConnections") > 0 && value("DatabaseMemoryUsagePercentage") > 0
	})
	client.Get(l.Context(), "a")
	client.Get(l.Context(), "not there")
	l.eventually("a hit and a miss are counted", func() bool { return value("CacheHits") == 1 && value("CacheMisses") == 1 })
}

func TestCachesAfterCrashes(t *testing.T) {
	l := newCacheLab(t)
	stop := l.run()
	l.create(2)
	primary, _ := l.endpoints()
	client := l.connect(primary, cacheToken)
	if err := client.Set(t.Context(), "a", "1", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := client.Wait(t.Context(), 1, 5*time.Second).Err(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := l.servers()["shop-001"].Kill(); err != nil {
		t.Fatal(err)
	}
	l.eventually("the endpoint takes writes again", func() bool { return client.Set(t.Context(), "b", "1", 0).Err() == nil })
	t.Logf("writes were possible again after %s", time.Since(began).Round(time.Millisecond))
	if got := client.Get(t.Context(), "a").Val(); got != "1" || l.primary() != "shop-002" {
		t.Errorf("the value is %q, the primary %s", got, l.primary())
	}
	l.eventually("the lost node is a replica", func() bool {
		return l.servers()["shop-001"] != nil && strings.Contains(client.Info(t.Context(), "replication").Val(), "connected_slaves:1")
	})

	stop()
	if left := l.servers(); len(left) > 0 {
		t.Errorf("servers left: %v", left)
	}
	l.openEngine()
	l.run()
	l.eventually("everything is back, empty", func() bool {
		return client.DBSize(t.Context()).Err() == nil && client.Get(t.Context(), "a").Val() == ""
	})
	if p := l.primary(); p != "shop-002" {
		t.Errorf("the primary is %s, want shop-002", p)
	}
	l.settled()
	l.deleteAll()
}

func TestCacheLogsAreDelivered(t *testing.T) {
	l := newCacheLab(t)
	l.run()
	l.create(1)
	must(l.cache.CreateCacheParameterGroup(t.Context(), &api.CreateCacheParameterGroupInput{CacheParameterGroupName: new("slow"), CacheParameterGroupFamily: new("redis7"), Description: new("d")}))(t)
	must(l.cache.ModifyCacheParameterGroup(t.Context(), &api.ModifyCacheParameterGroupInput{CacheParameterGroupName: new("slow"),
		ParameterNameValues: []api.ParameterNameValue{{ParameterName: new("slowlog-log-slower-than"), ParameterValue: new("0")}}}))(t)
	to := func(kind, format string) api.LogDeliveryConfigurationRequest {
		return api.LogDeliveryConfigurationRequest{LogType: &kind, LogFormat: &format, DestinationType: new("cloudwatch-logs"),
			DestinationDetails: &api.DestinationDetails{CloudWatchLogsDetails: &api.CloudWatchLogsDestinationDetails{LogGroup: new("/cache/" + kind)}}}
	}
	must(l.cache.ModifyReplicationGroup(t.Context(), &api.ModifyReplicationGroupInput{ReplicationGroupId: new("shop"), CacheParameterGroupName: new("slow"),
		LogDeliveryConfigurations: []api.LogDeliveryConfigurationRequest{to("slow-log", "json"), to("engine-log", "text")}}))(t)
	l.settled()
	service := logs.New(logs.Config{Store: l.store, Region: region.Default(), Now: time.Now})
	l.background(&dataplane.CacheLogs{Caches: l.caches, Logs: service, Log: l.log, Every: 20 * time.Millisecond})
	primary, _ := l.endpoints()
	l.connect(primary, cacheToken).Set(t.Context(), "slow as a snail", "1", 0)
	for _, kind := range []string{"slow-log", "engine-log"} { // the groups come late: lines wait for them
		must(service.CreateLogGroup(t.Context(), &apilogs.CreateLogGroupInput{LogGroupName: new("/cache/" + kind)}))(t)
	}
	for kind, text := range map[string]string{"slow-log": "slow as a snail", "engine-log": "Ready to accept connections"} {
		l.eventually("the "+kind+" is delivered", func() bool {
			out, err := service.GetLogEvents(t.Context(), &apilogs.GetLogEventsInput{LogGroupName: new("/cache/" + kind), LogStreamName: new("elasticache/redis/shop-001/0001/" + kind)})
			return err == nil && slices.ContainsFunc(out.Events, func(e apilogs.OutputLogEvent) bool {
				return strings.Contains(*e.Message, text) && !strings.Contains(*e.Message, cacheToken)
			})
		})
	}
	l.deleteAll()
}

func TestCacheFaults(t *testing.T) {
	l := newCacheLab(t)
	l.run()
	l.create(2)
	primary, _ := l.endpoints()
	client := l.connect(primary, cacheToken)
	if err := client.Set(t.Context(), "a", "1", 0).Err(); err != nil {
		t.Fatal(err)
	}
	if err := l.caches.Flush(t.Context(), "shop"); err != nil || client.DBSize(t.Context()).Val() != 0 {
		t.Errorf("after a flush there are %d keys, %v", client.DBSize(t.Context()).Val(), err)
	}
	if err := l.caches.Down("shop"); err != nil {
		t.Fatal(err)
	}
	if err := client.Ping(t.Context()).Err(); err == nil || len(l.servers()) > 0 {
		t.Errorf("down, the cache answers (%v), or has servers: %v", err, l.servers())
	}
	if err := l.caches.Up("shop"); err != nil {
		t.Fatal(err)
	}
	l.eventually("it is up again", func() bool { return client.Ping(t.Context()).Err() == nil })
	l.settled()

	first := l.primary()
	if err := l.caches.Down(first); err != nil { // one node: the other takes over, and stays alone
		t.Fatal(err)
	}
	l.eventually("the other node took over", func() bool { return l.primary() != first && client.Set(t.Context(), "b", "1", 0).Err() == nil })
	if err := l.caches.Up(first); err != nil {
		t.Fatal(err)
	}
	l.eventually("the node is back as a replica", func() bool {
		return strings.Contains(client.Info(t.Context(), "replication").Val(), "connected_slaves:1")
	})
	for _, err := range []error{l.caches.Down("nothing"), l.caches.Up("nothing"), l.caches.Flush(t.Context(), "nothing")} {
		if !errors.Is(err, dataplane.ErrNoCache) {
			t.Errorf("got %v, want ErrNoCache", err)
		}
	}
	l.deleteAll()
}
