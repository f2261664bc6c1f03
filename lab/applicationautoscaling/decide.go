package applicationautoscaling

import (
	"fmt"
	"math"
	"time"

	"storefront/lab/metrics/tracking"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// highPeriods is how many minutes above the target make a cluster grow.
const highPeriods = 5

// decide returns the capacity that a target should have, and why: within its bounds, and what its policies ask for, which are looked at once a minute.
func (s *Service) decide(tx *state.Tx, t target, current int64) (want int64, cause string, err error) {
	in, out := !*t.Suspended.DynamicScalingInSuspended, !*t.Suspended.DynamicScalingOutSuspended
	switch {
	case current < t.Min && out:
		return t.Min, fmt.Sprintf("minimum capacity was set to %d", t.Min), nil
	case current > t.Max && in:
		return t.Max, fmt.Sprintf("maximum capacity was set to %d", t.Max), nil
	}
	minute := s.Now().Unix() / 60
	if s.evaluated[t.Resource] == minute {
		return current, "", nil
	}
	s.evaluated[t.Resource] = minute
	var grow, shrink *answer
	steady := false
	for _, p := range of(tx, policies, t.Resource) {
		a := s.ask(p, t, current)
		switch {
		case a.verdict == tracking.High:
			grow = larger(grow, a)
		case wire.Value(p.Input.TargetTrackingScalingPolicyConfiguration.DisableScaleIn):
		case a.verdict == tracking.Low:
			shrink = larger(shrink, a)
		default:
			steady = true // this policy wants no less
		}
	}
	now := s.Now().UTC()
	switch {
	case grow != nil && out && grow.want > current:
		if cooling(grow.policy.Out, grow.policy.Input.TargetTrackingScalingPolicyConfiguration.ScaleOutCooldown, now) {
			return current, "", nil
		}
		grow.policy.Out = now
		return grow.take(tx, t, alarmHigh)
	case grow == nil && shrink != nil && !steady && in && shrink.want < current:
		c := shrink.policy.Input.TargetTrackingScalingPolicyConfiguration
		if cooling(shrink.policy.In, c.ScaleInCooldown, now) || cooling(shrink.policy.Out, c.ScaleInCooldown, now) {
			return current, "", nil
		}
		shrink.policy.In = now
		return shrink.take(tx, t, alarmLow)
	}
	return current, "", nil
}

func cooling(since time.Time, seconds *int64, now time.Time) bool {
	return now.Before(since.Add(time.Duration(wire.Or(seconds, defaultCooldown)) * time.Second))
}

// answer is what a policy asks for.
type answer struct {
	policy  policy
	verdict tracking.Verdict
	want    int64
}

// ask evaluates a policy's alarms.
func (s *Service) ask(p policy, t target, current int64) answer {
	name, statistic := p.metric(t)
	var values []float64
	for _, point := range s.Metrics.Last(name, tracking.Periods) {
		v, ok := point.Statistic(statistic)
		if !ok || point.Count == 0 {
			v = math.NaN()
		}
		values = append(values, v)
	}
	goal := *p.Input.TargetTrackingScalingPolicyConfiguration.TargetValue
	a := answer{policy: p, verdict: tracking.Judge(values, goal, highPeriods)}
	if a.verdict != tracking.Unknown {
		a.want = min(max(tracking.Capacity(int(current), values[len(values)-1], goal), t.Min), t.Max)
	}
	return a
}

func larger(have *answer, a answer) *answer {
	if have != nil && have.want >= a.want {
		return have
	}
	return &a
}

// take follows an answer, and begins its cooldown.
func (a *answer) take(tx *state.Tx, t target, alarm string) (int64, string, error) {
	cause := fmt.Sprintf("monitor alarm %s in state ALARM triggered policy %s", a.policy.alarm(alarm), *a.policy.Input.PolicyName)
	return a.want, cause, policies.Put(tx, t.Resource+"|"+*a.policy.Input.PolicyName, a.policy)
}
