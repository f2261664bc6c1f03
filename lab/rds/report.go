package rds

import (
	"net/netip"
	"reflect"
	"slices"

	"storefront/lab/state"
)

// Cluster is what should run of one cluster, for the data plane.
type Cluster struct {
	ID         string
	ResourceID string // names the data
	Status     string
	Exists     bool // false: the data is to be deleted
	Port       int
	Master     Master
	Database   string
	Instances  []Instance // without those of stopped clusters; in the order of their creation
	Writer     string     // ID of the instance that writes, or that is to make the data; "" when there is no instance
	Target     string     // ID of the reader that is to become the writer; "" when none is
	Restore    string     // resource ID of the snapshot that the data is to be made of; "" for none
	Names      []string   // DNS names of the cluster's endpoints, for certificates
}

// Master is a cluster's master user.
type Master struct {
	User     string
	Verifier string
	Applied  bool // false: the servers have another password
}

// Instance is one instance.
type Instance struct {
	ID         string
	ResourceID string // names the data
	Status     string
	Tier       int64
	Interface  string // network interface that the server lives behind
	Address    netip.Addr
	Name       string // DNS name
	Parameters map[string]string

	needsReboot, broken bool // as reported
}

// Settled tells that the cluster is in no transition, so that there is nothing to report.
func (c Cluster) Settled() bool { return settled(c.Status) == c.Status }

// Settled tells that InstanceSettled would change nothing.
func (i Instance) Settled(needsReboot bool) bool {
	return settled(i.Status) == i.Status && i.needsReboot == needsReboot && !i.broken
}

// Deleting tells that the instance is to be taken away.
func (i Instance) Deleting() bool { return i.Status == deleting }

// Rebooting tells that the server is to be started anew.
func (i Instance) Rebooting() bool { return i.Status == rebooting }

// Running tells that the server should run. It is false while the cluster stops or is stopped.
func (i Instance) Running() bool {
	return i.Status != stopping && i.Status != stopped && i.Status != deleting
}

// Clusters lists what should run.
func (s *Service) Clusters(tx *state.Tx) ([]Cluster, error) {
	var list []Cluster
	for _, c := range clusters.All(tx) {
		out := Cluster{
			ID: c.ID, ResourceID: c.ResourceID, Status: c.Status, Exists: c.Status != deleting, Port: c.Port, Database: c.Database, Writer: c.Writer, Target: c.Target,
			Master: Master{c.Master.User, c.Master.Verifier, c.Master.Applied}, Names: []string{s.writerEndpoint(c), s.readerEndpoint(c)},
		}
		for _, e := range endpoints.All(tx) {
			if e.Cluster == c.ID {
				out.Names = append(out.Names, s.customEndpoint(e))
			}
		}
		if c.Restore != "" {
			v, _, err := snapshots.Get(tx, c.Restore)
			if err != nil {
				return nil, err
			}
			out.Restore = v.ResourceID
		}
		for _, i := range c.members(tx) {
			parameters, err := s.effective(tx, c, i)
			if err != nil {
				return nil, err
			}
			out.Instances = append(out.Instances, Instance{
				i.ID, i.ResourceID, i.Status, i.Tier, i.Interface, i.Address, s.instanceEndpoint(i), parameters, i.NeedsReboot, i.Reason != "",
			})
		}
		list = append(list, out)
	}
	return list, nil
}

// effective merges the parameters of an instance: its own group's win over the cluster's.
func (s *Service) effective(tx *state.Tx, c cluster, i instance) (map[string]string, error) {
	merged := map[string]string{}
	for _, p := range s.ownParameters() {
		merged[p.Name] = p.Default
	}
	for _, from := range []struct {
		kind groupKind
		name string
	}{{clusterGroups, c.Parameters}, {instanceGroups, i.Parameters}} {
		g, err := s.findGroup(tx, from.kind, from.name)
		if err != nil {
			return nil, err
		}
		for name, v := range g.Values {
			merged[name] = v.Value
		}
	}
	return merged, nil
}

// Snapshots lists the resource IDs of the snapshots that are to be taken, by those of their clusters, and of those that are to be deleted.
func (s *Service) Snapshots(tx *state.Tx) (take map[string]string, drop []string) {
	take = map[string]string{}
	for _, v := range snapshots.All(tx) {
		switch v.Status {
		case creating:
			take[v.ResourceID] = v.Source.ResourceID
		case deleting:
			drop = append(drop, v.ResourceID)
		}
	}
	return take, drop
}

// updateCluster changes a cluster that is still there. What is reported again is not written again, or the data plane would wake itself for ever.
func updateCluster(tx *state.Tx, id string, edit func(*cluster)) error {
	c, ok, err := clusters.Get(tx, id)
	if err != nil || !ok {
		return err
	}
	before := c
	if edit(&c); reflect.DeepEqual(before, c) {
		return nil
	}
	return putCluster(tx, c)
}

// ClusterSettled reports that a cluster has become what it was to be. It ends a transition, and leaves alone what a request has declared since.
func (s *Service) ClusterSettled(tx *state.Tx, id, status string) error {
	return updateCluster(tx, id, func(c *cluster) {
		if c.Status == status {
			c.Status = settled(status)
		}
	})
}

// InstanceSettled is ClusterSettled for an instance. needsReboot tells that a static parameter waits for a reboot.
func (s *Service) InstanceSettled(tx *state.Tx, id, status string, needsReboot bool) error {
	i, ok, err := instances.Get(tx, id)
	if err != nil || !ok {
		return err
	}
	before := i.Status
	if i.Status == status {
		i.Status = settled(status)
	}
	if i.Status == before && i.NeedsReboot == needsReboot && i.Reason == "" {
		return nil
	}
	i.NeedsReboot, i.Reason = needsReboot, ""
	return instances.Put(tx, i.ID, i)
}

// settled is the status that a transition leads to.
func settled(status string) string {
	if status == stopping {
		return stopped
	}
	if slices.Contains([]string{creating, modifying, rebooting, starting, failingOver, available}, status) {
		return available
	}
	return status
}

// InstanceBroken reports why an instance's server does not run. The data plane goes on trying.
func (s *Service) InstanceBroken(tx *state.Tx, id, reason string) error {
	i, ok, err := instances.Get(tx, id)
	if err != nil || !ok || i.Reason == reason {
		return err
	}
	i.Reason = reason
	return instances.Put(tx, i.ID, i)
}

// Promoted reports that an instance has become the writer.
func (s *Service) Promoted(tx *state.Tx, id, writer string) error {
	return updateCluster(tx, id, func(c *cluster) {
		c.Writer, c.Target = writer, ""
		if c.Status == failingOver {
			c.Status = available
		}
	})
}

// Made reports that the cluster's data has been made, with the master user's password.
func (s *Service) Made(tx *state.Tx, id, verifier string) error {
	return updateCluster(tx, id, func(c *cluster) {
		c.Restore = ""
		c.Master.Applied = c.Master.Verifier == verifier
	})
}

// InstanceGone reports that an instance's server and data are no more. next is the new writer, "" when there is no other instance.
func (s *Service) InstanceGone(tx *state.Tx, id, next string) error {
	i, ok, err := instances.Get(tx, id)
	if err != nil || !ok {
		return err
	}
	if err := s.Network.DeleteManagedInterface(tx, i.Interface); err != nil {
		return err
	}
	if err := tags.Delete(tx, s.instanceARN(i)); err != nil {
		return err
	}
	if err := instances.Delete(tx, id); err != nil {
		return err
	}
	var custom []endpoint
	for _, e := range endpoints.All(tx) {
		if slices.Contains(e.Static, id) || slices.Contains(e.Excluded, id) {
			custom = append(custom, e)
		}
	}
	for _, e := range custom {
		gone := func(member string) bool { return member == id }
		e.Static, e.Excluded = slices.DeleteFunc(e.Static, gone), slices.DeleteFunc(e.Excluded, gone)
		if err := endpoints.Put(tx, e.ID, e); err != nil {
			return err
		}
	}
	return updateCluster(tx, i.Cluster, func(c *cluster) {
		if c.Writer == id {
			c.Writer = next
		}
		if c.Target == id {
			c.Target = ""
		}
	})
}

// ClusterGone reports that a cluster's data is no more.
func (s *Service) ClusterGone(tx *state.Tx, id string) error {
	c, ok, err := clusters.Get(tx, id)
	if err != nil || !ok {
		return err
	}
	var custom []endpoint
	for _, e := range endpoints.All(tx) {
		if e.Cluster == id {
			custom = append(custom, e)
		}
	}
	for _, e := range custom {
		if err := s.removeEndpoint(tx, e); err != nil {
			return err
		}
	}
	if err := s.release(tx, &c.Master); err != nil {
		return err
	}
	if err := tags.Delete(tx, s.clusterARN(c)); err != nil {
		return err
	}
	return clusters.Delete(tx, id)
}

// SnapshotTaken reports that a snapshot has been taken.
func (s *Service) SnapshotTaken(tx *state.Tx, resourceID string) error {
	return s.editSnapshot(tx, resourceID, func(v *snapshot) error {
		v.Status = available
		return snapshots.Put(tx, v.ID, *v)
	})
}

// SnapshotGone reports that a snapshot's data is no more.
func (s *Service) SnapshotGone(tx *state.Tx, resourceID string) error {
	return s.editSnapshot(tx, resourceID, func(v *snapshot) error {
		if err := tags.Delete(tx, s.snapshotARN(v.ID)); err != nil {
			return err
		}
		return snapshots.Delete(tx, v.ID)
	})
}

func (s *Service) editSnapshot(tx *state.Tx, resourceID string, edit func(*snapshot) error) error {
	for _, v := range snapshots.All(tx) {
		if v.ResourceID == resourceID {
			return edit(&v)
		}
	}
	return nil
}
