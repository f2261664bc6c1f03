package elasticache

import (
	"context"
	"fmt"
	"time"

	api "storefront/lab/api/elasticache"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// event is something that happened.
type event struct {
	Type    string // of the source
	Source  string
	Message string
	At      time.Time
}

var events = state.NewTable[event]("elasticache.event") // by a number that counts up

const eventsKept = 14 * 24 * time.Hour // "Viewing ElastiCache events"

// note records an event, and forgets those that are too old.
func (s *Service) note(tx *state.Tx, kind, source, message string) error {
	var old []string
	for key, e := range events.All(tx) {
		if s.Now().Sub(e.At) < eventsKept {
			break
		}
		old = append(old, key)
	}
	for _, key := range old {
		if err := events.Delete(tx, key); err != nil {
			return err
		}
	}
	number, err := tx.Sequence("elasticache.event")
	if err != nil {
		return err
	}
	return events.Put(tx, fmt.Sprintf("%016x", number), event{kind, source, message, s.Now().UTC()})
}

// DescribeEvents lists the events of the last hour, or of the time that the request names.
func (s *Service) DescribeEvents(_ context.Context, in *api.DescribeEventsInput) (*api.DescribeEventsOutput, error) {
	if in.SourceIdentifier != nil && in.SourceType == nil {
		return nil, invalidCombination("SourceType must be specified with SourceIdentifier.")
	}
	end := wire.Or(in.EndTime, s.Now())
	start := wire.Or(in.StartTime, end.Add(-time.Duration(wire.Or(in.Duration, 60))*time.Minute))
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeEventsOutput) (err error) {
		type numbered struct {
			key string
			event
		}
		var list []numbered
		for key, e := range events.All(tx) {
			if wire.Or(in.SourceIdentifier, e.Source) == e.Source && wire.Or(in.SourceType, e.Type) == e.Type && !e.At.Before(start) && !e.At.After(end) {
				list = append(list, numbered{key, e})
			}
		}
		if list, out.Marker, err = page(list, func(e numbered) string { return e.key }, in.Marker, in.MaxRecords); err != nil {
			return err
		}
		out.Events = []api.Event{}
		for _, e := range list {
			out.Events = append(out.Events, api.Event{SourceType: &e.Type, SourceIdentifier: &e.Source, Message: &e.Message, Date: &e.At})
		}
		return nil
	})
}
