package rds

import (
	"context"
	"slices"
	"strings"
	"time"

	api "storefront/lab/api/rds"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// snapshot is a manual snapshot of a cluster: a physical copy of its data, and what a cluster needs to be restored from it.
type snapshot struct {
	ID         string
	ResourceID string // names the copy on disk
	Status     string
	Created    time.Time
	VPC        string
	Source     cluster // as it was
}

var snapshots = state.NewTable[snapshot]("rds.cluster-snapshot")

func (s *Service) snapshotARN(id string) string { return s.Region.ARN("rds", "cluster-snapshot:"+id) }

func findSnapshot(tx *state.Tx, ref string) (snapshot, error) {
	id := ref
	if n := strings.LastIndex(ref, ":cluster-snapshot:"); n >= 0 {
		id = ref[n+len(":cluster-snapshot:"):]
	}
	v, ok, err := snapshots.Get(tx, strings.ToLower(id))
	if err == nil && !ok {
		err = missing("DBClusterSnapshotNotFoundFault", "DBClusterSnapshot not found: %s", ref)
	}
	return v, err
}

// newSnapshot declares a snapshot of a cluster. The reconciler takes it.
func (s *Service) newSnapshot(tx *state.Tx, c cluster, name *string, list []api.Tag) (v snapshot, err error) {
	if v.ID, err = identifier("DBClusterSnapshotIdentifier", name, 255); err != nil {
		return v, err
	}
	if _, taken, err := snapshots.Get(tx, v.ID); err != nil || taken {
		return v, orExists(err, "DBClusterSnapshotAlreadyExistsFault", "Cannot create the cluster snapshot because one with the identifier %s already exists.", v.ID)
	}
	g, err := findSubnetGroup(tx, c.SubnetGroup)
	if err != nil {
		return v, err
	}
	if v.ResourceID, err = resourceID(tx, "snapshot"); err != nil {
		return v, err
	}
	v.Status, v.Created, v.VPC, v.Source = creating, s.Now().UTC(), g.VPC, c
	v.Source.Master.Secret, v.Source.Master.Key = "", ""
	arn := s.snapshotARN(v.ID)
	if c.CopyTags {
		has, _, err := tags.Get(tx, s.clusterARN(c))
		if err != nil {
			return v, err
		}
		if len(has) > 0 {
			if err := tags.Put(tx, arn, has); err != nil {
				return v, err
			}
		}
	}
	if err := tag(tx, arn, list); err != nil {
		return v, err
	}
	return v, snapshots.Put(tx, v.ID, v)
}

// CreateDBClusterSnapshot takes a snapshot of a cluster.
func (s *Service) CreateDBClusterSnapshot(_ context.Context, in *api.CreateDBClusterSnapshotInput) (*api.CreateDBClusterSnapshotOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.CreateDBClusterSnapshotOutput) error {
		c, err := availableCluster(tx, wire.Value(in.DBClusterIdentifier))
		if err != nil {
			return err
		}
		v, err := s.newSnapshot(tx, c, in.DBClusterSnapshotIdentifier, in.Tags)
		if err != nil {
			return err
		}
		out.DBClusterSnapshot, err = s.showSnapshot(tx, v)
		return err
	})
}

// DeleteDBClusterSnapshot deletes a snapshot with its data.
func (s *Service) DeleteDBClusterSnapshot(_ context.Context, in *api.DeleteDBClusterSnapshotInput) (*api.DeleteDBClusterSnapshotOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.DeleteDBClusterSnapshotOutput) error {
		v, err := findSnapshot(tx, wire.Value(in.DBClusterSnapshotIdentifier))
		if err != nil {
			return err
		}
		if v.Status != available && v.Status != failed {
			return fault("InvalidDBClusterSnapshotStateFault", "The cluster snapshot %s is not in the available state.", v.ID)
		}
		for _, c := range clusters.All(tx) {
			if c.Restore == v.ID && c.Writer == "" {
				return fault("InvalidDBClusterSnapshotStateFault", "The cluster snapshot %s is being restored to cluster %s.", v.ID, c.ID)
			}
		}
		v.Status = deleting
		out.DBClusterSnapshot, err = s.showSnapshot(tx, v)
		if err != nil {
			return err
		}
		return snapshots.Put(tx, v.ID, v)
	})
}

// DescribeDBClusterSnapshots lists snapshots, or one by its identifier or ARN. Automated snapshots are not taken.
func (s *Service) DescribeDBClusterSnapshots(_ context.Context, in *api.DescribeDBClusterSnapshotsInput) (*api.DescribeDBClusterSnapshotsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeDBClusterSnapshotsOutput) error {
		var list []snapshot
		if in.DBClusterSnapshotIdentifier != nil {
			v, err := findSnapshot(tx, *in.DBClusterSnapshotIdentifier)
			if err != nil {
				return err
			}
			list = append(list, v)
		} else {
			for _, v := range snapshots.All(tx) {
				list = append(list, v)
			}
		}
		list = slices.DeleteFunc(list, func(v snapshot) bool {
			return wire.Or(in.DBClusterIdentifier, v.Source.ID) != v.Source.ID || wire.Or(in.SnapshotType, "manual") != "manual"
		})
		list, err := filter(list, in.Filters, map[string]func(snapshot) []string{
			"db-cluster-id":          one(func(v snapshot) string { return v.Source.ID }),
			"db-cluster-snapshot-id": one(func(v snapshot) string { return v.ID }),
			"snapshot-type":          func(snapshot) []string { return []string{"manual"} },
			"engine":                 func(snapshot) []string { return []string{engineName} },
		})
		if err != nil {
			return err
		}
		if list, out.Marker, err = page(list, func(v snapshot) string { return v.ID }, in.Marker, in.MaxRecords); err != nil {
			return err
		}
		out.DBClusterSnapshots = []api.DBClusterSnapshot{}
		for _, v := range list {
			shown, err := s.showSnapshot(tx, v)
			if err != nil {
				return err
			}
			out.DBClusterSnapshots = append(out.DBClusterSnapshots, *shown)
		}
		return nil
	})
}

// DescribeDBClusterSnapshotAttributes tells who a snapshot is shared with: nobody.
func (s *Service) DescribeDBClusterSnapshotAttributes(_ context.Context, in *api.DescribeDBClusterSnapshotAttributesInput) (*api.DescribeDBClusterSnapshotAttributesOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeDBClusterSnapshotAttributesOutput) error {
		v, err := findSnapshot(tx, wire.Value(in.DBClusterSnapshotIdentifier))
		out.DBClusterSnapshotAttributesResult = &api.DBClusterSnapshotAttributesResult{
			DBClusterSnapshotIdentifier: &v.ID,
			DBClusterSnapshotAttributes: []api.DBClusterSnapshotAttribute{{AttributeName: new("restore"), AttributeValues: []string{}}},
		}
		return err
	})
}

func (s *Service) showSnapshot(tx *state.Tx, v snapshot) (*api.DBClusterSnapshot, error) {
	c := v.Source
	progress := int64(0)
	if v.Status != creating {
		progress = 100
	}
	out := &api.DBClusterSnapshot{
		DBClusterSnapshotIdentifier: &v.ID, DBClusterSnapshotArn: new(s.snapshotARN(v.ID)), DBClusterIdentifier: &c.ID, DbClusterResourceId: &c.ResourceID, Status: &v.Status,
		SnapshotType: new("manual"), SnapshotCreateTime: &v.Created, ClusterCreateTime: &c.Created, PercentProgress: &progress, VpcId: &v.VPC,
		Engine: new(engineName), EngineVersion: &c.Version, EngineMode: new("provisioned"), LicenseModel: new(licence), MasterUsername: &c.Master.User, Port: new(int64(c.Port)),
		StorageEncrypted: new(c.Key != ""), KmsKeyId: wire.Optional(c.Key), StorageType: new(wire.Or(wire.Optional(c.Storage), "aurora")), AllocatedStorage: new(int64(1)), IAMDatabaseAuthenticationEnabled: &c.IAM,
	}
	for _, z := range s.Region.Zones() {
		out.AvailabilityZones = append(out.AvailabilityZones, z.Name)
	}
	var err error
	out.TagList, err = showTags(tx, s.snapshotARN(v.ID))
	return out, err
}

// RestoreDBClusterFromSnapshot declares a cluster whose data is that of a snapshot, with the master user and password of then.
func (s *Service) RestoreDBClusterFromSnapshot(_ context.Context, in *api.RestoreDBClusterFromSnapshotInput) (*api.RestoreDBClusterFromSnapshotOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.RestoreDBClusterFromSnapshotOutput) error {
		v, err := findSnapshot(tx, wire.Value(in.SnapshotIdentifier))
		if err != nil {
			return err
		}
		if v.Status != available {
			return fault("InvalidDBClusterSnapshotStateFault", "The cluster snapshot %s is not in the available state.", v.ID)
		}
		if err := checkCreateCluster(&api.CreateDBClusterInput{
			Engine: in.Engine, EngineMode: in.EngineMode, DBClusterInstanceClass: in.DBClusterInstanceClass, Iops: in.Iops, ScalingConfiguration: in.ScalingConfiguration,
			Domain: in.Domain, BacktrackWindow: in.BacktrackWindow, NetworkType: in.NetworkType, OptionGroupName: in.OptionGroupName,
		}); err != nil {
			return err
		}
		from := v.Source
		key := in.KmsKeyId
		if key == nil {
			key = wire.Optional(from.Key)
		}
		c, err := s.newCluster(tx, clusterRequest{
			id: in.DBClusterIdentifier, version: new(wire.Or(in.EngineVersion, from.Version)), subnetGroup: in.DBSubnetGroupName, parameters: in.DBClusterParameterGroupName,
			groups: in.VpcSecurityGroupIds, port: new(wire.Or(in.Port, int64(from.Port))), backup: &from.Backup, maintenance: &from.Maintenance, encrypted: key != nil, key: key,
			exports: in.EnableCloudwatchLogsExports, storage: in.StorageType, scaling: in.ServerlessV2ScalingConfiguration, zones: in.AvailabilityZones,
		})
		if err != nil {
			return err
		}
		if older(c.Version, from.Version) {
			return invalidCombination("The engine version %s is older than that of the snapshot, %s.", c.Version, from.Version)
		}
		c.Restore, c.Database, c.Master, c.BackupDays = v.ID, from.Database, from.Master, from.BackupDays
		c.Lifecycle, c.AutoMinor = wire.Or(in.EngineLifecycleSupport, lifecycle), true
		c.CopyTags, c.Protected, c.IAM = wire.Value(in.CopyTagsToSnapshot), wire.Value(in.DeletionProtection), wire.Or(in.EnableIAMDatabaseAuthentication, from.IAM)
		if err := tag(tx, s.clusterARN(c), in.Tags); err != nil {
			return err
		}
		if err := putCluster(tx, c); err != nil {
			return err
		}
		out.DBCluster, err = s.showCluster(tx, c)
		return err
	})
}
