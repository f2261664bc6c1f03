package main

func elastiCache() resources {
	return resources{
		"aws_elasticache_cluster":         with(fields{"cluster_id": lower("clusterId", 50)}),
		"aws_elasticache_parameter_group": with(fields{"description": described()}),
		"aws_elasticache_replication_group": with(fields{
			"replication_group_id":       lower("replicationGroupId", 40),
			"at_rest_encryption_enabled": typed("boolean"),
			"auto_minor_version_upgrade": typed("boolean"),
		}),
		"aws_elasticache_subnet_group": with(fields{"description": described()}),
	}
}
