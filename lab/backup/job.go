package backup

import (
	"context"
	"time"

	"github.com/google/uuid"

	api "storefront/lab/api/backup"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// job is a backup job.
type job struct {
	ID, Vault, Resource, Role string
	State, Message            string
	Created, StartBy          time.Time
	Completed                 *time.Time
	Point                     string // ARN
	Token                     string // of idempotency
	Lifecycle                 *api.Lifecycle
	Tags                      map[string]string // of the recovery point
	By                        *api.RecoveryPointCreator
}

var jobs = state.NewTable[job]("backup.job") // by ID

func (j job) snapshot() string { return "awsbackup-job-" + j.ID }

func (j job) percent() *string {
	if j.State == api.BackupJobStateCompleted {
		return new("100.0")
	}
	return new("0.0")
}

// StartBackupJob implements the operation of that name. Run carries the job out.
func (s *Service) StartBackupJob(_ context.Context, in *api.StartBackupJobInput) (*api.StartBackupJobOutput, error) {
	if _, err := s.clusterOf(*in.ResourceArn); err != nil {
		return nil, err
	}
	if len(in.BackupOptions) > 0 {
		return nil, invalidValue("Backup options are for Windows VSS only, which is not served")
	}
	return state.Change(s.Store, func(tx *state.Tx, out *api.StartBackupJobOutput) error {
		v, err := findVault(tx, in.BackupVaultName)
		if err != nil {
			return err
		}
		if err := checkLifecycle(in.Lifecycle, v); err != nil {
			return err
		}
		if err := s.checkRole(tx, in.IamRoleArn, s.vaultARN(v.Name)); err != nil {
			return err
		}
		out.IsParent = new(false)
		for _, j := range jobs.All(tx) {
			if in.IdempotencyToken != nil && j.Token == *in.IdempotencyToken {
				out.BackupJobId, out.CreationDate = &j.ID, &j.Created
				return nil
			}
		}
		j := s.newJob(v.Name, *in.ResourceArn, *in.IamRoleArn, wire.Or(in.StartWindowMinutes, startWindow))
		j.Token, j.Lifecycle, j.Tags = wire.Value(in.IdempotencyToken), in.Lifecycle, in.RecoveryPointTags
		out.BackupJobId, out.CreationDate = &j.ID, &j.Created
		return jobs.Put(tx, j.ID, j)
	})
}

func (s *Service) newJob(vaultName, resource, role string, window int64) job {
	now := s.Now().UTC()
	return job{ID: uuid.NewString(), Vault: vaultName, Resource: resource, Role: role, State: api.BackupJobStateCreated, Created: now, StartBy: now.Add(time.Duration(window) * time.Minute)}
}

// DescribeBackupJob implements the operation of that name.
func (s *Service) DescribeBackupJob(_ context.Context, in *api.DescribeBackupJobInput) (*api.DescribeBackupJobOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeBackupJobOutput) error {
		j, ok, err := jobs.Get(tx, *in.BackupJobId)
		if err == nil && !ok {
			err = notFound("Cannot find Backup Job with ID %s", *in.BackupJobId)
		}
		*out = api.DescribeBackupJobOutput{
			AccountId: &s.Region.Account, BackupJobId: &j.ID, BackupVaultArn: new(s.vaultARN(j.Vault)), BackupVaultName: &j.Vault, CompletionDate: j.Completed, CreatedBy: j.By,
			CreationDate: &j.Created, IamRoleArn: &j.Role, IsParent: new(false), PercentDone: j.percent(), RecoveryPointArn: wire.Optional(j.Point), ResourceArn: &j.Resource,
			ResourceType: new(resourceType), StartBy: &j.StartBy, State: &j.State, StatusMessage: wire.Optional(j.Message),
		}
		return err
	})
}

// ListBackupJobs implements the operation of that name.
func (s *Service) ListBackupJobs(_ context.Context, in *api.ListBackupJobsInput) (*api.ListBackupJobsOutput, error) {
	if in.ByMessageCategory != nil || in.ByParentJobId != nil {
		return nil, invalidValue("ByMessageCategory and ByParentJobId are not served")
	}
	wanted := func(j job) bool {
		done := wire.Value(j.Completed)
		return wire.Or(in.ByBackupVaultName, j.Vault) == j.Vault && wire.Or(in.ByResourceArn, j.Resource) == j.Resource && wire.Or(in.ByState, j.State) == j.State &&
			wire.Or(in.ByResourceType, resourceType) == resourceType && wire.Or(in.ByAccountId, s.Region.Account) == s.Region.Account &&
			within(j.Created, in.ByCreatedAfter, in.ByCreatedBefore) && within(done, in.ByCompleteAfter, in.ByCompleteBefore)
	}
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListBackupJobsOutput) error {
		list, next := state.Page(state.Where(jobs.All(tx), wanted), after(in.NextToken), limit(in.MaxResults))
		out.NextToken, out.BackupJobs = next, []api.BackupJob{}
		for _, j := range list {
			out.BackupJobs = append(out.BackupJobs, api.BackupJob{
				AccountId: &s.Region.Account, BackupJobId: &j.ID, BackupVaultArn: new(s.vaultARN(j.Vault)), BackupVaultName: &j.Vault, CompletionDate: j.Completed, CreatedBy: j.By,
				CreationDate: &j.Created, IamRoleArn: &j.Role, IsParent: new(false), PercentDone: j.percent(), RecoveryPointArn: wire.Optional(j.Point), ResourceArn: &j.Resource,
				ResourceType: new(resourceType), StartBy: &j.StartBy, State: &j.State, StatusMessage: wire.Optional(j.Message),
			})
		}
		return nil
	})
}
