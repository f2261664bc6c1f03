// Package metrics keeps short time series in memory, as CloudWatch has them: what the data plane observes and customers publish, and alarms and
// scaling policies read. Nothing outlives the daemon by itself; lab/cloudwatch keeps what customers publish and brings it back.
package metrics

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// Period is the length of a bucket of standard resolution.
const Period = time.Minute

// Bounds of the memory that a store takes. What is beyond the number of series is dropped, and counted by Dropped.
const (
	maxSeries  = 20000
	maxBuckets = 10800 // of a series: three hours of seconds
)

// Name identifies a series; it can be a map's key. What is recorded without a unit has the unit None; who reads without a unit reads every unit, as
// CloudWatch does.
type Name struct {
	Namespace  string // "AWS/EC2", "AWS/ApplicationELB"
	Metric     string // "CPUUtilization", "RequestCount"
	Dimensions Dimensions
	Unit       string // "Percent", "Count", "None": one of StandardUnit of the CloudWatch API
}

// none is the unit of what has none.
const none = "None"

func (n Name) anyUnit() Name {
	n.Unit = ""
	return n
}

// Sample is what is recorded at a moment: one value, a value that came several times, or the statistics of several values.
type Sample struct {
	At   time.Time
	Fine bool // kept by the second instead of the minute
	Point
}

// bucket holds the samples of a second or a minute, from start on.
type bucket struct {
	start int64 // in seconds since the epoch
	Point
}

// series are the samples of one name, by start.
type series struct {
	name    Name
	buckets []bucket
	latest  int64 // the newest sample's time
}

// Store holds series. It is safe for concurrent use.
type Store struct {
	now  func() time.Time
	keep int64 // seconds
	born int64 // the first whole minute that was observed

	mu      sync.Mutex
	series  map[Name]*series
	units   map[Name][]*series // by the name without its unit
	swept   int64
	dropped int
}

// New makes an empty store with a clock; it keeps what is at most as old as retention.
func New(now func() time.Time, retention time.Duration) *Store {
	return &Store{now: now, keep: int64(retention / time.Second), born: minuteOf(now().Unix()) + 60, series: map[Name]*series{}, units: map[Name][]*series{}}
}

func minuteOf(second int64) int64 { return second - second%60 }

// Add records a value of now.
func (s *Store) Add(name Name, value float64) {
	s.Record(name, Sample{At: s.now(), Point: Value(value, 1)})
}

// Set records a value of now in place of those of this minute: for what AWS samples once a minute, such as the depth of a queue, whose sum over a minute is
// then that one value. It must not be mixed with Add.
func (s *Store) Set(name Name, value float64) {
	s.record(name, Sample{At: s.now(), Point: Value(value, 1)}, true)
}

// Record records a sample. One that is older than the retention is dropped, as is a series beyond the bound of the store.
func (s *Store) Record(name Name, sample Sample) { s.record(name, sample, false) }

func (s *Store) record(name Name, sample Sample, replace bool) {
	if name.Unit == "" {
		name.Unit = none
	}
	now, at := s.now().Unix(), sample.At.Unix()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sweep(now)
	if at <= now-s.keep {
		return
	}
	ts := s.series[name]
	if ts == nil {
		if len(s.series) >= maxSeries {
			s.dropped++
			return
		}
		ts = &series{name: name}
		s.series[name], s.units[name.anyUnit()] = ts, append(s.units[name.anyUnit()], ts)
	}
	ts.latest = max(ts.latest, at)
	if !sample.Fine {
		at = minuteOf(at)
	}
	b := ts.bucket(at)
	if replace {
		b.Point = Point{}
	}
	b.add(sample.Point)
}

// bucket returns the bucket that starts at a second, which it makes if there is none. Almost always it is the last one.
func (ts *series) bucket(start int64) *bucket {
	if n := len(ts.buckets); n > 0 && ts.buckets[n-1].start == start {
		return &ts.buckets[n-1]
	}
	i, found := slices.BinarySearchFunc(ts.buckets, start, func(b bucket, start int64) int { return cmp.Compare(b.start, start) })
	if !found {
		ts.buckets = slices.Insert(ts.buckets, i, bucket{start: start})
		if len(ts.buckets) > maxBuckets {
			ts.buckets = slices.Delete(ts.buckets, 0, 1)
			i = max(i-1, 0)
		}
	}
	return &ts.buckets[i]
}

// sweep forgets, once a minute, what is beyond the retention, so that what no longer exists takes no memory.
func (s *Store) sweep(now int64) {
	if minuteOf(now) == s.swept {
		return
	}
	s.swept = minuteOf(now)
	for name, ts := range s.series {
		old, _ := slices.BinarySearchFunc(ts.buckets, now-s.keep, func(b bucket, start int64) int { return cmp.Compare(b.start, start) })
		if ts.buckets = slices.Delete(ts.buckets, 0, old); len(ts.buckets) > 0 {
			continue
		}
		delete(s.series, name)
		if rest := slices.DeleteFunc(s.units[name.anyUnit()], func(other *series) bool { return other == ts }); len(rest) > 0 {
			s.units[name.anyUnit()] = rest
		} else {
			delete(s.units, name.anyUnit())
		}
	}
}

// Between returns the statistics of a name from one moment to another in periods of at least a second, counted from the first moment: only
// periods with samples, oldest first. A sample belongs to the period in which its bucket starts; the end is not part of it.
func (s *Store) Between(name Name, from, to time.Time, period time.Duration) []Point {
	first, end, length := from.Unix(), to.Unix(), max(int64(period/time.Second), 1)
	points := map[int64]*Point{}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ts := range s.read(name) {
		i, _ := slices.BinarySearchFunc(ts.buckets, first, func(b bucket, start int64) int { return cmp.Compare(b.start, start) })
		for ; i < len(ts.buckets) && ts.buckets[i].start < end; i++ {
			start := first + (ts.buckets[i].start-first)/length*length
			if points[start] == nil {
				points[start] = &Point{Start: time.Unix(start, 0).UTC()}
			}
			points[start].add(ts.buckets[i].Point)
		}
	}
	out := make([]Point, 0, len(points))
	for _, p := range points {
		out = append(out, *p)
	}
	slices.SortFunc(out, func(a, b Point) int { return a.Start.Compare(b.Start) })
	return out
}

// read returns the series that a reader's name stands for.
func (s *Store) read(name Name) []*series {
	if name.Unit == "" {
		return s.units[name]
	}
	if ts := s.series[name]; ts != nil {
		return []*series{ts}
	}
	return nil
}

// Last returns the statistics of the last n whole minutes, oldest first; a minute without samples has Count 0. Fewer come back for as long as
// the store is younger than that: nothing is known about the time before it, which is not the same as nothing having happened.
func (s *Store) Last(name Name, n int) []Point {
	end := minuteOf(s.now().Unix())
	n = int(min(int64(n), s.keep/60, (end-s.born)/60))
	if n <= 0 {
		return nil
	}
	from := end - int64(n)*60
	points := make([]Point, n)
	for i := range points {
		points[i].Start = time.Unix(from+int64(i)*60, 0).UTC()
	}
	for _, p := range s.Between(name, time.Unix(from, 0), time.Unix(end, 0), Period) {
		points[(p.Start.Unix()-from)/60] = p
	}
	return points
}

// Born is the first whole minute that the store has seen. Nothing that the lab measures is known from before.
func (s *Store) Born() time.Time { return time.Unix(s.born, 0).UTC() }

// Names returns the names, without units, of the series with a sample since a moment, in no order.
func (s *Store) Names(since time.Time) []Name {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make([]Name, 0, len(s.units))
	for name, all := range s.units {
		if slices.ContainsFunc(all, func(ts *series) bool { return ts.latest >= since.Unix() }) {
			names = append(names, name)
		}
	}
	return names
}

// Units returns the units in which a name has samples.
func (s *Store) Units(name Name) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var units []string
	for _, ts := range s.read(name) {
		units = append(units, ts.name.Unit)
	}
	return units
}

// Dropped is how many samples found no room for their series.
func (s *Store) Dropped() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropped
}
