package logs_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/google/go-cmp/cmp"

	watchapi "storefront/lab/api/cloudwatch"
	"storefront/lab/cloudwatch"
	lab "storefront/lab/logs"
	"storefront/lab/metrics"
	"storefront/lab/wire/wiretest"
)

// watched is a log service whose filters publish to a real CloudWatch.
type watched struct {
	*harness
	metrics *metrics.Store
}

func startWatched(t *testing.T) *watched {
	t.Helper()
	w := &watched{}
	var watch *cloudwatch.Service
	w.harness = startWith(t, func(c *lab.Config) {
		w.metrics = metrics.New(c.Now, cloudwatch.Retention)
		watch = wiretest.Must(cloudwatch.New(cloudwatch.Config{Store: c.Store, Region: c.Region, Now: c.Now, Metrics: w.metrics}))
		c.Publish = func(ctx context.Context, in *watchapi.PutMetricDataInput) error {
			_, err := watch.PutMetricData(ctx, in)
			return err
		}
	})
	return w
}

func (w *watched) filter(t *testing.T, name, pattern string, m types.MetricTransformation) error {
	t.Helper()
	m.MetricNamespace = aws.String("Shop")
	if m.MetricName == nil {
		m.MetricName = &name
	}
	if m.MetricValue == nil {
		m.MetricValue = aws.String("1")
	}
	_, err := w.PutMetricFilter(t.Context(), &cloudwatchlogs.PutMetricFilterInput{LogGroupName: aws.String("g"), FilterName: &name, FilterPattern: &pattern, MetricTransformations: []types.MetricTransformation{m}})
	return err
}

func (w *watched) say(t *testing.T, messages ...string) {
	t.Helper()
	in := &cloudwatchlogs.PutLogEventsInput{LogGroupName: aws.String("g"), LogStreamName: aws.String("a")}
	for _, m := range messages {
		in.LogEvents = append(in.LogEvents, types.InputLogEvent{Timestamp: aws.Int64(w.now.UnixMilli()), Message: &m})
	}
	wiretest.Must(w.PutLogEvents(t.Context(), in))
}

// sum returns the samples of a metric and their sum.
func (w *watched) sum(name metrics.Name) string {
	name.Namespace = "Shop"
	var p metrics.Point
	for _, one := range w.metrics.Between(name, w.now.Add(-time.Hour), w.now.Add(time.Minute), time.Minute) {
		p.Count, p.Sum = p.Count+one.Count, p.Sum+one.Sum
	}
	return fmt.Sprintf("%v in %v", p.Sum, p.Count)
}

func TestMetricFilters(t *testing.T) {
	w := startWatched(t)
	w.say(t, `{"level":"error","ms":7,"path":"/"}`) // before there are filters
	for _, f := range []struct {
		name, pattern string
		metric        types.MetricTransformation
	}{
		{"errors", `{ $.level = "error" }`, types.MetricTransformation{DefaultValue: aws.Float64(0)}},
		{"latency", `{ $.ms = * }`, types.MetricTransformation{MetricValue: aws.String("$.ms"), Unit: types.StandardUnitMilliseconds, Dimensions: map[string]string{"Path": "$.path", "Level": "$.level"}}},
		{"bytes", `[ip, ..., bytes > 0]`, types.MetricTransformation{MetricValue: aws.String("$bytes"), Dimensions: map[string]string{"IP": "$ip"}}},
		{"two", `ERROR`, types.MetricTransformation{MetricValue: aws.String("2")}},
	} {
		if err := w.filter(t, f.name, f.pattern, f.metric); err != nil {
			t.Fatal(err)
		}
	}
	w.say(t, `{"level":"error","ms":12.5,"path":"/"}`, `{"level":"error","ms":"slow","path":"/"}`, `{"level":"info","ms":1,"path":"/"}`, `{"level":"info","ms":1}`,
		"10.0.0.1 GET 512", "10.0.0.1 GET 8", "10.0.0.1 ERROR -", "ERROR")
	for name, want := range map[metrics.Name]string{
		{Metric: "errors"}: "2 in 8",
		{Metric: "latency", Dimensions: metrics.By("Path", "/", "Level", "error")}:                      "12.5 in 1",
		{Metric: "latency", Dimensions: metrics.By("Path", "/", "Level", "info"), Unit: "Milliseconds"}: "1 in 1",
		{Metric: "latency", Dimensions: metrics.By("Level", "info")}:                                    "0 in 0",
		{Metric: "bytes", Dimensions: metrics.By("IP", "10.0.0.1")}:                                     "520 in 2",
		{Metric: "two"}: "4 in 2",
	} {
		if got := w.sum(name); got != want {
			t.Errorf("%s %s: %s, want %s", name.Metric, name.Dimensions, got, want)
		}
	}
	wiretest.Must(w.DeleteMetricFilter(t.Context(), &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: aws.String("g"), FilterName: aws.String("two")}))
	w.say(t, "ERROR")
	if got := w.sum(metrics.Name{Metric: "two"}); got != "4 in 2" {
		t.Errorf("a deleted filter goes on: %s", got)
	}
}

func TestMetricFiltersAreListed(t *testing.T) {
	w := startWatched(t)
	for _, name := range []string{"b", "a", "ab"} {
		if err := w.filter(t, name, "ERROR", types.MetricTransformation{MetricName: aws.String("m-" + name)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.filter(t, "a", "WARN", types.MetricTransformation{MetricName: aws.String("changed")}); err != nil {
		t.Fatal(err)
	}
	list := func(in *cloudwatchlogs.DescribeMetricFiltersInput) (all []string) {
		for pages := cloudwatchlogs.NewDescribeMetricFiltersPaginator(w, in); pages.HasMorePages(); {
			for _, f := range wiretest.Must(pages.NextPage(t.Context())).MetricFilters {
				all = append(all, *f.LogGroupName+"/"+*f.FilterName+" "+*f.FilterPattern+" "+*f.MetricTransformations[0].MetricName)
			}
		}
		return all
	}
	group := aws.String("g")
	for _, tc := range []struct {
		in   *cloudwatchlogs.DescribeMetricFiltersInput
		want []string
	}{
		{&cloudwatchlogs.DescribeMetricFiltersInput{Limit: aws.Int32(1)}, []string{"g/a WARN changed", "g/ab ERROR m-ab", "g/b ERROR m-b"}},
		{&cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: group, FilterNamePrefix: aws.String("a")}, []string{"g/a WARN changed", "g/ab ERROR m-ab"}},
		{&cloudwatchlogs.DescribeMetricFiltersInput{MetricName: aws.String("m-b"), MetricNamespace: aws.String("Shop")}, []string{"g/b ERROR m-b"}},
	} {
		if diff := cmp.Diff(tc.want, list(tc.in)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	groups := wiretest.Must(w.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{}))
	if n := *groups.LogGroups[0].MetricFilterCount; n != 3 {
		t.Errorf("the group has %d filters", n)
	}
	wiretest.Must(w.DeleteLogGroup(t.Context(), &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: group}))
	if got := list(&cloudwatchlogs.DescribeMetricFiltersInput{}); got != nil {
		t.Errorf("filters of a group that is gone: %v", got)
	}
}

func TestMetricFilterRefusals(t *testing.T) {
	w := startWatched(t)
	type metric = types.MetricTransformation
	for name, tc := range map[string]struct {
		pattern string
		metric  metric
		want    string
	}{
		"pattern":    {"a:b", metric{}, "Invalid character(s) in term ':'"},
		"value":      {"a", metric{MetricValue: aws.String("much")}, "must be a valid number"},
		"reference":  {"a", metric{MetricValue: aws.String("$.a")}, "metric value $.a"},
		"field":      {"[a, b]", metric{MetricValue: aws.String("$c")}, "metric value $c"},
		"both":       {"{ $.a = 1 }", metric{DefaultValue: aws.Float64(0), Dimensions: map[string]string{"A": "$.a"}}, "dimensions and default value are mutually exclusive"},
		"terms":      {"a", metric{Dimensions: map[string]string{"A": "$.a"}}, "The specified filter pattern does not support dimensions"},
		"dimension":  {"{ $.a = 1 }", metric{Dimensions: map[string]string{"A": "a"}}, "dimension value must be valid selector"},
		"dimensions": {"{ $.a = 1 }", metric{Dimensions: map[string]string{"A": "$.a", "B": "$.b", "C": "$.c", "D": "$.d"}}, "3 dimensions"},
		"metric":     {"a", metric{MetricName: aws.String("a:b")}, "metricName"},
		"na:me":      {"a", metric{}, "filterName"},
	} {
		wiretest.Refused(t, w.filter(t, name, tc.pattern, tc.metric), "InvalidParameterException", tc.want)
	}
	for i := range 5 {
		if err := w.filter(t, fmt.Sprint("regex", i), "%a%", metric{}); err != nil {
			t.Fatal(err)
		}
	}
	wiretest.Refused(t, w.filter(t, "regex5", "%a%", metric{}), "LimitExceededException", "Resource limit exceeded.")
	for i := range 95 {
		if err := w.filter(t, fmt.Sprint("f", i), "a", metric{}); err != nil {
			t.Fatal(err)
		}
	}
	wiretest.Refused(t, w.filter(t, "more", "a", metric{}), "LimitExceededException", "Resource limit exceeded.")
	if err := w.filter(t, "f1", "b", metric{}); err != nil {
		t.Errorf("changing one of 100: %v", err)
	}
	_, err := w.DeleteMetricFilter(t.Context(), &cloudwatchlogs.DeleteMetricFilterInput{LogGroupName: aws.String("g"), FilterName: aws.String("none")})
	wiretest.Refused(t, err, "ResourceNotFoundException", "The specified metric filter does not exist.")
}

func TestTestMetricFilter(t *testing.T) {
	h := start(t)
	out := wiretest.Must(h.TestMetricFilter(t.Context(), &cloudwatchlogs.TestMetricFilterInput{FilterPattern: aws.String("[ip, code = 4*]"), LogEventMessages: []string{"10.0.0.1 200", "10.0.0.2 404"}}))
	if len(out.Matches) != 1 || out.Matches[0].EventNumber != 2 || *out.Matches[0].EventMessage != "10.0.0.2 404" {
		t.Fatalf("got %+v", out.Matches)
	}
	if diff := cmp.Diff(map[string]string{"$ip": "10.0.0.2", "$code": "404"}, out.Matches[0].ExtractedValues); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, err := h.PutMetricFilter(t.Context(), &cloudwatchlogs.PutMetricFilterInput{LogGroupName: aws.String("g"), FilterName: aws.String("f"), FilterPattern: aws.String(""),
		MetricTransformations: []types.MetricTransformation{{MetricName: aws.String("m"), MetricNamespace: aws.String("n"), MetricValue: aws.String("1")}}})
	wiretest.Refused(t, err, "InvalidParameterException", "CloudWatch is not there")
}
