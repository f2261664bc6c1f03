package query_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"storefront/lab/metrics"
	"storefront/lab/metrics/query"
)

var (
	noon    = time.Date(2025, 1, 1, 12, 0, 0, 0, time.UTC)
	visible = metrics.Name{Namespace: "AWS/SQS", Metric: "ApproximateNumberOfMessagesVisible", Dimensions: metrics.By("QueueName", "orders")}
	inside  = metrics.Name{Namespace: "AWS/AutoScaling", Metric: "GroupInServiceInstances", Dimensions: metrics.By("AutoScalingGroupName", "summary")}
)

func metric(id string, name metrics.Name, statistic string, period time.Duration) query.Query {
	return query.Query{ID: id, Metric: &query.Metric{Name: name, Statistic: statistic, Period: period}}
}

func TestBacklogPerInstance(t *testing.T) {
	now := noon
	store := metrics.New(func() time.Time { return now }, time.Hour)
	for minute := range 4 {
		now = noon.Add(time.Duration(minute) * time.Minute)
		store.Add(visible, float64(100*minute))
		if minute != 2 {
			store.Add(inside, 2)
		}
	}
	plan, err := query.New([]query.Query{
		{ID: "e2", Expression: "e1 * 2"}, // before what it refers to
		metric("m1", visible, "Sum", time.Minute), metric("m2", inside, "Average", time.Minute), {ID: "e1", Expression: "m1 / m2"},
		metric("m3", visible, "Maximum", 2*time.Minute), {ID: "all", Expression: "METRICS()"},
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := plan.Run(store, noon, noon.Add(4*time.Minute), noon)
	if err != nil {
		t.Fatal(err)
	}
	none := math.NaN()
	for id, want := range map[string][]float64{"e1": {0, 50, none, 150}, "e2": {0, 100, none, 300}, "m3": {100, none, 300, none}} {
		if diff := cmp.Diff([][]float64{want}, r.Values(id), cmpopts.EquateNaNs()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", id, diff)
		}
	}
	if n := len(r.Values("all")); n != 3 || plan.Single("all") == nil || plan.Single("e1") != nil {
		t.Errorf("METRICS() gives %d time series, want 3", n)
	}
	r, err = plan.Run(store, noon.Add(-100*365*24*time.Hour), noon.Add(2*time.Minute), noon.Add(-time.Minute))
	if err != nil || len(r.Times) > 5 || !r.Times[len(r.Times)-1].Equal(noon.Add(time.Minute)) {
		t.Errorf("times %v, %v: want the last few minutes of a century", r.Times, err)
	}
}

func TestRefusals(t *testing.T) {
	m1 := metric("m1", visible, "Sum", time.Minute)
	for part, queries := range map[string][]query.Query{
		"does not begin with a small letter":  {metric("M1", visible, "Sum", time.Minute)},
		"m1 is used twice":                    {m1, m1},
		"either MetricStat or Expression":     {m1, {ID: "e1"}},
		"no metric among":                     {{ID: "e1", Expression: "1 + 1"}},
		"refers to itself":                    {m1, {ID: "e1", Expression: "e2"}, {ID: "e2", Expression: "e1 + m1"}},
		"no metric or expression with the ID": {m1, {ID: "e1", Expression: "m1 / m2"}},
		`statistic "TM(1)" is not supported`:  {metric("m1", visible, "TM(1)", time.Minute)},
		"at least a second":                   {metric("m1", visible, "Sum", 0)},
		"unexpected":                          {m1, {ID: "e1", Expression: "m1 )"}},
	} {
		if _, err := query.New(queries); !errors.Is(err, query.ErrInvalid) || !strings.Contains(err.Error(), part) {
			t.Errorf("got error %v, want %q", err, part)
		}
	}
}
