package main

// elbNameLength is the most that Elastic Load Balancing takes in names of load balancers and target groups.
const elbNameLength = 32

func elb() resources {
	all := resources{"aws_elb": with(fields{"name": named("name", elbNameLength)})}
	for _, prefix := range []string{"aws_alb", "aws_lb"} { // the same resources under two names
		all[prefix] = with(fields{"name": named("name", elbNameLength)})
		all[prefix+"_target_group"] = with(fields{
			"name": named("name", elbNameLength), "deregistration_delay": typed("integer"),
		})
	}
	return all
}
