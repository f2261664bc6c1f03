package cloudwatch

import (
	"encoding/json"
	"fmt"
	"strings"

	api "storefront/lab/api/cloudwatch"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// isPolicy reports whether an action is a policy of an Auto Scaling group; the others are topics.
func isPolicy(arn string) bool { return strings.HasPrefix(arn, "arn:aws:autoscaling:") }

// act takes an action and notes how it went.
func (s *Service) act(tx *state.Tx, a alarm, arn, old string, v verdict) error {
	var failure error
	switch {
	case isPolicy(arn) && a.Metric == nil:
		failure = fmt.Errorf("composite alarms do not scale")
	case isPolicy(arn):
		failure = s.Scale(tx, arn, a.Name, v.value, *a.Metric.Threshold)
	default:
		message, err := s.message(a, old)
		if err != nil {
			return err
		}
		subject := fmt.Sprintf(`%s: "%s" in %s`, a.State, a.Name, place(s.Region.Name))
		failure = s.Notify(tx, Notification{Topic: arn, Subject: shortened(subject, 100), Message: message, Alarm: a.ARN})
	}
	data := map[string]any{"actionState": "Succeeded", "notificationResource": arn, "stateUpdateTimestamp": a.StateUpdated.UnixMilli()}
	summary := "Successfully executed action " + arn
	if failure != nil {
		summary = fmt.Sprintf("Failed to execute action %s. Received error: %q", arn, failure)
		data["actionState"], data["error"] = "Failed", failure.Error()
		s.Log.Warn("alarm action failed", "alarm", a.Name, "action", arn, "error", failure)
	}
	return s.note(tx, a, api.HistoryItemTypeAction, summary, data)
}

// place is a region's name for people.
func place(region string) string {
	if region == "us-east-1" {
		return "US East (N. Virginia)"
	}
	return region
}

// message is the JSON document that CloudWatch sends to topics. Members stand in CloudWatch's order.
func (s *Service) message(a alarm, old string) (string, error) {
	const layout = "2006-01-02T15:04:05.000+0000"
	m := notice{
		AlarmName: a.Name, AWSAccountID: s.Region.Account, AlarmConfigurationUpdatedTimestamp: a.Updated.Format(layout), NewStateValue: a.State, NewStateReason: a.Reason,
		StateChangeTime: a.StateUpdated.Format(layout), Region: place(s.Region.Name), AlarmArn: a.ARN, OldStateValue: old,
		OKActions: list(a.actions(api.StateValueOk)), AlarmActions: list(a.actions(api.StateValueAlarm)), InsufficientDataActions: list(a.actions(api.StateValueInsufficientData)),
	}
	if c := a.Composite; c != nil {
		m.AlarmDescription, m.AlarmRule = c.AlarmDescription, *c.AlarmRule
	} else {
		m.AlarmDescription, m.Trigger = a.Metric.AlarmDescription, triggerOf(a)
	}
	text, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("message of alarm %s: %w", a.Name, err)
	}
	return string(text), nil
}

func list(actions []string) []string { return append([]string{}, actions...) }

type notice struct {
	AlarmName                          string
	AlarmDescription                   *string
	AWSAccountID                       string `json:"AWSAccountId"`
	AlarmConfigurationUpdatedTimestamp string
	NewStateValue                      string
	NewStateReason                     string
	StateChangeTime                    string
	Region                             string
	AlarmArn                           string
	OldStateValue                      string
	OKActions                          []string
	AlarmActions                       []string
	InsufficientDataActions            []string
	AlarmRule                          string   `json:",omitempty"`
	Trigger                            *trigger `json:",omitempty"`
}

type trigger struct {
	MetricName                       string    `json:",omitempty"`
	Namespace                        string    `json:",omitempty"`
	StatisticType                    string    `json:",omitempty"`
	Statistic                        string    `json:",omitempty"`
	ExtendedStatistic                string    `json:",omitempty"`
	Unit                             *string   `json:",omitempty"`
	Dimensions                       []noticed `json:",omitempty"`
	Period                           int64
	EvaluationPeriods                int64
	DatapointsToAlarm                *int64 `json:",omitempty"`
	ComparisonOperator               string
	Threshold                        float64
	TreatMissingData                 string
	EvaluateLowSampleCountPercentile string
	Metrics                          []noticedQuery `json:",omitempty"`
}

type noticed struct {
	Value string `json:"value"`
	Name  string `json:"name"`
}

type noticedQuery struct {
	ID         string         `json:"Id"`
	Expression string         `json:",omitempty"`
	MetricStat map[string]any `json:",omitempty"`
	Label      *string        `json:",omitempty"`
	ReturnData bool
}

func triggerOf(a alarm) *trigger {
	in := a.Metric
	t := &trigger{
		EvaluationPeriods: *in.EvaluationPeriods, DatapointsToAlarm: in.DatapointsToAlarm, ComparisonOperator: *in.ComparisonOperator, Threshold: *in.Threshold,
		TreatMissingData: wire.Value(in.TreatMissingData), EvaluateLowSampleCountPercentile: wire.Value(in.EvaluateLowSampleCountPercentile),
	}
	if len(in.Metrics) == 0 {
		t.MetricName, t.Namespace, t.Unit, t.Period, t.Dimensions = *in.MetricName, *in.Namespace, in.Unit, *in.Period, noticedDimensions(in.Dimensions)
		if in.Statistic != nil {
			t.StatisticType, t.Statistic = "Statistic", strings.ToUpper(*in.Statistic)
		} else {
			t.StatisticType, t.ExtendedStatistic = "ExtendedStatistic", *in.ExtendedStatistic
		}
		return t
	}
	for _, q := range in.Metrics {
		n := noticedQuery{ID: *q.Id, Expression: wire.Value(q.Expression), Label: q.Label, ReturnData: wire.Or(q.ReturnData, true)}
		if stat := q.MetricStat; stat != nil {
			t.Period = *stat.Period
			n.MetricStat = map[string]any{"Metric": map[string]any{"Dimensions": noticedDimensions(stat.Metric.Dimensions), "MetricName": *stat.Metric.MetricName,
				"Namespace": *stat.Metric.Namespace}, "Period": *stat.Period, "Stat": *stat.Stat}
		}
		t.Metrics = append(t.Metrics, n)
	}
	return t
}

func noticedDimensions(dimensions []api.Dimension) []noticed {
	out := []noticed{}
	for _, d := range dimensions {
		out = append(out, noticed{Value: *d.Value, Name: *d.Name})
	}
	return out
}
