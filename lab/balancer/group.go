package balancer

import (
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"storefront/lab/network"
)

// group is the running state of a target group.
type group struct {
	network Network

	mu      sync.Mutex // serialises changes of what follows
	targets map[targetKey]*target
	current atomic.Pointer[choice]
	next    atomic.Uint64 // round robin
}

type targetKey struct {
	id   string
	port uint16
}

// choice is a snapshot that requests choose from.
type choice struct {
	TargetGroup
	eligible []*target // what new requests may go to
	byCookie map[string]*target
}

func newGroup(n Network) *group {
	g := &group{network: n, targets: map[targetKey]*target{}}
	g.current.Store(&choice{})
	return g
}

// apply changes settings and targets. checkers names the place from which each zone's targets are checked; "" stands for the other zones.
func (g *group) apply(config TargetGroup, checkers map[string]network.Place) {
	g.mu.Lock()
	defer g.mu.Unlock()
	before := g.targets
	g.targets = map[targetKey]*target{}
	for _, t := range config.Targets {
		key := targetKey{t.ID, t.Address.Port()}
		current, ok := before[key]
		if !ok || current.Address != t.Address { // an instance can come back with another address
			current = newTarget(g, t)
		}
		if !t.Draining {
			current.leaving.Store(false)
		}
		g.targets[key] = current
	}
	g.publish(config)
	for _, t := range config.Targets { // only now, when no new request finds those that leave
		current := g.targets[targetKey{t.ID, t.Address.Port()}]
		place, ok := checkers[t.Zone]
		if !ok {
			place = checkers[""]
		}
		if t.Draining {
			current.drain()
		} else {
			current.checker.apply(config.HealthCheck, place)
		}
	}
	for key, t := range before {
		if g.targets[key] != t {
			t.close()
		}
	}
}

// changed publishes a new snapshot after a target's state changed.
func (g *group) changed() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.publish(g.current.Load().TargetGroup)
}

// publish works out who may get requests: the healthy targets, or, when there are fewer than the minimum, the unhealthy ones too ("fail open").
// New ones, which may not even listen yet, wait for their first result, unless there are no others.
func (g *group) publish(config TargetGroup) {
	c := &choice{TargetGroup: config, byCookie: map[string]*target{}}
	var healthy, checked, all []*target
	for _, t := range config.Targets { // in the order of the Config, so that round robin is the same on every run
		current := g.targets[targetKey{t.ID, t.Address.Port()}]
		if current == nil || t.Draining {
			continue
		}
		all = append(all, current)
		c.byCookie[current.cookie] = current
		switch current.state.Load() {
		case stateHealthy:
			healthy, checked = append(healthy, current), append(checked, current)
		case stateUnhealthy:
			checked = append(checked, current)
		}
	}
	c.eligible = healthy
	if len(healthy) < max(1, config.MinimumHealthy) {
		c.eligible = checked
	}
	if len(c.eligible) == 0 {
		c.eligible = all
	}
	g.current.Store(c)
}

// pick chooses a target for a request that arrived in a zone; cookie is the target that the client's cookie names, or "".
// It returns nil when there is no target, which the client sees as 503.
func (c *choice) pick(g *group, zone, cookie string) *target {
	candidates := c.eligible
	if c.ZoneLocal {
		candidates = nil
		for _, t := range c.eligible {
			if t.Zone == zone {
				candidates = append(candidates, t)
			}
		}
	}
	if len(candidates) == 0 {
		return nil
	}
	if sticky := c.byCookie[cookie]; cookie != "" && sticky != nil {
		for _, t := range candidates {
			if t == sticky {
				return t
			}
		}
	}
	first := int((g.next.Add(1) - 1) % uint64(len(candidates)))
	switch c.Algorithm {
	case LeastOutstanding:
		return leastOutstanding(candidates, first)
	case WeightedRandom:
		return candidates[rand.IntN(len(candidates))]
	}
	for i := range candidates {
		t := candidates[(first+i)%len(candidates)]
		if c.SlowStart == 0 || rand.Float64() < t.share(c.SlowStart) {
			return t
		}
	}
	return candidates[first]
}

func leastOutstanding(candidates []*target, first int) *target {
	best := candidates[first]
	for i := range candidates {
		if t := candidates[(first+i)%len(candidates)]; t.outstanding.Load() < best.outstanding.Load() {
			best = t
		}
	}
	return best
}

func (g *group) health(id string, port int) (TargetHealth, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t, ok := g.targets[targetKey{id, uint16(port)}]
	if !ok {
		return TargetHealth{}, false
	}
	return t.report(), true
}

func (g *group) inFlight(id string, port int) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t, ok := g.targets[targetKey{id, uint16(port)}]; ok {
		return int(t.outstanding.Load())
	}
	return 0
}

// retire ends a group that no rule names any more: its targets get nothing new, and finish what they have.
func (g *group) retire() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range g.targets {
		t.drain()
	}
}

func (g *group) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range g.targets {
		t.close()
	}
	clear(g.targets)
	g.current.Store(&choice{})
}

// target is the running state of a registered target.
type target struct {
	ID      string
	Address netip.AddrPort
	Zone    string

	group        *group
	cookie       string      // stands for the target inside cookies
	leaving      atomic.Bool // it gets no new requests any more; set when no choice offers it
	state        atomic.Int32
	healthySince atomic.Int64 // Unix nanoseconds
	outstanding  atomic.Int64
	conns        pool
	checker      checker
}

func newTarget(g *group, t Target) *target {
	created := &target{ID: t.ID, Address: t.Address, Zone: t.Zone, group: g, cookie: t.ID + "|" + t.Address.String()}
	created.checker.target = created
	return created
}

// drain ends the checks and lets the target finish what it has. Its connections close as they come back.
func (t *target) drain() {
	t.leaving.Store(true)
	t.checker.stop()
	t.conns.dropIdle()
}

// share is the part of its full share of requests that a target in slow start gets: it grows linearly from when the target became healthy.
func (t *target) share(slowStart time.Duration) float64 {
	return min(1, float64(time.Since(time.Unix(0, t.healthySince.Load()))+time.Second)/float64(slowStart))
}

// close ends the checks and the connections, those in use included: it comes after the deregistration delay.
func (t *target) close() {
	t.leaving.Store(true)
	t.checker.stop()
	t.conns.close()
}
