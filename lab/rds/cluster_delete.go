package rds

import (
	"context"

	api "storefront/lab/api/rds"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// DeleteDBCluster deletes a cluster without instances, with a final snapshot of its data unless that is to be skipped.
func (s *Service) DeleteDBCluster(_ context.Context, in *api.DeleteDBClusterInput) (*api.DeleteDBClusterOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.DeleteDBClusterOutput) error {
		c, err := findCluster(tx, wire.Value(in.DBClusterIdentifier))
		if err != nil {
			return err
		}
		if c.Protected {
			return invalidCombination("Cannot delete protected Cluster, please disable deletion protection and try again.")
		}
		for _, i := range c.members(tx) {
			if i.Status != deleting {
				return fault("InvalidDBClusterStateFault", "Cluster cannot be deleted, it still contains DB instances in non-deleting state.")
			}
		}
		if c.Status == deleting {
			return fault("InvalidDBClusterStateFault", "Cluster %s is already being deleted.", c.ID)
		}
		if err := s.finalSnapshot(tx, c, in); err != nil {
			return err
		}
		c.Status = deleting
		if err := putCluster(tx, c); err != nil {
			return err
		}
		out.DBCluster, err = s.showCluster(tx, c)
		return err
	})
}

func (s *Service) finalSnapshot(tx *state.Tx, c cluster, in *api.DeleteDBClusterInput) error {
	switch {
	case wire.Value(in.SkipFinalSnapshot) && in.FinalDBSnapshotIdentifier != nil:
		return invalidCombination("FinalDBSnapshotIdentifier can not be specified when SkipFinalSnapshot is enabled.")
	case wire.Value(in.SkipFinalSnapshot):
		return nil
	case in.FinalDBSnapshotIdentifier == nil:
		return invalidCombination("FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified.")
	}
	_, err := s.newSnapshot(tx, c, in.FinalDBSnapshotIdentifier, nil)
	return err
}
