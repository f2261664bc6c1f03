package elasticache

import (
	"context"
	"slices"

	api "storefront/lab/api/elasticache"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// IncreaseReplicaCount adds replicas.
func (s *Service) IncreaseReplicaCount(_ context.Context, in *api.IncreaseReplicaCountInput) (*api.IncreaseReplicaCountOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.IncreaseReplicaCountOutput) error {
		g, count, zones, err := replicas(tx, in.ReplicationGroupId, in.ApplyImmediately, in.NewReplicaCount, in.ReplicaConfiguration)
		if err != nil {
			return err
		}
		has := len(g.members(tx))
		switch {
		case count+1 > maxNodes:
			return fault("NodeQuotaForClusterExceeded", "A replication group can have at most %d replicas.", maxNodes-1)
		case count+1 <= has:
			return fault("NoOperationFault", "The replication group %s has %d replicas: the new count must be greater.", g.ID, has-1)
		}
		subnets, err := findSubnetGroup(tx, g.SubnetGroup)
		if err != nil {
			return err
		}
		for i := has; i < count+1; i++ {
			zone := ""
			if len(zones) > i { // zones are those of all nodes, the primary first
				zone = zones[i]
			}
			if _, err := s.addNode(tx, g, subnets, zone); err != nil {
				return err
			}
		}
		g.Status = modifying
		if err := putGroup(tx, g); err != nil {
			return err
		}
		out.ReplicationGroup = s.showGroup(tx, g)
		return nil
	})
}

// DecreaseReplicaCount takes replicas away: those that are named, or the youngest.
func (s *Service) DecreaseReplicaCount(_ context.Context, in *api.DecreaseReplicaCountInput) (*api.DecreaseReplicaCountOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.DecreaseReplicaCountOutput) error {
		count := in.NewReplicaCount
		if n := int64(len(in.ReplicasToRemove)); n > 0 {
			g, err := findGroup(tx, wire.Value(in.ReplicationGroupId))
			if err != nil {
				return err
			}
			count = new(int64(len(g.members(tx))) - 1 - n)
		}
		g, want, _, err := replicas(tx, in.ReplicationGroupId, in.ApplyImmediately, count, in.ReplicaConfiguration)
		if err != nil {
			return err
		}
		members := g.members(tx)
		if want+1 >= len(members) {
			return fault("NoOperationFault", "The replication group %s has %d replicas: the new count must be smaller.", g.ID, len(members)-1)
		}
		if want == 0 && (g.Failover || g.MultiAZ) {
			return invalidCombination("The last replica cannot be removed while automatic failover is enabled.")
		}
		leave, err := leaving(g, members, in.ReplicasToRemove, len(members)-1-want)
		if err != nil {
			return err
		}
		for _, n := range leave {
			n.Status = deleting
			if err := nodes.Put(tx, n.ID, n); err != nil {
				return err
			}
		}
		g.Status = modifying
		if err := putGroup(tx, g); err != nil {
			return err
		}
		out.ReplicationGroup = s.showGroup(tx, g)
		return nil
	})
}

// replicas reads what both operations have in common: the group and the number of replicas that it is to have.
func replicas(tx *state.Tx, id *string, now *bool, count *int64, shards []api.ConfigureShard) (g group, n int, zones []string, err error) {
	if g, err = availableGroup(tx, wire.Value(id)); err != nil {
		return g, 0, nil, err
	}
	if !wire.Value(now) {
		return g, 0, nil, invalidValue("ApplyImmediately must be true: the number of replicas cannot wait for the maintenance window.")
	}
	if len(shards) > 0 {
		if len(shards) > 1 || wire.Value(shards[0].NodeGroupId) != nodeGroupID {
			return g, 0, nil, missing("NodeGroupNotFoundFault", "The replication group %s has the one node group %s.", g.ID, nodeGroupID)
		}
		count, zones = shards[0].NewReplicaCount, shards[0].PreferredAvailabilityZones
	}
	if count == nil || *count < 0 || *count > 100 {
		return g, 0, nil, invalidValue("NewReplicaCount must be from 0 to %d.", maxNodes-1)
	}
	return g, int(*count), zones, nil
}

// leaving picks the replicas to remove.
func leaving(g group, members []node, named []string, count int) ([]node, error) {
	var list []node
	for _, id := range named {
		i := slices.IndexFunc(members, func(n node) bool { return n.ID == id })
		if i < 0 || id == g.Primary {
			return nil, invalidValue("%s is not a replica of the replication group %s.", id, g.ID)
		}
		list = append(list, members[i])
	}
	for _, n := range slices.Backward(members) {
		if len(list) < count && n.ID != g.Primary {
			list = append(list, n)
		}
	}
	return list, nil
}

// TestFailover ends the primary's server, so that a replica takes over.
func (s *Service) TestFailover(_ context.Context, in *api.TestFailoverInput) (*api.TestFailoverOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.TestFailoverOutput) error {
		g, err := availableGroup(tx, wire.Value(in.ReplicationGroupId))
		if err != nil {
			return err
		}
		if wire.Value(in.NodeGroupId) != nodeGroupID {
			return missing("NodeGroupNotFoundFault", "The replication group %s has no node group %s.", g.ID, wire.Value(in.NodeGroupId))
		}
		if !g.Failover {
			return fault("TestFailoverNotAvailableFault", "Automatic failover is not enabled for the replication group %s.", g.ID)
		}
		members := g.members(tx)
		i := slices.IndexFunc(members, func(n node) bool { return n.ID != g.Primary && n.Status == available && n.Reason == "" })
		if i < 0 {
			return fault("InvalidReplicationGroupState", "The replication group %s has no replica that could take over.", g.ID)
		}
		g.Target, g.Status = members[i].ID, modifying
		if err := s.note(tx, api.SourceTypeReplicationGroup, g.ID, "Test Failover API called for node group "+nodeGroupID); err != nil {
			return err
		}
		if err := putGroup(tx, g); err != nil {
			return err
		}
		out.ReplicationGroup = s.showGroup(tx, g)
		return nil
	})
}
