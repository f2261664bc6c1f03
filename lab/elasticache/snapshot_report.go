package elasticache

import (
	"fmt"

	api "storefront/lab/api/elasticache"
	"storefront/lab/state"
)

// Snapshot is one that is to be taken, for the data plane.
type Snapshot struct {
	ID   string
	Node string // whose data it is to have; the primary's when that one does not run
}

// untaken lists the snapshots of the group that are to be taken.
func (g group) untaken(tx *state.Tx) (list []Snapshot) {
	for _, v := range snapshots.All(tx) {
		if v.Status == creating && v.CopyOf == "" && v.Group.ID == g.ID {
			list = append(list, Snapshot{v.ID, v.Node.ID})
		}
	}
	return list
}

// Snapshots lists the copies that are to be made of snapshots, by their names, and the snapshots that are to be deleted.
func (s *Service) Snapshots(tx *state.Tx) (copies map[string]string, drop []string) {
	copies = map[string]string{}
	for _, v := range snapshots.All(tx) {
		switch {
		case v.Status == creating && v.CopyOf != "":
			copies[v.ID] = v.CopyOf
		case v.Status == deleting:
			drop = append(drop, v.ID)
		}
	}
	return copies, drop
}

// SnapshotTaken reports that a snapshot has been taken, from which node, and its bytes. A group that only waited for its final snapshot is deleted now.
func (s *Service) SnapshotTaken(tx *state.Tx, id, from string, size int64) error {
	v, err := findSnapshot(tx, id)
	if err != nil {
		return err
	}
	if v.Node, err = findNode(tx, from); err != nil {
		return err
	}
	v.Status, v.Size = available, size
	g, err := s.ended(tx, v, "succeeded")
	if err != nil {
		return err
	}
	if g.Status == deleting {
		return g.takeAway(tx)
	}
	g.Status = available
	return putGroup(tx, g)
}

// SnapshotFailed reports that a snapshot cannot be taken any more: nothing is left of it. A group is not deleted without the final snapshot that it was to
// leave.
func (s *Service) SnapshotFailed(tx *state.Tx, id string) error {
	v, err := findSnapshot(tx, id)
	if err != nil {
		return err
	}
	v.Status = deleting
	g, err := s.ended(tx, v, "failed")
	if err != nil {
		return err
	}
	g.Status = available
	return putGroup(tx, g)
}

// ended keeps a snapshot that is no longer under way, notes how it ended, and returns its group.
func (s *Service) ended(tx *state.Tx, v snapshot, how string) (group, error) {
	if err := putSnapshot(tx, v); err != nil {
		return group{}, err
	}
	kind, name, of := api.SourceTypeCacheCluster, v.Node.ID, "cache cluster"
	if v.Whole {
		kind, name, of = api.SourceTypeReplicationGroup, v.Group.ID, "replication group"
	}
	if err := s.note(tx, kind, name, fmt.Sprintf("Snapshot %s for snapshot with ID '%s' of %s with ID '%s'", how, v.ID, of, name)); err != nil {
		return group{}, err
	}
	return findGroup(tx, v.Group.ID)
}

// SnapshotCopied reports that a copy of a snapshot has its data.
func (s *Service) SnapshotCopied(tx *state.Tx, id string) error {
	v, err := findSnapshot(tx, id)
	if err != nil {
		return err
	}
	v.Status = available
	return putSnapshot(tx, v)
}

// SnapshotGone reports that nothing is left of a snapshot.
func (s *Service) SnapshotGone(tx *state.Tx, id string) error {
	if err := tags.Delete(tx, s.arn("snapshot", id)); err != nil {
		return err
	}
	return snapshots.Delete(tx, id)
}
