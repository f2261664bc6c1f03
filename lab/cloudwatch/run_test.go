package cloudwatch_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	api "storefront/lab/api/cloudwatch"
	"storefront/lab/cloudwatch"
	"storefront/lab/metrics"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire/wiretest"
)

// TestRun lets the service evaluate by itself: an alarm within a minute, and data that is forgotten in time.
func TestRun(t *testing.T) {
	t.Parallel()
	store := wiretest.Must(state.Open(filepath.Join(t.TempDir(), "state")))
	t.Cleanup(func() { _ = store.Close() })
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		series, told := metrics.New(time.Now, cloudwatch.Retention), 0
		open := func(series *metrics.Store) *cloudwatch.Service {
			return wiretest.Must(cloudwatch.New(cloudwatch.Config{Store: store, Region: region.Default(), Now: time.Now, Metrics: series, Log: slog.New(slog.DiscardHandler),
				Notify: func(*state.Tx, cloudwatch.Notification) error { told++; return nil }}))
		}
		s := open(series)
		ended := make(chan error)
		go func() { ended <- s.Run(ctx) }()
		wiretest.Must(s.PutMetricAlarm(ctx, &api.PutMetricAlarmInput{AlarmName: new("a"), Namespace: new("Shop"), MetricName: new("Depth"), Statistic: new("Sum"), Period: new(int64(60)),
			EvaluationPeriods: new(int64(1)), Threshold: new(1.0), ComparisonOperator: new("GreaterThanThreshold"), AlarmActions: []string{topic}}))
		wiretest.Must(s.PutMetricData(ctx, &api.PutMetricDataInput{Namespace: new("Shop"), MetricData: []api.MetricDatum{{MetricName: new("Depth"), Value: new(5.0)}}}))
		time.Sleep(61 * time.Second)
		synctest.Wait()
		if told != 1 {
			t.Errorf("%d notifications within a minute, want 1", told)
		}
		again := metrics.New(time.Now, 24*time.Hour) // would keep what the store still has
		open(again)
		if len(again.Names(time.Time{})) != 1 {
			t.Error("published data is not there after a restart")
		}
		time.Sleep(5*time.Hour + 2*time.Minute) // two hours of the future that a time may lie in, and the retention
		synctest.Wait()
		later := metrics.New(time.Now, 24*time.Hour)
		open(later)
		if names := later.Names(time.Time{}); len(names) != 0 {
			t.Errorf("the store still has data of five hours ago: %v", names)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
