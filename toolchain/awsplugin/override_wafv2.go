package main

func wafv2() resources {
	return resources{"aws_wafv2_web_acl": with(fields{"association_config": within(fields{"request_body": within(fields{
		"api_gateway":              many(),
		"app_runner_service":       many(),
		"cloudfront":               many(),
		"cognito_user_pool":        many(),
		"verified_access_instance": many(),
	})})})}
}
