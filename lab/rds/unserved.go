package rds

import (
	"context"

	api "storefront/lab/api/rds"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Operations that the lab knows and does not serve refuse. Lists of what cannot exist here are empty, as they are in an account that has none.

// CopyDBClusterSnapshot is not served.
func (s *Service) CopyDBClusterSnapshot(context.Context, *api.CopyDBClusterSnapshotInput) (*api.CopyDBClusterSnapshotOutput, error) {
	return nil, unsupported("Copying a cluster snapshot")
}

// ModifyDBClusterSnapshotAttribute is not served: there is no other account to share with.
func (s *Service) ModifyDBClusterSnapshotAttribute(context.Context, *api.ModifyDBClusterSnapshotAttributeInput) (*api.ModifyDBClusterSnapshotAttributeOutput, error) {
	return nil, unsupported("Sharing a cluster snapshot")
}

// RestoreDBClusterToPointInTime is not served.
func (s *Service) RestoreDBClusterToPointInTime(context.Context, *api.RestoreDBClusterToPointInTimeInput) (*api.RestoreDBClusterToPointInTimeOutput, error) {
	return nil, unsupported("Restoring a cluster to a point in time")
}

// PromoteReadReplicaDBCluster refuses: no cluster here is a replica.
func (s *Service) PromoteReadReplicaDBCluster(_ context.Context, in *api.PromoteReadReplicaDBClusterInput) (*api.PromoteReadReplicaDBClusterOutput, error) {
	return nil, s.notFor(in.DBClusterIdentifier, "DB cluster %s is not a read replica.")
}

// RebootDBCluster refuses: it is for Multi-AZ DB clusters with RDS storage.
func (s *Service) RebootDBCluster(_ context.Context, in *api.RebootDBClusterInput) (*api.RebootDBClusterOutput, error) {
	return nil, s.notFor(in.DBClusterIdentifier, "Rebooting an Aurora DB cluster is not supported: reboot the instances of %s.")
}

func (s *Service) notFor(id *string, format string) error {
	return s.Store.View(func(tx *state.Tx) error {
		c, err := findCluster(tx, wire.Value(id))
		if err != nil {
			return err
		}
		return fault("InvalidDBClusterStateFault", format, c.ID)
	})
}

// DescribeDBLogFiles is not served: `lab logs` shows the server's log.
func (s *Service) DescribeDBLogFiles(context.Context, *api.DescribeDBLogFilesInput) (*api.DescribeDBLogFilesOutput, error) {
	return nil, unsupported("Listing log files")
}

// DownloadDBLogFilePortion is not served: `lab logs` shows the server's log.
func (s *Service) DownloadDBLogFilePortion(context.Context, *api.DownloadDBLogFilePortionInput) (*api.DownloadDBLogFilePortionOutput, error) {
	return nil, unsupported("Downloading a log file")
}

// DescribeEvents is not served: events are not recorded.
func (s *Service) DescribeEvents(context.Context, *api.DescribeEventsInput) (*api.DescribeEventsOutput, error) {
	return nil, unsupported("Listing events")
}

// DescribeEventCategories is not served: events are not recorded.
func (s *Service) DescribeEventCategories(context.Context, *api.DescribeEventCategoriesInput) (*api.DescribeEventCategoriesOutput, error) {
	return nil, unsupported("Listing event categories")
}

// DescribeOptionGroups is not served: Aurora PostgreSQL has no options.
func (s *Service) DescribeOptionGroups(context.Context, *api.DescribeOptionGroupsInput) (*api.DescribeOptionGroupsOutput, error) {
	return nil, unsupported("Listing option groups")
}

// DescribeValidDBInstanceModifications is not served.
func (s *Service) DescribeValidDBInstanceModifications(context.Context, *api.DescribeValidDBInstanceModificationsInput) (*api.DescribeValidDBInstanceModificationsOutput, error) {
	return nil, unsupported("Listing valid modifications")
}

// DescribeAccountAttributes is not served: the lab has no quotas of an account.
func (s *Service) DescribeAccountAttributes(context.Context, *api.DescribeAccountAttributesInput) (*api.DescribeAccountAttributesOutput, error) {
	return nil, unsupported("Listing quotas")
}

// DescribeGlobalClusters lists no global database: none can be made.
func (s *Service) DescribeGlobalClusters(_ context.Context, in *api.DescribeGlobalClustersInput) (*api.DescribeGlobalClustersOutput, error) {
	return &api.DescribeGlobalClustersOutput{GlobalClusters: []api.GlobalCluster{}}, checkPage(in.Marker, in.MaxRecords)
}

// DescribeDBSnapshots lists no snapshot of instances: those of clusters are cluster snapshots.
func (s *Service) DescribeDBSnapshots(_ context.Context, in *api.DescribeDBSnapshotsInput) (*api.DescribeDBSnapshotsOutput, error) {
	return &api.DescribeDBSnapshotsOutput{DBSnapshots: []api.DBSnapshot{}}, checkPage(in.Marker, in.MaxRecords)
}

// DescribeDBInstanceAutomatedBackups lists no backup: those of clusters are the clusters'.
func (s *Service) DescribeDBInstanceAutomatedBackups(_ context.Context, in *api.DescribeDBInstanceAutomatedBackupsInput) (*api.DescribeDBInstanceAutomatedBackupsOutput, error) {
	return &api.DescribeDBInstanceAutomatedBackupsOutput{DBInstanceAutomatedBackups: []api.DBInstanceAutomatedBackup{}}, checkPage(in.Marker, in.MaxRecords)
}

// DescribeDBClusterAutomatedBackups lists no backup: the lab takes none by itself.
func (s *Service) DescribeDBClusterAutomatedBackups(_ context.Context, in *api.DescribeDBClusterAutomatedBackupsInput) (*api.DescribeDBClusterAutomatedBackupsOutput, error) {
	return &api.DescribeDBClusterAutomatedBackupsOutput{DBClusterAutomatedBackups: []api.DBClusterAutomatedBackup{}}, checkPage(in.Marker, in.MaxRecords)
}

// DescribePendingMaintenanceActions lists no action: the lab plans none.
func (s *Service) DescribePendingMaintenanceActions(_ context.Context, in *api.DescribePendingMaintenanceActionsInput) (*api.DescribePendingMaintenanceActionsOutput, error) {
	return &api.DescribePendingMaintenanceActionsOutput{PendingMaintenanceActions: []api.ResourcePendingMaintenanceActions{}}, checkPage(in.Marker, in.MaxRecords)
}

// DescribeSourceRegions lists no region: the lab has one.
func (s *Service) DescribeSourceRegions(_ context.Context, in *api.DescribeSourceRegionsInput) (*api.DescribeSourceRegionsOutput, error) {
	return &api.DescribeSourceRegionsOutput{SourceRegions: []api.SourceRegion{}}, checkPage(in.Marker, in.MaxRecords)
}
