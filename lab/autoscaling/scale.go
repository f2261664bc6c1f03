package autoscaling

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	api "storefront/lab/api/autoscaling"
	"storefront/lab/wire"
)

// scale launches what is missing and takes out what is too much.
//
// Members that are to be replaced do not count for what is missing, so their replacements are launched as far as the group may be larger than
// desired meanwhile; they go one by one as soon as enough others serve.
func (t *turn) scale() error {
	if err := t.grow(); err != nil {
		return err
	}
	if t.group.suspended(processTerminate) {
		return nil
	}
	if err := t.shrink(); err != nil {
		return err
	}
	return t.release()
}

// split separates the live members that are to be replaced.
func (t *turn) split() (staying, marked []*member) {
	for _, m := range t.live() {
		if m.Replace == "" {
			staying = append(staying, m)
		} else {
			marked = append(marked, m)
		}
	}
	return staying, marked
}

func (t *turn) grow() error {
	desired := int(t.group.Desired)
	serving := slices.DeleteFunc(t.live(), func(m *member) bool { return m.State != api.LifecycleStateInService })
	t.group.Settled = t.group.Settled || len(serving) >= desired
	if t.group.suspended(processLaunch) || t.now.Before(t.group.LaunchAfter) {
		return nil
	}
	staying, marked := t.split()
	for n := len(staying); n < desired && n+len(marked) < desired+t.spare(marked); n++ {
		if err := t.intend(t.launchCause(n, len(marked))); err != nil {
			return err
		}
	}
	return nil
}

// launchCause says why the next instance is launched when n stay and some are marked.
func (t *turn) launchCause(n, marked int) string {
	if n+marked >= int(t.group.Desired) {
		for _, m := range t.live() {
			if m.Replace != "" {
				return fmt.Sprintf("At %s an instance was launched in response to %s.", stamp(t.now), m.Replace)
			}
		}
	}
	if t.group.Settled {
		return fmt.Sprintf("At %s an instance was launched in response to an unhealthy instance needing to be replaced.", stamp(t.now))
	}
	return t.group.Cause + "  " + difference(t.now, "started", "increasing", n+marked, int(t.group.Desired))
}

// spare is by how many instances the group may exceed its desired capacity while members are replaced: what the instance refresh or the
// maintenance policy allows, otherwise a tenth; at least one where none may be missing.
func (t *turn) spare(marked []*member) int {
	spare := int64(0)
	for _, m := range marked {
		high, low := int64(110), m.ReplaceFloor
		if p := t.group.Maintenance; p != nil {
			high = wire.Or(p.MaxHealthyPercentage, high)
		}
		if m.Replace == forRefresh && t.refresh != nil {
			high = *t.refresh.Preferences.MaxHealthyPercentage
		}
		allowed := t.group.Desired * (high - 100) / 100
		if low == 100 {
			allowed = max(allowed, 1)
		}
		spare = max(spare, allowed)
	}
	return int(min(spare, int64(len(marked))))
}

// shrink takes out the members beyond the desired capacity, in the order of the termination policies.
func (t *turn) shrink() error {
	for {
		staying, _ := t.split()
		if len(staying) <= int(t.group.Desired) {
			return nil
		}
		m := t.victim(staying)
		if m == nil {
			return nil // all are protected
		}
		cause := fmt.Sprintf("%s  %s  At %s instance %s was selected for termination.", t.group.Cause,
			difference(t.now, "taken out of service", "shrinking", len(staying), int(t.group.Desired)), stamp(t.now), m.ID)
		if err := t.leave(m, cause); err != nil {
			return err
		}
	}
}

// release lets marked members go while enough others serve.
func (t *turn) release() error {
	_, marked := t.split()
	slices.SortStableFunc(marked, func(a, b *member) int { return a.Created.Compare(b.Created) })
	spare := t.spare(marked)
	for _, m := range marked {
		floor := (t.group.Desired*m.ReplaceFloor + 99) / 100
		if spare == 0 { // rounded up, the floor may leave no room: one at a time always goes
			floor = min(floor, t.group.Desired-1)
		}
		waits := m.Protected && t.refresh != nil && m.Replace == forRefresh && *t.refresh.Preferences.ScaleInProtectedInstances == api.ScaleInProtectedInstancesWait
		useful := m.State == api.LifecycleStateInService && !t.dead(m)
		if waits || useful && t.servingBut(m) < int(floor) {
			continue
		}
		if err := t.leave(m, fmt.Sprintf("At %s an instance was taken out of service in response to %s.", stamp(t.now), m.Replace)); err != nil {
			return err
		}
	}
	return nil
}

// servingBut counts the members that serve, without one. New ones have to be warm when an instance refresh launched them.
func (t *turn) servingBut(but *member) (n int) {
	for _, m := range t.live() {
		warmup := int64(0)
		if t.refreshed(m) {
			warmup = *t.refresh.Preferences.InstanceWarmup
		}
		if m != but && t.serving(m, warmup) {
			n++
		}
	}
	return n
}

// victim picks the member that a scale-in takes, from "Configure termination policies for Amazon EC2 Auto Scaling": from the zone with the most,
// then by each policy in turn. It returns nil when every one is protected.
func (t *turn) victim(staying []*member) *member {
	zones := map[string]int{}
	for _, m := range staying {
		zones[m.Zone]++
	}
	candidates := slices.DeleteFunc(slices.Clone(staying), func(m *member) bool { return m.Protected })
	if len(candidates) == 0 {
		return nil
	}
	compare := []func(a, b *member) int{func(a, b *member) int { return zones[b.Zone] - zones[a.Zone] }}
	for _, p := range t.group.TerminationPolicies {
		compare = append(compare, t.order(p, staying))
	}
	return slices.MinFunc(candidates, func(a, b *member) int {
		for _, c := range compare {
			if d := c(a, b); d != 0 {
				return d
			}
		}
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.Token, b.Token))
	})
}

// order compares members so that what a termination policy takes first comes first.
func (t *turn) order(policy string, staying []*member) func(a, b *member) int {
	oldest := func(a, b *member) int { return a.Created.Compare(b.Created) }
	switch policy {
	case "OldestInstance":
		return oldest
	case "NewestInstance":
		return func(a, b *member) int { return oldest(b, a) }
	case "OldestLaunchTemplate", "OldestLaunchConfiguration":
		return t.oldestTemplate
	case "ClosestToNextInstanceHour":
		rest := func(m *member) time.Duration { return time.Hour - t.now.Sub(m.Created)%time.Hour }
		return func(a, b *member) int { return cmp.Compare(rest(a), rest(b)) }
	case "AllocationStrategy":
		return t.misallocated(staying)
	}
	misallocated := t.misallocated(staying)
	return func(a, b *member) int { return cmp.Or(misallocated(a, b), t.oldestTemplate(a, b), oldest(a, b)) } // Default
}

// oldestTemplate puts those first that were launched from another configuration than the group has now.
func (t *turn) oldestTemplate(a, b *member) int {
	current := func(m *member) int {
		if string(encoded(m.Launch)) == string(encoded(t.group.Launch)) {
			return 1
		}
		return 0
	}
	return current(a) - current(b)
}

// misallocated puts those first whose purchase option the group has too many of.
func (t *turn) misallocated(staying []*member) func(a, b *member) int {
	onDemand := 0
	for _, m := range staying {
		if !m.Spot {
			onDemand++
		}
	}
	tooMany := onDemand > onDemandShare(t.group.Launch, t.group.Desired)
	first := func(m *member) int {
		if m.Spot != tooMany {
			return 0
		}
		return 1
	}
	return func(a, b *member) int { return first(a) - first(b) }
}
