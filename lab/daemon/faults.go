//go:build linux

package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"

	rdsapi "storefront/lab/api/rds"
	"storefront/lab/control"
)

// fault is one kind of fault.
type fault struct {
	kind, target, help string
	inject             func(l *lab, ctx context.Context, target string) error
}

func faults() []fault {
	return []fault{
		{"instance-loss", "INSTANCE", "an instance is gone at once, as when its host fails", (*lab).loseInstance},
		{"spot-notice", "INSTANCE", "a spot instance is taken back, two minutes after its notice", (*lab).noticeSpot},
		{"zone-loss", "ZONE", "every instance and search node of a zone is gone at once", (*lab).loseZone},
		{"failover", "CLUSTER", "a database cluster fails over to a reader", (*lab).failOver},
		{"cache-down", "GROUP", "a cache (replication group), or one of its nodes, is gone until cache-up", func(l *lab, _ context.Context, target string) error { return l.caches.Down(target) }},
		{"cache-up", "GROUP", "what cache-down took away comes back, empty", func(l *lab, _ context.Context, target string) error { return l.caches.Up(target) }},
		{"cache-flush", "GROUP", "a cache loses all its data", func(l *lab, ctx context.Context, target string) error { return l.caches.Flush(ctx, target) }},
		{"search-down", "DOMAIN", "every node of a search domain refuses connections", func(l *lab, _ context.Context, domain string) error { return l.domains.Down(domain) }},
		{"search-up", "DOMAIN", "the nodes of a search domain accept connections again", func(l *lab, _ context.Context, domain string) error { return l.domains.Up(domain) }},
		{"search-node-loss", "DOMAIN", "a data node of a search domain is gone at once, until it is replaced", func(l *lab, _ context.Context, domain string) error { return l.domains.LoseNode(domain) }},
	}
}

// FaultKinds describes the kinds of faults, a line each.
func FaultKinds() (lines []string) {
	for _, f := range faults() {
		lines = append(lines, fmt.Sprintf("  %-16s %-9s %s", f.kind, f.target, f.help))
	}
	return lines
}

// ErrUnknownFault says that there is no such kind of fault.
var ErrUnknownFault = errors.New("there is no such fault; `lab fault --help` lists them")

// Inject implements control.Lab.
func (l *lab) Inject(ctx context.Context, f control.Fault) error {
	for _, known := range faults() {
		if known.kind == f.Kind {
			l.log.Info("fault", "kind", f.Kind, "target", f.Target)
			return known.inject(l, ctx, f.Target)
		}
	}
	return fmt.Errorf("%s: %w", f.Kind, ErrUnknownFault)
}

func (l *lab) loseInstance(_ context.Context, id string) error {
	m, err := l.instances.Machine(id)
	if err != nil {
		return err
	}
	return m.Kill()
}

func (l *lab) noticeSpot(_ context.Context, id string) error { return l.spot.Interrupt(id) }

func (l *lab) loseZone(ctx context.Context, zone string) error {
	var s control.Status
	if err := l.listInstances(ctx, &s); err != nil {
		return err
	}
	lost, err := l.domains.LoseZone(zone)
	if err != nil {
		return err
	}
	for _, i := range s.Instances {
		if i.Zone != zone || i.State != "running" {
			continue
		}
		if err := l.loseInstance(ctx, i.ID); err != nil {
			return err
		}
		lost++
	}
	if lost == 0 {
		return fmt.Errorf("nothing runs in the zone %q", zone)
	}
	return nil
}

func (l *lab) failOver(ctx context.Context, cluster string) error {
	_, err := l.rds.FailoverDBCluster(ctx, &rdsapi.FailoverDBClusterInput{DBClusterIdentifier: &cluster})
	return err
}

// Exec implements control.Lab.
func (l *lab) Exec(ctx context.Context, id string, args []string, in io.Reader, out, errOut io.Writer) (int, error) {
	m, err := l.instances.Machine(id)
	if err != nil {
		return 0, fmt.Errorf("%w; `lab status` lists the instances", err)
	}
	return m.Exec(ctx, args, in, out, errOut)
}
