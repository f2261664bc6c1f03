package autoscaling

import (
	"context"
	"fmt"
	"slices"
	"time"

	api "storefront/lab/api/autoscaling"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// keepActivities is how many activities of a group are kept; AWS keeps those of six weeks.
const keepActivities = 200

// stamp writes a time as the causes of activities have it.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// start begins an activity and returns its ID.
func start(tx *state.Tx, g *group, now time.Time, description, cause string, p subnet) (string, error) {
	n, err := tx.Sequence("autoscaling-activity-order")
	if err != nil {
		return "", err
	}
	id, err := region.NewUUID(tx, "autoscaling-activity")
	if err != nil {
		return "", err
	}
	if kept := slices.Collect(keys(tx, g.Name)); len(kept) >= keepActivities {
		if err := activities.Delete(tx, kept[0]); err != nil {
			return "", err
		}
	}
	a := activity{ID: id, Group: g.Name, GroupARN: g.ARN, Description: description, Cause: cause, Status: api.ScalingActivityStatusCodeInProgress, Start: now,
		Details: fmt.Sprintf("{\"Subnet ID\":%q,\"Availability Zone\":%q}", p.ID, p.Zone)}
	return id, activities.Put(tx, g.Name+":"+number(n), a)
}

func keys(tx *state.Tx, group string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for key := range activities.WithPrefix(tx, group+":") {
			if !yield(key) {
				return
			}
		}
	}
}

// progress edits a running activity. One that is not kept any more is no error.
func progress(tx *state.Tx, group, id string, f func(*activity)) error {
	for key, a := range activities.WithPrefix(tx, group+":") {
		if a.ID == id {
			f(&a)
			return activities.Put(tx, key, a)
		}
	}
	return nil
}

// set moves an activity on; the final ones end it.
func (a *activity) set(status, message string, now time.Time) {
	a.Status, a.StatusMessage = status, message
	switch status {
	case api.ScalingActivityStatusCodeSuccessful, api.ScalingActivityStatusCodeFailed, api.ScalingActivityStatusCodeCancelled:
		a.Progress, a.End = 100, now
	default:
		a.Progress = min(a.Progress+20, 80)
	}
}

func (a activity) describe() api.Activity {
	d := api.Activity{ActivityId: &a.ID, AutoScalingGroupARN: &a.GroupARN, AutoScalingGroupName: &a.Group, Cause: &a.Cause, Description: &a.Description,
		Details: &a.Details, Progress: &a.Progress, StartTime: &a.Start, StatusCode: &a.Status, StatusMessage: wire.Optional(a.StatusMessage)}
	if !a.End.IsZero() {
		d.EndTime = &a.End
	}
	return d
}

// DescribeScalingActivities implements the operation of that name: the newest first. Activities of deleted groups are not kept.
func (s *Service) DescribeScalingActivities(_ context.Context, in *api.DescribeScalingActivitiesInput) (*api.DescribeScalingActivitiesOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeScalingActivitiesOutput) error {
		prefix := ""
		if in.AutoScalingGroupName != nil {
			g, err := findGroup(tx, in.AutoScalingGroupName)
			if err != nil {
				return err
			}
			prefix = g.Name + ":"
		}
		var found []api.Activity
		for _, a := range activities.WithPrefix(tx, prefix) {
			if len(in.ActivityIds) == 0 || slices.Contains(in.ActivityIds, a.ID) {
				found = append(found, a.describe())
			}
		}
		slices.Reverse(found)
		slices.SortStableFunc(found, func(a, b api.Activity) int { return b.StartTime.Compare(*a.StartTime) })
		var err error
		found, out.NextToken, err = page(found, in.NextToken, in.MaxRecords, 100)
		out.Activities = append([]api.Activity{}, found...)
		return err
	})
}
