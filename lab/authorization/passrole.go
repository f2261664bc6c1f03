package authorization

import (
	"reflect"
	"strings"
)

// passed asks for iam:PassRole on each role that a call hands to a service, from "Granting a user permissions to pass a role to an AWS service". Operations of IAM and STS
// are about roles without passing them, but for one.
func (a *Authorizer) passed(operation string, input any) (asks []Ask) {
	if operation == "AddRoleToInstanceProfile" {
		return []Ask{{Action: "iam:PassRole", Resource: a.Region.GlobalARN("iam", "role/"+member(input, "RoleName"))}}
	}
	role := a.Region.GlobalARN("iam", "role/")
	walk(reflect.ValueOf(input), "", 0, func(_ int, name, value string) {
		passes := strings.HasSuffix(name, "RoleArn") || strings.HasSuffix(name, "RoleARN") || name == "Role" || name == "DeliverLogsPermissionArn"
		if passes && strings.HasPrefix(value, role) && operation != "AssumeRole" && !strings.Contains(value, ":role/aws-service-role/") {
			asks = append(asks, Ask{Action: "iam:PassRole", Resource: value})
		}
	})
	return asks
}
