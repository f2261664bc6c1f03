package applicationautoscaling

import (
	"context"
	"maps"
	"slices"
	"strings"

	api "storefront/lab/api/applicationautoscaling"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// RegisterScalableTarget implements the operation of that name. For a target that is there it changes what the request names.
func (s *Service) RegisterScalableTarget(ctx context.Context, in *api.RegisterScalableTargetInput) (*api.RegisterScalableTargetOutput, error) {
	if err := check(in.ServiceNamespace, in.ScalableDimension); err != nil {
		return nil, err
	}
	if name, ok := strings.CutPrefix(*in.ResourceId, "cluster:"); !ok || name == "" {
		return nil, invalid("The resource ID %s is not valid: it must be cluster:<DB cluster identifier>.", *in.ResourceId)
	}
	role, err := s.serviceRole(ctx)
	if err != nil {
		return nil, err
	}
	return state.Change(s.Store, func(tx *state.Tx, out *api.RegisterScalableTargetOutput) error {
		t, known, err := targets.Get(tx, *in.ResourceId)
		if err != nil {
			return err
		}
		if !known {
			if t, err = s.newTarget(tx, in); err != nil {
				return err
			}
		} else if len(in.Tags) > 0 {
			return invalid("Tags cannot be specified for a scalable target that is registered: use TagResource.")
		}
		t.Min, t.Max, t.Role = wire.Or(in.MinCapacity, t.Min), wire.Or(in.MaxCapacity, t.Max), role
		if t.Min < 0 || t.Max > mostReaders || t.Min > t.Max {
			return invalid("Minimum capacity %d and maximum capacity %d must be between 0 and %d, and the minimum not above the maximum.", t.Min, t.Max, mostReaders)
		}
		if v := in.SuspendedState; v != nil {
			suspend(&t.Suspended.DynamicScalingInSuspended, v.DynamicScalingInSuspended)
			suspend(&t.Suspended.DynamicScalingOutSuspended, v.DynamicScalingOutSuspended)
			suspend(&t.Suspended.ScheduledScalingSuspended, v.ScheduledScalingSuspended)
		}
		out.ScalableTargetARN = &t.ARN
		return targets.Put(tx, t.Resource, t)
	})
}

func (s *Service) newTarget(tx *state.Tx, in *api.RegisterScalableTargetInput) (t target, err error) {
	t = target{Resource: *in.ResourceId, Created: s.Now().UTC(), Tags: in.Tags, Suspended: api.SuspendedState{DynamicScalingInSuspended: new(false), DynamicScalingOutSuspended: new(false), ScheduledScalingSuspended: new(false)}}
	if _, ok, err := s.Databases.Readers(tx, t.cluster()); err != nil || !ok {
		if err == nil {
			err = invalid("DB cluster %s was not found.", t.cluster())
		}
		return t, err
	}
	if in.MinCapacity == nil || in.MaxCapacity == nil {
		return t, invalid("MinCapacity and MaxCapacity must be specified when a scalable target is registered.")
	}
	if err := checkTags(t.Tags); err != nil {
		return t, err
	}
	id, err := region.NewUUID(tx, "applicationautoscaling.target")
	t.ARN = s.Region.ARN("application-autoscaling", "scalable-target/"+strings.ReplaceAll(id, "-", ""))
	return t, err
}

func suspend(flag **bool, asked *bool) {
	if asked != nil {
		*flag = asked
	}
}

// DeregisterScalableTarget implements the operation of that name. Policies, scheduled actions and activities go with the target; the readers that it added stay, as on AWS.
func (s *Service) DeregisterScalableTarget(_ context.Context, in *api.DeregisterScalableTargetInput) (*api.DeregisterScalableTargetOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.DeregisterScalableTargetOutput) error {
		t, err := find(tx, in.ServiceNamespace, in.ResourceId, in.ScalableDimension)
		if err != nil {
			return err
		}
		if err := clear(tx, policies, t.Resource); err != nil {
			return err
		}
		if err := clear(tx, actions, t.Resource); err != nil {
			return err
		}
		if err := clear(tx, activities, t.Resource); err != nil {
			return err
		}
		return targets.Delete(tx, t.Resource)
	})
}

// clear deletes what belongs to a resource.
func clear[T any](tx *state.Tx, table state.Table[T], resource string) error {
	for _, key := range slices.Collect(keys(table.WithPrefix(tx, resource+"|"))) {
		if err := table.Delete(tx, key); err != nil {
			return err
		}
	}
	return nil
}

// DescribeScalableTargets implements the operation of that name.
func (s *Service) DescribeScalableTargets(_ context.Context, in *api.DescribeScalableTargetsInput) (*api.DescribeScalableTargetsOutput, error) {
	if err := checkDescribe(in.ServiceNamespace, in.ScalableDimension); err != nil {
		return nil, err
	}
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeScalableTargetsOutput) (err error) {
		var list []api.ScalableTarget
		for _, t := range targets.All(tx) {
			if *in.ServiceNamespace == namespace && (len(in.ResourceIds) == 0 || slices.Contains(in.ResourceIds, t.Resource)) {
				list = append(list, api.ScalableTarget{ServiceNamespace: new(namespace), ScalableDimension: new(dimension), ResourceId: &t.Resource, ScalableTargetARN: &t.ARN, MinCapacity: &t.Min, MaxCapacity: &t.Max,
					RoleARN: &t.Role, CreationTime: &t.Created, SuspendedState: &t.Suspended})
			}
		}
		out.ScalableTargets, out.NextToken, err = page(list, in.NextToken, in.MaxResults)
		return err
	})
}

// checkDescribe lets the answer for a namespace that has no targets be empty.
func checkDescribe(service, scaled *string) error {
	if scaled != nil && !strings.HasPrefix(*scaled, *service+":") {
		return invalid("The scalable dimension %s is not one of the service namespace %s.", *scaled, *service)
	}
	return nil
}

const maxTags = 50

func checkTags(tags map[string]string) error {
	for key := range tags {
		if strings.HasPrefix(strings.ToLower(key), "aws:") {
			return invalid("Tag keys that begin with aws: are reserved: %s.", key)
		}
	}
	if len(tags) > maxTags {
		return fault("TooManyTagsException", "A scalable target can have at most %d tags.", maxTags)
	}
	return nil
}

// byARN edits the target of an ARN.
func byARN[O any](s *Service, arn *string, edit func(*target, *O) error) (*O, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *O) error {
		for _, t := range targets.All(tx) {
			if t.ARN == *arn {
				if err := edit(&t, out); err != nil {
					return err
				}
				return targets.Put(tx, t.Resource, t)
			}
		}
		return fault("ResourceNotFoundException", "The specified resource %s doesn't exist.", *arn)
	})
}

// TagResource implements the operation of that name.
func (s *Service) TagResource(_ context.Context, in *api.TagResourceInput) (*api.TagResourceOutput, error) {
	return byARN(s, in.ResourceARN, func(t *target, _ *api.TagResourceOutput) error {
		all := map[string]string{}
		maps.Copy(all, t.Tags)
		maps.Copy(all, in.Tags)
		t.Tags = all
		return checkTags(all)
	})
}

// UntagResource implements the operation of that name.
func (s *Service) UntagResource(_ context.Context, in *api.UntagResourceInput) (*api.UntagResourceOutput, error) {
	return byARN(s, in.ResourceARN, func(t *target, _ *api.UntagResourceOutput) error {
		for _, key := range in.TagKeys {
			delete(t.Tags, key)
		}
		return nil
	})
}

// ListTagsForResource implements the operation of that name.
func (s *Service) ListTagsForResource(_ context.Context, in *api.ListTagsForResourceInput) (*api.ListTagsForResourceOutput, error) {
	return byARN(s, in.ResourceARN, func(t *target, out *api.ListTagsForResourceOutput) error {
		out.Tags = map[string]string{}
		maps.Copy(out.Tags, t.Tags)
		return nil
	})
}
