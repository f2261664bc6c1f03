package elasticache

import (
	"context"

	api "storefront/lab/api/elasticache"
	"storefront/lab/state"
	"storefront/lab/wire"
)

// Operations that the lab knows and does not serve refuse. Lists of what cannot exist here are empty, as they are in an account that has none.

// CreateCacheCluster is not served: nodes are made by replication groups.
func (s *Service) CreateCacheCluster(context.Context, *api.CreateCacheClusterInput) (*api.CreateCacheClusterOutput, error) {
	return nil, unsupported("A cache cluster outside of a replication group")
}

// ModifyCacheCluster refuses: all cache clusters are changed with their replication groups.
func (s *Service) ModifyCacheCluster(_ context.Context, in *api.ModifyCacheClusterInput) (*api.ModifyCacheClusterOutput, error) {
	return nil, s.notAlone(in.CacheClusterId)
}

// DeleteCacheCluster refuses: replicas are removed with DecreaseReplicaCount, primaries with their groups.
func (s *Service) DeleteCacheCluster(_ context.Context, in *api.DeleteCacheClusterInput) (*api.DeleteCacheClusterOutput, error) {
	return nil, s.notAlone(in.CacheClusterId)
}

func (s *Service) notAlone(id *string) error {
	return s.Store.View(func(tx *state.Tx) error {
		n, err := findNode(tx, wire.Value(id))
		if err == nil {
			err = fault("InvalidCacheClusterState", "The cache cluster %s is a member of the replication group %s: change that one.", n.ID, n.Group)
		}
		return err
	})
}

// ModifyReplicationGroupShardConfiguration refuses: it is for cluster mode.
func (s *Service) ModifyReplicationGroupShardConfiguration(_ context.Context, in *api.ModifyReplicationGroupShardConfigurationInput) (*api.ModifyReplicationGroupShardConfigurationOutput, error) {
	return nil, s.Store.View(func(tx *state.Tx) error {
		g, err := findGroup(tx, wire.Value(in.ReplicationGroupId))
		if err == nil {
			err = invalidValue("Cluster mode is not enabled for the replication group %s.", g.ID)
		}
		return err
	})
}

// DescribeServiceUpdates lists no update: there are none.
func (s *Service) DescribeServiceUpdates(_ context.Context, in *api.DescribeServiceUpdatesInput) (*api.DescribeServiceUpdatesOutput, error) {
	return &api.DescribeServiceUpdatesOutput{ServiceUpdates: []api.ServiceUpdate{}}, checkPage(in.Marker, in.MaxRecords)
}

// DescribeUpdateActions lists no update: there are none.
func (s *Service) DescribeUpdateActions(_ context.Context, in *api.DescribeUpdateActionsInput) (*api.DescribeUpdateActionsOutput, error) {
	return &api.DescribeUpdateActionsOutput{UpdateActions: []api.UpdateAction{}}, checkPage(in.Marker, in.MaxRecords)
}

// DescribeCacheSecurityGroups lists no group: they were EC2-Classic's.
func (s *Service) DescribeCacheSecurityGroups(_ context.Context, in *api.DescribeCacheSecurityGroupsInput) (*api.DescribeCacheSecurityGroupsOutput, error) {
	return &api.DescribeCacheSecurityGroupsOutput{CacheSecurityGroups: []api.CacheSecurityGroup{}}, checkPage(in.Marker, in.MaxRecords)
}

// DescribeServerlessCaches lists no cache: none can be made.
func (s *Service) DescribeServerlessCaches(_ context.Context, in *api.DescribeServerlessCachesInput) (*api.DescribeServerlessCachesOutput, error) {
	if in.ServerlessCacheName != nil {
		return nil, missing("ServerlessCacheNotFoundFault", "ServerlessCache %s not found", *in.ServerlessCacheName)
	}
	return &api.DescribeServerlessCachesOutput{ServerlessCaches: []api.ServerlessCache{}}, nil
}

// DescribeGlobalReplicationGroups lists no global datastore: none can be made.
func (s *Service) DescribeGlobalReplicationGroups(_ context.Context, in *api.DescribeGlobalReplicationGroupsInput) (*api.DescribeGlobalReplicationGroupsOutput, error) {
	return &api.DescribeGlobalReplicationGroupsOutput{GlobalReplicationGroups: []api.GlobalReplicationGroup{}}, checkPage(in.Marker, in.MaxRecords)
}
