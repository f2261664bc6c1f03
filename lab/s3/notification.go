package s3

import (
	"context"

	api "storefront/lab/api/s3"
	"storefront/lab/state"
)

// GetBucketNotificationConfiguration implements the operation of that name.
func (s *Service) GetBucketNotificationConfiguration(ctx context.Context, in *api.GetBucketNotificationConfigurationInput) (*api.GetBucketNotificationConfigurationOutput, error) {
	out := &api.GetBucketNotificationConfigurationOutput{}
	return out, s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(_ *state.Tx, b bucket) error {
		out.EventBridgeConfiguration = b.EventBridge
		return nil
	})
}

// PutBucketNotificationConfiguration implements the operation of that name. Like S3 it refuses destinations that it cannot reach, which
// in the lab are all queues, topics and functions: there are none yet.
func (s *Service) PutBucketNotificationConfiguration(ctx context.Context, in *api.PutBucketNotificationConfigurationInput) (*api.PutBucketNotificationConfigurationOutput, error) {
	c := in.NotificationConfiguration
	if len(c.LambdaFunctionConfigurations)+len(c.QueueConfigurations)+len(c.TopicConfigurations) > 0 {
		return nil, invalidArgument("NotificationConfiguration", "Unable to validate the following destination configurations")
	}
	return &api.PutBucketNotificationConfigurationOutput{}, s.change(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.EventBridge = c.EventBridgeConfiguration
		return nil
	})
}
