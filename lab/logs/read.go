package logs

import (
	"context"
	"slices"
	"strings"

	api "storefront/lab/api/logs"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// GetLogEvents implements the operation of that name. Tokens are positions in the stream.
func (s *Service) GetLogEvents(_ context.Context, in *api.GetLogEventsInput) (*api.GetLogEventsOutput, error) {
	limit := 10_000
	if in.Limit != nil {
		limit = int(*in.Limit)
	}
	out := &api.GetLogEventsOutput{Events: []api.OutputLogEvent{}}
	return out, s.store.View(func(tx *state.Tx) error {
		g, err := s.find(tx, in.LogGroupName, in.LogGroupIdentifier)
		if err != nil {
			return err
		}
		key := g.Name + "\x00" + *in.LogStreamName
		if _, ok, err := streams.Get(tx, key); err != nil {
			return err
		} else if !ok {
			return notFound("log stream")
		}
		var all []position
		for at, e := range events.WithPrefix(tx, key+"\x00") {
			if s.visible(g, e, in.StartTime, in.EndTime) {
				all = append(all, position{strings.ReplaceAll(at[len(key)+1:], "\x00", "."), e})
			}
		}
		page, err := turn(all, limit, wire.Value(in.NextToken), wire.Value(in.StartFromHead))
		if err != nil {
			return err
		}
		for _, p := range page.events {
			out.Events = append(out.Events, api.OutputLogEvent{Timestamp: new(p.Time), IngestionTime: new(p.Ingested), Message: new(p.Message)})
		}
		out.NextForwardToken, out.NextBackwardToken = new("f/"+page.last), new("b/"+page.first)
		return nil
	})
}

// position is an event with its place in its stream, in the order of the events.
type position struct {
	at string
	event
}

// page is what one call of GetLogEvents shows, and the places of its ends.
type page struct {
	events      []position
	first, last string
}

// turn takes the page after ("f/<place>") or before ("b/<place>") a place, or without a token that at the head or the end. Where nothing is left
// the token stays as it is, which tells clients to stop. Tokens name places and not numbers, so that they outlive the events that expire.
func turn(all []position, limit int, token string, fromHead bool) (page, error) {
	direction, at, _ := strings.Cut(token, "/")
	i, after := slices.BinarySearchFunc(all, at, func(p position, at string) int { return strings.Compare(p.at, at) })
	var events []position
	switch {
	case token == "" && fromHead:
		events = all[:min(limit, len(all))]
	case token == "":
		events = all[max(0, len(all)-limit):]
	case direction == "f":
		if after {
			i++
		}
		events = all[i:min(i+limit, len(all))]
	case direction == "b":
		events = all[max(0, i-limit):i]
	default:
		return page{}, invalid("The specified nextToken is invalid.")
	}
	if len(events) == 0 {
		return page{first: at, last: at}, nil
	}
	return page{events, events[0].at, events[len(events)-1].at}, nil
}
