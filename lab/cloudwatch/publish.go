package cloudwatch

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	api "storefront/lab/api/cloudwatch"
	"storefront/lab/metrics"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Limits of the page "PutMetricData" of the CloudWatch API reference.
const (
	maxData      = 1000 // of a request
	maxValues    = 150  // of a datum
	oldestDatum  = 14 * 24 * time.Hour
	latestDatum  = 2 * time.Hour
	largestValue = 0x1p360
)

// publication is one PutMetricData request, as the store keeps it.
type publication struct {
	Arrived time.Time
	Data    []datum
}

// datum is what a request adds to one metric at a moment.
type datum struct {
	Name   metrics.Name
	At     time.Time
	Fine   bool
	Points []metrics.Point
}

// maxPublications bounds what the store keeps.
const maxPublications = 100_000

// PutMetricData implements the operation of that name.
func (s *Service) PutMetricData(_ context.Context, in *api.PutMetricDataInput) (*api.PutMetricDataOutput, error) {
	if strings.HasPrefix(*in.Namespace, "AWS/") {
		return nil, wrong("The value AWS/ for parameter Namespace is invalid. The namespace must not begin with AWS/, which is reserved.")
	}
	if strings.HasPrefix(*in.Namespace, ":") {
		return nil, wrong("The value %s for parameter Namespace is invalid.", *in.Namespace)
	}
	if n := len(in.MetricData); n == 0 || n > maxData {
		return nil, wrong("The collection MetricData must have between 1 and %d elements, it has %d.", maxData, n)
	}
	p := publication{Arrived: s.now()}
	for i, m := range in.MetricData {
		d, err := s.datum(*in.Namespace, m, fmt.Sprintf("MetricData.member.%d", i+1))
		if err != nil {
			return nil, err
		}
		p.Data = append(p.Data, d)
	}
	if err := s.Store.Update(func(tx *state.Tx) error {
		number, err := tx.Sequence("cloudwatch.data")
		if err != nil {
			return err
		}
		return published.Put(tx, fmt.Sprintf("%016x", number), p)
	}); err != nil {
		return nil, err
	}
	s.record(p)
	return &api.PutMetricDataOutput{}, nil
}

func (s *Service) record(p publication) {
	for _, d := range p.Data {
		for _, point := range d.Points {
			s.Metrics.Record(d.Name, metrics.Sample{At: d.At, Fine: d.Fine, Point: point})
		}
	}
}

// datum checks a datum; path names it in messages.
func (s *Service) datum(namespace string, m api.MetricDatum, path string) (datum, error) {
	now := s.now()
	d := datum{At: wire.Or(m.Timestamp, now).UTC(), Fine: wire.Or(m.StorageResolution, 60) == 1}
	var err error
	if d.Name, err = named(new(namespace), m.MetricName, m.Dimensions, m.Unit); err != nil {
		return d, err
	}
	switch resolution := wire.Or(m.StorageResolution, 60); {
	case resolution != 1 && resolution != 60:
		return d, wrong("The value %d for parameter %s.StorageResolution is invalid. It must be 1 or 60.", resolution, path)
	case d.At.Before(now.Add(-oldestDatum)) || d.At.After(now.Add(latestDatum)):
		return d, wrong("The parameter %s.Timestamp must specify a time within two weeks before and two hours after now.", path)
	}
	d.Points, err = points(m, path)
	return d, err
}

// points are the values of a datum: one, several with counts, or a set of statistics.
func points(m api.MetricDatum, path string) ([]metrics.Point, error) {
	switch set := m.StatisticValues; {
	case m.Value == nil && set == nil && len(m.Values) == 0:
		return nil, missing(path + ".Value")
	case m.Value != nil && (set != nil || len(m.Values) > 0) || set != nil && len(m.Values) > 0:
		return nil, clash("The parameters %s.Value, %s.Values and %s.StatisticValues are mutually exclusive and you have specified more than one of them.", path, path, path)
	case len(m.Counts) > 0 && len(m.Counts) != len(m.Values):
		return nil, wrong("The parameters %s.Values and %s.Counts must have the same number of elements.", path, path)
	case len(m.Values) > maxValues:
		return nil, wrong("The collection %s.Values must not have a size greater than %d.", path, maxValues)
	case set != nil:
		p := metrics.Point{Sum: *set.Sum, Min: *set.Minimum, Max: *set.Maximum, Count: *set.SampleCount}
		if p.Count <= 0 || p.Min > p.Max {
			return nil, wrong("The parameter %s.StatisticValues must have a SampleCount above 0 and a Minimum that is not above its Maximum.", path)
		}
		return []metrics.Point{p}, finite(path+".StatisticValues", p.Sum, p.Min, p.Max, p.Count)
	case m.Value != nil:
		return []metrics.Point{metrics.Value(*m.Value, 1)}, finite(path+".Value", *m.Value)
	}
	var all []metrics.Point
	for i, v := range m.Values {
		count := 1.0
		if len(m.Counts) > 0 {
			count = m.Counts[i]
		}
		if count < 0 {
			return nil, wrong("The parameter %s.Counts must not have negative values.", path)
		}
		all = append(all, metrics.Value(v, count))
	}
	return all, finite(path+".Values", append(slices.Clone(m.Values), m.Counts...)...)
}

func finite(path string, values ...float64) error {
	for _, v := range values {
		if math.IsNaN(v) || math.Abs(v) > largestValue {
			return wrong("The value %v for parameter %s is invalid. It must be a number in the range of -2^360 to 2^360.", v, path)
		}
	}
	return nil
}

// named makes the name of a metric from the members that requests give it with.
func named(namespace, metric *string, dimensions []api.Dimension, unit *string) (metrics.Name, error) {
	name := metrics.Name{Namespace: wire.Value(namespace), Metric: wire.Value(metric), Unit: wire.Value(unit)}
	var pairs []string
	for _, d := range dimensions {
		if strings.ContainsFunc(*d.Name+*d.Value, func(r rune) bool { return r < ' ' || r > '~' }) || strings.HasPrefix(*d.Name, ":") {
			return name, wrong("The dimension %q has characters other than printable ASCII, or its name begins with a colon.", *d.Name)
		}
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == *d.Name {
				return name, wrong("The dimension %s is given twice.", *d.Name)
			}
		}
		pairs = append(pairs, *d.Name, *d.Value)
	}
	name.Dimensions = metrics.By(pairs...)
	return name, nil
}

// load brings back what was published before the service started.
func (s *Service) load() error {
	return s.Store.View(func(tx *state.Tx) error {
		for _, p := range published.All(tx) {
			s.record(p)
		}
		return nil
	})
}

// expire forgets what has been published and is older than the retention, however far in the future it was meant to be, and the oldest of what is
// beyond the bound.
func (s *Service) expire() error {
	old := s.now().Add(-Retention - latestDatum)
	return s.Store.Update(func(tx *state.Tx) error {
		return trim(tx, published, maxPublications, func(p publication) bool { return p.Arrived.Before(old) })
	})
}

// trim deletes the first values of a numbered table: those that are old, and as many as are beyond most.
func trim[T any](tx *state.Tx, table state.Table[T], most int, old func(T) bool) error {
	excess := table.Len(tx) - most
	var keys []string
	for key, v := range table.All(tx) {
		if len(keys) >= excess && !old(v) {
			break
		}
		keys = append(keys, key)
	}
	for _, key := range keys {
		if err := table.Delete(tx, key); err != nil {
			return err
		}
	}
	return nil
}
