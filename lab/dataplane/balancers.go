package dataplane

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"storefront/lab/balancer"
	"storefront/lab/elbv2"
	"storefront/lab/network"
	"storefront/lab/state"
)

// Balancers runs the load balancers that Elastic Load Balancing declares: the nodes in their interfaces, and for each internet-facing
// listener a port of 127.0.0.1 in the host that leads to it.
type Balancers struct {
	ELB *elbv2.Service
	Net balancer.Network
	Log *slog.Logger

	Metrics balancer.Metrics // told of every request; nil: nobody is

	// Firewall returns what inspects the requests of a load balancer, or nil; a nil func inspects nothing.
	Firewall func(tx *state.Tx, arn, name string) balancer.Firewall

	mu      sync.Mutex // guards what Health reads while Run changes it
	running map[string]*runningBalancer

	forwarders map[string]*forwarder // by "<load balancer ARN>|<port>"; Run alone uses what follows
	draining   map[elbv2.Target]time.Time
	again      chan struct{}
}

// runningBalancer is a load balancer and the configuration that was applied to it last.
type runningBalancer struct {
	*balancer.Balancer
	logs *logSink
}

// drainInterval is how often Run looks whether draining targets still serve requests.
const drainInterval = 200 * time.Millisecond

// Run keeps the load balancers as declared until ctx ends, and then stops them.
func (b *Balancers) Run(ctx context.Context) error {
	b.mu.Lock()
	b.running = map[string]*runningBalancer{}
	b.mu.Unlock()
	b.forwarders, b.draining, b.again = map[string]*forwarder{}, map[elbv2.Target]time.Time{}, make(chan struct{}, 1)
	defer b.remove(nil, nil)
	watch := b.ELB.Store.Watch(ctx, "elbv2.", "acm.", "wafv2.", "ec2.instance", Applied)
	return loop(ctx, merge(ctx, watch, b.again), b.Log, b.converge)
}

// soon wakes Run up after the drain interval.
func (b *Balancers) soon() {
	again := b.again
	time.AfterFunc(drainInterval, func() { poke(again) })
}

// converge makes the data plane match the state, and writes back what became true. A node whose interface is not there yet is no failure:
// the network's Applied wakes Run up.
func (b *Balancers) converge(context.Context) error {
	var wanted []desired
	var abandoned []elbv2.Target
	if err := b.ELB.Store.View(func(tx *state.Tx) error {
		wanted, abandoned = b.desired(tx), b.ELB.Abandoned(tx)
		return nil
	}); err != nil {
		return err
	}
	var errs []error
	kept, forwarded := map[string]bool{}, map[string]bool{}
	for _, d := range wanted {
		kept[d.lb.ARN] = true
		if err := b.apply(d); err != nil && !errors.Is(err, network.ErrNoSuchPlace) {
			errs = append(errs, err)
		}
		errs = append(errs, b.forward(d, forwarded))
	}
	b.remove(kept, forwarded)
	errs = append(errs, b.writeBack(wanted, abandoned))
	return errors.Join(errs...)
}

func (b *Balancers) apply(d desired) error {
	b.mu.Lock()
	current, ok := b.running[d.lb.ARN]
	b.mu.Unlock()
	if !ok {
		logs := &logSink{put: b.ELB.PutLog}
		created, err := balancer.New(balancer.Options{
			Network: b.Net, Metrics: b.Metrics, Logs: logs, Logger: b.Log,
			LogName: balancer.LogName{Account: b.ELB.Region.Account, Region: b.ELB.Region.Name},
		})
		if err != nil {
			return err
		}
		current = &runningBalancer{created, logs}
		b.mu.Lock()
		b.running[d.lb.ARN] = current
		b.mu.Unlock()
	}
	current.logs.to.Store(&d.logs)
	return current.Apply(d.config)
}

// remove ends the load balancers and forwarders that are not wanted any more.
func (b *Balancers) remove(kept, forwarded map[string]bool) {
	for key, f := range b.forwarders {
		if !forwarded[key] {
			f.close()
			delete(b.forwarders, key)
		}
	}
	var gone []*runningBalancer
	b.mu.Lock()
	for arn, running := range b.running {
		if !kept[arn] {
			gone = append(gone, running)
			delete(b.running, arn)
		}
	}
	b.mu.Unlock()
	for _, running := range gone { // without the lock: closing delivers access logs
		running.Close()
	}
}

// writeBack records which load balancers are active, and takes out the targets that have drained or whose instance is gone.
func (b *Balancers) writeBack(wanted []desired, abandoned []elbv2.Target) error {
	now := b.ELB.Now()
	seen := map[elbv2.Target]time.Time{}
	var activate []string
	var drained, gone []elbv2.Target
	for _, d := range wanted {
		if d.lb.State != "active" && b.applied(d) {
			activate = append(activate, d.lb.ARN)
		}
		gone = append(gone, d.gone...)
		for _, t := range d.draining {
			since, ok := b.draining[t]
			if !ok {
				since = now
			}
			seen[t] = since
			// After this round's Apply no request chooses the target any more, so none in flight means none to come. The state is kept for a round to be seen.
			if now.After(t.Draining) || ok && now.Sub(since) >= drainInterval/2 && b.inFlight(d.lb.ARN, t) == 0 {
				drained = append(drained, t)
				delete(seen, t)
			}
		}
	}
	waiting := len(seen) > 0
	for _, t := range abandoned {
		if now.After(t.Draining) {
			drained = append(drained, t)
		} else {
			waiting = true
		}
	}
	b.draining = seen
	if waiting {
		b.soon()
	}
	if len(activate)+len(drained)+len(gone) == 0 {
		return nil
	}
	return b.ELB.Store.Update(func(tx *state.Tx) error {
		var errs []error
		for _, arn := range activate {
			errs = append(errs, b.ELB.Activate(tx, arn))
		}
		for _, t := range drained {
			errs = append(errs, b.ELB.Drained(tx, t))
		}
		for _, t := range gone {
			errs = append(errs, b.ELB.Remove(tx, t))
		}
		return errors.Join(errs...)
	})
}

// applied reports whether all nodes of a load balancer listen. Without listeners there is nothing to wait for.
func (b *Balancers) applied(d desired) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	running, ok := b.running[d.lb.ARN]
	return ok && len(running.Addresses()) == len(d.config.Nodes)*len(d.config.Listeners)
}

func (b *Balancers) inFlight(loadBalancer string, t elbv2.Target) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if running, ok := b.running[loadBalancer]; ok {
		return running.InFlight(t.Group, t.ID, t.Port)
	}
	return 0
}

// Health tells the state of a target as its load balancer sees it; it fits elbv2.Config.Health.
func (b *Balancers) Health(groupARN, target string, port int) (elbv2.Health, bool) {
	b.mu.Lock()
	all := maps.Clone(b.running)
	b.mu.Unlock()
	for _, running := range all {
		if h, ok := running.Health(groupARN, target, port); ok {
			return elbv2.Health(h), true
		}
	}
	return elbv2.Health{}, false
}

// logSink puts access logs into the bucket that the load balancer's attributes name at the time.
type logSink struct {
	put func(ctx context.Context, bucket, key string, body []byte) error
	to  atomic.Pointer[logDestination]
}

type logDestination struct{ bucket, prefix string }

// Put implements balancer.LogSink.
func (l *logSink) Put(ctx context.Context, key string, gz []byte) error {
	to := l.to.Load()
	if l.put == nil || to == nil || to.bucket == "" {
		return errors.New("no log bucket")
	}
	if to.prefix != "" {
		key = to.prefix + "/" + key
	}
	return l.put(ctx, to.bucket, key, gz)
}
