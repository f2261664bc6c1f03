package main

import (
	"maps"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
)

func apiGateway() resources {
	ofAPI := func() *tfbridge.ResourceInfo { return with(fields{"rest_api_id": renamed("restApi")}) }
	all := each("aws_api_gateway_",
		"authorizer deployment integration_response method method_response method_settings model request_validator resource",
		ofAPI)
	maps.Copy(all, resources{
		"aws_api_gateway_api_key":           with(fields{"description": described()}),
		"aws_api_gateway_base_path_mapping": with(fields{"api_id": renamed("restApi")}),
		"aws_api_gateway_integration":       replacedFirst(fields{"rest_api_id": renamed("restApi")}),
		"aws_api_gateway_stage":             with(fields{"rest_api_id": renamed("restApi"), "deployment_id": renamed("deployment")}),
		"aws_api_gateway_vpc_link":          with(fields{"target_arns": renamed("targetArn")}),
	})
	return all
}

func cognito() resources {
	return resources{"aws_cognito_user_group": with(fields{"description": described()})}
}
