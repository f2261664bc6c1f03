package s3

import (
	"context"
	"fmt"
	"unicode/utf8"

	api "storefront/lab/api/s3"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// GetBucketLifecycleConfiguration implements the operation of that name.
func (s *Service) GetBucketLifecycleConfiguration(ctx context.Context, in *api.GetBucketLifecycleConfigurationInput) (*api.GetBucketLifecycleConfigurationOutput, error) {
	out := &api.GetBucketLifecycleConfigurationOutput{}
	return out, s.view(ctx, in.Bucket, in.ExpectedBucketOwner, func(_ *state.Tx, b bucket) error {
		if len(b.Lifecycle) == 0 {
			return notFound("NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist", b)
		}
		out.Rules, out.TransitionDefaultMinimumObjectSize = b.Lifecycle, &b.LifecycleMin
		return nil
	})
}

// PutBucketLifecycleConfiguration implements the operation of that name. The rules are kept, not run.
func (s *Service) PutBucketLifecycleConfiguration(ctx context.Context, in *api.PutBucketLifecycleConfigurationInput) (*api.PutBucketLifecycleConfigurationOutput, error) {
	if in.LifecycleConfiguration == nil {
		return nil, malformedXML("LifecycleConfiguration is missing")
	}
	rules := in.LifecycleConfiguration.Rules
	if n := len(rules); n == 0 || n > 1000 {
		return nil, malformedXML(fmt.Sprintf("%d rules, not 1 to 1000", n))
	}
	ids := map[string]bool{}
	for i := range rules {
		if err := checkRule(rules[i]); err != nil {
			return nil, err
		}
		if wire.Value(rules[i].ID) == "" {
			rules[i].ID = new(fmt.Sprintf("rule-%d", i+1))
		}
		if ids[*rules[i].ID] {
			return nil, invalidArgument("ID", "Rule ID must be unique. Found same ID for more than one rule")
		}
		ids[*rules[i].ID] = true
	}
	smallest := "all_storage_classes_128K"
	if in.TransitionDefaultMinimumObjectSize != nil {
		smallest = *in.TransitionDefaultMinimumObjectSize
	}
	return &api.PutBucketLifecycleConfigurationOutput{TransitionDefaultMinimumObjectSize: &smallest}, s.change(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.Lifecycle, b.LifecycleMin = rules, smallest
		return nil
	})
}

// DeleteBucketLifecycle implements the operation of that name.
func (s *Service) DeleteBucketLifecycle(ctx context.Context, in *api.DeleteBucketLifecycleInput) (*api.DeleteBucketLifecycleOutput, error) {
	return &api.DeleteBucketLifecycleOutput{}, s.change(ctx, in.Bucket, in.ExpectedBucketOwner, func(b *bucket) error {
		b.Lifecycle, b.LifecycleMin = nil, ""
		return nil
	})
}

// checkRule applies "Lifecycle configuration elements" of the Amazon S3 User Guide.
func checkRule(r api.LifecycleRule) error {
	positive := func(name string, days *int64) error {
		if days != nil && *days <= 0 {
			return invalidArgument(name, fmt.Sprintf("'%s' for Expiration action must be a positive integer", name))
		}
		return nil
	}
	switch {
	case utf8.RuneCountInString(wire.Value(r.ID)) > 255:
		return invalidArgument("ID", "ID length should not exceed allowed limit of 255")
	case r.Filter == nil && r.Prefix == nil:
		return malformedXML("a rule needs a Filter or a Prefix")
	case r.Filter != nil && r.Prefix != nil:
		return invalidRequest("Filter element can only be used in Lifecycle V2.")
	case r.Expiration == nil && r.NoncurrentVersionExpiration == nil && r.AbortIncompleteMultipartUpload == nil && len(r.Transitions)+len(r.NoncurrentVersionTransitions) == 0:
		return invalidRequest("At least one action needs to be specified in a rule.")
	}
	if f := r.Filter; f != nil && filters(f) > 1 {
		return malformedXML("a Filter has one element; more go into And")
	}
	if e := r.Expiration; e != nil {
		set := 0
		for _, given := range []bool{e.Days != nil, e.Date != nil, e.ExpiredObjectDeleteMarker != nil} {
			if given {
				set++
			}
		}
		if set != 1 {
			return malformedXML("an Expiration has one of Days, Date and ExpiredObjectDeleteMarker")
		}
		if err := positive("Days", e.Days); err != nil {
			return err
		}
	}
	if n := r.NoncurrentVersionExpiration; n != nil {
		if err := positive("NoncurrentDays", n.NoncurrentDays); err != nil {
			return err
		}
	}
	if a := r.AbortIncompleteMultipartUpload; a != nil {
		if err := positive("DaysAfterInitiation", a.DaysAfterInitiation); err != nil {
			return err
		}
	}
	for _, t := range r.Transitions {
		if t.StorageClass == nil || (t.Days == nil) == (t.Date == nil) {
			return malformedXML("a Transition has a StorageClass and one of Days and Date")
		}
	}
	return nil
}

func filters(f *api.LifecycleRuleFilter) int {
	n := 0
	for _, given := range []bool{f.And != nil, f.Prefix != nil, f.Tag != nil, f.ObjectSizeGreaterThan != nil, f.ObjectSizeLessThan != nil} {
		if given {
			n++
		}
	}
	return n
}
