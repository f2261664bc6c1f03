package cloudwatch_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	client "github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	api "storefront/lab/api/cloudwatch"
	"storefront/lab/metrics"
	"storefront/lab/wire"
)

func TestAlarmNotifiesAndRecovers(t *testing.T) {
	h := newHarness(t)
	must(h, h.client.PutMetricAlarm, alarm("deep", func(in *client.PutMetricAlarmInput) {
		in.AlarmActions, in.OKActions, in.AlarmDescription = []string{topic}, []string{topic}, aws.String("too deep")
		in.Dimensions = nil
	}))
	h.publish("Depth", 20)
	h.pass(time.Minute)
	if got := h.state("deep"); got != types.StateValueAlarm {
		t.Fatalf("state %s, want ALARM", got)
	}
	h.publish("Depth", 5)
	h.start() // after a kill, nothing is told twice
	h.pass(0)
	h.pass(time.Minute)
	if got := h.state("deep"); got != types.StateValueOk || len(h.notified) != 2 {
		t.Fatalf("state %s after %d notifications, want OK after 2", got, len(h.notified))
	}
	n := h.notified[0]
	var message struct {
		AlarmName, AlarmDescription, NewStateValue, OldStateValue, NewStateReason, AlarmArn, Region string
		Trigger                                                                                     struct {
			MetricName, Namespace, StatisticType, Statistic string
			Period                                          int
			Threshold                                       float64
		}
	}
	if err := json.Unmarshal([]byte(n.Message), &message); err != nil {
		t.Fatal(err)
	}
	if n.Topic != topic || n.Subject != `ALARM: "deep" in US East (N. Virginia)` || message.AlarmName != "deep" || message.NewStateValue != "ALARM" || message.OldStateValue != "INSUFFICIENT_DATA" ||
		message.Trigger.MetricName != "Depth" || message.Trigger.Statistic != "MAXIMUM" || message.Trigger.Threshold != 10 || !strings.HasPrefix(message.NewStateReason, "Threshold Crossed: 1 out of the last 1 datapoints [20.0 (02/01/25 12:00:00)] was greater than the threshold (10.0)") {
		t.Errorf("notification %+v\n%s", n, n.Message)
	}
	history := must(h, h.client.DescribeAlarmHistory, &client.DescribeAlarmHistoryInput{AlarmName: aws.String("deep"), ScanBy: types.ScanByTimestampAscending})
	var summaries []string
	for _, item := range history.AlarmHistoryItems {
		summaries = append(summaries, *item.HistorySummary)
		if !json.Valid([]byte(*item.HistoryData)) {
			t.Errorf("history data %s", *item.HistoryData)
		}
	}
	want := []string{`Alarm "deep" created`, "Alarm updated from INSUFFICIENT_DATA to ALARM", "Successfully executed action " + topic, "Alarm updated from ALARM to OK", "Successfully executed action " + topic}
	if diff := cmp.Diff(want, summaries); diff != "" {
		t.Errorf("history (-want +got):\n%s", diff)
	}
}

// TestMissingData has the rows of the tables of "Configuring how CloudWatch alarms treat missing data".
func TestMissingData(t *testing.T) {
	t.Parallel()
	const alarmState, ok, insufficient, retained = types.StateValueAlarm, types.StateValueOk, types.StateValueInsufficientData, ""
	for _, c := range []struct {
		data                                     string // the last five periods: 0 is within the threshold, X beyond it
		least                                    int32
		missing, ignore, breaching, notBreaching types.StateValue
	}{
		{"0-X-X", 3, ok, ok, ok, ok},
		{"----0", 3, ok, ok, ok, ok},
		{"-----", 3, insufficient, retained, alarmState, ok},
		{"0XX-X", 3, alarmState, alarmState, alarmState, alarmState},
		{"--X--", 3, alarmState, retained, alarmState, ok},
		{"----X", 3, retained, retained, alarmState, ok},
		{"0-X-X", 2, alarmState, alarmState, alarmState, alarmState},
		{"00X0X", 2, alarmState, alarmState, alarmState, alarmState},
		{"0-X--", 2, ok, ok, alarmState, ok},
		{"----0", 2, ok, ok, alarmState, ok},
		{"---X-", 2, alarmState, retained, alarmState, ok},
	} {
		h := newHarness(t)
		for _, v := range c.data {
			switch v {
			case '0':
				h.publish("Depth", 1)
			case 'X':
				h.publish("Depth", 11)
			}
			h.now = h.now.Add(time.Minute)
		}
		for treat, want := range map[string]types.StateValue{"missing": c.missing, "ignore": c.ignore, "breaching": c.breaching, "notBreaching": c.notBreaching} {
			for _, before := range []types.StateValue{ok, alarmState, insufficient} {
				name := treat + string(before)
				must(h, h.client.PutMetricAlarm, alarm(name, func(in *client.PutMetricAlarmInput) {
					in.EvaluationPeriods, in.DatapointsToAlarm, in.TreatMissingData = aws.Int32(3), &c.least, &treat
				}))
				must(h, h.client.SetAlarmState, &client.SetAlarmStateInput{AlarmName: &name, StateValue: before, StateReason: aws.String("test")})
				h.pass(0)
				expect := want
				if want == retained {
					expect = before
				}
				if got := h.state(name); got != expect {
					t.Errorf("%s, %d of 3, %s, from %s: %s, want %s", c.data, c.least, treat, before, got, expect)
				}
			}
		}
	}
}

// After a restart the lab has not seen what it measures itself, which must not look as if nothing had happened.
func TestRestartIsNoMissingData(t *testing.T) {
	h := newHarness(t)
	depth := metrics.Name{Namespace: "AWS/SQS", Metric: "Depth", Unit: "Count"}
	must(h, h.client.PutMetricAlarm, alarm("a", func(in *client.PutMetricAlarmInput) {
		in.Namespace, in.EvaluationPeriods, in.InsufficientDataActions = aws.String("AWS/SQS"), aws.Int32(2), []string{topic}
	}))
	minutes := func(n int, value float64) {
		for range n {
			if value >= 0 {
				h.metrics.Set(depth, value)
			}
			h.pass(time.Minute)
		}
	}
	minutes(5, 1)
	h.start()
	minutes(2, -1)
	if got := h.state("a"); got != types.StateValueOk || len(h.notified) != 0 {
		t.Errorf("state %s, %d notifications after a restart, want OK and none", got, len(h.notified))
	}
	minutes(2, 20)
	if got := h.state("a"); got != types.StateValueAlarm {
		t.Errorf("state %s with data again, want ALARM", got)
	}
	minutes(6, -1)
	if got := h.state("a"); got != types.StateValueInsufficientData {
		t.Errorf("state %s without data, want INSUFFICIENT_DATA", got)
	}
}

func TestOperators(t *testing.T) {
	h := newHarness(t)
	for operator, states := range map[types.ComparisonOperator]string{
		types.ComparisonOperatorGreaterThanThreshold: "OK OK ALARM", types.ComparisonOperatorGreaterThanOrEqualToThreshold: "OK ALARM ALARM",
		types.ComparisonOperatorLessThanThreshold: "ALARM OK OK", types.ComparisonOperatorLessThanOrEqualToThreshold: "ALARM ALARM OK",
	} {
		must(h, h.client.PutMetricAlarm, alarm("a", func(in *client.PutMetricAlarmInput) { in.ComparisonOperator = operator }))
		var got []string
		for _, v := range []float64{9, 10, 11} {
			h.publish("Depth", v)
			h.pass(time.Minute)
			got = append(got, string(h.state("a")))
		}
		if strings.Join(got, " ") != states {
			t.Errorf("%s at 9, 10 and 11 with the threshold 10: %v, want %s", operator, got, states)
		}
	}
}

func TestAlarmOfTenSeconds(t *testing.T) {
	h := newHarness(t)
	must(h, h.client.PutMetricAlarm, alarm("a", func(in *client.PutMetricAlarmInput) { in.Period = aws.Int32(10) }))
	must(h, h.client.PutMetricData, &client.PutMetricDataInput{Namespace: aws.String("Shop"), MetricData: []types.MetricDatum{{MetricName: aws.String("Depth"), Value: aws.Float64(99), StorageResolution: aws.Int32(1)}}})
	h.pass(10 * time.Second)
	if got := h.state("a"); got != types.StateValueAlarm {
		t.Errorf("state %s after ten seconds, want ALARM", got)
	}
}

func TestMathAndPercentiles(t *testing.T) {
	h := newHarness(t)
	stat := func(id, metric, statistic string) types.MetricDataQuery {
		return types.MetricDataQuery{Id: &id, ReturnData: aws.Bool(false), MetricStat: &types.MetricStat{Metric: &types.Metric{Namespace: aws.String("Shop"), MetricName: &metric}, Period: aws.Int32(60), Stat: &statistic}}
	}
	must(h, h.client.PutMetricAlarm, &client.PutMetricAlarmInput{AlarmName: aws.String("backlog"), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(10), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold,
		Metrics: []types.MetricDataQuery{stat("m1", "Depth", "Sum"), stat("m2", "Servers", "Average"), {Id: aws.String("e1"), Expression: aws.String("m1 / m2"), Label: aws.String("backlog"), ReturnData: aws.Bool(true)}}})
	must(h, h.client.PutMetricAlarm, alarm("slow", func(in *client.PutMetricAlarmInput) {
		in.MetricName, in.Statistic, in.ExtendedStatistic, in.EvaluateLowSampleCountPercentile = aws.String("Latency"), "", aws.String("p90"), aws.String("ignore")
	}))
	h.publish("Depth", 100)
	h.publish("Servers", 2)
	h.publish("Latency", 50)
	h.pass(time.Minute)
	if got := h.state("backlog"); got != types.StateValueAlarm {
		t.Errorf("backlog is %s, want ALARM", got)
	}
	if got := h.state("slow"); got != types.StateValueInsufficientData {
		t.Errorf("one sample made the percentile %s", got)
	}
	values, counts := []float64{1, 50}, []float64{80, 20}
	must(h, h.client.PutMetricData, &client.PutMetricDataInput{Namespace: aws.String("Shop"), MetricData: []types.MetricDatum{{MetricName: aws.String("Latency"), Values: values, Counts: counts}}})
	h.pass(time.Minute)
	if got := h.state("slow"); got != types.StateValueAlarm {
		t.Errorf("p90 of 100 samples, 20 of them slow, is %s, want ALARM", got)
	}
}

func TestScalingRepeats(t *testing.T) {
	h := newHarness(t)
	must(h, h.client.PutMetricAlarm, alarm("grow", func(in *client.PutMetricAlarmInput) { in.AlarmActions = []string{policy, topic} }))
	for range 3 {
		h.publish("Depth", 25)
		h.pass(time.Minute)
		h.pass(time.Second) // not due
	}
	if diff := cmp.Diff([]float64{15, 15, 15}, h.scaled); diff != "" || len(h.notified) != 1 {
		t.Errorf("%d notifications, and values above the threshold (-want +got):\n%s", len(h.notified), diff)
	}
	must(h, h.client.DisableAlarmActions, &client.DisableAlarmActionsInput{AlarmNames: []string{"grow", "nobody"}})
	h.publish("Depth", 25)
	h.pass(time.Minute)
	if len(h.scaled) != 3 {
		t.Errorf("disabled actions were taken: %v", h.scaled)
	}
	must(h, h.client.EnableAlarmActions, &client.EnableAlarmActionsInput{AlarmNames: []string{"grow"}})
	h.refuse = errRefused
	h.publish("Depth", 25)
	h.pass(time.Minute)
	items := must(h, h.client.DescribeAlarmHistory, &client.DescribeAlarmHistoryInput{HistoryItemType: types.HistoryItemTypeAction, MaxRecords: aws.Int32(1)}).AlarmHistoryItems
	if len(items) != 1 || !strings.HasPrefix(*items[0].HistorySummary, "Failed to execute action "+policy) {
		t.Errorf("history %+v", items)
	}
}

func TestEveryAttributeReadsBack(t *testing.T) {
	h := newHarness(t)
	in := alarm("full", func(in *client.PutMetricAlarmInput) {
		in.ActionsEnabled, in.AlarmDescription, in.DatapointsToAlarm, in.TreatMissingData, in.Unit = aws.Bool(false), aws.String("d"), aws.Int32(2), aws.String("notBreaching"), types.StandardUnitCount
		in.EvaluationPeriods, in.Statistic, in.ExtendedStatistic, in.EvaluateLowSampleCountPercentile = aws.Int32(3), "", aws.String("p99.9"), aws.String("evaluate")
		in.AlarmActions, in.OKActions, in.InsufficientDataActions = []string{topic}, []string{topic}, []string{topic}
		in.Dimensions = []types.Dimension{{Name: aws.String("Queue"), Value: aws.String("orders")}, {Name: aws.String("A"), Value: aws.String("b")}}
		in.Tags = []types.Tag{{Key: aws.String("team"), Value: aws.String("web")}}
	})
	must(h, h.client.PutMetricAlarm, in)
	got := must(h, h.client.DescribeAlarms, &client.DescribeAlarmsInput{AlarmNamePrefix: aws.String("fu")}).MetricAlarms[0]
	want := types.MetricAlarm{
		AlarmName: in.AlarmName, AlarmArn: aws.String("arn:aws:cloudwatch:us-east-1:000000000000:alarm:full"), ActionsEnabled: in.ActionsEnabled, AlarmDescription: in.AlarmDescription, DatapointsToAlarm: in.DatapointsToAlarm,
		TreatMissingData: in.TreatMissingData, Unit: in.Unit, EvaluationPeriods: in.EvaluationPeriods, ExtendedStatistic: in.ExtendedStatistic, EvaluateLowSampleCountPercentile: in.EvaluateLowSampleCountPercentile,
		AlarmActions: in.AlarmActions, OKActions: in.OKActions, InsufficientDataActions: in.InsufficientDataActions, Dimensions: in.Dimensions, Threshold: in.Threshold, ComparisonOperator: in.ComparisonOperator,
		Namespace: in.Namespace, MetricName: in.MetricName, Period: in.Period, Metrics: []types.MetricDataQuery{}, StateValue: types.StateValueInsufficientData, StateReason: aws.String("Unchecked: Initial alarm creation"),
		AlarmConfigurationUpdatedTimestamp: aws.Time(noon), StateUpdatedTimestamp: aws.Time(noon), StateTransitionedTimestamp: aws.Time(noon),
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(types.MetricAlarm{}, types.Dimension{})); diff != "" {
		t.Errorf("alarm (-want +got):\n%s", diff)
	}
	arn := got.AlarmArn
	must(h, h.client.TagResource, &client.TagResourceInput{ResourceARN: arn, Tags: []types.Tag{{Key: aws.String("stage"), Value: aws.String("lab")}}})
	must(h, h.client.UntagResource, &client.UntagResourceInput{ResourceARN: arn, TagKeys: []string{"team"}})
	if tags := must(h, h.client.ListTagsForResource, &client.ListTagsForResourceInput{ResourceARN: arn}).Tags; len(tags) != 1 || *tags[0].Key != "stage" {
		t.Errorf("tags %+v", tags)
	}
	refused(h, h.client.ListTagsForResource, &client.ListTagsForResourceInput{ResourceARN: aws.String("arn:aws:cloudwatch:us-east-1:000000000000:alarm:none")}, "ResourceNotFoundException", "none")
	for name, n := range map[string]int{"Depth": 1, "Other": 0} {
		if got := must(h, h.client.DescribeAlarmsForMetric, &client.DescribeAlarmsForMetricInput{Namespace: aws.String("Shop"), MetricName: &name, Dimensions: in.Dimensions}).MetricAlarms; len(got) != n {
			t.Errorf("%d alarms for %s, want %d", len(got), name, n)
		}
	}
	must(h, h.client.DeleteAlarms, &client.DeleteAlarmsInput{AlarmNames: []string{"full", "gone"}})
	if got := must(h, h.client.DescribeAlarms, &client.DescribeAlarmsInput{}).MetricAlarms; len(got) != 0 {
		t.Errorf("alarms %+v after their deletion", got)
	}
}

func TestAlarmsAreChecked(t *testing.T) {
	h := newHarness(t)
	for _, c := range []struct {
		change     func(*client.PutMetricAlarmInput)
		code, part string
	}{
		{func(in *client.PutMetricAlarmInput) { in.Period = aws.Int32(45) }, "ValidationError", "multiple of 60"},
		{func(in *client.PutMetricAlarmInput) { in.Statistic = "" }, "MissingParameter", "Statistic"},
		{func(in *client.PutMetricAlarmInput) { in.ExtendedStatistic = aws.String("p90") }, "InvalidParameterCombination", "mutually exclusive"},
		{func(in *client.PutMetricAlarmInput) { in.Statistic, in.ExtendedStatistic = "", aws.String("tm90") }, "InvalidParameterValue", "tm90"},
		{func(in *client.PutMetricAlarmInput) { in.Threshold = nil }, "MissingParameter", "Threshold"},
		{func(in *client.PutMetricAlarmInput) { in.DatapointsToAlarm = aws.Int32(2) }, "ValidationError", "DatapointsToAlarm"},
		{func(in *client.PutMetricAlarmInput) { in.TreatMissingData = aws.String("guess") }, "ValidationError", "guess"},
		{func(in *client.PutMetricAlarmInput) { in.EvaluationPeriods = aws.Int32(2000) }, "ValidationError", "more than a day"},
		{func(in *client.PutMetricAlarmInput) { in.EvaluationPeriods = aws.Int32(200) }, "ValidationError", "not supported"},
		{func(in *client.PutMetricAlarmInput) {
			in.ComparisonOperator, in.ThresholdMetricId = types.ComparisonOperatorGreaterThanUpperThreshold, aws.String("t")
		}, "ValidationError", "Anomaly detection is not supported"},
		{func(in *client.PutMetricAlarmInput) {
			in.AlarmActions = []string{"arn:aws:automate:us-east-1:ec2:stop"}
		}, "ValidationError", "not supported"},
		{func(in *client.PutMetricAlarmInput) {
			in.AlarmActions = []string{"arn:aws:swf:us-east-1:000000000000:action/actions/AWS_EC2.InstanceId.Stop/1.0"}
		}, "ValidationError", "not supported"},
		{func(in *client.PutMetricAlarmInput) { in.AlarmActions = []string{"shout"} }, "ValidationError", "Invalid arn syntax"},
		{func(in *client.PutMetricAlarmInput) {
			in.AlarmActions = []string{"arn:aws:sns:eu-west-1:000000000000:x"}
		}, "ValidationError", "Invalid region"},
		{func(in *client.PutMetricAlarmInput) {
			in.Metrics = []types.MetricDataQuery{{Id: aws.String("e1"), Expression: aws.String("1")}}
		}, "InvalidParameterCombination", "mutually exclusive"},
		{func(in *client.PutMetricAlarmInput) { in.EvaluateLowSampleCountPercentile = aws.String("ignore") }, "InvalidParameterCombination", "percentile"},
		{func(in *client.PutMetricAlarmInput) { in.Threshold = aws.Float64(math.Inf(1)) }, "InvalidParameterValue", "Threshold"},
	} {
		refused(h, h.client.PutMetricAlarm, alarm("a", c.change), c.code, c.part)
	}
	math := func(expression string, returned int) *client.PutMetricAlarmInput {
		in := &client.PutMetricAlarmInput{AlarmName: aws.String("a"), EvaluationPeriods: aws.Int32(1), Threshold: aws.Float64(1), ComparisonOperator: types.ComparisonOperatorLessThanThreshold}
		in.Metrics = []types.MetricDataQuery{
			{Id: aws.String("m1"), ReturnData: aws.Bool(returned > 1), MetricStat: &types.MetricStat{Metric: &types.Metric{Namespace: aws.String("Shop"), MetricName: aws.String("Depth")}, Period: aws.Int32(60), Stat: aws.String("Sum")}},
			{Id: aws.String("e1"), ReturnData: aws.Bool(returned > 0), Expression: &expression},
		}
		return in
	}
	refused(h, h.client.PutMetricAlarm, math("m1", 0), "ValidationError", "Exactly one element")
	refused(h, h.client.PutMetricAlarm, math("m1", 2), "ValidationError", "Exactly one element")
	refused(h, h.client.PutMetricAlarm, math("m1 /", 1), "ValidationError", "ends too early")
	refused(h, h.client.PutMetricAlarm, math("METRICS()", 1), "ValidationError", "not one time series")
	refused(h, h.client.SetAlarmState, &client.SetAlarmStateInput{AlarmName: aws.String("a"), StateValue: types.StateValueOk, StateReason: aws.String("r")}, "ResourceNotFound", "a")
	if got := must(h, h.client.DescribeAlarms, &client.DescribeAlarmsInput{}).MetricAlarms; len(got) != 0 {
		t.Errorf("refused alarms exist: %+v", got)
	}
}

func TestCompositeAlarms(t *testing.T) {
	h := newHarness(t)
	for _, name := range []string{"a", "b"} {
		must(h, h.client.PutMetricAlarm, alarm(name, func(in *client.PutMetricAlarmInput) { in.MetricName = aws.String(name) }))
	}
	put := func(name, rule string) *client.PutCompositeAlarmInput {
		return &client.PutCompositeAlarmInput{AlarmName: &name, AlarmRule: &rule, AlarmActions: []string{topic}}
	}
	must(h, h.client.PutCompositeAlarm, put("both", `ALARM(a) AND (ALARM("b") OR FALSE) AND NOT OK(a)`))
	must(h, h.client.PutCompositeAlarm, put("over", `ALARM("arn:aws:cloudwatch:us-east-1:000000000000:alarm:both")`))
	for rule, part := range map[string]string{
		"ALARM(c)": "do not exist", "ALARM(a) AND": "ends too early", "ALARM a": "followed by the name", "RED(a)": "unexpected RED", "(OK(a)": "closing bracket", "OK(a) OK(b)": "unexpected OK",
		strings.Repeat("(", 200): "nested deeper", "ALARM(over)": "depends on itself",
	} {
		refused(h, h.client.PutCompositeAlarm, put("both", rule), "ValidationError", part)
	}
	suppressed := put("s", "ALARM(a)")
	suppressed.ActionsSuppressor, suppressed.ActionsSuppressorWaitPeriod, suppressed.ActionsSuppressorExtensionPeriod = aws.String("b"), aws.Int32(1), aws.Int32(1)
	refused(h, h.client.PutCompositeAlarm, suppressed, "ValidationError", "ActionsSuppressor is not supported")
	h.publish("a", 20)
	h.pass(time.Minute)
	h.publish("a", 20)
	h.publish("b", 20)
	h.pass(time.Minute)
	got := must(h, h.client.DescribeAlarms, &client.DescribeAlarmsInput{AlarmTypes: []types.AlarmType{types.AlarmTypeCompositeAlarm}}).CompositeAlarms
	if len(got) != 2 || got[0].StateValue != types.StateValueAlarm || got[1].StateValue != types.StateValueAlarm || len(h.notified) != 2 {
		t.Errorf("%d notifications, composite alarms %+v", len(h.notified), got)
	}
	if children := must(h, h.client.DescribeAlarms, &client.DescribeAlarmsInput{ChildrenOfAlarmName: aws.String("both")}).MetricAlarms; len(children) != 2 {
		t.Errorf("children %+v", children)
	}
	refused(h, h.client.DeleteAlarms, &client.DeleteAlarmsInput{AlarmNames: []string{"a"}}, "ValidationError", "both depends on it")
	must(h, h.client.DeleteAlarms, &client.DeleteAlarmsInput{AlarmNames: []string{"a", "both", "over"}})
}

func TestDashboards(t *testing.T) {
	h := newHarness(t)
	body := `{"widgets": [ {"type":"text","x":0,"y":7,"width":3,"height":3,"properties":{"markdown":"Hello"}} ] }`
	put := func(name, body string) *client.PutDashboardInput {
		return &client.PutDashboardInput{DashboardName: &name, DashboardBody: &body}
	}
	must(h, h.client.PutDashboard, put("shop", body))
	got := must(h, h.client.GetDashboard, &client.GetDashboardInput{DashboardName: aws.String("shop")})
	if *got.DashboardBody != body || *got.DashboardArn != "arn:aws:cloudwatch::000000000000:dashboard/shop" {
		t.Errorf("dashboard %+v", got)
	}
	for bad, part := range map[string]string{"{": "valid JSON", "{}": "widgets is required", `{"widgets":[{"type":"pie","properties":{}}]}`: "not a type", `{"widgets":[{"type":"text"}]}`: "properties is required",
		`{"widgets":[{"type":"text","width":25,"properties":{}}]}`: "/widgets/0/width"} {
		refused(h, h.client.PutDashboard, put("shop", bad), "InvalidParameterInput", part)
	}
	refused(h, h.client.PutDashboard, put("no spaces", body), "InvalidParameterInput", "DashboardName")
	if list := must(h, h.client.ListDashboards, &client.ListDashboardsInput{DashboardNamePrefix: aws.String("sh")}).DashboardEntries; len(list) != 1 || *list[0].Size != int64(len(body)) {
		t.Errorf("dashboards %+v", list)
	}
	must(h, h.client.DeleteDashboards, &client.DeleteDashboardsInput{DashboardNames: []string{"shop"}})
	refused(h, h.client.GetDashboard, &client.GetDashboardInput{DashboardName: aws.String("shop")}, "ResourceNotFound", "does not exist")
}

func FuzzRule(f *testing.F) {
	h := newHarness(f)
	for _, seed := range []string{"ALARM(a) AND NOT OK(\"b\")", "(TRUE OR FALSE)", "NOT NOT INSUFFICIENT_DATA(x)", "ALARM(", `ALARM("\"")`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, rule string) {
		_, err := h.service.PutCompositeAlarm(t.Context(), &api.PutCompositeAlarmInput{AlarmName: aws.String("c"), AlarmRule: &rule})
		if _, ok := errors.AsType[*wire.Error](err); err != nil && !ok {
			t.Errorf("%q: %v is not an error of the API", rule, err)
		}
		if err := h.service.Evaluate(); err != nil {
			t.Errorf("%q: %v", rule, err)
		}
	})
}
