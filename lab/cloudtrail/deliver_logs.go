package cloudtrail

import (
	"cmp"
	"context"
	"slices"
	"strings"

	logsapi "storefront/lab/api/logs"
)

// Limits of PutLogEvents, from its API reference, which events are cut into batches by. An event that is too large is not sent, as on AWS.
const (
	maxLogBatch = 1 << 19 // bytes, so that what CloudWatch Logs adds to each event fits too
	maxLogEvent = 1<<18 - 26
)

// stream is the log stream that trails write to.
func (s *Service) stream() string { return s.Region.Account + "_CloudTrail_" + s.Region.Name }

// deliverLogs writes events to the trail's log group, one a line.
func (s *Service) deliverLogs(ctx context.Context, t trail, d *delivery, events []entry) error {
	err := s.putLogs(ctx, t, events)
	d.Logs.note(s.Now(), err)
	return err
}

func (s *Service) putLogs(ctx context.Context, t trail, events []entry) error {
	if err := s.checkLogs(ctx, t); err != nil {
		return err
	}
	group := strings.TrimSuffix(strings.TrimPrefix(t.LogGroup, s.Region.ARN("logs", "log-group:")), ":*")
	in := &logsapi.PutLogEventsInput{LogGroupName: &group, LogStreamName: new(s.stream())}
	for _, e := range events {
		if len(e.Record) <= maxLogEvent {
			in.LogEvents = append(in.LogEvents, logsapi.InputLogEvent{Timestamp: new(e.Time.UnixMilli()), Message: new(string(e.Record))})
		}
	}
	if len(in.LogEvents) == 0 {
		return nil
	}
	slices.SortStableFunc(in.LogEvents, func(a, b logsapi.InputLogEvent) int { return cmp.Compare(*a.Timestamp, *b.Timestamp) })
	_, err := s.Logs.CreateLogStream(s.self(ctx), &logsapi.CreateLogStreamInput{LogGroupName: &group, LogStreamName: in.LogStreamName})
	if err != nil && !isCode(err, "ResourceAlreadyExistsException") {
		return err
	}
	_, err = s.Logs.PutLogEvents(s.self(ctx), in)
	return err
}
