// Package backup is AWS Backup in the lab: vaults with policies and locks, plans that run on their schedules, and jobs that back up Aurora clusters to cluster snapshots of
// the lab's RDS and restore clusters from them.
//
// Every job and recovery point is in the store; Run carries jobs on after a restart. What is not served is refused: other resources than clusters, copies to other vaults,
// continuous backups, Windows VSS. Jobs act in their roles, and what these are not allowed fails the job; recovery points are deleted as AWS Backup itself. Snapshots are named
// "awsbackup-job-ID", where AWS has a colon that its own API refuses (policies are asked about AWS's name), and are of type "manual".
package backup

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"storefront/lab/access"
	api "storefront/lab/api/backup"
	rds "storefront/lab/api/rds"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Databases is what jobs do with clusters. rds.Service implements it.
type Databases interface {
	CreateDBClusterSnapshot(context.Context, *rds.CreateDBClusterSnapshotInput) (*rds.CreateDBClusterSnapshotOutput, error)
	DeleteDBClusterSnapshot(context.Context, *rds.DeleteDBClusterSnapshotInput) (*rds.DeleteDBClusterSnapshotOutput, error)
	DescribeDBClusterSnapshots(context.Context, *rds.DescribeDBClusterSnapshotsInput) (*rds.DescribeDBClusterSnapshotsOutput, error)
	DescribeDBClusters(context.Context, *rds.DescribeDBClustersInput) (*rds.DescribeDBClustersOutput, error)
	RestoreDBClusterFromSnapshot(context.Context, *rds.RestoreDBClusterFromSnapshotInput) (*rds.RestoreDBClusterFromSnapshotOutput, error)
}

// Config is what a Service is made of. All fields are required.
type Config struct {
	Store     *state.Store
	Region    region.Region
	Now       func() time.Time
	Databases Databases
	Permits   func(*state.Tx, access.Act) error // decides about what AWS Backup does on its own
	Log       *slog.Logger
}

// Service implements api.API.
type Service struct{ Config }

var _ api.API = (*Service)(nil)

// New makes the service on the store's state.
func New(c Config) *Service { return &Service{c} }

// resourceType is the only one of AWS Backup's types that the lab backs up.
const resourceType = "Aurora"

func notFound(format string, args ...any) error {
	return wire.Errorf(400, "ResourceNotFoundException", format, args...)
}

func invalidValue(format string, args ...any) error {
	return wire.Errorf(400, "InvalidParameterValueException", format, args...)
}

func invalidRequest(format string, args ...any) error {
	return wire.Errorf(400, "InvalidRequestException", format, args...)
}

func exists(format string, args ...any) error {
	return wire.Errorf(400, "AlreadyExistsException", format, args...)
}

// clusterOf returns the identifier of a cluster by its ARN.
func (s *Service) clusterOf(arn string) (string, error) {
	id, ok := strings.CutPrefix(arn, s.Region.ARN("rds", "cluster:"))
	if !ok || id == "" {
		return "", invalidValue("Unsupported resource type: %s", arn)
	}
	return id, nil
}

// after is the key that a page begins behind: the token of the page before.
func after(token *string) string { return wire.Value(token) }

// limit is the length of a page.
func limit(maxResults *int64) int64 { return wire.Or(maxResults, 1000) }
