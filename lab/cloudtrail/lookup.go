package cloudtrail

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	api "storefront/lab/api/cloudtrail"
	"storefront/lab/wire"
)

// LookupEvents implements the operation of that name: management events of the last 90 days, newest first. There are no insight events.
func (s *Service) LookupEvents(_ context.Context, in *api.LookupEventsInput) (*api.LookupEventsOutput, error) {
	now := s.Now()
	start, end := wire.Or(in.StartTime, now.Add(-Retention)), wire.Or(in.EndTime, now)
	switch {
	case start.After(end):
		return nil, refuse("InvalidTimeRangeException", "The start time %s is after the end time %s.", start.UTC().Format(time.RFC3339), end.UTC().Format(time.RFC3339))
	case len(in.LookupAttributes) > 1:
		return nil, refuse("InvalidLookupAttributesException", "Only one lookup attribute is allowed.")
	}
	out := &api.LookupEventsOutput{Events: []api.Event{}}
	if in.EventCategory != nil {
		return out, nil
	}
	files, below, err := s.resume(in.NextToken, start, end)
	if err != nil {
		return nil, err
	}
	limit := int(wire.Or(in.MaxResults, 50))
	for _, name := range files {
		entries, _, err := s.spool.readFile(nil, position{File: name}, math.MaxInt64)
		if err != nil {
			return nil, err
		}
		for i := min(below, len(entries)) - 1; i >= 0; i-- {
			e := &entries[i]
			if e.Category != management || e.Time.Before(start) || e.Time.After(end) || !e.has(in.LookupAttributes) {
				continue
			}
			if len(out.Events) == limit {
				out.NextToken = new(fmt.Sprintf("%s/%d", strings.TrimSuffix(name, ".jsonl"), i+1))
				return out, nil
			}
			out.Events = append(out.Events, e.describe())
		}
		below = math.MaxInt
	}
	return out, nil
}

// resume returns the files to look through, newest first, and below which event of the first of them. A token is "<hour>/<event>".
func (s *Service) resume(token *string, start, end time.Time) (files []string, below int, err error) {
	if err := s.spool.flush(s.Now()); err != nil {
		return nil, 0, err
	}
	if files, err = s.spool.newest(start, end); err != nil || token == nil {
		return files, math.MaxInt, err
	}
	hour, number, _ := strings.Cut(*token, "/")
	if below, err = strconv.Atoi(number); err != nil {
		return nil, 0, refuse("InvalidNextTokenException", "The next token is not valid: %s", *token)
	}
	for i, name := range files {
		if name == hour+".jsonl" {
			return files[i:], below, nil
		}
	}
	return nil, 0, nil // expired meanwhile
}

// has tells whether an event has what a lookup asks for.
func (e *entry) has(attributes []api.LookupAttribute) bool {
	for _, a := range attributes {
		want := *a.AttributeValue
		switch *a.AttributeKey {
		case api.LookupAttributeKeyEventId:
			return e.ID == want
		case api.LookupAttributeKeyEventName:
			return e.Name == want
		case api.LookupAttributeKeyReadOnly:
			return strconv.FormatBool(e.ReadOnly) == want
		case api.LookupAttributeKeyUsername:
			return e.User == want
		case api.LookupAttributeKeyEventSource:
			return e.Source == want
		case api.LookupAttributeKeyAccessKeyId:
			return e.AccessKey == want
		}
		for _, r := range e.Resources {
			if *a.AttributeKey == api.LookupAttributeKeyResourceType && r.Type == want || *a.AttributeKey == api.LookupAttributeKeyResourceName && r.Name == want {
				return true
			}
		}
		return false
	}
	return true
}

func (e *entry) describe() api.Event {
	v := api.Event{EventId: new(e.ID), EventName: new(e.Name), EventSource: new(e.Source), EventTime: new(e.Time.Truncate(time.Second)), ReadOnly: new(strconv.FormatBool(e.ReadOnly)),
		AccessKeyId: wire.Optional(e.AccessKey), Username: wire.Optional(e.User), CloudTrailEvent: new(string(e.Record)), Resources: []api.Resource{}}
	for _, r := range e.Resources {
		v.Resources = append(v.Resources, api.Resource{ResourceType: new(r.Type), ResourceName: new(r.Name)})
	}
	return v
}
