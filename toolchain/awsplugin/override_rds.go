package main

func rds() resources {
	description := fields{"description": described()}
	return resources{
		"aws_db_option_group":             with(fields{"option_group_description": described()}),
		"aws_db_parameter_group":          with(description),
		"aws_db_subnet_group":             with(description),
		"aws_docdb_subnet_group":          with(description),
		"aws_rds_cluster_parameter_group": with(description),
	}
}
