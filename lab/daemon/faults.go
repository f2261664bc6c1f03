//go:build linux

package daemon

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"storefront/lab/control"
)

// fault is one kind of fault.
type fault struct {
	kind, target, help string
	inject             func(l *lab, ctx context.Context, target string) error
	inForce            func(l *lab) ([]string, error) // the targets of a kind that lasts; nil for the others
}

func faults() []fault {
	return []fault{
		{"instance-loss", "INSTANCE", "an instance is gone at once, as when its host fails", (*lab).loseInstance, nil},
		{"process-kill", "INSTANCE", "the programs of an instance's services crash (SIGKILL); systemd restarts them", (*lab).killServices, nil},
		{"spot-notice", "INSTANCE", "a spot instance is taken back, two minutes after its notice", (*lab).noticeSpot, nil},
		{"zone-loss", "ZONE", "everything that runs in a zone is gone at once", (*lab).loseZone, nil},
		{"partition", "INTERFACE INTERFACE", "two network interfaces of one VPC do not reach each other", (*lab).part, (*lab).parted},
		{"heal", "INTERFACE INTERFACE", "ends a partition", (*lab).heal, nil},
		{"database-loss", "INSTANCE", "a database server is gone at once; a writer's cluster fails over", onDatabases((*databases).Lose), nil},
		{"failover", "CLUSTER", "a database cluster fails over to a reader", (*lab).failOver, nil},
		{"reader-pause", "CLUSTER", "the readers of a database cluster fall behind its writer", onDatabases((*databases).PauseReaders), (*lab).pausedReaders},
		{"reader-resume", "CLUSTER", "ends a reader-pause; so do a failover and a restart", onDatabases((*databases).ResumeReaders), nil},
		{"cache-down", "GROUP", "a cache (replication group), or one of its nodes, is gone", onCaches((*caches).Down), (*lab).cachesDown},
		{"cache-up", "GROUP", "ends a cache-down; what comes back is empty", onCaches((*caches).Up), nil},
		{"cache-flush", "GROUP", "a cache loses all its data", func(l *lab, ctx context.Context, target string) error { return l.caches.Flush(ctx, target) }, nil},
		{"search-down", "DOMAIN", "every node of a search domain refuses connections", onDomains((*domains).Down), (*lab).domainsDown},
		{"search-up", "DOMAIN", "ends a search-down", onDomains((*domains).Up), nil},
		{"search-node-loss", "DOMAIN", "a data node of a search domain is gone at once, until it is replaced", onDomains((*domains).LoseNode), nil},
		{"throttle", "SERVICE[:PERCENT]", "a share of the calls of an AWS service, or all, is refused as too many", (*lab).throttle, (*lab).throttled},
		{"unthrottle", "SERVICE", "ends a throttle", (*lab).unthrottle, nil},
		{"slow", "SERVICE:MILLISECONDS", "every call of an AWS service takes that much longer", (*lab).slow, (*lab).slowed},
		{"unslow", "SERVICE", "ends a slow", (*lab).unslow, nil},
	}
}

// FaultKinds describes the kinds of faults, a line each.
func FaultKinds() (lines []string) {
	for _, f := range faults() {
		lines = append(lines, fmt.Sprintf("  %-16s %-20s %s", f.kind, f.target, f.help))
	}
	return lines
}

// ErrUnknownFault says that there is no such kind of fault.
var ErrUnknownFault = errors.New("there is no such fault; `lab fault --help` lists them")

// Inject implements control.Lab.
func (l *lab) Inject(ctx context.Context, f control.Fault) error {
	for _, known := range faults() {
		if known.kind != f.Kind {
			continue
		}
		if got, want := len(strings.Fields(f.Target)), len(strings.Fields(known.target)); got != want {
			return fmt.Errorf("%s takes %s, not %q", f.Kind, known.target, f.Target)
		}
		l.log.Info("fault", "kind", f.Kind, "target", f.Target)
		return known.inject(l, ctx, f.Target)
	}
	return fmt.Errorf("%s: %w", f.Kind, ErrUnknownFault)
}

// listFaults lists what is in force.
func (l *lab) listFaults(_ context.Context, s *control.Status) error {
	for _, f := range faults() {
		if f.inForce == nil {
			continue
		}
		targets, err := f.inForce(l)
		if err != nil {
			return err
		}
		for _, target := range targets {
			s.Faults = append(s.Faults, control.Fault{Kind: f.kind, Target: target})
		}
	}
	return nil
}
