package s3

import (
	"context"

	api "storefront/lab/api/s3"
)

func analyticsOf(b *bucket) *map[string]api.AnalyticsConfiguration { return &b.Analytics }

// GetBucketAnalyticsConfiguration implements the operation of that name.
func (s *Service) GetBucketAnalyticsConfiguration(ctx context.Context, in *api.GetBucketAnalyticsConfigurationInput) (*api.GetBucketAnalyticsConfigurationOutput, error) {
	c, err := getNamed(ctx, s, in.Bucket, in.ExpectedBucketOwner, in.Id, analyticsOf)
	return &api.GetBucketAnalyticsConfigurationOutput{AnalyticsConfiguration: c}, err
}

// PutBucketAnalyticsConfiguration implements the operation of that name.
func (s *Service) PutBucketAnalyticsConfiguration(ctx context.Context, in *api.PutBucketAnalyticsConfigurationInput) (*api.PutBucketAnalyticsConfigurationOutput, error) {
	return &api.PutBucketAnalyticsConfigurationOutput{}, putNamed(ctx, s, in.Bucket, in.ExpectedBucketOwner, in.Id, in.AnalyticsConfiguration.Id, in.AnalyticsConfiguration, analyticsOf)
}

// DeleteBucketAnalyticsConfiguration implements the operation of that name.
func (s *Service) DeleteBucketAnalyticsConfiguration(ctx context.Context, in *api.DeleteBucketAnalyticsConfigurationInput) (*api.DeleteBucketAnalyticsConfigurationOutput, error) {
	return &api.DeleteBucketAnalyticsConfigurationOutput{}, deleteNamed(ctx, s, in.Bucket, in.ExpectedBucketOwner, in.Id, analyticsOf)
}

// ListBucketAnalyticsConfigurations implements the operation of that name.
func (s *Service) ListBucketAnalyticsConfigurations(ctx context.Context, in *api.ListBucketAnalyticsConfigurationsInput) (*api.ListBucketAnalyticsConfigurationsOutput, error) {
	list, err := listNamed(ctx, s, in.Bucket, in.ExpectedBucketOwner, analyticsOf)
	return &api.ListBucketAnalyticsConfigurationsOutput{AnalyticsConfigurationList: list, IsTruncated: new(false)}, err
}

func metricsOf(b *bucket) *map[string]api.MetricsConfiguration { return &b.Metrics }

// GetBucketMetricsConfiguration implements the operation of that name.
func (s *Service) GetBucketMetricsConfiguration(ctx context.Context, in *api.GetBucketMetricsConfigurationInput) (*api.GetBucketMetricsConfigurationOutput, error) {
	c, err := getNamed(ctx, s, in.Bucket, in.ExpectedBucketOwner, in.Id, metricsOf)
	return &api.GetBucketMetricsConfigurationOutput{MetricsConfiguration: c}, err
}

// PutBucketMetricsConfiguration implements the operation of that name.
func (s *Service) PutBucketMetricsConfiguration(ctx context.Context, in *api.PutBucketMetricsConfigurationInput) (*api.PutBucketMetricsConfigurationOutput, error) {
	return &api.PutBucketMetricsConfigurationOutput{}, putNamed(ctx, s, in.Bucket, in.ExpectedBucketOwner, in.Id, in.MetricsConfiguration.Id, in.MetricsConfiguration, metricsOf)
}

// DeleteBucketMetricsConfiguration implements the operation of that name.
func (s *Service) DeleteBucketMetricsConfiguration(ctx context.Context, in *api.DeleteBucketMetricsConfigurationInput) (*api.DeleteBucketMetricsConfigurationOutput, error) {
	return &api.DeleteBucketMetricsConfigurationOutput{}, deleteNamed(ctx, s, in.Bucket, in.ExpectedBucketOwner, in.Id, metricsOf)
}

// ListBucketMetricsConfigurations implements the operation of that name.
func (s *Service) ListBucketMetricsConfigurations(ctx context.Context, in *api.ListBucketMetricsConfigurationsInput) (*api.ListBucketMetricsConfigurationsOutput, error) {
	list, err := listNamed(ctx, s, in.Bucket, in.ExpectedBucketOwner, metricsOf)
	return &api.ListBucketMetricsConfigurationsOutput{MetricsConfigurationList: list, IsTruncated: new(false)}, err
}

func inventoryOf(b *bucket) *map[string]api.InventoryConfiguration { return &b.Inventory }

// GetBucketInventoryConfiguration implements the operation of that name.
func (s *Service) GetBucketInventoryConfiguration(ctx context.Context, in *api.GetBucketInventoryConfigurationInput) (*api.GetBucketInventoryConfigurationOutput, error) {
	c, err := getNamed(ctx, s, in.Bucket, in.ExpectedBucketOwner, in.Id, inventoryOf)
	return &api.GetBucketInventoryConfigurationOutput{InventoryConfiguration: c}, err
}

// DeleteBucketInventoryConfiguration implements the operation of that name.
func (s *Service) DeleteBucketInventoryConfiguration(ctx context.Context, in *api.DeleteBucketInventoryConfigurationInput) (*api.DeleteBucketInventoryConfigurationOutput, error) {
	return &api.DeleteBucketInventoryConfigurationOutput{}, deleteNamed(ctx, s, in.Bucket, in.ExpectedBucketOwner, in.Id, inventoryOf)
}

// ListBucketInventoryConfigurations implements the operation of that name.
func (s *Service) ListBucketInventoryConfigurations(ctx context.Context, in *api.ListBucketInventoryConfigurationsInput) (*api.ListBucketInventoryConfigurationsOutput, error) {
	list, err := listNamed(ctx, s, in.Bucket, in.ExpectedBucketOwner, inventoryOf)
	return &api.ListBucketInventoryConfigurationsOutput{InventoryConfigurationList: list, IsTruncated: new(false)}, err
}

func intelligentTieringOf(b *bucket) *map[string]api.IntelligentTieringConfiguration {
	return &b.Tiering
}

// GetBucketIntelligentTieringConfiguration implements the operation of that name.
func (s *Service) GetBucketIntelligentTieringConfiguration(ctx context.Context, in *api.GetBucketIntelligentTieringConfigurationInput) (*api.GetBucketIntelligentTieringConfigurationOutput, error) {
	c, err := getNamed(ctx, s, in.Bucket, nil, in.Id, intelligentTieringOf)
	return &api.GetBucketIntelligentTieringConfigurationOutput{IntelligentTieringConfiguration: c}, err
}

// PutBucketIntelligentTieringConfiguration implements the operation of that name.
func (s *Service) PutBucketIntelligentTieringConfiguration(ctx context.Context, in *api.PutBucketIntelligentTieringConfigurationInput) (*api.PutBucketIntelligentTieringConfigurationOutput, error) {
	return &api.PutBucketIntelligentTieringConfigurationOutput{}, putNamed(ctx, s, in.Bucket, nil, in.Id, in.IntelligentTieringConfiguration.Id, in.IntelligentTieringConfiguration, intelligentTieringOf)
}

// DeleteBucketIntelligentTieringConfiguration implements the operation of that name.
func (s *Service) DeleteBucketIntelligentTieringConfiguration(ctx context.Context, in *api.DeleteBucketIntelligentTieringConfigurationInput) (*api.DeleteBucketIntelligentTieringConfigurationOutput, error) {
	return &api.DeleteBucketIntelligentTieringConfigurationOutput{}, deleteNamed(ctx, s, in.Bucket, nil, in.Id, intelligentTieringOf)
}

// ListBucketIntelligentTieringConfigurations implements the operation of that name.
func (s *Service) ListBucketIntelligentTieringConfigurations(ctx context.Context, in *api.ListBucketIntelligentTieringConfigurationsInput) (*api.ListBucketIntelligentTieringConfigurationsOutput, error) {
	list, err := listNamed(ctx, s, in.Bucket, nil, intelligentTieringOf)
	return &api.ListBucketIntelligentTieringConfigurationsOutput{IntelligentTieringConfigurationList: list, IsTruncated: new(false)}, err
}
