package main

func dataSources() functions {
	targetGroup := fields{"health_check": single(), "stickiness": single()}
	loadBalancer := fields{"access_logs": single()}
	return functions{
		"aws_alb":              reading(loadBalancer),
		"aws_alb_target_group": reading(targetGroup),
		"aws_dynamodb_table": reading(fields{
			"global_secondary_index": renamed("globalSecondaryIndexes"),
			"local_secondary_index":  renamed("localSecondaryIndexes"),
			"point_in_time_recovery": single(),
			"ttl":                    single(),
		}),
		"aws_elb": reading(fields{"access_logs": single(), "health_check": single()}),
		"aws_lambda_function": reading(fields{
			"dead_letter_config": single(), "environment": single(), "tracing_config": single(), "vpc_config": single(),
		}),
		"aws_launch_template": reading(fields{"network_interfaces": within(fields{
			"associate_public_ip_address": typed("boolean"), "delete_on_termination": typed("boolean"),
		})}),
		"aws_lb":                                 reading(loadBalancer),
		"aws_lb_target_group":                    reading(targetGroup),
		"aws_organizations_organizational_units": reading(fields{"children": renamed("children")}),
	}
}
