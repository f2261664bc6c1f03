package logs

import (
	"context"
	"slices"
	"strings"

	api "storefront/lab/api/logs"
	"storefront/lab/logs/pattern"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// FilterLogEvents implements the operation of that name: events of all streams, by their time.
func (s *Service) FilterLogEvents(_ context.Context, in *api.FilterLogEventsInput) (*api.FilterLogEventsOutput, error) {
	wanted, err := pattern.Parse(wire.Value(in.FilterPattern))
	if err != nil {
		return nil, invalid("%v", err)
	}
	out := &api.FilterLogEventsOutput{SearchedLogStreams: []api.SearchedLogStream{}}
	return out, s.store.View(func(tx *state.Tx) error {
		g, err := s.find(tx, in.LogGroupName, in.LogGroupIdentifier)
		if err != nil {
			return err
		}
		limit := int64(10_000)
		if in.Limit != nil {
			limit = *in.Limit
		}
		var found []api.FilteredLogEvent
		for key, e := range events.WithPrefix(tx, g.Name+"\x00"+wire.Value(in.LogStreamNamePrefix)) {
			parts := strings.Split(key, "\x00") // group, stream, time, number
			if len(in.LogStreamNames) > 0 && !slices.Contains(in.LogStreamNames, parts[1]) || !s.visible(g, e, in.StartTime, in.EndTime) || !wanted.Match(&pattern.Message{Text: e.Message}) {
				continue
			}
			found = append(found, api.FilteredLogEvent{EventId: new(parts[2] + "." + parts[3] + "." + parts[1]), LogStreamName: new(parts[1]), Timestamp: new(e.Time), IngestionTime: new(e.Ingested), Message: new(e.Message)})
		}
		slices.SortFunc(found, func(a, b api.FilteredLogEvent) int { return strings.Compare(*a.EventId, *b.EventId) })
		byID := func(yield func(string, api.FilteredLogEvent) bool) {
			for _, e := range found {
				if !yield(*e.EventId, e) {
					return
				}
			}
		}
		out.Events, out.NextToken = state.Page(byID, wire.Value(in.NextToken), limit)
		return nil
	})
}
