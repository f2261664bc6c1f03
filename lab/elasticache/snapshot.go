package elasticache

import (
	"context"
	"strings"
	"time"

	api "storefront/lab/api/elasticache"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// snapshot is the data of a replication group at a moment, and what the group was like then.
type snapshot struct {
	ID        string
	Status    string // creating, available or deleting; customers are told status
	Created   time.Time
	Automated bool   // taken by the service in the snapshot window
	Whole     bool   // asked for by the group's name, not by that of a node
	Node      node   // whose data it is
	Group     group  // as it was, without what lets in
	Replicas  int    // that the group had
	VPC       string // of the group
	Key       string // ARN of the KMS key; "" for the service's own
	CopyOf    string // the snapshot that the data comes from; "" when it comes from the node
	Size      int64  // bytes
}

// What customers are told of an available snapshot whose data somebody is taking.
const (
	copying   = "copying"
	restoring = "restoring"
)

var snapshots = state.NewTable[snapshot]("elasticache.snapshot")

func findSnapshot(tx *state.Tx, id string) (snapshot, error) {
	v, ok, err := snapshots.Get(tx, strings.ToLower(id))
	if err == nil && !ok {
		err = missing("SnapshotNotFoundFault", "Snapshot not found: %s", id)
	}
	return v, err
}

// availableSnapshot is findSnapshot for what needs a snapshot at rest.
func availableSnapshot(tx *state.Tx, id string) (snapshot, error) {
	v, err := findSnapshot(tx, id)
	if err != nil {
		return v, err
	}
	if status := v.status(tx); status != available {
		err = fault("InvalidSnapshotState", "Snapshot %s has status %s which is not valid for this operation: it must be available.", v.ID, status)
	}
	return v, err
}

func (v snapshot) status(tx *state.Tx) string {
	if v.Status != available {
		return v.Status
	}
	for _, o := range snapshots.All(tx) {
		if o.CopyOf == v.ID && o.Status == creating {
			return copying
		}
	}
	for _, g := range groups.All(tx) {
		if g.Restore == v.ID && g.Status == creating {
			return restoring
		}
	}
	return available
}

// snapshotName checks the name of a new snapshot.
func snapshotName(tx *state.Tx, parameter string, given *string) (string, error) {
	id, err := identifier(parameter, given, 255)
	if err != nil {
		return "", err
	}
	if _, taken, err := snapshots.Get(tx, id); err != nil || taken {
		return "", orExists(err, "SnapshotAlreadyExistsFault", "Snapshot with specified name already exists: %s", id)
	}
	return id, nil
}

// newSnapshot is one of a group, of a node's data. The data plane takes it.
func (s *Service) newSnapshot(tx *state.Tx, id string, g group, n node) (snapshot, error) {
	subnets, err := findSubnetGroup(tx, g.SubnetGroup)
	v := snapshot{ID: id, Status: creating, Created: s.Now().UTC(), Node: n, Group: g, Replicas: len(g.members(tx)) - 1, VPC: subnets.VPC, Key: g.Key}
	v.Group.Tokens, v.Group.UserGroup, v.Group.Logs = nil, "", nil
	return v, err
}

func putSnapshot(tx *state.Tx, v snapshot) error { return snapshots.Put(tx, v.ID, v) }

// CreateSnapshot takes a snapshot of a replication group, from its primary, or from the node that the request names.
func (s *Service) CreateSnapshot(_ context.Context, in *api.CreateSnapshotInput) (*api.CreateSnapshotOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.CreateSnapshotOutput) error {
		g, n, err := snapshotSource(tx, in)
		if err != nil {
			return err
		}
		id, err := snapshotName(tx, "SnapshotName", in.SnapshotName)
		if err != nil {
			return err
		}
		v, err := s.newSnapshot(tx, id, g, n)
		if err != nil {
			return err
		}
		v.Whole = in.ReplicationGroupId != nil
		if err := s.keep(tx, &v, in.KmsKeyId, in.Tags); err != nil {
			return err
		}
		g.Status = snapshotting
		if err := putGroup(tx, g); err != nil {
			return err
		}
		out.Snapshot = s.showSnapshot(tx, v, false)
		return nil
	})
}

// snapshotSource is the group and the node that a snapshot is to be of.
func snapshotSource(tx *state.Tx, in *api.CreateSnapshotInput) (g group, n node, err error) {
	if (in.ReplicationGroupId == nil) == (in.CacheClusterId == nil) {
		return g, n, invalidCombination("Exactly one of ReplicationGroupId and CacheClusterId must be specified.")
	}
	if in.CacheClusterId == nil {
		if g, err = availableGroup(tx, *in.ReplicationGroupId); err != nil {
			return g, n, err
		}
		n, err = findNode(tx, g.Primary)
		return g, n, err
	}
	if n, err = findNode(tx, *in.CacheClusterId); err != nil {
		return g, n, err
	}
	if g, err = findGroup(tx, n.Group); err == nil && (g.Status != available || n.Status != available) {
		err = fault("InvalidCacheClusterState", "Cache cluster %s is not in available state.", n.ID)
	}
	return g, n, err
}

// keep puts a new snapshot, under a key of the customer's when one is named, with its tags.
func (s *Service) keep(tx *state.Tx, v *snapshot, key *string, list []api.Tag) (err error) {
	if key != nil {
		if v.Key, err = s.useKey(tx, *key, "snapshot", v.ID); err != nil {
			return err
		}
	}
	if err := tag(tx, s.arn("snapshot", v.ID), list); err != nil {
		return err
	}
	return putSnapshot(tx, *v)
}

// CopySnapshot makes a manual snapshot of another one's data.
func (s *Service) CopySnapshot(_ context.Context, in *api.CopySnapshotInput) (*api.CopySnapshotOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.CopySnapshotOutput) error {
		if in.TargetBucket != nil {
			return unsupported("Exporting a snapshot to a bucket")
		}
		v, err := availableSnapshot(tx, wire.Value(in.SourceSnapshotName))
		if err != nil {
			return err
		}
		v.CopyOf, v.Status, v.Created, v.Automated = v.ID, creating, s.Now().UTC(), false
		if v.ID, err = snapshotName(tx, "TargetSnapshotName", in.TargetSnapshotName); err != nil {
			return err
		}
		if err := s.keep(tx, &v, in.KmsKeyId, in.Tags); err != nil {
			return err
		}
		out.Snapshot = s.showSnapshot(tx, v, false)
		return nil
	})
}

// DeleteSnapshot deletes a snapshot, a manual or an automatic one, with its data.
func (s *Service) DeleteSnapshot(_ context.Context, in *api.DeleteSnapshotInput) (*api.DeleteSnapshotOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.DeleteSnapshotOutput) error {
		v, err := availableSnapshot(tx, wire.Value(in.SnapshotName))
		if err != nil {
			return err
		}
		v.Status = deleting
		out.Snapshot = s.showSnapshot(tx, v, false)
		return putSnapshot(tx, v)
	})
}
