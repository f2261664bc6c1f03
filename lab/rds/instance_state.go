package rds

import (
	"context"

	api "storefront/lab/api/rds"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// DescribeDBInstances lists instances, or one by its identifier or ARN.
func (s *Service) DescribeDBInstances(_ context.Context, in *api.DescribeDBInstancesInput) (*api.DescribeDBInstancesOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeDBInstancesOutput) error {
		var list []instance
		if in.DBInstanceIdentifier != nil {
			i, err := findInstance(tx, *in.DBInstanceIdentifier)
			if err != nil {
				return err
			}
			list = append(list, i)
		} else {
			for _, i := range instances.All(tx) {
				list = append(list, i)
			}
		}
		list, err := filter(list, in.Filters, map[string]func(instance) []string{
			"db-cluster-id": func(i instance) []string {
				return []string{i.Cluster, s.clusterARN(cluster{ID: i.Cluster})}
			},
			"db-instance-id":  func(i instance) []string { return []string{i.ID, s.instanceARN(i)} },
			"dbi-resource-id": one(func(i instance) string { return i.ResourceID }),
			"engine":          func(instance) []string { return []string{engineName} },
			"domain":          func(instance) []string { return nil },
		})
		if err != nil {
			return err
		}
		if list, out.Marker, err = page(list, func(i instance) string { return i.ID }, in.Marker, in.MaxRecords); err != nil {
			return err
		}
		out.DBInstances = []api.DBInstance{}
		for _, i := range list {
			shown, err := s.showInstance(tx, i)
			if err != nil {
				return err
			}
			out.DBInstances = append(out.DBInstances, *shown)
		}
		return nil
	})
}

// DeleteDBInstance deletes an instance. When it writes and there are readers, one of them takes over first. The last one's data stays with the cluster,
// so the protection of the cluster does not keep its instances.
func (s *Service) DeleteDBInstance(_ context.Context, in *api.DeleteDBInstanceInput) (*api.DeleteDBInstanceOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.DeleteDBInstanceOutput) error {
		i, err := findInstance(tx, wire.Value(in.DBInstanceIdentifier))
		if err != nil {
			return err
		}
		if i.Status == deleting {
			return fault("InvalidDBInstanceState", "Instance %s is already being deleted.", i.ID)
		}
		if in.FinalDBSnapshotIdentifier != nil {
			return invalidCombination("FinalDBSnapshotIdentifier can not be specified when deleting a cluster instance")
		}
		i.Status = deleting
		if err := instances.Put(tx, i.ID, i); err != nil {
			return err
		}
		out.DBInstance, err = s.showInstance(tx, i)
		return err
	})
}

// RebootDBInstance restarts an instance's server.
func (s *Service) RebootDBInstance(_ context.Context, in *api.RebootDBInstanceInput) (*api.RebootDBInstanceOutput, error) {
	return state.Change(s.Store, func(tx *state.Tx, out *api.RebootDBInstanceOutput) error {
		i, err := availableInstance(tx, wire.Value(in.DBInstanceIdentifier))
		if err != nil {
			return err
		}
		if wire.Value(in.ForceFailover) {
			return invalidCombination("Cannot force failover when rebooting a DB instance of a DB cluster. Use FailoverDBCluster.")
		}
		i.Status = rebooting
		if err := instances.Put(tx, i.ID, i); err != nil {
			return err
		}
		out.DBInstance, err = s.showInstance(tx, i)
		return err
	})
}

// StopDBInstance refuses: instances of a cluster stop with it.
func (s *Service) StopDBInstance(_ context.Context, in *api.StopDBInstanceInput) (*api.StopDBInstanceOutput, error) {
	return nil, s.clusterOnly(in.DBInstanceIdentifier, "Stop", "Stopping")
}

// StartDBInstance refuses: instances of a cluster start with it.
func (s *Service) StartDBInstance(_ context.Context, in *api.StartDBInstanceInput) (*api.StartDBInstanceOutput, error) {
	return nil, s.clusterOnly(in.DBInstanceIdentifier, "Start", "Starting")
}

func (s *Service) clusterOnly(id *string, verb, doing string) error {
	return s.Store.View(func(tx *state.Tx) error {
		i, err := findInstance(tx, wire.Value(id))
		if err != nil {
			return err
		}
		return fault("InvalidDBInstanceState", "%s an instance that belongs to DB cluster %s is not supported. %s the cluster instead.", doing, i.Cluster, verb)
	})
}
