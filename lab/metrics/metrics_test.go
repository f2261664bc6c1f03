package metrics_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"storefront/lab/metrics"
)

type clock struct{ t time.Time }

func (c *clock) now() time.Time { return c.t }

var noon = time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC)

func statistics() cmp.Option {
	return cmp.Options{cmpopts.IgnoreUnexported(metrics.Point{}), cmpopts.IgnoreFields(metrics.Point{}, "Start")}
}

func TestSeries(t *testing.T) {
	c := &clock{noon.Add(30 * time.Second)}
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
	if diff := cmp.Diff(want, s.Last(cpu, 15), statistics()); diff != "" {
		t.Errorf("points (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want[2:], s.Last(cpu, 1), statistics()); diff != "" {
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
	c := &clock{noon}
	s := metrics.New(c.now, 3*time.Minute)
	cpu := metrics.CPUUtilization("i-1")
	for range 10 {
		c.t = c.t.Add(time.Minute)
		s.Add(cpu, 1)
	}
	if got := s.Last(cpu, 60); len(got) != 3 {
		t.Errorf("%d periods are kept, want 3", len(got))
	}
	s.Record(cpu, metrics.Sample{At: noon, Point: metrics.Value(7, 1)})
	if got := s.Between(cpu, noon, noon.Add(time.Minute), time.Minute); len(got) != 0 {
		t.Errorf("a sample older than the retention was kept: %v", got)
	}
	c.t = c.t.Add(time.Hour)
	s.Add(metrics.CPUUtilization("i-2"), 1)
	if got := s.Between(cpu, noon, c.t, time.Minute); len(got) != 0 {
		t.Errorf("samples of an hour ago: %v", got)
	}
	if got := s.Names(noon); len(got) != 1 || got[0].Dimensions != metrics.By("InstanceId", "i-2") {
		t.Errorf("series %v, want the one that lives", got)
	}
}

func TestBoundOfSeries(t *testing.T) {
	c := &clock{noon}
	s := metrics.New(c.now, time.Hour)
	for i := range 20001 {
		s.Add(metrics.CPUUtilization(fmt.Sprint("i-", i)), 1)
	}
	if got := s.Dropped(); got != 1 {
		t.Errorf("%d samples were dropped, want 1", got)
	}
}

func TestPeriodsAndResolution(t *testing.T) {
	c := &clock{noon.Add(time.Hour)}
	s := metrics.New(c.now, 3*time.Hour)
	depth := metrics.Name{Namespace: "Shop", Metric: "Depth", Dimensions: metrics.By("Queue", "orders", "Zone", "a")}
	for i := range 90 { // late, and in no order
		at := noon.Add(time.Duration(89-i) * time.Second)
		s.Record(depth, metrics.Sample{At: at, Fine: true, Point: metrics.Value(float64(89-i), 1)})
	}
	for period, want := range map[time.Duration]int{time.Second: 90, 10 * time.Second: 9, 30 * time.Second: 3, time.Minute: 2, 5 * time.Minute: 1} {
		points := s.Between(depth, noon, noon.Add(5*time.Minute), period)
		var sum float64
		for _, p := range points {
			sum += p.Sum
		}
		if len(points) != want || sum != 89*90/2 || !points[0].Start.Equal(noon) {
			t.Errorf("period %v: %d points with the sum %v, want %d with %d", period, len(points), sum, want, 89*90/2)
		}
	}
	if got := s.Between(depth, noon.Add(20*time.Second), noon.Add(30*time.Second), time.Second); len(got) != 10 || got[0].Min != 20 {
		t.Errorf("points of ten seconds: %v", got)
	}
}

func TestUnits(t *testing.T) {
	c := &clock{noon}
	s := metrics.New(c.now, time.Hour)
	name := metrics.Name{Namespace: "Shop", Metric: "Size"}
	for unit, value := range map[string]float64{"Bytes": 10, "Kilobytes": 1} {
		named := name
		named.Unit = unit
		s.Add(named, value)
	}
	end := noon.Add(time.Minute)
	if got := s.Between(name, noon, end, time.Minute); len(got) != 1 || got[0].Count != 2 {
		t.Errorf("in any unit %v, want both samples", got)
	}
	name.Unit = "Bytes"
	if got := s.Between(name, noon, end, time.Minute); len(got) != 1 || got[0].Sum != 10 {
		t.Errorf("in bytes %v, want 10", got)
	}
	name.Unit = ""
	if units := s.Units(name); len(units) != 2 || !slices.Contains(units, "Bytes") {
		t.Errorf("units %v", units)
	}
}

func TestPercentiles(t *testing.T) {
	c := &clock{noon}
	s := metrics.New(c.now, time.Hour)
	latency := metrics.Name{Namespace: "Shop", Metric: "Latency"}
	for i := range 1000 {
		s.Add(latency, float64(i+1)/1000)
	}
	p := s.Between(latency, noon, noon.Add(time.Minute), time.Minute)[0]
	for name, want := range map[string]float64{"p0": 0.001, "p50": 0.5, "p99": 0.99, "p99.9": 0.999, "p100": 1, "Maximum": 1, "Minimum": 0.001, "SampleCount": 1000, "Average": 0.5005} {
		if got, ok := p.Statistic(name); !ok || math.Abs(got-want) > want/500 {
			t.Errorf("%s is %v (%v), want %v", name, got, ok, want)
		}
	}
	for _, name := range []string{"", "p", "p101", "p-1", "p1e1", "average", "p50.12345678901", "IQM"} {
		if metrics.ValidStatistic(name) {
			t.Errorf("%q is a statistic", name)
		}
	}
	s.Record(latency, metrics.Sample{At: noon, Point: metrics.Point{Sum: 3, Min: 1, Max: 2, Count: 2}})
	p = s.Between(latency, noon, noon.Add(time.Minute), time.Minute)[0]
	if got, ok := p.Statistic("p50"); ok {
		t.Errorf("p50 is %v although a part of the samples is known by statistics only", got)
	}
}

func TestDimensions(t *testing.T) {
	a, b := metrics.By("B", "2", "A", "1"), metrics.By("A", "1", "B", "2")
	if a != b {
		t.Error("the order of dimensions matters")
	}
	var got []string
	for name, value := range a.All() {
		got = append(got, name, value)
	}
	if diff := cmp.Diff([]string{"A", "1", "B", "2"}, got); diff != "" {
		t.Errorf("dimensions (-want +got):\n%s", diff)
	}
	for range metrics.By().All() {
		t.Error("the empty set has a dimension")
	}
}
