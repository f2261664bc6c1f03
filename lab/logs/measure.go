package logs

import (
	"context"
	"maps"
	"slices"
	"time"

	"storefront/lab/api/cloudwatch"
	api "storefront/lab/api/logs"
	"storefront/lab/logs/pattern"
	"storefront/lab/metrics"
)

// maxData is how many samples a request of PutMetricData has.
const maxData = 1000

// measure publishes what filters find in events that have arrived. A sample has the time of its event; equal ones of a minute are one datum that counts them.
func (s *Service) measure(ctx context.Context, watching []filter, arrived []event) {
	if len(watching) == 0 || len(arrived) == 0 {
		return
	}
	messages := make([]*pattern.Message, len(arrived))
	for i, e := range arrived {
		messages[i] = &pattern.Message{Text: e.Message}
	}
	for _, f := range watching {
		data, err := f.data(arrived, messages)
		for part := range slices.Chunk(data, maxData) {
			if err == nil {
				err = s.publish(ctx, &cloudwatch.PutMetricDataInput{Namespace: f.Metric.MetricNamespace, MetricData: part})
			}
		}
		if err != nil {
			s.log.Error("publishing what a metric filter found", "group", f.Group, "filter", f.Name, "error", err)
		}
	}
}

// data are the samples that a filter makes of events: of each that matches the metric value, of each other one the default value, where there is one.
func (f filter) data(arrived []event, messages []*pattern.Message) ([]cloudwatch.MetricDatum, error) {
	p, err := pattern.Parse(f.Pattern)
	if err != nil {
		return nil, err
	}
	type same struct {
		minute     int64
		value      float64
		dimensions metrics.Dimensions
	}
	var data []cloudwatch.MetricDatum
	of := map[same]int{}
	for i, e := range arrived {
		value, dimensions, ok := f.sample(p, messages[i])
		if !ok {
			continue
		}
		key := same{e.Time / time.Minute.Milliseconds(), value, dimensions}
		at, known := of[key]
		if !known {
			at, of[key] = len(data), len(data)
			datum := cloudwatch.MetricDatum{MetricName: f.Metric.MetricName, Unit: f.Metric.Unit, Timestamp: new(time.UnixMilli(e.Time)), Values: []float64{value}, Counts: []float64{0}}
			for name, value := range dimensions.All() {
				datum.Dimensions = append(datum.Dimensions, cloudwatch.Dimension{Name: &name, Value: &value})
			}
			data = append(data, datum)
		}
		data[at].Counts[0]++
	}
	return data, nil
}

// sample is what a message is worth. An event whose value is no number, or that lacks a dimension, is worth nothing.
func (f filter) sample(p *pattern.Pattern, m *pattern.Message) (value float64, dimensions metrics.Dimensions, ok bool) {
	t := f.Metric
	if !p.Match(m) {
		if t.DefaultValue == nil {
			return 0, "", false
		}
		return *t.DefaultValue, "", true
	}
	text := *t.MetricValue
	if v, reference := p.Value(text); reference {
		text, _ = p.Of(v, m)
	}
	if value, ok = sample(text); !ok {
		return 0, "", false
	}
	dimensions, ok = dimensionsOf(p, m, t)
	return value, dimensions, ok
}

func dimensionsOf(p *pattern.Pattern, m *pattern.Message, t api.MetricTransformation) (metrics.Dimensions, bool) {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(t.Dimensions)) {
		v, _ := p.Value(t.Dimensions[name])
		text, ok := p.Of(v, m)
		if !ok || !dimensionText(text) {
			return "", false
		}
		pairs = append(pairs, name, text)
	}
	return metrics.By(pairs...), true
}
