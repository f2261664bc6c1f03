package applicationautoscaling

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	api "storefront/lab/api/applicationautoscaling"
	rdsapi "storefront/lab/api/rds"
	"storefront/lab/rds"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Run scales until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	wake := s.Store.Watch(ctx, "applicationautoscaling.", "rds.")
	tick := time.NewTicker(10 * time.Second) // policies are looked at once a minute
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		case <-tick.C:
		}
		if err := s.Reconcile(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("scaling the readers of clusters", "error", err)
		}
	}
}

// change is a reader that an activity adds or takes away, and that is not there, or still there.
type change struct {
	key    string // of the activity
	reader string
	add    bool
	class  string
	of     target
}

// Reconcile takes every target one step further: it ends activities that have come true, decides about the next one, and asks RDS for what is missing.
func (s *Service) Reconcile(ctx context.Context) error {
	s.turns.Lock()
	defer s.turns.Unlock()
	var pending []change
	idle := false
	if err := s.Store.View(func(tx *state.Tx) error { idle = targets.Len(tx) == 0; return nil }); err != nil || idle {
		return err
	}
	err := s.Store.Update(func(tx *state.Tx) error {
		pending = nil
		for _, resource := range slices.Collect(keys(targets.All(tx))) {
			t, _, err := targets.Get(tx, resource)
			if err != nil {
				return err
			}
			more, err := s.step(tx, t)
			if err != nil {
				return fmt.Errorf("%s: %w", resource, err)
			}
			pending = append(pending, more...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	var errs []error
	for _, c := range pending {
		errs = append(errs, s.carryOut(ctx, c))
	}
	return errors.Join(errs...)
}

// step advances one target. Nothing is decided while readers come or go: "Aurora Auto Scaling only scales a DB cluster if all Aurora Replicas in the cluster are in the available state".
func (s *Service) step(tx *state.Tx, t target) ([]change, error) {
	readers, ok, err := s.Databases.Readers(tx, t.cluster())
	if err != nil || !ok {
		return nil, err
	}
	if pending, err := s.progress(tx, t, readers); err != nil || len(pending) > 0 || !readers.Ready || s.failing(tx, t) {
		return pending, err
	}
	if err := s.runScheduled(tx, &t); err != nil {
		return nil, err
	}
	current := int64(len(readers.IDs))
	want, cause, err := s.decide(tx, t, current)
	if err != nil || want == current {
		return nil, err
	}
	a := activity{Cause: cause, Class: readers.Class}
	for range want - current {
		id, err := region.NewUUID(tx, "applicationautoscaling.reader")
		if err != nil {
			return nil, err
		}
		a.Add = append(a.Add, "application-autoscaling-"+id)
	}
	for _, id := range slices.Backward(t.Made) {
		if int64(len(a.Remove)) < current-want && slices.Contains(readers.IDs, id) {
			a.Remove = append(a.Remove, id)
		}
	}
	if len(a.Add)+len(a.Remove) == 0 { // the others are not the service's to take away
		return nil, nil
	}
	a.Capacity = current + int64(len(a.Add)-len(a.Remove))
	t.Made = append(slices.DeleteFunc(t.Made, func(id string) bool { return slices.Contains(a.Remove, id) }), a.Add...)
	if err := targets.Put(tx, t.Resource, t); err != nil {
		return nil, err
	}
	if err := s.start(tx, t, a); err != nil {
		return nil, err
	}
	return s.progress(tx, t, readers)
}

// failing tells that RDS has refused the last change a moment ago: it is not asked for again before a minute is over.
func (s *Service) failing(tx *state.Tx, t target) bool {
	all := of(tx, activities, t.Resource)
	if len(all) == 0 {
		return false
	}
	last := all[len(all)-1]
	return last.Status == api.ScalingActivityStatusCodeFailed && s.Now().Before(last.End.Add(time.Minute))
}

// progress ends the activities that have come true, and returns what is missing of the others.
func (s *Service) progress(tx *state.Tx, t target, readers rds.Readers) (pending []change, err error) {
	for _, key := range slices.Collect(keys(activities.WithPrefix(tx, t.Resource+"|"))) {
		a, _, err := activities.Get(tx, key)
		if err != nil {
			return nil, err
		}
		if a.Status != api.ScalingActivityStatusCodeInProgress {
			continue
		}
		before := len(pending)
		for _, id := range a.Add {
			if !slices.Contains(readers.IDs, id) {
				pending = append(pending, change{key, id, true, a.Class, t})
			}
		}
		for _, id := range a.Remove {
			if slices.Contains(readers.IDs, id) {
				pending = append(pending, change{key, id, false, "", t})
			}
		}
		if len(pending) == before && readers.Ready {
			a.end(s.Now(), "")
			if err := activities.Put(tx, key, a); err != nil {
				return nil, err
			}
		}
	}
	return pending, nil
}

// carryOut asks RDS for one reader more or less. What RDS refuses ends the activity.
func (s *Service) carryOut(ctx context.Context, c change) error {
	ctx = s.asService(ctx)
	var err error
	if c.add {
		_, err = s.Databases.CreateDBInstance(ctx, &rdsapi.CreateDBInstanceInput{DBInstanceIdentifier: &c.reader, DBClusterIdentifier: new(c.of.cluster()), DBInstanceClass: &c.class, Engine: new("aurora-postgresql"),
			PromotionTier: new(int64(15)), Tags: []rdsapi.Tag{{Key: new("application-autoscaling:resourceId"), Value: &c.of.Resource}}})
	} else {
		_, err = s.Databases.DeleteDBInstance(ctx, &rdsapi.DeleteDBInstanceInput{DBInstanceIdentifier: &c.reader, SkipFinalSnapshot: new(true)})
	}
	refusal, refused := errors.AsType[*wire.Error](err)
	if !refused {
		return err
	}
	return s.Store.Update(func(tx *state.Tx) error {
		a, ok, err := activities.Get(tx, c.key)
		if err != nil || !ok {
			return err
		}
		a.end(s.Now(), fmt.Sprintf("Failed to set replica count to %d: %s", a.Capacity, strings.TrimSuffix(refusal.Message, ".")))
		return activities.Put(tx, c.key, a)
	})
}

// runScheduled runs the actions of a target that are due. Each runs once and is gone, as on AWS.
func (s *Service) runScheduled(tx *state.Tx, t *target) error {
	for _, a := range of(tx, actions, t.Resource) {
		if a.Due.After(s.Now()) || *t.Suspended.ScheduledScalingSuspended {
			continue
		}
		bounds := a.Input.ScalableTargetAction
		if low, high := wire.Or(bounds.MinCapacity, t.Min), wire.Or(bounds.MaxCapacity, t.Max); low <= high { // bounds that no longer fit are dropped
			t.Min, t.Max = low, high
		}
		if err := actions.Delete(tx, t.Resource+"|"+*a.Input.ScheduledActionName); err != nil {
			return err
		}
		if err := targets.Put(tx, t.Resource, *t); err != nil {
			return err
		}
	}
	return nil
}
