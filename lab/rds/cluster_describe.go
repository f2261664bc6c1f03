package rds

import (
	"context"

	api "storefront/lab/api/rds"
	"storefront/lab/state"
)

// DescribeDBClusters lists clusters, or one by its identifier or ARN.
func (s *Service) DescribeDBClusters(_ context.Context, in *api.DescribeDBClustersInput) (*api.DescribeDBClustersOutput, error) {
	return state.Read(s.Store, func(tx *state.Tx, out *api.DescribeDBClustersOutput) error {
		var list []cluster
		if in.DBClusterIdentifier != nil {
			c, err := findCluster(tx, *in.DBClusterIdentifier)
			if err != nil {
				return err
			}
			list = append(list, c)
		} else {
			for _, c := range clusters.All(tx) {
				list = append(list, c)
			}
		}
		list, err := filter(list, in.Filters, map[string]func(cluster) []string{
			"db-cluster-id":          func(c cluster) []string { return []string{c.ID, s.clusterARN(c)} },
			"db-cluster-resource-id": one(func(c cluster) string { return c.ResourceID }),
			"engine":                 func(cluster) []string { return []string{engineName} },
			"clone-group-id":         func(cluster) []string { return nil },
			"domain":                 func(cluster) []string { return nil },
		})
		if err != nil {
			return err
		}
		if list, out.Marker, err = page(list, func(c cluster) string { return c.ID }, in.Marker, in.MaxRecords); err != nil {
			return err
		}
		out.DBClusters = []api.DBCluster{}
		for _, c := range list {
			shown, err := s.showCluster(tx, c)
			if err != nil {
				return err
			}
			out.DBClusters = append(out.DBClusters, *shown)
		}
		return nil
	})
}
