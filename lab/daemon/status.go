//go:build linux

package daemon

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	ec2api "storefront/lab/api/ec2"
	cacheapi "storefront/lab/api/elasticache"
	elbapi "storefront/lab/api/elbv2"
	osapi "storefront/lab/api/opensearch"
	rdsapi "storefront/lab/api/rds"
	"storefront/lab/control"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Status implements control.Lab.
func (l *lab) Status(ctx context.Context) (s control.Status, err error) {
	s = control.Status{ID: l.id, Endpoint: l.endpoint, Region: l.region.Name, Account: l.region.Account, Started: l.started, MemoryBytes: residentMemory(), Goroutines: runtime.NumGoroutine(),
		Instances: []control.Instance{}, LoadBalancers: []control.LoadBalancer{}, Databases: []control.Database{}, Caches: []control.Cache{}, SearchDomains: []control.SearchDomain{}, Faults: []control.Fault{}, Unsupported: []control.Call{}, Denied: []control.Denied{}, Used: []control.Used{}}
	for _, c := range l.wire.Unsupported() {
		s.Unsupported = append(s.Unsupported, control.Call{Service: c.Service, Operation: c.Operation, Count: c.Times})
	}
	for _, d := range l.access.Denied() {
		s.Denied = append(s.Denied, control.Denied{Principal: d.Principal, Action: d.Action, Resource: d.Resource, Count: d.Count})
	}
	for _, u := range l.access.Used() {
		s.Used = append(s.Used, control.Used{Principal: u.Principal, Action: u.Action})
	}
	for _, fill := range []func(context.Context, *control.Status) error{l.countResources, l.listInstances, l.listLoadBalancers, l.listDatabases, l.listCaches, l.listSearchDomains, l.listFaults} {
		if err := fill(ctx, &s); err != nil {
			return s, fmt.Errorf("collecting the status: %w", err)
		}
	}
	return s, nil
}

// identify draws the region's ID when it begins.
func (l *lab) identify() error {
	ids := state.NewTable[string]("daemon.region")
	return l.store.Update(func(tx *state.Tx) (err error) {
		var known bool
		if l.id, known, err = ids.Get(tx, "id"); err != nil || known {
			return err
		}
		l.id = newID()
		return ids.Put(tx, "id", l.id)
	})
}

func (l *lab) listInstances(ctx context.Context, s *control.Status) error {
	out, err := l.ec2.DescribeInstances(ctx, &ec2api.DescribeInstancesInput{})
	if err != nil {
		return err
	}
	for _, r := range out.Reservations {
		for _, i := range r.Instances {
			v := control.Instance{ID: wire.Value(i.InstanceId), State: wire.Value(i.State.Name), IP: wire.Value(i.PrivateIpAddress)}
			if i.Placement != nil {
				v.Zone = wire.Value(i.Placement.AvailabilityZone)
			}
			s.Instances = append(s.Instances, v)
		}
	}
	return nil
}

func (l *lab) listLoadBalancers(ctx context.Context, s *control.Status) error {
	out, err := l.elb.DescribeLoadBalancers(ctx, &elbapi.DescribeLoadBalancersInput{})
	if err != nil {
		return err
	}
	return l.store.View(func(tx *state.Tx) error {
		for _, b := range out.LoadBalancers {
			v := control.LoadBalancer{Name: wire.Value(b.LoadBalancerName), DNSName: wire.Value(b.DNSName), State: wire.Value(b.State.Code), URLs: []string{}}
			for _, listener := range l.elb.Listeners(tx, wire.Value(b.LoadBalancerArn)) {
				if port, ok := l.elb.HostPort(tx, listener.LoadBalancer, listener.Port); ok {
					v.URLs = append(v.URLs, strings.ToLower(listener.Protocol)+"://127.0.0.1:"+strconv.Itoa(port))
				}
			}
			s.LoadBalancers = append(s.LoadBalancers, v)
		}
		return nil
	})
}

func (l *lab) listDatabases(ctx context.Context, s *control.Status) error {
	clusters, err := l.rds.DescribeDBClusters(ctx, &rdsapi.DescribeDBClustersInput{})
	if err != nil {
		return err
	}
	writers := map[string]bool{}
	for _, c := range clusters.DBClusters {
		for _, m := range c.DBClusterMembers {
			writers[wire.Value(m.DBInstanceIdentifier)] = wire.Value(m.IsClusterWriter)
		}
	}
	nodes, err := l.rds.DescribeDBInstances(ctx, &rdsapi.DescribeDBInstancesInput{})
	if err != nil {
		return err
	}
	for _, n := range nodes.DBInstances {
		id, role := wire.Value(n.DBInstanceIdentifier), "reader"
		if writers[id] {
			role = "writer"
		}
		s.Databases = append(s.Databases, control.Database{ID: id, Role: role, Status: wire.Value(n.DBInstanceStatus), Cluster: wire.Value(n.DBClusterIdentifier)})
	}
	slices.SortFunc(s.Databases, func(a, b control.Database) int { return cmp.Compare(a.ID, b.ID) })
	return nil
}

func (l *lab) listSearchDomains(ctx context.Context, s *control.Status) error {
	names, err := l.search.ListDomainNames(ctx, &osapi.ListDomainNamesInput{})
	if err != nil {
		return err
	}
	for _, n := range names.DomainNames {
		out, err := l.search.DescribeDomain(ctx, &osapi.DescribeDomainInput{DomainName: n.DomainName})
		if err != nil {
			return err
		}
		v := control.SearchDomain{Name: *n.DomainName, Status: wire.Value(out.DomainStatus.DomainProcessingStatus), Endpoint: out.DomainStatus.Endpoints["vpc"]}
		if h, ok := l.domains.Health(v.Name); ok {
			v.Health, v.Nodes = h.Status, h.Nodes
		}
		s.SearchDomains = append(s.SearchDomains, v)
	}
	return nil
}

func (l *lab) listCaches(ctx context.Context, s *control.Status) error {
	groups, err := l.cache.DescribeReplicationGroups(ctx, &cacheapi.DescribeReplicationGroupsInput{})
	if err != nil {
		return err
	}
	nodes, err := l.cache.DescribeCacheClusters(ctx, &cacheapi.DescribeCacheClustersInput{})
	if err != nil {
		return err
	}
	status := map[string]string{}
	for _, n := range nodes.CacheClusters {
		status[wire.Value(n.CacheClusterId)] = wire.Value(n.CacheClusterStatus)
	}
	for _, g := range groups.ReplicationGroups {
		for _, m := range g.NodeGroups[0].NodeGroupMembers {
			id := wire.Value(m.CacheClusterId)
			s.Caches = append(s.Caches, control.Cache{ID: id, Group: wire.Value(g.ReplicationGroupId), Role: wire.Value(m.CurrentRole), Status: status[id]})
		}
	}
	return nil
}

// residentMemory is the daemon's own memory in bytes.
func residentMemory() int64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for _, line := range strings.Split(string(b), "\n") {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return kb << 10
		}
	}
	return 0
}
