package autoscaling

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	api "storefront/lab/api/autoscaling"
	ec2api "storefront/lab/api/ec2"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Reconcile takes each group one turn nearer to what is wanted, and returns what went wrong; the rest is done nevertheless. What a turn begins is
// seen in the next one, so it is called again after every change of Auto Scaling's or EC2's state, and every second for what time alone changes.
//
// A turn decides in one transaction and acts after it. What it is going to launch is recorded first, with the token that makes the launch
// idempotent: a daemon that dies in between neither forgets an instance nor launches it twice.
func (s *Service) Reconcile(ctx context.Context) error {
	s.turns.Lock()
	defer s.turns.Unlock()
	var names []string
	if err := s.Store.View(func(tx *state.Tx) error {
		for name := range groups.All(tx) {
			names = append(names, name)
		}
		return nil
	}); err != nil || len(names) == 0 {
		return err
	}
	ctx = s.asService(ctx)
	instances, err := s.instances(ctx)
	if err != nil {
		return fmt.Errorf("auto scaling: describing instances: %w", err)
	}
	var problems []error
	for _, name := range names {
		if err := s.turn(ctx, name, instances); err != nil {
			problems = append(problems, fmt.Errorf("auto scaling group %s: %w", name, err))
		}
	}
	return errors.Join(problems...)
}

// instances returns what EC2 knows, by instance ID.
func (s *Service) instances(ctx context.Context) (map[string]ec2api.Instance, error) {
	found := map[string]ec2api.Instance{}
	in := &ec2api.DescribeInstancesInput{}
	for {
		out, err := s.EC2.DescribeInstances(ctx, in)
		if err != nil {
			return nil, err
		}
		for _, r := range out.Reservations {
			for _, i := range r.Instances {
				found[wire.Value(i.InstanceId)] = i
			}
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return found, nil
		}
	}
}

// turn is one turn of one group: what it sees, what it decides, and the effects that follow.
type turn struct {
	*Service
	tx  *state.Tx
	now time.Time

	instances map[string]ec2api.Instance
	health    map[string]map[string]string // target states by target group and instance

	group   *group
	members []*member
	hooks   []hook
	refresh *refresh // the running one, or nil

	refreshKey string
	loaded     map[string][]byte // what is in the store, to write only what has changed
	effects    []effect
}

// effect is a call to another service, made after the transaction.
type effect func(context.Context) error

func (s *Service) turn(ctx context.Context, name string, instances map[string]ec2api.Instance) error {
	health, err := s.observeTargets(ctx, name)
	if err != nil {
		return err
	}
	t := &turn{Service: s, now: s.now(), instances: instances, health: health}
	err = s.Store.Update(func(tx *state.Tx) error {
		t.tx = tx
		found, err := t.load(name)
		if err != nil || !found {
			return err
		}
		if err := t.decide(); err != nil {
			return err
		}
		return t.save()
	})
	problems := []error{err}
	if err == nil {
		for _, act := range t.effects {
			problems = append(problems, act(ctx))
		}
	}
	return errors.Join(problems...)
}

// observeTargets asks for the health of the targets of every target group that a group's instances are or were registered with.
func (s *Service) observeTargets(ctx context.Context, name string) (map[string]map[string]string, error) {
	var arns []string
	if err := s.Store.View(func(tx *state.Tx) error {
		for _, m := range of(tx, members, name) {
			arns = slices.Concat(arns, m.Registered, m.Draining)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	slices.Sort(arns)
	health := map[string]map[string]string{}
	for _, arn := range slices.Compact(arns) {
		states, err := s.targetHealth(ctx, arn)
		if err != nil {
			return nil, fmt.Errorf("describing the health of targets: %w", err)
		}
		health[arn] = states
	}
	return health, nil
}

func (t *turn) load(name string) (bool, error) {
	g, ok, err := groups.Get(t.tx, name)
	if err != nil || !ok {
		return false, err
	}
	t.group, t.hooks, t.loaded = &g, of(t.tx, hooks, name), map[string][]byte{}
	for _, m := range of(t.tx, members, name) {
		t.members = append(t.members, &m)
		t.loaded[m.key()] = encoded(m)
	}
	t.loaded[name] = encoded(g)
	if key, ok := activeRefresh(t.tx, name); ok {
		r, _, err := refreshes.Get(t.tx, key)
		if err != nil {
			return false, err
		}
		t.refresh, t.refreshKey, t.loaded["refresh"] = &r, key, encoded(r)
	}
	return true, nil
}

func (t *turn) save() error {
	if t.group.Deleting && len(t.members) == 0 {
		return removeGroup(t.tx, t.group.Name)
	}
	var problems []error
	for _, m := range t.members {
		if !bytes.Equal(t.loaded[m.key()], encoded(*m)) {
			problems = append(problems, members.Put(t.tx, m.key(), *m))
		}
	}
	if !bytes.Equal(t.loaded[t.group.Name], encoded(*t.group)) {
		problems = append(problems, groups.Put(t.tx, t.group.Name, *t.group))
	}
	if t.refresh != nil && !bytes.Equal(t.loaded["refresh"], encoded(*t.refresh)) {
		problems = append(problems, refreshes.Put(t.tx, t.refreshKey, *t.refresh))
	}
	return errors.Join(problems...)
}

func encoded(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // the store encodes the same types
	}
	return data
}

// decide is the whole of a turn.
func (t *turn) decide() error {
	if t.group.Deleting {
		for _, m := range t.members {
			if m.Hurry = true; !m.terminating() {
				if err := t.leave(m, t.group.Cause); err != nil {
					return err
				}
			}
		}
		return t.advance()
	}
	if err := runScheduled(t.tx, t.group, t.now); err != nil {
		return err
	}
	for _, next := range []func() error{t.track, t.checkHealth, t.steer, t.scale, t.advance} {
		if err := next(); err != nil {
			return err
		}
	}
	return nil
}

// leave takes a member out of the capacity.
func (t *turn) leave(m *member, cause string) error {
	return leave(t.tx, t.group, m, t.now, cause)
}

// live are the members that count towards the capacity.
func (t *turn) live() []*member {
	return slices.DeleteFunc(slices.Clone(t.members), func(m *member) bool { return m.terminating() })
}

// ec2State is the state of a member's instance; "terminated" when EC2 has forgotten it.
func (t *turn) ec2State(m *member) string {
	if i, ok := t.instances[m.ID]; ok && i.State != nil {
		return wire.Value(i.State.Name)
	}
	return "terminated"
}

// dead reports whether a member's instance runs no more.
func (t *turn) dead(m *member) bool {
	s := t.ec2State(m)
	return m.ID != "" && s != "pending" && s != "running"
}

// later edits a member that may have changed since the turn, in a transaction of its own; f gets nil for one that is gone.
func (t *turn) later(m *member, f func(tx *state.Tx, g *group, m *member) error) error {
	return t.Store.Update(func(tx *state.Tx) error {
		v, ok, err := members.Get(tx, m.key())
		if err != nil || !ok {
			return err
		}
		g, ok, err := groups.Get(tx, v.Group)
		if err != nil || !ok {
			return err
		}
		before := encoded(g)
		if err := f(tx, &g, &v); err != nil {
			return err
		}
		if !bytes.Equal(before, encoded(g)) {
			if err := groups.Put(tx, g.Name, g); err != nil {
				return err
			}
		}
		if v.State == gone {
			return members.Delete(tx, v.key())
		}
		return members.Put(tx, v.key(), v)
	})
}

// gone is the state of a member that is to be forgotten.
const gone = api.LifecycleStateTerminated
