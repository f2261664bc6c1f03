package s3

import (
	"context"
	"strings"

	api "storefront/lab/api/s3"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// GetBucketAccelerateConfiguration implements the operation of that name.
func (s *Service) GetBucketAccelerateConfiguration(ctx context.Context, in *api.GetBucketAccelerateConfigurationInput) (*api.GetBucketAccelerateConfigurationOutput, error) {
	out := &api.GetBucketAccelerateConfigurationOutput{}
	return out, s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(_ *state.Tx, b bucket) error {
		out.Status = b.Accelerate
		return nil
	})
}

// PutBucketAccelerateConfiguration implements the operation of that name.
func (s *Service) PutBucketAccelerateConfiguration(ctx context.Context, in *api.PutBucketAccelerateConfigurationInput) (*api.PutBucketAccelerateConfigurationOutput, error) {
	if strings.Contains(*in.Bucket, ".") {
		return nil, invalidRequest("S3 Transfer Acceleration is not supported for buckets with periods (.) in their names")
	}
	return &api.PutBucketAccelerateConfigurationOutput{}, s.change(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.Accelerate = in.AccelerateConfiguration.Status
		return nil
	})
}

// GetBucketRequestPayment implements the operation of that name.
func (s *Service) GetBucketRequestPayment(ctx context.Context, in *api.GetBucketRequestPaymentInput) (*api.GetBucketRequestPaymentOutput, error) {
	out := &api.GetBucketRequestPaymentOutput{}
	return out, s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(_ *state.Tx, b bucket) error {
		out.Payer = &b.Payer
		return nil
	})
}

// PutBucketRequestPayment implements the operation of that name. The one account pays in either case.
func (s *Service) PutBucketRequestPayment(ctx context.Context, in *api.PutBucketRequestPaymentInput) (*api.PutBucketRequestPaymentOutput, error) {
	return &api.PutBucketRequestPaymentOutput{}, s.change(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.Payer = *in.RequestPaymentConfiguration.Payer
		return nil
	})
}

// Configurations with an ID, of which a bucket has many of a kind, differ in nothing but their type.

func getNamed[T any](ctx context.Context, s *Service, name, owner, id *string, of func(*bucket) *map[string]T) (*T, error) {
	var found T
	return &found, s.view(ctx, name, owner, func(_ *state.Tx, b bucket) error {
		c, ok := (*of(&b))[*id]
		if found = c; !ok {
			return notFound("NoSuchConfiguration", "The specified configuration does not exist.", b)
		}
		return nil
	})
}

func putNamed[T any](ctx context.Context, s *Service, name, owner, id, idInBody *string, config *T, of func(*bucket) *map[string]T) error {
	if *id != wire.Value(idInBody) {
		return invalidArgument("id", "The id in the request does not match that of the configuration")
	}
	return s.change(ctx, name, owner, func(b *bucket) error {
		all := of(b)
		if *all == nil {
			*all = map[string]T{}
		}
		(*all)[*id] = *config
		if len(*all) > 1000 {
			return wire.Errorf(400, "TooManyConfigurations", "You are attempting to create a new configuration but have already reached the 1,000-configuration limit.")
		}
		return nil
	})
}

func deleteNamed[T any](ctx context.Context, s *Service, name, owner, id *string, of func(*bucket) *map[string]T) error {
	return s.change(ctx, name, owner, func(b *bucket) error {
		if _, ok := (*of(b))[*id]; !ok {
			return notFound("NoSuchConfiguration", "The specified configuration does not exist.", *b)
		}
		delete(*of(b), *id)
		return nil
	})
}

func listNamed[T any](ctx context.Context, s *Service, name, owner *string, of func(*bucket) *map[string]T) (list []T, err error) {
	return list, s.view(ctx, name, owner, func(_ *state.Tx, b bucket) error {
		list = sortedValues(*of(&b))
		return nil
	})
}
