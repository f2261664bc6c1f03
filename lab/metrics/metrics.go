// Package metrics keeps short time series in memory, one bucket a minute as CloudWatch has them: what the data plane observes, and scaling
// policies and alarms read. Nothing outlives the daemon.
package metrics

import (
	"sync"
	"time"
)

// Period is the length of a bucket.
const Period = time.Minute

// Name identifies a series.
type Name struct {
	Namespace string // "AWS/EC2", "AWS/ApplicationELB"
	Metric    string // "CPUUtilization", "RequestCount"
	Dimension string // the value of the one dimension that the lab has: an instance ID, the ARN of a target group
}

// Point is a period's statistics, as CloudWatch's statistic sets have them.
type Point struct {
	Sum, Min, Max float64
	Count         int
}

// Average is the mean of the samples; 0 without samples.
func (p Point) Average() float64 {
	if p.Count == 0 {
		return 0
	}
	return p.Sum / float64(p.Count)
}

type bucket struct {
	start int64 // in periods since the epoch
	Point
}

// Store holds series. It is safe for concurrent use.
type Store struct {
	now  func() time.Time
	keep int // periods, the running one included

	mu     sync.Mutex
	series map[Name][]bucket // a ring by period
	began  int64             // the first whole period that was observed
	swept  int64
}

// New makes an empty store with a clock; it keeps what is at most as old as retention.
func New(now func() time.Time, retention time.Duration) *Store {
	return &Store{now: now, keep: int(retention/Period) + 1, series: map[Name][]bucket{}, began: period(now()) + 1}
}

func period(t time.Time) int64 { return t.UnixNano() / int64(Period) }

// Add records a sample of now.
func (s *Store) Add(name Name, value float64) {
	p := period(s.now())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(p)
	ring := s.series[name]
	if ring == nil {
		ring = make([]bucket, s.keep)
		s.series[name] = ring
	}
	b := &ring[p%int64(s.keep)]
	if b.start != p || b.Count == 0 {
		*b = bucket{start: p, Point: Point{Min: value, Max: value}}
	}
	b.Sum, b.Min, b.Max, b.Count = b.Sum+value, min(b.Min, value), max(b.Max, value), b.Count+1
}

// sweep forgets series that have had no sample for the whole retention, so that what no longer exists takes no memory.
func (s *Store) sweep(p int64) {
	if p == s.swept {
		return
	}
	s.swept = p
	for name, ring := range s.series {
		live := false
		for _, b := range ring {
			live = live || b.Count > 0 && p-b.start < int64(s.keep)
		}
		if !live {
			delete(s.series, name)
		}
	}
}

// Last returns the statistics of the last n whole periods, oldest first; a period without samples has Count 0. Fewer come back for as long as
// the store is younger than that: nothing is known about the time before it, which is not the same as nothing having happened.
func (s *Store) Last(name Name, n int) []Point {
	p := period(s.now())
	s.mu.Lock()
	defer s.mu.Unlock()
	n = int(min(int64(n), int64(s.keep-1), p-s.began))
	if n <= 0 {
		return nil
	}
	points := make([]Point, n)
	if ring := s.series[name]; ring != nil {
		for i := range points {
			at := p - int64(n-i)
			if b := ring[at%int64(s.keep)]; b.start == at {
				points[i] = b.Point
			}
		}
	}
	return points
}
