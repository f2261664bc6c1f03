package main

func autoScaling() resources {
	return resources{
		"aws_autoscaling_group": with(fields{"tag": renamed("tags")}),
		"aws_appautoscaling_scheduled_action": with(fields{"scalable_target_action": within(fields{
			"max_capacity": typed("integer"), "min_capacity": typed("integer"),
		})}),
	}
}
