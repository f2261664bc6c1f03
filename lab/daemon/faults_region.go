//go:build linux

package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	ec2api "storefront/lab/api/ec2"
	cacheapi "storefront/lab/api/elasticache"
	rdsapi "storefront/lab/api/rds"
	"storefront/lab/control"
	"storefront/lab/dataplane"
	"storefront/lab/instance"
	"storefront/lab/wire"
)

// The parts of the data plane that faults hit.
type (
	databases = dataplane.Databases
	caches    = dataplane.Caches
	domains   = dataplane.Domains
)

func onDatabases(f func(*databases, context.Context, string) error) func(*lab, context.Context, string) error {
	return func(l *lab, ctx context.Context, cluster string) error { return f(l.databases, ctx, cluster) }
}

func onCaches(f func(*caches, string) error) func(*lab, context.Context, string) error {
	return func(l *lab, _ context.Context, group string) error { return f(l.caches, group) }
}

func onDomains(f func(*domains, string) error) func(*lab, context.Context, string) error {
	return func(l *lab, _ context.Context, domain string) error { return f(l.domains, domain) }
}

func (l *lab) pausedReaders() ([]string, error) { return l.databases.ArePaused() }
func (l *lab) cachesDown() ([]string, error)    { return l.caches.AreDown(), nil }
func (l *lab) domainsDown() ([]string, error)   { return l.domains.AreDown(), nil }

// machine returns the machine of a running instance.
func (l *lab) machine(id string) (*instance.Machine, error) {
	m, err := l.instances.Machine(id)
	if err != nil {
		return nil, fmt.Errorf("%w; `lab status` lists the instances", err)
	}
	return m, nil
}

func (l *lab) loseInstance(_ context.Context, id string) error {
	m, err := l.machine(id)
	if err != nil {
		return err
	}
	return m.Kill()
}

// killServices crashes the services that start with the machine.
func (l *lab) killServices(ctx context.Context, id string) error {
	var said strings.Builder
	status, err := l.Exec(ctx, id, []string{"/bin/sh", "-c", "cd /etc/systemd/system/multi-user.target.wants && systemctl kill --signal=SIGKILL *.service"}, strings.NewReader(""), &said, &said)
	if err == nil && status != 0 {
		err = fmt.Errorf("no service of %s was killed: %s", id, strings.TrimSpace(said.String()))
	}
	return err
}

func (l *lab) noticeSpot(_ context.Context, id string) error { return l.spot.Interrupt(id) }

// loseZone takes away everything that runs in a zone.
func (l *lab) loseZone(ctx context.Context, zone string) error {
	lost, err := l.domains.LoseZone(zone)
	if err != nil {
		return err
	}
	for _, lose := range []func(context.Context, string) (int, error){l.loseInstances, l.loseDatabases, l.loseCaches} {
		n, err := lose(ctx, zone)
		if err != nil {
			return err
		}
		lost += n
	}
	if lost == 0 {
		return fmt.Errorf("nothing runs in the zone %q; `lab status` lists the instances with their zones", zone)
	}
	return nil
}

func (l *lab) loseInstances(ctx context.Context, zone string) (n int, _ error) {
	var s control.Status
	if err := l.listInstances(ctx, &s); err != nil {
		return 0, err
	}
	for _, i := range s.Instances {
		if i.Zone != zone || i.State != ec2api.InstanceStateNameRunning {
			continue
		}
		if err := l.loseInstance(ctx, i.ID); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (l *lab) loseDatabases(ctx context.Context, zone string) (n int, _ error) {
	all, err := l.rds.DescribeDBInstances(ctx, &rdsapi.DescribeDBInstancesInput{})
	if err != nil {
		return 0, err
	}
	for _, i := range all.DBInstances {
		if wire.Value(i.AvailabilityZone) != zone {
			continue
		}
		if err := l.databases.Lose(ctx, *i.DBInstanceIdentifier); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (l *lab) loseCaches(ctx context.Context, zone string) (n int, _ error) {
	all, err := l.cache.DescribeCacheClusters(ctx, &cacheapi.DescribeCacheClustersInput{})
	if err != nil {
		return 0, err
	}
	for _, c := range all.CacheClusters {
		if wire.Value(c.PreferredAvailabilityZone) != zone {
			continue
		}
		if err := l.caches.Lose(*c.CacheClusterId); err != nil && !errors.Is(err, dataplane.ErrNoCache) { // one that does not run yet
			return n, err
		}
		n++
	}
	return n, nil
}

func (l *lab) part(ctx context.Context, pair string) error {
	a, b, _ := strings.Cut(pair, " ")
	return l.onInterfaces(ctx, a, b, l.net.Partition)
}

func (l *lab) heal(ctx context.Context, pair string) error {
	a, b, _ := strings.Cut(pair, " ")
	return l.onInterfaces(ctx, a, b, l.net.Heal)
}

func (l *lab) onInterfaces(ctx context.Context, a, b string, do func(context.Context, string, string) error) error {
	if err := do(ctx, a, b); err != nil {
		return fmt.Errorf("%w; `aws ec2 describe-network-interfaces` lists them", err)
	}
	return nil
}

func (l *lab) parted() (pairs []string, _ error) {
	for _, pair := range l.net.Partitions() {
		pairs = append(pairs, pair[0]+" "+pair[1])
	}
	return pairs, nil
}

func (l *lab) failOver(ctx context.Context, cluster string) error {
	_, err := l.rds.FailoverDBCluster(ctx, &rdsapi.FailoverDBClusterInput{DBClusterIdentifier: &cluster})
	return err
}

// Exec implements control.Lab.
func (l *lab) Exec(ctx context.Context, id string, args []string, in io.Reader, out, errOut io.Writer) (int, error) {
	m, err := l.machine(id)
	if err != nil {
		return 0, err
	}
	return m.Exec(ctx, args, in, out, errOut)
}
