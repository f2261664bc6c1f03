package metrics_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"storefront/lab/balancer"
	"storefront/lab/metrics"
)

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

func TestSeries(t *testing.T) {
	c := &clock{time.Date(2025, 1, 1, 12, 0, 30, 0, time.UTC)}
	s := metrics.New(c.now, 5*time.Minute)
	cpu := metrics.CPUUtilization("i-1")
	minute := func(values ...float64) {
		for _, v := range values {
			s.Add(cpu, v)
		}
		c.t = c.t.Add(time.Minute)
	}
	minute(99) // the minute in which the store began is not whole
	if got := s.Last(cpu, 3); got != nil {
		t.Errorf("a store that is younger than a minute knows %v", got)
	}
	minute(10, 30)
	minute()
	minute(50)
	s.Add(cpu, 99) // the running minute is not whole
	want := []metrics.Point{{Sum: 40, Min: 10, Max: 30, Count: 2}, {}, {Sum: 50, Min: 50, Max: 50, Count: 1}}
	if diff := cmp.Diff(want, s.Last(cpu, 15)); diff != "" {
		t.Errorf("points (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[2:], s.Last(cpu, 1)); diff != "" {
		t.Errorf("last point (-want +got):\n%s", diff)
	}
	if got := want[0].Average(); got != 20 {
		t.Errorf("average %v, want 20", got)
	}
	if got := s.Last(metrics.CPUUtilization("i-2"), 2); len(got) != 2 || got[0].Count+got[1].Count != 0 {
		t.Errorf("a series without samples has %v", got)
	}
}

func TestRetention(t *testing.T) {
	c := &clock{time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC)}
	s := metrics.New(c.now, 3*time.Minute)
	for range 10 {
		c.t = c.t.Add(time.Minute)
		s.Add(metrics.CPUUtilization("i-1"), 1)
	}
	if got := s.Last(metrics.CPUUtilization("i-1"), 60); len(got) != 3 {
		t.Errorf("%d periods are kept, want 3", len(got))
	}
	c.t = c.t.Add(time.Hour)
	s.Add(metrics.CPUUtilization("i-2"), 1)
	for i, p := range s.Last(metrics.CPUUtilization("i-1"), 60) {
		if p.Count != 0 {
			t.Errorf("period %d still has a sample of an hour ago", i)
		}
	}
}

func TestRequests(t *testing.T) {
	c := &clock{time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC)}
	s := metrics.New(c.now, 5*time.Minute)
	c.t = c.t.Add(time.Minute)
	var m balancer.Metrics = metrics.Requests{Store: s}
	for range 3 {
		m.Observe(balancer.Observation{TargetGroup: "arn:tg", Status: 200})
	}
	m.Observe(balancer.Observation{Status: 404}) // answered by the load balancer itself
	c.t = c.t.Add(time.Minute)
	if got := s.Last(metrics.RequestCount("arn:tg"), 1); len(got) != 1 || got[0].Sum != 3 {
		t.Errorf("requests of the last minute: %v, want 3", got)
	}
	if got := s.Last(metrics.RequestCount(""), 1); got[0].Count != 0 {
		t.Errorf("requests without a target group were counted: %v", got)
	}
}
