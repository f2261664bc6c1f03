package metrics

// CPUUtilization is the percentage of its processors that an instance uses.
func CPUUtilization(instanceID string) Name {
	return Name{Namespace: "AWS/EC2", Metric: "CPUUtilization", Dimensions: By("InstanceId", instanceID), Unit: "Percent"}
}

// RequestCount is the number of requests that a load balancer, such as "app/web/50dc6c495c0c9188", sent to a target group, such as
// "targetgroup/web/943f017f100becff".
func RequestCount(loadBalancer, targetGroup string) Name {
	return Name{Namespace: "AWS/ApplicationELB", Metric: "RequestCount", Dimensions: By("LoadBalancer", loadBalancer, "TargetGroup", targetGroup), Unit: "Count"}
}
