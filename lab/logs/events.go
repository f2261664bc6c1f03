package logs

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	api "storefront/lab/api/logs"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Bounds of an event's time, from the API reference of PutLogEvents.
const (
	tooOld = 14 * 24 * time.Hour
	tooNew = 2 * time.Hour
)

// PutLogEvents implements the operation of that name.
func (s *Service) PutLogEvents(_ context.Context, in *api.PutLogEventsInput) (*api.PutLogEventsOutput, error) {
	if !slices.IsSortedFunc(in.LogEvents, func(a, b api.InputLogEvent) int { return int(*a.Timestamp - *b.Timestamp) }) {
		return nil, invalid("Log events in a single PutLogEvents request must be in chronological order.")
	}
	out := &api.PutLogEventsOutput{NextSequenceToken: new("0")}
	return out, s.store.Update(func(tx *state.Tx) error {
		g, err := s.find(tx, in.LogGroupName, nil)
		if err != nil {
			return err
		}
		key := g.Name + "\x00" + *in.LogStreamName
		st, ok, err := streams.Get(tx, key)
		if err != nil {
			return err
		}
		if !ok {
			return notFound("log stream")
		}
		now := s.millis()
		for i, e := range in.LogEvents {
			switch t := *e.Timestamp; {
			case t < now-tooOld.Milliseconds():
				rejected(out).TooOldLogEventEndIndex = new(int64(i + 1))
			case t > now+tooNew.Milliseconds():
				if rejected(out).TooNewLogEventStartIndex == nil {
					out.RejectedLogEventsInfo.TooNewLogEventStartIndex = new(int64(i))
				}
			default:
				st.take(t, now, len(*e.Message))
				if err := events.Put(tx, eventKey(key, t, st.Next), event{Time: t, Ingested: now, Message: *e.Message}); err != nil {
					return err
				}
			}
		}
		return streams.Put(tx, key, st)
	})
}

func rejected(out *api.PutLogEventsOutput) *api.RejectedLogEventsInfo {
	if out.RejectedLogEventsInfo == nil {
		out.RejectedLogEventsInfo = &api.RejectedLogEventsInfo{}
	}
	return out.RejectedLogEventsInfo
}

func (st *stream) take(t, now int64, size int) {
	if st.Ingested == 0 || t < st.First {
		st.First = t
	}
	st.Last, st.Ingested = max(st.Last, t), now
	st.Bytes += int64(size) + 26 // AWS counts 26 bytes of overhead an event
	st.Next++
}

func eventKey(stream string, t, number int64) string {
	return fmt.Sprintf("%s\x00%016x\x00%016x", stream, t, number)
}

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
		var all []event
		for _, e := range events.WithPrefix(tx, key+"\x00") {
			if s.visible(g, e, in.StartTime, in.EndTime) {
				all = append(all, e)
			}
		}
		from, to, err := window(len(all), limit, wire.Value(in.NextToken), wire.Value(in.StartFromHead))
		if err != nil {
			return err
		}
		for _, e := range all[from:to] {
			out.Events = append(out.Events, api.OutputLogEvent{Timestamp: new(e.Time), IngestionTime: new(e.Ingested), Message: new(e.Message)})
		}
		out.NextForwardToken, out.NextBackwardToken = new(fmt.Sprintf("f/%d", to)), new(fmt.Sprintf("b/%d", from))
		return nil
	})
}

// window says which of n events a page shows.
func window(n, limit int, token string, fromHead bool) (from, to int, err error) {
	direction, position, _ := strings.Cut(token, "/")
	at, convErr := strconv.Atoi(position)
	switch {
	case token == "" && fromHead:
		return 0, min(limit, n), nil
	case token == "":
		return max(0, n-limit), n, nil
	case convErr != nil || at < 0:
	case direction == "f":
		at = min(at, n)
		return at, min(at+limit, n), nil
	case direction == "b":
		at = min(at, n)
		return max(0, at-limit), at, nil
	}
	return 0, 0, invalid("The specified nextToken is invalid.")
}

// visible applies the group's retention and the request's time range.
func (s *Service) visible(g group, e event, start, end *int64) bool {
	if g.Retention > 0 && e.Time < s.now().AddDate(0, 0, -int(g.Retention)).UnixMilli() {
		return false
	}
	return (start == nil || e.Time >= *start) && (end == nil || e.Time < *end)
}

// FilterLogEvents implements the operation of that name. A filter pattern may be plain words, all of which must occur, or one quoted phrase.
func (s *Service) FilterLogEvents(_ context.Context, in *api.FilterLogEventsInput) (*api.FilterLogEventsOutput, error) {
	words, err := parsePattern(wire.Value(in.FilterPattern))
	if err != nil {
		return nil, err
	}
	out := &api.FilterLogEventsOutput{Events: []api.FilteredLogEvent{}, SearchedLogStreams: []api.SearchedLogStream{}}
	return out, s.store.View(func(tx *state.Tx) error {
		g, err := s.find(tx, in.LogGroupName, in.LogGroupIdentifier)
		if err != nil {
			return err
		}
		limit := int64(10_000)
		if in.Limit != nil {
			limit = *in.Limit
		}
		matching := func(yield func(string, api.FilteredLogEvent) bool) {
			for key, e := range events.WithPrefix(tx, g.Name+"\x00"+wire.Value(in.LogStreamNamePrefix)) {
				name := strings.Split(key, "\x00")[1]
				if len(in.LogStreamNames) > 0 && !slices.Contains(in.LogStreamNames, name) || !s.visible(g, e, in.StartTime, in.EndTime) || !containsAll(e.Message, words) {
					continue
				}
				if !yield(key, api.FilteredLogEvent{EventId: new(strings.ReplaceAll(key, "\x00", ":")), LogStreamName: new(name), Timestamp: new(e.Time), IngestionTime: new(e.Ingested), Message: new(e.Message)}) {
					return
				}
			}
		}
		out.Events, out.NextToken = state.Page(matching, strings.ReplaceAll(wire.Value(in.NextToken), ":", "\x00"), limit)
		if out.NextToken != nil {
			out.NextToken = new(strings.ReplaceAll(*out.NextToken, "\x00", ":"))
		}
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

// Expire deletes the events that their groups' retention no longer keeps. The daemon calls it now and then.
func (s *Service) Expire() error {
	return s.store.Update(func(tx *state.Tx) error {
		var gone []string
		for name, g := range groups.All(tx) {
			for key, e := range events.WithPrefix(tx, name+"\x00") {
				if !s.visible(g, e, nil, nil) {
					gone = append(gone, key)
				}
			}
		}
		for _, key := range gone {
			if err := events.Delete(tx, key); err != nil {
				return err
			}
		}
		return nil
	})
}
