package logs

import (
	"context"
	"slices"
	"strings"

	api "storefront/lab/api/logs"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// FilterLogEvents implements the operation of that name: events of all streams, by their time. A filter pattern may be plain words, all of which must occur, or one quoted phrase.
func (s *Service) FilterLogEvents(_ context.Context, in *api.FilterLogEventsInput) (*api.FilterLogEventsOutput, error) {
	words, err := parsePattern(wire.Value(in.FilterPattern))
	if err != nil {
		return nil, err
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
			if len(in.LogStreamNames) > 0 && !slices.Contains(in.LogStreamNames, parts[1]) || !s.visible(g, e, in.StartTime, in.EndTime) || !containsAll(e.Message, words) {
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

func parsePattern(pattern string) ([]string, error) {
	pattern = strings.TrimSpace(pattern)
	if phrase, quoted := strings.CutPrefix(pattern, `"`); quoted && strings.HasSuffix(phrase, `"`) && strings.Count(pattern, `"`) == 2 {
		return []string{strings.TrimSuffix(phrase, `"`)}, nil
	}
	if strings.ContainsAny(pattern, `{}[]"?%`) {
		return nil, invalid("Invalid filter pattern: the lab serves plain words and one quoted phrase.")
	}
	return strings.Fields(pattern), nil
}

func containsAll(text string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}
