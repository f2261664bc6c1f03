package dataplane

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"storefront/lab/autoscaling"
	"storefront/lab/metrics"
	"storefront/lab/state"
)

// sampleEvery is how often the processor time of instances is read: four samples a minute make a fair average.
const sampleEvery = 15 * time.Second

// Scaling keeps Auto Scaling groups at their desired capacity, and measures the instances for the policies that decide on it.
type Scaling struct {
	Store   *state.Store
	Groups  *autoscaling.Service
	Metrics *metrics.Store
	Now     func() time.Time
	Log     *slog.Logger

	// CPUTime is the processor time that an instance has used since its boot; ok is false for one that does not run. nil measures nothing.
	CPUTime func(instanceID string) (used time.Duration, ok bool)

	samples map[string]cpuSample
	sampled time.Time
}

type cpuSample struct {
	at   time.Time
	used time.Duration
}

// Run converges until ctx ends: after every change of what groups want and instances are, and every second, as grace periods, heartbeats and the
// health of targets change without a word.
func (s *Scaling) Run(ctx context.Context) error {
	s.samples = map[string]cpuSample{}
	return loop(ctx, merge(ctx, s.Store.Watch(ctx, "autoscaling.", "ec2."), ticks(ctx, time.Second)), s.Log, func(ctx context.Context) error {
		return errors.Join(s.measure(), s.Groups.Reconcile(ctx))
	})
}

// measure records the CPUUtilization of the instances in service, in percent of one processor: the machines of the lab share those of the host.
func (s *Scaling) measure() error {
	now := s.Now()
	if s.CPUTime == nil || now.Sub(s.sampled) < sampleEvery {
		return nil
	}
	groupOf, err := s.Groups.InService()
	if err != nil {
		return err
	}
	before := s.samples
	s.samples, s.sampled = map[string]cpuSample{}, now
	for id, group := range groupOf {
		used, ok := s.CPUTime(id)
		if !ok {
			continue
		}
		s.samples[id] = cpuSample{now, used}
		if last, ok := before[id]; ok && used >= last.used && now.After(last.at) { // less than before: it has been rebooted
			percent := min(100, 100*float64(used-last.used)/float64(now.Sub(last.at)))
			s.Metrics.Add(metrics.CPUUtilization(id), percent)
			s.Metrics.Add(metrics.Name{Namespace: "AWS/EC2", Metric: "CPUUtilization", Dimensions: metrics.By("AutoScalingGroupName", group), Unit: "Percent"}, percent)
		}
	}
	return nil
}
