package autoscaling

import (
	"fmt"
	"slices"
	"strings"

	api "storefront/lab/api/autoscaling"
	"storefront/lab/metrics"
	"storefront/lab/metrics/tracking"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// highPeriods is how many minutes above the target make a group grow.
const highPeriods = 3

// labelledGroup returns "targetgroup/<name>/<id>" of a resource label, or "" when the label is not of that form.
func labelledGroup(label string) string {
	parts := strings.Split(label, "/")
	if len(parts) != 6 || parts[0] != "app" || parts[3] != "targetgroup" || slices.Contains(parts, "") {
		return ""
	}
	return strings.Join(parts[3:], "/")
}

// track evaluates the target tracking policies of a group once a minute. The group grows when any of them says so, to the largest answer, and
// shrinks when all of them do.
func (t *turn) track() error {
	minute := t.now.Unix() / 60
	if t.Metrics == nil || t.group.suspended(processAlarm) || t.evaluated[t.group.Name] == minute {
		return nil
	}
	t.evaluated[t.group.Name] = minute
	var grow, shrink answerOf
	steady := false // some policy does not want less
	for _, p := range of(t.tx, policies, t.group.Name) {
		if *p.Input.PolicyType != targetTracking || !*p.Input.Enabled {
			continue
		}
		want, alarm, err := t.evaluate(p)
		switch {
		case err != nil:
			return fmt.Errorf("policy %s: %w", *p.Input.PolicyName, err)
		case alarm == alarmHigh:
			grow.keep(want, p, alarm)
		case wire.Value(p.Input.TargetTrackingConfiguration.DisableScaleIn):
		case alarm == alarmLow:
			shrink.keep(want, p, alarm)
		default:
			steady = true
		}
	}
	switch {
	case grow.want > t.group.Desired:
		t.group.scaleTo(grow.want, t.now, grow.who)
	case grow.who == "" && !steady && shrink.who != "" && shrink.want < t.group.Desired:
		t.group.scaleTo(shrink.want, t.now, shrink.who)
	}
	return nil
}

// answerOf is the largest capacity that a policy has asked for.
type answerOf struct {
	want int64
	who  string
}

func (a *answerOf) keep(want int64, p policy, alarm string) {
	if a.who == "" || want > a.want {
		*a = answerOf{want, fmt.Sprintf("a monitor alarm %s in state ALARM triggered policy %s", p.alarm(alarm), *p.Input.PolicyName)}
	}
}

// evaluate returns the capacity that brings a policy's metric to its target, and which of its alarms is on, if any.
func (t *turn) evaluate(p policy) (want int64, alarm string, err error) {
	warmup := wire.Or(p.Input.EstimatedInstanceWarmup, wire.Or(t.group.Warmup, t.group.Cooldown))
	var warm []*member
	for _, m := range t.live() {
		if m.warm(t.now, warmup) {
			warm = append(warm, m)
		}
	}
	c := p.Input.TargetTrackingConfiguration
	var values []float64
	if c.CustomizedMetricSpecification != nil {
		if values, err = t.customizedValues(c.CustomizedMetricSpecification); err != nil {
			return 0, "", err
		}
	} else {
		values = t.values(c.PredefinedMetricSpecification, warm)
	}
	target := *c.TargetValue
	if len(warm) == 0 {
		return 0, "", nil
	}
	switch verdict := tracking.Judge(values, target, highPeriods); {
	case verdict == tracking.High:
		alarm = alarmHigh
	case verdict == tracking.Low && len(warm) == len(t.live()): // nothing shrinks while it warms up
		alarm = alarmLow
	default:
		return 0, "", nil
	}
	return tracking.Capacity(len(warm), values[len(values)-1], target), alarm, nil
}

// values returns a metric by minute, oldest first; NaN where there is no value.
func (t *turn) values(spec *api.PredefinedMetricSpecification, warm []*member) []float64 {
	if *spec.PredefinedMetricType == api.MetricTypeALBRequestCountPerTarget {
		group := labelledGroup(*spec.ResourceLabel)
		balancer := strings.TrimSuffix(*spec.ResourceLabel, "/"+group)
		var values []float64
		for _, p := range t.Metrics.Last(metrics.RequestCount(balancer, group), tracking.Periods) {
			values = append(values, p.Sum/float64(len(warm))) // no requests is a value too
		}
		return values
	}
	var sums, counts []float64
	for _, m := range warm {
		points := t.Metrics.Last(metrics.CPUUtilization(m.ID), tracking.Periods)
		if sums == nil {
			sums, counts = make([]float64, len(points)), make([]float64, len(points))
		}
		for i, p := range points[:min(len(points), len(sums))] {
			if p.Count > 0 {
				sums[i], counts[i] = sums[i]+p.Average(), counts[i]+1
			}
		}
	}
	for i := range sums {
		sums[i] /= counts[i] // 0/0 is NaN
	}
	return sums
}

// InService returns the groups of the instances that are in service, by instance ID, for whoever measures them.
func (s *Service) InService() (groupOf map[string]string, err error) {
	groupOf = map[string]string{}
	err = s.Store.View(func(tx *state.Tx) error {
		for _, m := range members.All(tx) {
			if m.State == api.LifecycleStateInService {
				groupOf[m.ID] = m.Group
			}
		}
		return nil
	})
	return groupOf, err
}

// GroupMetrics returns the metrics of the groups that collect them, by group and metric, as the page "Amazon CloudWatch metrics for Amazon EC2 Auto Scaling"
// has them. There are no warm pools and no instances on standby.
func (s *Service) GroupMetrics() (map[string]map[string]float64, error) {
	all := map[string]map[string]float64{}
	err := s.Store.View(func(tx *state.Tx) error {
		for name, g := range groups.All(tx) {
			if len(g.Metrics) == 0 {
				continue
			}
			counts := map[string]float64{}
			for _, m := range of(tx, members, name) {
				switch {
				case m.terminating():
					counts["Terminating"]++
				case m.State == api.LifecycleStateInService:
					counts["InService"]++
				default:
					counts["Pending"]++
				}
				counts["Total"]++
			}
			values := map[string]float64{"GroupMinSize": float64(g.Min), "GroupMaxSize": float64(g.Max), "GroupDesiredCapacity": float64(g.Desired),
				"GroupAndWarmPoolDesiredCapacity": float64(g.Desired), "GroupAndWarmPoolTotalCapacity": counts["Total"]}
			for _, which := range []string{"InService", "Pending", "Standby", "Terminating", "Total"} {
				values["Group"+which+"Instances"], values["Group"+which+"Capacity"] = counts[which], counts[which]
			}
			all[name] = map[string]float64{}
			for _, metric := range g.Metrics {
				if v, ok := values[metric]; ok {
					all[name][metric] = v
				}
			}
		}
		return nil
	})
	return all, err
}
