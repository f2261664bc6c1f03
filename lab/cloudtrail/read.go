package cloudtrail

import (
	"context"
	"slices"
	"strings"
	"time"

	api "storefront/lab/api/cloudtrail"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// GetTrail implements the operation of that name.
func (s *Service) GetTrail(_ context.Context, in *api.GetTrailInput) (*api.GetTrailOutput, error) {
	t, err := s.get(in.Name)
	return &api.GetTrailOutput{Trail: t.describe(s.Region.Name)}, err
}

// DescribeTrails implements the operation of that name. Trails that are named and do not exist are left out.
func (s *Service) DescribeTrails(_ context.Context, in *api.DescribeTrailsInput) (*api.DescribeTrailsOutput, error) {
	for _, name := range in.TrailNameList {
		if strings.HasPrefix(name, "arn:") {
			continue
		}
		if err := checkName(name); err != nil {
			return nil, err
		}
	}
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeTrailsOutput) error {
		out.TrailList = []api.Trail{}
		for _, t := range trails.All(tx) {
			if len(in.TrailNameList) == 0 || slices.Contains(in.TrailNameList, t.Name) || slices.Contains(in.TrailNameList, t.ARN) {
				out.TrailList = append(out.TrailList, *t.describe(s.Region.Name))
			}
		}
		return nil
	})
}

// ListTrails implements the operation of that name.
func (s *Service) ListTrails(_ context.Context, _ *api.ListTrailsInput) (*api.ListTrailsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListTrailsOutput) error {
		out.Trails = []api.TrailInfo{}
		for _, t := range trails.All(tx) {
			out.Trails = append(out.Trails, api.TrailInfo{Name: new(t.Name), TrailARN: new(t.ARN), HomeRegion: new(s.Region.Name)})
		}
		return nil
	})
}

// StartLogging implements the operation of that name: the trail delivers what happens from now on.
func (s *Service) StartLogging(_ context.Context, in *api.StartLoggingInput) (*api.StartLoggingOutput, error) {
	now := s.Now().UTC()
	s.tasks.Lock()
	defer s.tasks.Unlock()
	if err := s.spool.flush(now); err != nil {
		return nil, err
	}
	end, err := s.spool.end()
	if err != nil {
		return nil, err
	}
	if _, err := s.change(in.Name, func(t *trail) error {
		if !t.Logging {
			t.Logging, t.Started = true, now
		}
		return nil
	}); err != nil {
		return nil, err
	}
	return &api.StartLoggingOutput{}, s.begin(*in.Name, now, end)
}

// StopLogging implements the operation of that name. What happened before, with the call itself, is still delivered.
func (s *Service) StopLogging(_ context.Context, in *api.StopLoggingInput) (*api.StopLoggingOutput, error) {
	_, err := s.change(in.Name, func(t *trail) error {
		if t.Logging {
			t.Logging, t.Stopped = false, s.Now().UTC()
		}
		return nil
	})
	return &api.StopLoggingOutput{}, err
}

// GetTrailStatus implements the operation of that name.
func (s *Service) GetTrailStatus(_ context.Context, in *api.GetTrailStatusInput) (*api.GetTrailStatusOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.GetTrailStatusOutput) error {
		t, err := s.find(tx, *in.Name)
		if err != nil {
			return err
		}
		d, _, err := deliveries.Get(tx, t.Name)
		out.IsLogging, out.StartLoggingTime, out.StopLoggingTime = new(t.Logging), when(t.Started), when(t.Stopped)
		out.TimeLoggingStarted, out.TimeLoggingStopped = text(t.Started), text(t.Stopped)
		out.LatestDeliveryTime, out.LatestDeliveryError = when(d.Bucket.Done), wire.Optional(d.Bucket.Error)
		out.LatestDeliveryAttemptTime, out.LatestDeliveryAttemptSucceeded = text(d.Bucket.Tried), text(d.Bucket.Done)
		out.LatestCloudWatchLogsDeliveryTime, out.LatestCloudWatchLogsDeliveryError = when(d.Logs.Done), wire.Optional(d.Logs.Error)
		out.LatestDigestDeliveryTime, out.LatestDigestDeliveryError = when(d.Digest.Done), wire.Optional(d.Digest.Error)
		out.LatestNotificationTime, out.LatestNotificationError = when(d.Notified.Done), wire.Optional(d.Notified.Error)
		out.LatestNotificationAttemptTime, out.LatestNotificationAttemptSucceeded = text(d.Notified.Tried), text(d.Notified.Done)
		return err
	})
}

func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func text(t time.Time) *string {
	if t.IsZero() {
		return new("")
	}
	return new(t.UTC().Format(eventTimeForm))
}
