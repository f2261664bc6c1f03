package elasticache

import (
	"context"

	api "storefront/lab/api/elasticache"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// DeleteReplicationGroup deletes a group with its nodes and data, after a final snapshot of its primary when the request names one.
func (s *Service) DeleteReplicationGroup(_ context.Context, in *api.DeleteReplicationGroupInput) (*api.DeleteReplicationGroupOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.DeleteReplicationGroupOutput) error {
		g, err := findGroup(tx, wire.Value(in.ReplicationGroupId))
		if err != nil {
			return err
		}
		final := in.FinalSnapshotIdentifier != nil
		switch {
		case wire.Value(in.RetainPrimaryCluster):
			return unsupported("A cache cluster outside of a replication group")
		case g.Status == deleting, g.Status == snapshotting, final && g.Status != available:
			return fault("InvalidReplicationGroupState", "Replication group %s has status %s which is not valid for deletion.", g.ID, g.Status)
		case final:
			err = s.finalSnapshot(tx, g, in.FinalSnapshotIdentifier)
		default:
			err = g.takeAway(tx)
		}
		if err != nil {
			return err
		}
		g.Status = deleting
		if err := putGroup(tx, g); err != nil {
			return err
		}
		out.ReplicationGroup = s.showGroup(tx, g)
		return nil
	})
}

// finalSnapshot declares the snapshot that a group's end waits for.
func (s *Service) finalSnapshot(tx *state.Tx, g group, name *string) error {
	id, err := snapshotName(tx, "FinalSnapshotIdentifier", name)
	if err != nil {
		return err
	}
	n, err := findNode(tx, g.Primary)
	if err != nil {
		return err
	}
	v, err := s.newSnapshot(tx, id, g, n)
	if err != nil {
		return err
	}
	return putSnapshot(tx, v)
}

// takeAway declares the end of the group's nodes.
func (g group) takeAway(tx *state.Tx) error {
	for _, n := range g.members(tx) {
		n.Status = deleting
		if err := nodes.Put(tx, n.ID, n); err != nil {
			return err
		}
	}
	return nil
}

// DescribeReplicationGroups lists the groups, or one by its ID.
func (s *Service) DescribeReplicationGroups(_ context.Context, in *api.DescribeReplicationGroupsInput) (*api.DescribeReplicationGroupsOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeReplicationGroupsOutput) (err error) {
		list, err := oneOrAll(tx, in.ReplicationGroupId, findGroup, groups.All(tx))
		if err != nil {
			return err
		}
		if list, out.Marker, err = page(list, func(g group) string { return g.ID }, in.Marker, in.MaxRecords); err != nil {
			return err
		}
		out.ReplicationGroups = []api.ReplicationGroup{}
		for _, g := range list {
			out.ReplicationGroups = append(out.ReplicationGroups, *s.showGroup(tx, g))
		}
		return nil
	})
}
