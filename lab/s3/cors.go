package s3

import (
	"context"
	"slices"
	"strings"

	api "storefront/lab/api/s3"
	"storefront/lab/state"
)

// GetBucketCors implements the operation of that name.
func (s *Service) GetBucketCors(ctx context.Context, in *api.GetBucketCorsInput) (*api.GetBucketCorsOutput, error) {
	out := &api.GetBucketCorsOutput{}
	return out, s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(_ *state.Tx, b bucket) error {
		if out.CORSRules = b.CORS; len(b.CORS) == 0 {
			return notFound("NoSuchCORSConfiguration", "The CORS configuration does not exist", b)
		}
		return nil
	})
}

// PutBucketCors implements the operation of that name. The rules are kept; answers do not carry their headers.
func (s *Service) PutBucketCors(ctx context.Context, in *api.PutBucketCorsInput) (*api.PutBucketCorsOutput, error) {
	rules := in.CORSConfiguration.CORSRules
	if n := len(rules); n == 0 || n > 100 {
		return nil, malformedXML("1 to 100 rules are needed")
	}
	for _, r := range rules {
		for _, method := range r.AllowedMethods {
			if !slices.Contains([]string{"GET", "PUT", "POST", "DELETE", "HEAD"}, method) {
				return nil, invalidRequest("Found unsupported HTTP method in CORS config. Unsupported method is " + method)
			}
		}
		for _, origin := range slices.Concat(r.AllowedOrigins, r.AllowedHeaders) {
			if strings.Count(origin, "*") > 1 {
				return nil, invalidRequest("AllowedOrigin \"" + origin + "\" can not have more than one wildcard.")
			}
		}
	}
	return &api.PutBucketCorsOutput{}, s.change(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.CORS = rules
		return nil
	})
}

// DeleteBucketCors implements the operation of that name.
func (s *Service) DeleteBucketCors(ctx context.Context, in *api.DeleteBucketCorsInput) (*api.DeleteBucketCorsOutput, error) {
	return &api.DeleteBucketCorsOutput{}, s.change(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.CORS = nil
		return nil
	})
}
