package dataplane

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"reflect"
	"slices"
	"time"

	"storefront/lab/elasticache"
	"storefront/lab/network"
	"storefront/lab/redis"
	"storefront/lab/state"
)

const (
	cacheCheckTime = time.Second           // for a node to answer
	cachePatience  = 2 * time.Second       // with a node that does not answer
	cacheSyncEvery = 50 * time.Millisecond // how often a replica is asked whether it has the data
)

// cache is the worker of one replication group.
type cache struct {
	*Caches
	id   string
	wake chan struct{}
	end  context.CancelFunc
	log  *slog.Logger

	nodes   map[string]*cacheNode
	syncing bool // a replica does not have the data yet
}

// cacheNode is a server that runs, or that has died.
type cacheNode struct {
	*redis.Node
	spec        redis.NodeSpec
	following   *redis.Node // nil for a primary
	synced      bool        // a replica that has had all its primary's data
	needsReboot bool
	failing     time.Time // since when it does not answer; zero while it does
}

// alive returns a node's server, or nil when it does not run.
func (w *cache) alive(id string) *cacheNode {
	if n := w.nodes[id]; n != nil && n.Alive() {
		return n
	}
	return nil
}

// converge takes the group one round closer to what is declared.
func (w *cache) converge(ctx context.Context) error {
	g, ok, err := w.declared()
	if err != nil || !ok {
		return err
	}
	for _, step := range []func(context.Context, *elasticache.Group) error{w.check, w.failOver, w.snapshot, w.remove, w.run} {
		if err := step(ctx, &g); err != nil {
			return err
		}
	}
	switch {
	case w.syncing:
		time.AfterFunc(cacheSyncEvery, func() { poke(w.wake) })
		return nil
	case !g.Exists && len(g.Nodes) == 0:
		return w.Store.Update(func(tx *state.Tx) error { return w.Cache.GroupGone(tx, g.ID) })
	case !g.Exists || g.Settled() || g.Target != "":
		return nil
	}
	return w.Store.Update(func(tx *state.Tx) error { return w.Cache.GroupSettled(tx, g.ID, g.Status) })
}

func (w *cache) declared() (g elasticache.Group, ok bool, err error) {
	err = w.Store.View(func(tx *state.Tx) error {
		list, err := w.Cache.Groups(tx)
		if i := slices.IndexFunc(list, func(g elasticache.Group) bool { return g.ID == w.id }); i >= 0 {
			g, ok = list[i], true
		}
		return err
	})
	return g, ok, err
}

// check ends servers that do not answer: one that hangs is as lost as one that has died.
func (w *cache) check(ctx context.Context, g *elasticache.Group) error {
	for _, declared := range g.Nodes {
		n := w.alive(declared.ID)
		if n == nil {
			continue
		}
		asked, cancel := context.WithTimeout(ctx, cacheCheckTime)
		_, err := n.Check(asked)
		cancel()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			n.failing = time.Time{}
			continue
		}
		if n.failing.IsZero() {
			n.failing = time.Now()
		}
		if time.Since(n.failing) < cachePatience {
			poke(w.wake)
			continue
		}
		w.log.Warn("a cache node does not answer and is started anew", "node", declared.ID, "error", err)
		if err := n.Stop(); err != nil {
			return err
		}
	}
	return nil
}

// failOver makes a replica the primary: the declared target, or the one with most of the data when the primary has died.
func (w *cache) failOver(ctx context.Context, g *elasticache.Group) error {
	target := g.Target
	if target == "" && g.Failover && w.alive(g.Primary) == nil {
		target = w.successor(ctx, g)
	}
	next := w.alive(target)
	if next == nil || !g.Exists {
		if g.Target != "" && g.Exists {
			return fmt.Errorf("failing over to %s: it does not run yet", g.Target)
		}
		return nil
	}
	w.log.Info("failing over", "from", g.Primary, "to", target)
	old := w.nodes[g.Primary]
	var before *redis.Node
	if old != nil {
		before = old.Node
	}
	if err := next.Promote(ctx, before); err != nil {
		return err
	}
	next.following, next.synced = nil, false
	if old != nil { // it comes back as a replica
		if err := w.stop(g.Primary); err != nil {
			return err
		}
	}
	g.Primary, g.Target = target, ""
	return w.Store.Update(func(tx *state.Tx) error { return w.Cache.Promoted(tx, g.ID, target) })
}

// successor is the replica with the highest offset among those that have the data. There is none after a start of the lab, when nobody has data. When a
// fault keeps the primary away, one without data is better than none.
func (w *cache) successor(ctx context.Context, g *elasticache.Group) string {
	best, most := "", int64(-2)
	for _, declared := range g.Nodes {
		n := w.alive(declared.ID)
		if n == nil || declared.ID == g.Primary || declared.Deleting() || !n.synced && !w.isDown(g.Primary) {
			continue
		}
		asked, cancel := context.WithTimeout(ctx, cacheCheckTime)
		status, err := n.Check(asked)
		cancel()
		if !n.synced {
			status.Offset = -1
		}
		if err == nil && status.Offset > most {
			best, most = declared.ID, status.Offset
		}
	}
	return best
}

// remove takes away what is to be deleted.
func (w *cache) remove(ctx context.Context, g *elasticache.Group) error {
	for _, n := range slices.Clone(g.Nodes) {
		if !n.Deleting() {
			continue
		}
		err := errors.Join(w.stop(n.ID), w.Engine.Remove(n.ID))
		if err == nil {
			err = w.Up(n.ID)
		}
		if err == nil {
			err = w.Store.Update(func(tx *state.Tx) error { return w.Cache.NodeGone(tx, n.ID) })
		}
		if err != nil {
			return fmt.Errorf("deleting %s: %w", n.ID, err)
		}
		g.Nodes = slices.DeleteFunc(g.Nodes, func(o elasticache.Node) bool { return o.ID == n.ID })
	}
	return nil
}

// run starts and configures the servers, the primary first, for the others to follow.
func (w *cache) run(ctx context.Context, g *elasticache.Group) error {
	w.syncing = false
	slices.SortStableFunc(g.Nodes, func(a, b elasticache.Node) int { return cmp.Compare(btoi(a.ID != g.Primary), btoi(b.ID != g.Primary)) })
	var problems []error
	for _, n := range g.Nodes {
		reboot, err := w.runNode(ctx, g, n)
		switch {
		case err == nil && !n.Settled(reboot):
			err = w.Store.Update(func(tx *state.Tx) error { return w.Cache.NodeSettled(tx, n.ID, n.Status, reboot) })
		case errors.Is(err, errSyncing), errors.Is(err, errWaiting), errors.Is(err, errDown): // nothing went wrong
			w.syncing = w.syncing || errors.Is(err, errSyncing)
			err = w.Store.Update(func(tx *state.Tx) error { return w.Cache.NodeBroken(tx, n.ID, err.Error()) })
		case err != nil && !errors.Is(err, network.ErrNoSuchPlace) && ctx.Err() == nil: // that one only waits
			err = errors.Join(err, w.Store.Update(func(tx *state.Tx) error { return w.Cache.NodeBroken(tx, n.ID, err.Error()) }))
		}
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// Why a node serves nobody although nothing went wrong.
var (
	errDown    = errors.New("it is down by `lab fault cache-down`, until `lab fault cache-up`")
	errSyncing = errors.New("it does not have its primary's data yet")
	errWaiting = errors.New("it waits for its primary")
)

// runNode takes one node's server to what is declared. reboot tells that a setting waits for one.
func (w *cache) runNode(ctx context.Context, g *elasticache.Group, declared elasticache.Node) (reboot bool, err error) {
	if w.isDown(declared.ID) {
		return false, errors.Join(errDown, w.stop(declared.ID))
	}
	n, spec := w.alive(declared.ID), cacheSpec(g, declared)
	if n == nil || declared.Rebooting() {
		restore := ""
		if declared.ID == g.Primary { // the others have their data from there
			restore = g.Restore
			if err := w.loseSnapshots(g); err != nil {
				return false, err
			}
		}
		if n, err = w.start(ctx, spec, restore); err != nil {
			return false, err
		}
	}
	if !reflect.DeepEqual(n.spec, spec) || n.needsReboot {
		if n.needsReboot, err = n.Configure(ctx, spec); err != nil {
			return false, err
		}
		n.spec = spec
	}
	return n.needsReboot, w.follow(ctx, g, declared, n)
}

// follow gives a replica its primary. Before it has the data of that one it serves nobody.
func (w *cache) follow(ctx context.Context, g *elasticache.Group, declared elasticache.Node, n *cacheNode) error {
	if declared.ID == g.Primary {
		return nil
	}
	primary := w.alive(g.Primary)
	if primary == nil {
		return errWaiting
	}
	if n.following != primary.Node {
		if err := n.Follow(ctx, primary.Node); err != nil {
			return err
		}
		n.following, n.synced = primary.Node, false
	}
	if n.synced {
		return nil
	}
	status, err := n.Check(ctx)
	if err == nil && !status.Linked {
		return errSyncing
	}
	n.synced = err == nil
	return err
}

// cacheSpec is the server of a node.
func cacheSpec(g *elasticache.Group, n elasticache.Node) redis.NodeSpec {
	return redis.NodeSpec{
		ID: n.ID, Place: network.InInterface(n.Interface), Listen: netip.AddrPortFrom(n.Address, uint16(g.Port)), TLS: g.TLS, Names: append(slices.Clone(g.Names), n.Name),
		MaxMemory: g.MaxMemory, Settings: g.Settings, Users: g.Users,
	}
}

// start starts a node's server anew, with the data of a snapshot or without.
func (w *cache) start(ctx context.Context, spec redis.NodeSpec, snapshot string) (*cacheNode, error) {
	if err := w.stop(spec.ID); err != nil {
		return nil, err
	}
	first := spec
	first.Snapshot = snapshot
	started, err := w.Engine.Start(ctx, first)
	if err != nil {
		return nil, err
	}
	n := &cacheNode{Node: started, spec: spec}
	w.nodes[spec.ID] = n
	w.setLive(spec.ID, started)
	go func() { // a server that dies wakes the worker
		<-started.Done()
		poke(w.wake)
	}()
	return n, nil
}

func (w *cache) stop(id string) error {
	n := w.nodes[id]
	if n == nil {
		return nil
	}
	delete(w.nodes, id)
	w.setLive(id, nil)
	return n.Stop()
}

// stopAll stops the servers with the daemon.
func (w *cache) stopAll() {
	for id := range w.nodes {
		if err := w.stop(id); err != nil {
			w.log.Error("stopping a cache node", "node", id, "error", err)
		}
	}
}
