package cloudwatch_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	api "storefront/lab/api/cloudwatch"
	"storefront/lab/cloudwatch"
	"storefront/lab/metrics"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire/wiretest"
)

var noon = time.Date(2025, 1, 2, 12, 0, 0, 0, time.UTC)

const (
	topic  = "arn:aws:sns:us-east-1:000000000000:alarms"
	policy = "arn:aws:autoscaling:us-east-1:000000000000:scalingPolicy:00000000-0000-4000-8000-000000000001:autoScalingGroupName/shop:policyName/out"
)

// harness is a service on a clock that the test moves, with what its alarms did.
type harness struct {
	testing.TB
	now     time.Time
	store   *state.Store
	service *cloudwatch.Service
	client  *client.Client
	metrics *metrics.Store
	url     string

	notified []cloudwatch.Notification
	scaled   []float64
	refuse   error // what topics and policies answer
}

func newHarness(t testing.TB) *harness {
	t.Helper()
	store := wiretest.Must(state.Open(filepath.Join(t.TempDir(), "state")))
	t.Cleanup(func() { _ = store.Close() })
	h := &harness{TB: t, now: noon, store: store}
	h.start()
	return h
}

// start makes the service anew on the same state, as after a kill.
func (h *harness) start() {
	now := func() time.Time { return h.now }
	h.metrics = metrics.New(now, cloudwatch.Retention)
	h.service = wiretest.Must(cloudwatch.New(cloudwatch.Config{
		Store: h.store, Region: region.Default(), Now: now, Metrics: h.metrics, Log: slog.New(slog.DiscardHandler),
		Notify: func(_ *state.Tx, n cloudwatch.Notification) error {
			if h.refuse != nil {
				return h.refuse
			}
			h.notified = append(h.notified, n)
			return nil
		},
		Scale: func(_ *state.Tx, _, _ string, value, threshold float64) error {
			h.scaled = append(h.scaled, value-threshold)
			return h.refuse
		},
	}))
	s := wiretest.New(h.TB, api.New(h.service))
	h.url, h.client = s.URL, client.NewFromConfig(s.Config())
}

func must[I, O any](h *harness, call func(context.Context, *I, ...func(*client.Options)) (*O, error), in *I) *O {
	h.Helper()
	out, err := call(context.Background(), in)
	if err != nil {
		h.Fatal(err)
	}
	return out
}

func refused[I, O any](h *harness, call func(context.Context, *I, ...func(*client.Options)) (*O, error), in *I, code, part string) {
	h.Helper()
	_, err := call(context.Background(), in)
	wiretest.Refused(h, err, code, part)
}

// publish puts values of now.
func (h *harness) publish(metric string, values ...float64) {
	h.Helper()
	for _, v := range values {
		must(h, h.client.PutMetricData, &client.PutMetricDataInput{Namespace: aws.String("Shop"), MetricData: []types.MetricDatum{{MetricName: &metric, Value: &v}}})
	}
}

// pass lets time pass, and evaluates alarms at its end.
func (h *harness) pass(d time.Duration) {
	h.Helper()
	h.now = h.now.Add(d)
	if err := h.service.Evaluate(); err != nil {
		h.Fatal(err)
	}
}

// state returns the state of a metric alarm.
func (h *harness) state(name string) types.StateValue {
	h.Helper()
	out := must(h, h.client.DescribeAlarms, &client.DescribeAlarmsInput{AlarmNames: []string{name}})
	if len(out.MetricAlarms) != 1 {
		h.Fatalf("%d alarms %s", len(out.MetricAlarms), name)
	}
	return out.MetricAlarms[0].StateValue
}

func alarm(name string, change ...func(*client.PutMetricAlarmInput)) *client.PutMetricAlarmInput {
	in := &client.PutMetricAlarmInput{
		AlarmName: &name, Namespace: aws.String("Shop"), MetricName: aws.String("Depth"), Statistic: types.StatisticMaximum, Period: aws.Int32(60),
		EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(10), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
	}
	for _, f := range change {
		f(in)
	}
	return in
}

var errRefused = errors.New("the topic does not exist")
