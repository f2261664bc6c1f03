package main

func messaging() resources {
	policy := fields{"policy": document()}
	return resources{
		"aws_sns_topic":              with(fields{"name": fifoNamed("fifoTopic")}),
		"aws_sns_topic_policy":       with(policy),
		"aws_sns_topic_subscription": with(fields{"topic_arn": renamed("topic")}),
		"aws_sqs_queue":              with(fields{"name": fifoNamed("fifoQueue")}),
		"aws_sqs_queue_policy":       with(policy),
	}
}
