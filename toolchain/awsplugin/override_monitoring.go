package main

func monitoring() resources {
	return resources{
		"aws_cloudwatch_event_rule":              with(fields{"name": named("name", 64)}),
		"aws_cloudwatch_event_target":            with(fields{"target_id": named("targetId", 64)}),
		"aws_cloudwatch_log_resource_policy":     with(fields{"policy_document": document()}),
		"aws_cloudwatch_log_subscription_filter": replacedFirst(fields{"log_group_name": renamed("logGroup")}),
		"aws_cloudwatch_metric_alarm":            with(fields{"alarm_name": named("name", 255)}),
	}
}
