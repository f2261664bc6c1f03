package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-terraform-bridge/v3/pkg/tfbridge"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
)

// identities are the resources that have no ID upstream. Pulumi's is what they are imported by.
func identities() resources {
	return resources{
		"aws_backup_restore_testing_plan":                   identified("name"),
		"aws_backup_restore_testing_selection":              joined(":", "name", "restoreTestingPlanName"),
		"aws_cloudwatch_log_anomaly_detector":               identified("arn"),
		"aws_iam_group_policies_exclusive":                  identified("groupName"),
		"aws_iam_group_policy_attachments_exclusive":        identified("groupName"),
		"aws_iam_role_policies_exclusive":                   identified("roleName"),
		"aws_iam_role_policy_attachments_exclusive":         identified("roleName"),
		"aws_iam_user_policies_exclusive":                   identified("userName"),
		"aws_iam_user_policy_attachments_exclusive":         identified("userName"),
		"aws_lambda_function_recursion_config":              identified("functionName"),
		"aws_lambda_runtime_management_config":              joined(",", "functionName", "qualifier"),
		"aws_opensearch_authorize_vpc_endpoint_access":      identified("domainName"),
		"aws_rds_instance_state":                            identified("identifier"),
		"aws_vpc_endpoint_private_dns":                      identified("vpcEndpointId"),
		"aws_vpc_endpoint_service_private_dns_verification": identified("serviceId"),
		"aws_vpc_security_group_vpc_association":            joined(",", "securityGroupId", "vpcId"),
	}
}

// identified is for a resource that one property tells apart.
func identified(by resource.PropertyKey) *tfbridge.ResourceInfo { return joined("", by) }

// joined is for a resource that several properties tell apart, of which only the first is never empty.
func joined(separator string, by ...resource.PropertyKey) *tfbridge.ResourceInfo {
	return &tfbridge.ResourceInfo{ComputeID: func(_ context.Context, state resource.PropertyMap) (resource.ID, error) {
		parts := make([]string, len(by))
		for i, key := range by {
			if v := state[key]; v.IsString() {
				parts[i] = v.StringValue()
			}
		}
		if parts[0] == "" {
			return "", fmt.Errorf("the provider answered without %s, which is the resource's ID", by[0])
		}
		return resource.ID(strings.Join(parts, separator)), nil
	}}
}
