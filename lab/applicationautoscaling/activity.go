package applicationautoscaling

import (
	"context"
	"fmt"
	"slices"
	"time"

	api "storefront/lab/api/applicationautoscaling"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// keepActivities is how many activities of a target are kept; AWS keeps those of six weeks.
const keepActivities = 200

// start begins a change of a target's capacity.
func (s *Service) start(tx *state.Tx, t target, a activity) error {
	n, err := tx.Sequence("applicationautoscaling.activity-order")
	if err != nil {
		return err
	}
	if a.ID, err = region.NewUUID(tx, "applicationautoscaling.activity"); err != nil {
		return err
	}
	if kept := slices.Collect(keys(activities.WithPrefix(tx, t.Resource+"|"))); len(kept) >= keepActivities {
		if err := activities.Delete(tx, kept[0]); err != nil {
			return err
		}
	}
	a.Resource, a.Start, a.Status = t.Resource, s.Now().UTC(), api.ScalingActivityStatusCodeInProgress
	a.Description = fmt.Sprintf("Setting replica count to %d.", a.Capacity)
	return activities.Put(tx, fmt.Sprintf("%s|%012d", t.Resource, n), a)
}

// end ends an activity; a message says why it failed.
func (a *activity) end(now time.Time, failure string) {
	a.End, a.Status, a.Message = now.UTC(), api.ScalingActivityStatusCodeSuccessful, fmt.Sprintf("Successfully set replica count to %d. Change successfully fulfilled by %s.", a.Capacity, namespace)
	if failure != "" {
		a.Status, a.Message = api.ScalingActivityStatusCodeFailed, failure
	}
}

// DescribeScalingActivities implements the operation of that name: the newest first.
func (s *Service) DescribeScalingActivities(_ context.Context, in *api.DescribeScalingActivitiesInput) (*api.DescribeScalingActivitiesOutput, error) {
	if err := checkDescribe(in.ServiceNamespace, in.ScalableDimension); err != nil {
		return nil, err
	}
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeScalingActivitiesOutput) (err error) {
		var list []api.ScalingActivity
		for _, a := range of(tx, activities, wire.Value(in.ResourceId)) {
			if *in.ServiceNamespace != namespace {
				continue
			}
			d := api.ScalingActivity{ActivityId: &a.ID, ServiceNamespace: new(namespace), ScalableDimension: new(dimension), ResourceId: &a.Resource, Description: &a.Description, Cause: &a.Cause, StartTime: &a.Start,
				StatusCode: &a.Status, StatusMessage: wire.Optional(a.Message)}
			if !a.End.IsZero() {
				d.EndTime = &a.End
			}
			list = append(list, d)
		}
		slices.Reverse(list)
		slices.SortStableFunc(list, func(a, b api.ScalingActivity) int { return b.StartTime.Compare(*a.StartTime) })
		out.ScalingActivities, out.NextToken, err = page(list, in.NextToken, in.MaxResults)
		return err
	})
}
