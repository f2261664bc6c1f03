package cloudtrail

import (
	"context"
	"strings"

	api "storefront/lab/api/cloudtrail"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// CreateTrail implements the operation of that name. The trail does not log before StartLogging.
func (s *Service) CreateTrail(ctx context.Context, in *api.CreateTrailInput) (*api.CreateTrailOutput, error) {
	if err := checkName(*in.Name); err != nil {
		return nil, err
	}
	t := trail{Name: *in.Name, ARN: s.Region.ARN("cloudtrail", "trail/"+*in.Name), Global: wire.Or(in.IncludeGlobalServiceEvents, true), Tags: map[string]string{}}
	if err := t.tag(in.TagsList); err != nil {
		return nil, err
	}
	update := api.UpdateTrailInput{Name: in.Name, S3BucketName: in.S3BucketName, S3KeyPrefix: in.S3KeyPrefix, SnsTopicName: in.SnsTopicName, IsMultiRegionTrail: in.IsMultiRegionTrail,
		IsOrganizationTrail: in.IsOrganizationTrail, EnableLogFileValidation: in.EnableLogFileValidation, CloudWatchLogsLogGroupArn: in.CloudWatchLogsLogGroupArn,
		CloudWatchLogsRoleArn: in.CloudWatchLogsRoleArn, KmsKeyId: in.KmsKeyId}
	if err := s.apply(ctx, &t, &update); err != nil {
		return nil, err
	}
	err := s.Store.Update(func(tx *state.Tx) error {
		if _, ok, err := trails.Get(tx, t.Name); err != nil {
			return err
		} else if ok {
			return refuse("TrailAlreadyExistsException", "Trail %s already exists for customer: %s", t.Name, s.Region.Account)
		}
		if trails.Len(tx) >= maxTrails {
			return wire.Errorf(403, "MaximumNumberOfTrailsExceededException", "User: %s already has %d trails in %s.", s.Region.Account, maxTrails, s.Region.Name)
		}
		return trails.Put(tx, t.Name, t)
	})
	if err != nil {
		return nil, err
	}
	d := t.describe(s.Region.Name)
	return &api.CreateTrailOutput{Name: d.Name, TrailARN: d.TrailARN, S3BucketName: d.S3BucketName, S3KeyPrefix: d.S3KeyPrefix, SnsTopicName: d.SnsTopicName, SnsTopicARN: d.SnsTopicARN,
		IncludeGlobalServiceEvents: d.IncludeGlobalServiceEvents, IsMultiRegionTrail: d.IsMultiRegionTrail, IsOrganizationTrail: d.IsOrganizationTrail,
		LogFileValidationEnabled: d.LogFileValidationEnabled, CloudWatchLogsLogGroupArn: d.CloudWatchLogsLogGroupArn, CloudWatchLogsRoleArn: d.CloudWatchLogsRoleArn, KmsKeyId: d.KmsKeyId}, nil
}

// UpdateTrail implements the operation of that name. What the request leaves out stays; what it names empty goes.
func (s *Service) UpdateTrail(ctx context.Context, in *api.UpdateTrailInput) (*api.UpdateTrailOutput, error) {
	t, err := s.get(in.Name)
	if err != nil {
		return nil, err
	}
	if err := s.apply(ctx, &t, in); err != nil {
		return nil, err
	}
	t, err = s.change(in.Name, func(stored *trail) error {
		changed := t
		// Checked outside of the transaction, with these left to operations of their own.
		changed.Tags, changed.Basic, changed.Advanced = stored.Tags, stored.Basic, stored.Advanced
		changed.Logging, changed.Started, changed.Stopped = stored.Logging, stored.Started, stored.Stopped
		*stored = changed
		return nil
	})
	if err != nil {
		return nil, err
	}
	d := t.describe(s.Region.Name)
	return &api.UpdateTrailOutput{Name: d.Name, TrailARN: d.TrailARN, S3BucketName: d.S3BucketName, S3KeyPrefix: d.S3KeyPrefix, SnsTopicName: d.SnsTopicName, SnsTopicARN: d.SnsTopicARN,
		IncludeGlobalServiceEvents: d.IncludeGlobalServiceEvents, IsMultiRegionTrail: d.IsMultiRegionTrail, IsOrganizationTrail: d.IsOrganizationTrail,
		LogFileValidationEnabled: d.LogFileValidationEnabled, CloudWatchLogsLogGroupArn: d.CloudWatchLogsLogGroupArn, CloudWatchLogsRoleArn: d.CloudWatchLogsRoleArn, KmsKeyId: d.KmsKeyId}, nil
}

// apply puts the settings of a request on a trail and checks the whole: CloudTrail must be able to deliver where the trail says.
func (s *Service) apply(ctx context.Context, t *trail, in *api.UpdateTrailInput) error {
	if wire.Value(in.IsOrganizationTrail) {
		return refuse("OrganizationsNotInUseException", "Your account is not a member of an organization. To create an organization trail, the account must belong to an organization.")
	}
	t.Bucket, t.Prefix = wire.Or(in.S3BucketName, t.Bucket), wire.Or(in.S3KeyPrefix, t.Prefix)
	t.Global, t.MultiRegion, t.Validation = wire.Or(in.IncludeGlobalServiceEvents, t.Global), wire.Or(in.IsMultiRegionTrail, t.MultiRegion), wire.Or(in.EnableLogFileValidation, t.Validation)
	t.LogGroup, t.LogRole = wire.Or(in.CloudWatchLogsLogGroupArn, t.LogGroup), wire.Or(in.CloudWatchLogsRoleArn, t.LogRole)
	if in.SnsTopicName != nil {
		t.TopicName, t.Topic = *in.SnsTopicName, *in.SnsTopicName
		if t.Topic != "" && !strings.HasPrefix(t.Topic, "arn:") {
			t.Topic = s.Region.ARN("sns", t.Topic)
		}
	}
	switch {
	case t.MultiRegion && !t.Global:
		return refuse("InvalidParameterCombinationException", "Multi-Region trail must include global service events.")
	case len(t.Prefix) > 200:
		return refuse("InvalidS3PrefixException", "S3 prefix is longer than maximum length: 200")
	case strings.HasPrefix(t.Prefix, "/") || strings.HasSuffix(t.Prefix, "/"):
		return refuse("InvalidS3PrefixException", "S3 prefix must not begin or end with a slash: %s", t.Prefix)
	}
	if err := s.checkKey(ctx, t, in.KmsKeyId); err != nil {
		return err
	}
	if err := s.checkBucket(ctx, *t); err != nil {
		return err
	}
	if err := s.checkTopic(*t); err != nil {
		return err
	}
	return s.checkLogs(ctx, *t)
}

// DeleteTrail implements the operation of that name. What happened before it is delivered first.
func (s *Service) DeleteTrail(ctx context.Context, in *api.DeleteTrailInput) (*api.DeleteTrailOutput, error) {
	t, err := s.get(in.Name)
	if err != nil {
		return nil, err
	}
	s.tasks.Lock()
	defer s.tasks.Unlock()
	if err := s.finish(ctx, t); err != nil {
		s.Log.Warn("a trail was deleted before its last events were delivered", "trail", t.Name, "error", err)
	}
	if err := s.Store.Update(func(tx *state.Tx) error {
		if _, err := s.find(tx, t.Name); err != nil {
			return err
		}
		if err := deliveries.Delete(tx, t.Name); err != nil {
			return err
		}
		return trails.Delete(tx, t.Name)
	}); err != nil {
		return nil, err
	}
	return &api.DeleteTrailOutput{}, s.choose()
}
