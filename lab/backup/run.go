package backup

import (
	"context"
	"errors"
	"time"

	api "storefront/lab/api/backup"
	rds "storefront/lab/api/rds"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// pace is how often Run looks at the clock: the shortest schedule is in minutes.
const pace = 20 * time.Second

// Run starts jobs on the schedules of the plans and carries all jobs on until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(pace)
	defer tick.Stop()
	changed := s.Store.Watch(ctx, "backup.", "rds.cluster")
	for {
		if err := s.Advance(ctx); err != nil && ctx.Err() == nil {
			s.Log.Error("carrying backup jobs on", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		case <-tick.C:
		}
	}
}

// Advance does what is due: starts jobs of plans, takes and watches snapshots and restores, and lets recovery points expire. Each step is durable before the next.
func (s *Service) Advance(ctx context.Context) error {
	return errors.Join(s.schedule(ctx), s.advanceJobs(ctx), s.advanceRestores(ctx), s.expire(ctx))
}

// schedule makes the jobs of every rule that is due. What was due more than once while the lab was down is made up for once.
func (s *Service) schedule(ctx context.Context) error {
	now := s.Now()
	isDue := func(at time.Time) bool { return !at.IsZero() && !now.Before(at) }
	due := func(tx *state.Tx) (list []plan) {
		for _, p := range plans.All(tx) {
			for _, at := range p.Next {
				if isDue(at) {
					list = append(list, p)
					break
				}
			}
		}
		return list
	}
	waits := 0
	err := s.Store.View(func(tx *state.Tx) error {
		waits = len(due(tx))
		return nil
	})
	if err != nil || waits == 0 {
		return err
	}
	found, err := s.Databases.DescribeDBClusters(ctx, &rds.DescribeDBClustersInput{})
	if err != nil {
		return err
	}
	return s.Store.Update(func(tx *state.Tx) error {
		for _, p := range due(tx) {
			for _, r := range p.Rules {
				if !isDue(p.Next[*r.RuleId]) {
					continue
				}
				if err := s.runRule(tx, p, r, found.DBClusters); err != nil {
					return err
				}
				schedule, err := parseSchedule(*r.ScheduleExpression, *r.ScheduleExpressionTimezone)
				if err != nil {
					return err
				}
				p.Next[*r.RuleId] = schedule.next(now)
			}
			p.Last = new(now.UTC())
			if err := plans.Put(tx, p.ID, p); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Service) runRule(tx *state.Tx, p plan, r api.BackupRule, clusters []rds.DBCluster) error {
	made := map[string]bool{} // a cluster that two selections take is backed up once
	for _, chosen := range selections.WithPrefix(tx, p.ID+"/") {
		for _, c := range clusters {
			arn := wire.Value(c.DBClusterArn)
			if made[arn] || !chosen.takes(c) {
				continue
			}
			made[arn] = true
			j := s.newJob(*r.TargetBackupVaultName, arn, *chosen.What.IamRoleArn, *r.StartWindowMinutes)
			j.Lifecycle, j.Tags = r.Lifecycle, r.RecoveryPointTags
			j.By = &api.RecoveryPointCreator{BackupPlanArn: new(s.planARN(p.ID)), BackupPlanId: &p.ID, BackupPlanVersion: &p.Version, BackupRuleId: r.RuleId}
			if err := jobs.Put(tx, j.ID, j); err != nil {
				return err
			}
		}
	}
	return nil
}

// snapshotOf returns a snapshot, nil when there is none.
func (s *Service) snapshotOf(ctx context.Context, id string) (*rds.DBClusterSnapshot, error) {
	out, err := s.Databases.DescribeDBClusterSnapshots(ctx, &rds.DescribeDBClusterSnapshotsInput{DBClusterSnapshotIdentifier: &id})
	if e, ok := errors.AsType[*wire.Error](err); ok && e.Code == "DBClusterSnapshotNotFoundFault" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &out.DBClusterSnapshots[0], nil
}

// refusal is the text of an error of AWS's, "" for none or for one of the machine's own, which may pass.
func refusal(err error) string {
	if e, ok := errors.AsType[*wire.Error](err); ok && e.Status < 500 {
		return e.Message
	}
	return ""
}

func (s *Service) advanceJobs(ctx context.Context) error {
	var open []job
	err := s.Store.View(func(tx *state.Tx) error {
		for _, j := range jobs.All(tx) {
			if j.State == api.BackupJobStateCreated || j.State == api.BackupJobStateRunning {
				open = append(open, j)
			}
		}
		return nil
	})
	var problems []error
	for _, j := range open {
		problems = append(problems, s.advanceJob(ctx, j))
	}
	return errors.Join(append(problems, err)...)
}

// advanceJob takes a job's snapshot, or looks whether it is taken. The snapshot's name is the job's: after a crash in between it is found and not taken twice.
func (s *Service) advanceJob(ctx context.Context, j job) error {
	snapshot, err := s.snapshotOf(ctx, j.snapshot())
	if err != nil {
		return err
	}
	if snapshot == nil && j.State == api.BackupJobStateRunning {
		return s.endJob(j, nil, "The snapshot "+j.snapshot()+" was deleted")
	}
	if snapshot == nil {
		id, err := s.clusterOf(j.Resource)
		if err != nil {
			return err
		}
		if err := s.mayBackUp(j); refusal(err) != "" {
			return s.endJob(j, nil, refusal(err))
		} else if err != nil {
			return err
		}
		out, err := s.Databases.CreateDBClusterSnapshot(ctx, &rds.CreateDBClusterSnapshotInput{DBClusterIdentifier: &id, DBClusterSnapshotIdentifier: new(j.snapshot()),
			Tags: []rds.Tag{{Key: new("awsbackup-source"), Value: &j.Resource}}})
		if reason := refusal(err); reason != "" {
			return s.endJob(j, nil, reason)
		}
		if err != nil {
			return err
		}
		snapshot = out.DBClusterSnapshot
	}
	switch wire.Value(snapshot.Status) {
	case "available":
		return s.endJob(j, snapshot, "")
	case "failed":
		return s.endJob(j, nil, "The snapshot "+j.snapshot()+" failed")
	}
	if j.State == api.BackupJobStateRunning {
		return nil
	}
	j.State, j.Point = api.BackupJobStateRunning, *snapshot.DBClusterSnapshotArn
	return s.Store.Update(func(tx *state.Tx) error { return jobs.Put(tx, j.ID, j) })
}

// endJob stores a job's end, and its recovery point with it.
func (s *Service) endJob(j job, snapshot *rds.DBClusterSnapshot, problem string) error {
	j.State, j.Message, j.Completed = api.BackupJobStateFailed, problem, new(s.Now().UTC())
	return s.Store.Update(func(tx *state.Tx) error {
		if snapshot == nil {
			return jobs.Put(tx, j.ID, j)
		}
		j.State, j.Point = api.BackupJobStateCompleted, *snapshot.DBClusterSnapshotArn
		p := point{ARN: j.Point, Vault: j.Vault, Resource: j.Resource, Role: j.Role, Key: wire.Value(snapshot.KmsKeyId), Status: api.RecoveryPointStatusCompleted,
			Created: j.Created, Completed: j.Completed, Lifecycle: j.Lifecycle, By: j.By, Metadata: map[string]string{
				"DBClusterIdentifier": wire.Value(snapshot.DBClusterIdentifier), "Engine": wire.Value(snapshot.Engine), "EngineVersion": wire.Value(snapshot.EngineVersion),
			}}
		return errors.Join(jobs.Put(tx, j.ID, j), points.Put(tx, p.ARN, p), tag(tx, p.ARN, j.Tags))
	})
}

func (s *Service) advanceRestores(ctx context.Context) error {
	var open []restore
	err := s.Store.View(func(tx *state.Tx) error {
		for _, r := range restores.All(tx) {
			if r.Status == api.RestoreJobStatusPending || r.Status == api.RestoreJobStatusRunning {
				open = append(open, r)
			}
		}
		return nil
	})
	var problems []error
	for _, r := range open {
		problems = append(problems, s.advanceRestore(ctx, r))
	}
	return errors.Join(append(problems, err)...)
}

func (s *Service) advanceRestore(ctx context.Context, r restore) error {
	in, err := r.request(point{ARN: r.Point}.snapshot())
	if err != nil {
		return s.endRestore(r, err.Error())
	}
	if r.Status == api.RestoreJobStatusPending {
		if err := s.restorable(r, in); refusal(err) != "" {
			return s.endRestore(r, refusal(err))
		} else if err != nil {
			return err
		}
		out, err := s.Databases.RestoreDBClusterFromSnapshot(ctx, in)
		if reason := refusal(err); reason != "" {
			return s.endRestore(r, reason)
		}
		if err != nil {
			return err
		}
		r.Status, r.Cluster = api.RestoreJobStatusRunning, *out.DBCluster.DBClusterArn
		return s.Store.Update(func(tx *state.Tx) error { return restores.Put(tx, r.ID, r) })
	}
	out, err := s.Databases.DescribeDBClusters(ctx, &rds.DescribeDBClustersInput{DBClusterIdentifier: in.DBClusterIdentifier})
	if reason := refusal(err); reason != "" {
		return s.endRestore(r, reason)
	}
	if err != nil || wire.Value(out.DBClusters[0].Status) != "available" {
		return err
	}
	return s.endRestore(r, "")
}

func (s *Service) endRestore(r restore, problem string) error {
	r.Status, r.Message, r.Completed = api.RestoreJobStatusCompleted, problem, new(s.Now().UTC())
	if problem != "" {
		r.Status = api.RestoreJobStatusFailed
	}
	return s.Store.Update(func(tx *state.Tx) error {
		if p, ok, err := points.Get(tx, r.Point); err != nil {
			return err
		} else if ok && problem == "" {
			p.Restored = r.Completed
			if err := points.Put(tx, p.ARN, p); err != nil {
				return err
			}
		}
		return restores.Put(tx, r.ID, r)
	})
}
