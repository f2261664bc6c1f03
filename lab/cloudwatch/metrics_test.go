package cloudwatch_test

import (
	"math"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"

	"storefront/lab/wire/wiretest"
)

func statistics(h *harness, metric string, period int32, change ...func(*client.GetMetricStatisticsInput)) []types.Datapoint {
	h.Helper()
	in := &client.GetMetricStatisticsInput{Namespace: aws.String("Shop"), MetricName: &metric, StartTime: aws.Time(noon), EndTime: aws.Time(noon.Add(10 * time.Minute)), Period: &period,
		Statistics: []types.Statistic{types.StatisticSum, types.StatisticAverage, types.StatisticMinimum, types.StatisticMaximum, types.StatisticSampleCount}}
	for _, f := range change {
		f(in)
	}
	return must(h, h.client.GetMetricStatistics, in).Datapoints
}

func TestPublishedDataSurvivesAKill(t *testing.T) {
	h := newHarness(t)
	must(h, h.client.PutMetricData, &client.PutMetricDataInput{Namespace: aws.String("Shop"), MetricData: []types.MetricDatum{
		{MetricName: aws.String("Latency"), Values: []float64{1, 2, 3}, Counts: []float64{2, 1, 1}, Unit: types.StandardUnitMilliseconds},
		{MetricName: aws.String("Latency"), Value: aws.Float64(9), Unit: types.StandardUnitMilliseconds, Timestamp: aws.Time(noon.Add(-time.Minute))},
		{MetricName: aws.String("Latency"), Unit: types.StandardUnitSeconds, StatisticValues: &types.StatisticSet{Sum: aws.Float64(6), Minimum: aws.Float64(1), Maximum: aws.Float64(5), SampleCount: aws.Float64(2)}},
	}})
	h.start()
	got := statistics(h, "Latency", 60)
	want := [][]float64{{7, 1.75, 1, 3, 4}, {6, 3, 1, 5, 2}}
	for i, d := range got {
		if diff := cmp.Diff(want[i], []float64{*d.Sum, *d.Average, *d.Minimum, *d.Maximum, *d.SampleCount}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", d.Unit, diff)
		}
	}
	if len(got) != 2 || got[0].Unit != types.StandardUnitMilliseconds || !got[0].Timestamp.Equal(noon) {
		t.Fatalf("data points %+v", got)
	}
	percentile := statistics(h, "Latency", 60, func(in *client.GetMetricStatisticsInput) {
		in.Statistics, in.ExtendedStatistics, in.Unit = nil, []string{"p50", "p100"}, types.StandardUnitMilliseconds
	})
	if len(percentile) != 1 || percentile[0].ExtendedStatistics["p50"] != 1 || percentile[0].ExtendedStatistics["p100"] != 3 {
		t.Errorf("percentiles %+v", percentile)
	}
}

func TestResolutionOfASecond(t *testing.T) {
	h := newHarness(t)
	for second := range 20 {
		must(h, h.client.PutMetricData, &client.PutMetricDataInput{Namespace: aws.String("Shop"), MetricData: []types.MetricDatum{
			{MetricName: aws.String("Fine"), Value: aws.Float64(float64(second)), Timestamp: aws.Time(noon.Add(time.Duration(second) * time.Second)), StorageResolution: aws.Int32(1)}}})
	}
	for period, want := range map[int32]int{1: 20, 5: 4, 10: 2, 60: 1} {
		if got := statistics(h, "Fine", period); len(got) != want {
			t.Errorf("period %d: %d data points, want %d", period, len(got), want)
		}
	}
}

func TestLongRequestsAreCompressed(t *testing.T) {
	h := newHarness(t)
	in := &client.PutMetricDataInput{Namespace: aws.String("Shop")}
	for range 500 {
		in.MetricData = append(in.MetricData, types.MetricDatum{MetricName: aws.String("Orders"), Value: aws.Float64(1), Dimensions: []types.Dimension{{Name: aws.String("Zone"), Value: aws.String("a")}}})
	}
	must(h, h.client.PutMetricData, in)
	got := statistics(h, "Orders", 60, func(in *client.GetMetricStatisticsInput) {
		in.Dimensions = []types.Dimension{{Name: aws.String("Zone"), Value: aws.String("a")}}
	})
	if len(got) != 1 || *got[0].Sum != 500 {
		t.Errorf("data points %+v, want the sum 500", got)
	}
	if got := statistics(h, "Orders", 60); len(got) != 0 {
		t.Errorf("without its dimensions the metric has %+v", got)
	}
}

func TestDataIsChecked(t *testing.T) {
	h := newHarness(t)
	one := func(d types.MetricDatum) *client.PutMetricDataInput {
		if d.MetricName == nil {
			d.MetricName = aws.String("M")
		}
		return &client.PutMetricDataInput{Namespace: aws.String("Shop"), MetricData: []types.MetricDatum{d}}
	}
	v := aws.Float64(1)
	aSet := &types.StatisticSet{Sum: v, Minimum: v, Maximum: v, SampleCount: v}
	for _, c := range []struct {
		in         *client.PutMetricDataInput
		code, part string
	}{
		{&client.PutMetricDataInput{Namespace: aws.String("AWS/SQS"), MetricData: one(types.MetricDatum{Value: v}).MetricData}, "InvalidParameterValue", "AWS/"},
		{&client.PutMetricDataInput{Namespace: aws.String("Shop"), MetricData: []types.MetricDatum{}}, "InvalidParameterValue", "between 1 and 1000"},
		{one(types.MetricDatum{}), "MissingParameter", "MetricData.member.1.Value"},
		{one(types.MetricDatum{Value: v, StatisticValues: aSet}), "InvalidParameterCombination", "mutually exclusive"},
		{one(types.MetricDatum{Values: []float64{1, 2}, Counts: []float64{1}}), "InvalidParameterValue", "same number"},
		{one(types.MetricDatum{Values: make([]float64, 151)}), "InvalidParameterValue", "150"},
		{one(types.MetricDatum{Value: aws.Float64(math.NaN())}), "InvalidParameterValue", "2^360"},
		{one(types.MetricDatum{Value: aws.Float64(math.Inf(1))}), "InvalidParameterValue", "2^360"},
		{one(types.MetricDatum{Value: v, StorageResolution: aws.Int32(30)}), "InvalidParameterValue", "must be 1 or 60"},
		{one(types.MetricDatum{Value: v, Timestamp: aws.Time(noon.Add(3 * time.Hour))}), "InvalidParameterValue", "two hours"},
		{one(types.MetricDatum{Value: v, Timestamp: aws.Time(noon.AddDate(0, 0, -15))}), "InvalidParameterValue", "two weeks"},
		{one(types.MetricDatum{StatisticValues: &types.StatisticSet{Sum: v, Minimum: aws.Float64(2), Maximum: v, SampleCount: v}}), "InvalidParameterValue", "Maximum"},
		{one(types.MetricDatum{Value: v, Dimensions: []types.Dimension{{Name: aws.String("A"), Value: aws.String("1")}, {Name: aws.String("A"), Value: aws.String("2")}}}), "InvalidParameterValue", "given twice"},
		{one(types.MetricDatum{Value: v, Unit: "Parsec"}), "ValidationError", "Parsec"},
	} {
		refused(h, h.client.PutMetricData, c.in, c.code, c.part)
	}
	if out := must(h, h.client.ListMetrics, &client.ListMetricsInput{}); len(out.Metrics) != 0 {
		t.Errorf("refused data made metrics: %v", out.Metrics)
	}
}

func TestMetricData(t *testing.T) {
	h := newHarness(t)
	for range 4 {
		h.publish("Depth", 100)
		h.publish("Servers", 2, 2)
		h.now = h.now.Add(time.Minute)
	}
	stat := func(id, metric, statistic string) types.MetricDataQuery {
		return types.MetricDataQuery{Id: &id, ReturnData: aws.Bool(false), MetricStat: &types.MetricStat{Metric: &types.Metric{Namespace: aws.String("Shop"), MetricName: &metric}, Period: aws.Int32(60), Stat: &statistic}}
	}
	in := &client.GetMetricDataInput{StartTime: aws.Time(noon), EndTime: aws.Time(h.now), ScanBy: types.ScanByTimestampAscending, MetricDataQueries: []types.MetricDataQuery{
		stat("m1", "Depth", "Sum"), stat("m2", "Servers", "Average"), {Id: aws.String("e1"), Expression: aws.String("m1 / m2"), Label: aws.String("Backlog per server")}}}
	out := must(h, h.client.GetMetricData, in)
	if len(out.MetricDataResults) != 1 || *out.MetricDataResults[0].Label != "Backlog per server" {
		t.Fatalf("results %+v", out.MetricDataResults)
	}
	if diff := cmp.Diff([]float64{50, 50, 50, 50}, out.MetricDataResults[0].Values); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	in.MetricDataQueries[2].Expression = aws.String("SEARCH('{Shop}', 'Sum')")
	refused(h, h.client.GetMetricData, in, "ValidationError", "SEARCH is not supported")
	in.MetricDataQueries[2].Expression = aws.String("m1 / m9")
	refused(h, h.client.GetMetricData, in, "ValidationError", "m9")
	in.MetricDataQueries[2].Expression = aws.String("AVG(m1)")
	refused(h, h.client.GetMetricData, in, "ValidationError", "time series")
	in.MetricDataQueries[2].Expression = aws.String("SELECT AVG(Depth) FROM Shop")
	refused(h, h.client.GetMetricData, in, "ValidationError", "Metrics Insights")
}

func TestListMetrics(t *testing.T) {
	h := newHarness(t)
	for _, queue := range []string{"orders", "dead"} {
		must(h, h.client.PutMetricData, &client.PutMetricDataInput{Namespace: aws.String("Shop"), MetricData: []types.MetricDatum{
			{MetricName: aws.String("Depth"), Value: aws.Float64(1), Dimensions: []types.Dimension{{Name: aws.String("Queue"), Value: &queue}}}}})
	}
	h.publish("Servers", 1)
	list := func(in client.ListMetricsInput) int { return len(must(h, h.client.ListMetrics, &in).Metrics) }
	if n := list(client.ListMetricsInput{}); n != 3 {
		t.Errorf("%d metrics, want 3", n)
	}
	if n := list(client.ListMetricsInput{MetricName: aws.String("Depth"), Dimensions: []types.DimensionFilter{{Name: aws.String("Queue"), Value: aws.String("dead")}}}); n != 1 {
		t.Errorf("%d metrics of one queue, want 1", n)
	}
	if n := list(client.ListMetricsInput{Namespace: aws.String("Other")}); n != 0 {
		t.Errorf("%d metrics of another namespace", n)
	}
	h.now = h.now.Add(4 * time.Hour)
	if n := list(client.ListMetricsInput{}); n != 0 {
		t.Errorf("%d metrics without data of the last three hours", n)
	}
}

// TestCommandLine reads answers with other clients than the SDK for Go: version 1 of the AWS CLI speaks JSON, version 2 of Debian the query protocol.
func TestCommandLine(t *testing.T) {
	found := map[string]bool{}
	for _, name := range []string{"aws", "/usr/bin/aws"} {
		if path, err := exec.LookPath(name); err == nil && !found[path] {
			found[path] = true
			t.Run(path, func(t *testing.T) { commandLine(t, path) })
		}
	}
	if len(found) == 0 {
		t.Skip("the aws command line is not installed")
	}
}

func commandLine(t *testing.T, path string) {
	t.Parallel()
	h := newHarness(t)
	for _, tc := range []struct{ args, want string }{
		{"put-metric-data --namespace Shop --metric-name Depth --value 20 --unit Count --dimensions Queue=orders --timestamp 2025-01-02T12:00:00Z", ""},
		{"get-metric-statistics --namespace Shop --metric-name Depth --dimensions Name=Queue,Value=orders --statistics Sum --period 60 --start-time 2025-01-02T12:00:00Z --end-time 2025-01-02T12:05:00Z --query Datapoints[0].Sum", "20"},
		{"put-metric-alarm --alarm-name deep --namespace Shop --metric-name Depth --dimensions Name=Queue,Value=orders --statistic Sum --period 60 --evaluation-periods 1 --threshold 5 --comparison-operator GreaterThanThreshold", ""},
		{"describe-alarms --alarm-names deep --query MetricAlarms[0].StateValue", "INSUFFICIENT_DATA"},
		{"list-metrics --query Metrics[0].Dimensions[0].Value", "orders"},
	} {
		c := exec.CommandContext(t.Context(), path, append(append([]string{"cloudwatch"}, strings.Fields(tc.args)...), "--endpoint-url", h.url, "--output", "text")...)
		c.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+wiretest.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+wiretest.SecretKey, "AWS_REGION="+wiretest.Region, "AWS_DEFAULT_REGION="+wiretest.Region)
		out, err := c.CombinedOutput()
		if got := strings.TrimSuffix(strings.TrimSpace(string(out)), ".0"); err != nil || got != tc.want {
			t.Errorf("%s: got %q, %v, want %q", tc.args, got, err, tc.want)
		}
	}
}
