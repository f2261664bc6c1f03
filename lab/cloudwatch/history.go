package cloudwatch

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	api "storefront/lab/api/cloudwatch"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// history is one item of the history of alarms; it outlives its alarm.
type history struct {
	Alarm, Kind   string
	At            time.Time
	Item, Summary string
	Data          string
}

// historyKept and maxHistory bound the history.
const (
	historyKept = 30 * 24 * time.Hour
	maxHistory  = 10_000
)

// note adds an item to the history of an alarm. data is made JSON.
func (s *Service) note(tx *state.Tx, a alarm, item, summary string, data map[string]any) error {
	if data == nil {
		data = map[string]any{}
	}
	data["version"] = "1.0"
	if item == api.HistoryItemTypeConfigurationUpdate {
		data["type"] = "Update"
	}
	text, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("history of alarm %s: %w", a.Name, err)
	}
	number, err := tx.Sequence("cloudwatch.history")
	if err != nil {
		return err
	}
	return histories.Put(tx, fmt.Sprintf("%016x", number), history{Alarm: a.Name, Kind: a.kind(), At: s.now(), Item: item, Summary: shortened(summary, 255), Data: shortened(string(text), 4095)})
}

func shortened(text string, most int) string {
	if len(text) > most {
		return text[:most]
	}
	return text
}

// expireHistory forgets what is old.
func (s *Service) expireHistory() error {
	old := s.now().Add(-historyKept)
	return s.Store.Update(func(tx *state.Tx) error {
		return trim(tx, histories, maxHistory, func(h history) bool { return h.At.Before(old) })
	})
}

// DescribeAlarmHistory implements the operation of that name.
func (s *Service) DescribeAlarmHistory(_ context.Context, in *api.DescribeAlarmHistoryInput) (*api.DescribeAlarmHistoryOutput, error) {
	kinds := in.AlarmTypes
	if len(kinds) == 0 {
		kinds = []string{api.AlarmTypeMetricAlarm}
	}
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeAlarmHistoryOutput) (err error) {
		items := []api.AlarmHistoryItem{}
		for _, h := range histories.All(tx) {
			if in.AlarmName != nil && *in.AlarmName != h.Alarm || in.HistoryItemType != nil && *in.HistoryItemType != h.Item || !slices.Contains(kinds, h.Kind) ||
				in.StartDate != nil && h.At.Before(*in.StartDate) || in.EndDate != nil && h.At.After(*in.EndDate) {
				continue
			}
			items = append(items, api.AlarmHistoryItem{AlarmName: new(h.Alarm), AlarmType: new(h.Kind), Timestamp: new(h.At), HistoryItemType: new(h.Item),
				HistorySummary: new(h.Summary), HistoryData: new(h.Data)})
		}
		if wire.Or(in.ScanBy, api.ScanByTimestampDescending) == api.ScanByTimestampDescending {
			slices.Reverse(items)
		}
		out.AlarmHistoryItems, out.NextToken, err = page(items, in.NextToken, wire.Or(in.MaxRecords, 100))
		return err
	})
}
