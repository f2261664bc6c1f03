package logs

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	api "storefront/lab/api/logs"
	"storefront/lab/state"
)

// Bounds of an event's time, from the API reference of PutLogEvents.
const (
	tooOld = 14 * 24 * time.Hour
	tooNew = 2 * time.Hour
)

// Bounds of a batch of events, from the same page: bytes and the time between the first and the last.
const (
	maxBatch  = 1 << 20
	maxEvent  = 1 << 18
	overhead  = 26 // bytes that AWS counts besides each message
	batchSpan = 24 * time.Hour
)

func checkBatch(batch []api.InputLogEvent) error {
	size := 0
	for _, e := range batch {
		if n := len(*e.Message) + overhead; n > maxEvent {
			return invalid("Log event too large: %d bytes exceeds limit of %d", n, maxEvent)
		}
		size += len(*e.Message) + overhead
	}
	first, last := *batch[0].Timestamp, *batch[len(batch)-1].Timestamp
	switch {
	case size > maxBatch:
		return invalid("Upload too large: %d bytes exceeds limit of %d", size, maxBatch)
	case !slices.IsSortedFunc(batch, func(a, b api.InputLogEvent) int { return cmp.Compare(*a.Timestamp, *b.Timestamp) }):
		return invalid("Log events in a single PutLogEvents request must be in chronological order.")
	case last-first > batchSpan.Milliseconds():
		return invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours.")
	}
	return nil
}

// PutLogEvents implements the operation of that name. Metric filters have seen the events when it answers.
func (s *Service) PutLogEvents(ctx context.Context, in *api.PutLogEventsInput) (*api.PutLogEventsOutput, error) {
	if err := checkBatch(in.LogEvents); err != nil {
		return nil, err
	}
	out := &api.PutLogEventsOutput{NextSequenceToken: new("0")}
	var watching []filter
	var arrived []event
	err := s.store.Update(func(tx *state.Tx) error {
		arrived = nil
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
		watching = filtersOf(tx, g.Name)
		now := s.millis()
		for i, e := range in.LogEvents {
			switch t := *e.Timestamp; {
			case t < now-tooOld.Milliseconds():
				rejected(out).TooOldLogEventEndIndex = new(int64(i + 1))
			case s.expired(g, t):
				rejected(out).ExpiredLogEventEndIndex = new(int64(i + 1))
			case t > now+tooNew.Milliseconds():
				if rejected(out).TooNewLogEventStartIndex == nil {
					out.RejectedLogEventsInfo.TooNewLogEventStartIndex = new(int64(i))
				}
			default:
				st.take(t, now, len(*e.Message))
				taken := event{Time: t, Ingested: now, Message: *e.Message}
				if err := events.Put(tx, eventKey(key, t, st.Next), taken); err != nil {
					return err
				}
				arrived = append(arrived, taken)
			}
		}
		return streams.Put(tx, key, st)
	})
	if err != nil {
		return nil, err
	}
	s.measure(ctx, watching, arrived)
	return out, nil
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
	st.Bytes += int64(size) + overhead
	st.Next++
}

// eventKey orders events by stream, then time, then arrival.
func eventKey(stream string, t, number int64) string {
	return fmt.Sprintf("%s\x00%016x\x00%016x", stream, t, number)
}

// visible applies the group's retention and the request's time range.
func (s *Service) visible(g group, e event, start, end *int64) bool {
	return !s.expired(g, e.Time) && (start == nil || e.Time >= *start) && (end == nil || e.Time < *end)
}

// expired reports whether the group's retention no longer keeps events of that time.
func (s *Service) expired(g group, t int64) bool {
	return g.Retention > 0 && t < s.now().AddDate(0, 0, -int(g.Retention)).UnixMilli()
}

// Expire deletes the events that their groups' retention no longer keeps. The daemon calls it now and then.
func (s *Service) Expire() error {
	return s.store.Update(func(tx *state.Tx) error {
		var gone []string
		for name, g := range groups.All(tx) {
			for key, e := range events.WithPrefix(tx, name+"\x00") {
				if s.expired(g, e.Time) {
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
