package backup

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/google/uuid"

	api "storefront/lab/api/backup"
	rds "storefront/lab/api/rds"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// restore is a restore job: a new cluster from a recovery point. As on AWS it has no instances; they are added with RDS.
type restore struct {
	ID, Point, Role, Status, Message string
	Created                          time.Time
	Completed                        *time.Time
	Token                            string
	Metadata                         map[string]string
	Cluster                          string // ARN
}

var restores = state.NewTable[restore]("backup.restore") // by ID

// restoreMetadata are the members of a restore job's metadata that are served: "Restore Amazon Aurora", in the AWS Backup Developer Guide.
var restoreMetadata = map[string]func(*rds.RestoreDBClusterFromSnapshotInput, string) error{
	"DBClusterIdentifier": func(in *rds.RestoreDBClusterFromSnapshotInput, v string) error {
		in.DBClusterIdentifier = &v
		return nil
	},
	"Engine":            func(in *rds.RestoreDBClusterFromSnapshotInput, v string) error { in.Engine = &v; return nil },
	"EngineVersion":     func(in *rds.RestoreDBClusterFromSnapshotInput, v string) error { in.EngineVersion = &v; return nil },
	"DBSubnetGroupName": func(in *rds.RestoreDBClusterFromSnapshotInput, v string) error { in.DBSubnetGroupName = &v; return nil },
	"DBClusterParameterGroupName": func(in *rds.RestoreDBClusterFromSnapshotInput, v string) error {
		in.DBClusterParameterGroupName = &v
		return nil
	},
	"KmsKeyId": func(in *rds.RestoreDBClusterFromSnapshotInput, v string) error { in.KmsKeyId = &v; return nil },
	"Port": func(in *rds.RestoreDBClusterFromSnapshotInput, v string) error {
		n, err := strconv.ParseInt(v, 10, 64)
		in.Port = &n
		return err
	},
	"VpcSecurityGroupIds": func(in *rds.RestoreDBClusterFromSnapshotInput, v string) error {
		return json.Unmarshal([]byte(v), &in.VpcSecurityGroupIds)
	},
}

// request makes RDS's request of a restore job.
func (r restore) request(snapshot string) (*rds.RestoreDBClusterFromSnapshotInput, error) {
	in := &rds.RestoreDBClusterFromSnapshotInput{SnapshotIdentifier: &snapshot, Engine: new("aurora-postgresql")}
	for name, value := range r.Metadata {
		set, known := restoreMetadata[name]
		if !known {
			return nil, invalidValue("Metadata %s is not served", name)
		}
		if err := set(in, value); err != nil {
			return nil, invalidValue("Metadata %s: %v", name, err)
		}
	}
	if in.DBClusterIdentifier == nil {
		return nil, invalidValue("Metadata DBClusterIdentifier is missing")
	}
	return in, nil
}

// StartRestoreJob implements the operation of that name. Run carries the job out.
func (s *Service) StartRestoreJob(_ context.Context, in *api.StartRestoreJobInput) (*api.StartRestoreJobOutput, error) {
	if wire.Or(in.ResourceType, resourceType) != resourceType {
		return nil, invalidValue("Unsupported resource type: %s", *in.ResourceType)
	}
	if wire.Value(in.CopySourceTagsToRestoredResource) {
		return nil, invalidValue("CopySourceTagsToRestoredResource is not served")
	}
	return state.Change(s.Store, func(tx *state.Tx, out *api.StartRestoreJobOutput) error {
		p, ok, err := points.Get(tx, *in.RecoveryPointArn)
		if err != nil {
			return err
		}
		if !ok {
			return notFound("Cannot find recovery point %s", *in.RecoveryPointArn)
		}
		if p.Status != api.RecoveryPointStatusCompleted {
			return invalidRequest("Recovery point %s is %s", p.ARN, p.Status)
		}
		if err := s.checkRole(tx, in.IamRoleArn, s.vaultARN(p.Vault)); err != nil {
			return err
		}
		for _, r := range restores.All(tx) {
			if in.IdempotencyToken != nil && r.Token == *in.IdempotencyToken {
				out.RestoreJobId = &r.ID
				return nil
			}
		}
		r := restore{ID: uuid.NewString(), Point: p.ARN, Role: *in.IamRoleArn, Status: api.RestoreJobStatusPending, Created: s.Now().UTC(), Token: wire.Value(in.IdempotencyToken), Metadata: in.Metadata}
		if _, err := r.request(p.snapshot()); err != nil {
			return err
		}
		out.RestoreJobId = &r.ID
		return restores.Put(tx, r.ID, r)
	})
}

func (r restore) percent() *string {
	if r.Status == api.RestoreJobStatusCompleted {
		return new("100.00%")
	}
	return new("0.00%")
}

// DescribeRestoreJob implements the operation of that name.
func (s *Service) DescribeRestoreJob(_ context.Context, in *api.DescribeRestoreJobInput) (*api.DescribeRestoreJobOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeRestoreJobOutput) error {
		r, ok, err := restores.Get(tx, *in.RestoreJobId)
		if err == nil && !ok {
			err = notFound("Cannot find Restore Job with ID %s", *in.RestoreJobId)
		}
		*out = api.DescribeRestoreJobOutput{
			AccountId: &s.Region.Account, CompletionDate: r.Completed, CreatedResourceArn: wire.Optional(r.Cluster), CreationDate: &r.Created, IamRoleArn: &r.Role, PercentDone: r.percent(),
			RecoveryPointArn: &r.Point, ResourceType: new(resourceType), RestoreJobId: &r.ID, Status: &r.Status, StatusMessage: wire.Optional(r.Message),
		}
		return err
	})
}

// ListRestoreJobs implements the operation of that name.
func (s *Service) ListRestoreJobs(_ context.Context, in *api.ListRestoreJobsInput) (*api.ListRestoreJobsOutput, error) {
	if in.ByRestoreTestingPlanArn != nil {
		return nil, invalidValue("Restore testing plans are not served")
	}
	wanted := func(r restore) bool {
		return wire.Or(in.ByStatus, r.Status) == r.Status && wire.Or(in.ByResourceType, resourceType) == resourceType && wire.Or(in.ByAccountId, s.Region.Account) == s.Region.Account &&
			within(r.Created, in.ByCreatedAfter, in.ByCreatedBefore) && within(wire.Value(r.Completed), in.ByCompleteAfter, in.ByCompleteBefore)
	}
	return state.Read(s.Store, func(tx *state.Tx, out *api.ListRestoreJobsOutput) error {
		list, next := state.Page(state.Where(restores.All(tx), wanted), after(in.NextToken), limit(in.MaxResults))
		out.NextToken, out.RestoreJobs = next, []api.RestoreJobsListMember{}
		for _, r := range list {
			out.RestoreJobs = append(out.RestoreJobs, api.RestoreJobsListMember{
				AccountId: &s.Region.Account, CompletionDate: r.Completed, CreatedResourceArn: wire.Optional(r.Cluster), CreationDate: &r.Created, IamRoleArn: &r.Role, PercentDone: r.percent(),
				RecoveryPointArn: &r.Point, ResourceType: new(resourceType), RestoreJobId: &r.ID, Status: &r.Status, StatusMessage: wire.Optional(r.Message),
			})
		}
		return nil
	})
}
