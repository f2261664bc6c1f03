package elasticache

import (
	"context"
	"fmt"
	"slices"
	"strings"

	api "storefront/lab/api/elasticache"
	"storefront/lab/state"
	"storefront/lab/wire"
)

const snapshotPage = 50 // the most that one answer of DescribeSnapshots has

// DescribeSnapshots lists snapshots: one by its name, those of a group or of a node, those that the service took by itself ("system") or others ("user").
func (s *Service) DescribeSnapshots(_ context.Context, in *api.DescribeSnapshotsInput) (*api.DescribeSnapshotsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeSnapshotsOutput) error {
		if from := wire.Or(in.SnapshotSource, "user"); from != "user" && from != "system" {
			return invalidValue("Invalid snapshot source: %s. Valid values are system and user", from)
		}
		limit := wire.Or(in.MaxRecords, snapshotPage)
		if limit > snapshotPage {
			return invalidValue("Invalid value %d for MaxRecords. Must be between 1 and %d", limit, snapshotPage)
		}
		list, err := oneOrAll(tx, in.SnapshotName, findSnapshot, snapshots.All(tx))
		if err != nil {
			return err
		}
		list = slices.DeleteFunc(list, func(v snapshot) bool {
			return !strings.EqualFold(wire.Or(in.ReplicationGroupId, v.Group.ID), v.Group.ID) || in.CacheClusterId != nil && (v.Whole || !strings.EqualFold(*in.CacheClusterId, v.Node.ID)) ||
				in.SnapshotSource != nil && v.Automated != (*in.SnapshotSource == "system")
		})
		list, marker, err := page(list, func(v snapshot) string { return v.ID }, in.Marker, &limit)
		if err != nil {
			return err
		}
		out.Snapshots, out.Marker = []api.Snapshot{}, marker
		for _, v := range list {
			out.Snapshots = append(out.Snapshots, *s.showSnapshot(tx, v, wire.Value(in.ShowNodeGroupConfig)))
		}
		return nil
	})
}

// showSnapshot shows what a snapshot is of: a group, or a cache cluster, which daily and final snapshots are of when cluster mode is disabled.
func (s *Service) showSnapshot(tx *state.Tx, v snapshot, withShard bool) *api.Snapshot {
	g, n, source, status := v.Group, v.Node, "manual", v.status(tx)
	if v.Automated {
		source = "automated"
	}
	out := &api.Snapshot{
		SnapshotName: &v.ID, ARN: new(s.arn("snapshot", v.ID)), SnapshotStatus: &status, SnapshotSource: &source, KmsKeyId: wire.Optional(v.Key), VpcId: &v.VPC,
		Engine: new(engineName), EngineVersion: &g.Version, CacheNodeType: &g.NodeType, Port: new(int64(g.Port)), CacheParameterGroupName: &g.Parameters, CacheSubnetGroupName: &g.SubnetGroup,
		PreferredMaintenanceWindow: &g.Maintenance, SnapshotWindow: &g.Snapshot, SnapshotRetentionLimit: &g.SnapshotDays, AutoMinorVersionUpgrade: &g.AutoMinor, TopicArn: wire.Optional(g.Topic),
		AutomaticFailover: new(enabled(g.Failover)), DataTiering: new(api.DataTieringStatusDisabled),
	}
	shard := api.NodeSnapshot{CacheNodeId: new(cacheNodeID), CacheNodeCreateTime: &n.Created, SnapshotCreateTime: &v.Created}
	if v.Size > 0 {
		shard.CacheSize = new(fmt.Sprintf("%d MB", (v.Size+1<<20-1)>>20))
	}
	if v.Whole {
		out.ReplicationGroupId, out.ReplicationGroupDescription, out.NumNodeGroups = &g.ID, &g.Description, new(int64(1))
		shard.NodeGroupId, shard.CacheClusterId = new(nodeGroupID), &n.ID
	} else {
		out.CacheClusterId, out.CacheClusterCreateTime, out.NumCacheNodes, out.PreferredAvailabilityZone = &n.ID, &n.Created, new(int64(1)), &n.Zone
	}
	if withShard {
		shard.NodeGroupConfiguration = &api.NodeGroupConfiguration{NodeGroupId: new(nodeGroupID), PrimaryAvailabilityZone: &n.Zone, ReplicaCount: new(int64(v.Replicas))}
	}
	out.NodeSnapshots = []api.NodeSnapshot{shard}
	return out
}
