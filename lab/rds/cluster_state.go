package rds

import (
	"cmp"
	"context"
	"slices"

	api "storefront/lab/api/rds"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// FailoverDBCluster makes a reader the writer: the named one, or that of the lowest promotion tier.
func (s *Service) FailoverDBCluster(_ context.Context, in *api.FailoverDBClusterInput) (*api.FailoverDBClusterOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.FailoverDBClusterOutput) error {
		c, err := availableCluster(tx, wire.Value(in.DBClusterIdentifier))
		if err != nil {
			return err
		}
		if in.TargetDBInstanceIdentifier != nil {
			i, err := findInstance(tx, *in.TargetDBInstanceIdentifier)
			switch {
			case err != nil:
				return err
			case i.Cluster != c.ID:
				return invalidValue("DB instance %s is not a member of DB cluster %s.", i.ID, c.ID)
			case i.ID == c.Writer:
				return fault("InvalidDBClusterStateFault", "DB instance %s is already the writer of DB cluster %s.", i.ID, c.ID)
			case i.Status != available:
				return fault("InvalidDBInstanceState", "Instance %s is not in available state.", i.ID)
			}
			c.Target = i.ID
		} else if c.Target = c.successor(tx); c.Target == "" {
			return fault("InvalidDBClusterStateFault", "Failover requires at least two available DB instances in DB cluster %s.", c.ID)
		}
		c.Status = failingOver
		if err := putCluster(tx, c); err != nil {
			return err
		}
		out.DBCluster, err = s.showCluster(tx, c)
		return err
	})
}

// successor is the reader that is promoted when the writer fails: the oldest of the lowest promotion tier. It is empty when there is none.
func (c cluster) successor(tx *state.Tx) string {
	readers := slices.DeleteFunc(c.members(tx), func(i instance) bool { return i.ID == c.Writer || i.Status != available })
	if len(readers) == 0 {
		return ""
	}
	return slices.MinFunc(readers, func(a, b instance) int { return cmp.Compare(a.Tier, b.Tier) }).ID
}

// StopDBCluster stops the instances of a cluster. Its data stays.
func (s *Service) StopDBCluster(_ context.Context, in *api.StopDBClusterInput) (*api.StopDBClusterOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.StopDBClusterOutput) (err error) {
		out.DBCluster, err = s.turn(tx, wire.Value(in.DBClusterIdentifier), available, stopping)
		return err
	})
}

// StartDBCluster starts a stopped cluster.
func (s *Service) StartDBCluster(_ context.Context, in *api.StartDBClusterInput) (*api.StartDBClusterOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.StartDBClusterOutput) (err error) {
		out.DBCluster, err = s.turn(tx, wire.Value(in.DBClusterIdentifier), stopped, starting)
		return err
	})
}

// turn takes a cluster and all its instances from one status to another.
func (s *Service) turn(tx *state.Tx, ref, from, to string) (*api.DBCluster, error) {
	c, err := findCluster(tx, ref)
	if err != nil {
		return nil, err
	}
	if c.Status != from {
		return nil, fault("InvalidDBClusterStateFault", "DbCluster %s is in %s state but expected it to be one of %s.", c.ID, c.Status, from)
	}
	for _, i := range c.members(tx) {
		if i.Status != from {
			return nil, fault("InvalidDBInstanceState", "Instance %s is not in %s state.", i.ID, from)
		}
		i.Status = to
		if err := instances.Put(tx, i.ID, i); err != nil {
			return nil, err
		}
	}
	c.Status = to
	if err := putCluster(tx, c); err != nil {
		return nil, err
	}
	return s.showCluster(tx, c)
}

// AddRoleToDBCluster notes a role that the cluster may use for a feature.
func (s *Service) AddRoleToDBCluster(_ context.Context, in *api.AddRoleToDBClusterInput) (*api.AddRoleToDBClusterOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.AddRoleToDBClusterOutput) error {
		c, err := availableCluster(tx, wire.Value(in.DBClusterIdentifier))
		if err != nil {
			return err
		}
		r := role{wire.Value(in.RoleArn), wire.Value(in.FeatureName)}
		if slices.ContainsFunc(c.Roles, func(o role) bool { return o.ARN == r.ARN }) {
			return fault("DBClusterRoleAlreadyExists", "Role ARN %s is already associated with DB Cluster: %s.", r.ARN, c.ID)
		}
		c.Roles = append(c.Roles, r)
		return putCluster(tx, c)
	})
}

// RemoveRoleFromDBCluster takes a role away.
func (s *Service) RemoveRoleFromDBCluster(_ context.Context, in *api.RemoveRoleFromDBClusterInput) (*api.RemoveRoleFromDBClusterOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, _ *api.RemoveRoleFromDBClusterOutput) error {
		c, err := availableCluster(tx, wire.Value(in.DBClusterIdentifier))
		if err != nil {
			return err
		}
		kept := slices.DeleteFunc(slices.Clone(c.Roles), func(r role) bool { return r.ARN == wire.Value(in.RoleArn) && r.Feature == wire.Value(in.FeatureName) })
		if len(kept) == len(c.Roles) {
			return missing("DBClusterRoleNotFound", "Role ARN %s cannot be found for DB Cluster: %s.", wire.Value(in.RoleArn), c.ID)
		}
		c.Roles = kept
		return putCluster(tx, c)
	})
}
