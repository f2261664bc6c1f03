package authorization

import (
	"reflect"
	"strings"
)

const passRole = "iam:PassRole"

// passed asks for iam:PassRole on each role that a call hands to a service, from "Granting a user permissions to pass a role to an AWS service". Operations of IAM and STS
// are about roles without passing them, but for one. An instance profile stands for its role: Resources resolves it.
func (a *Authorizer) passed(serviceName, operation string, input any) (asks []Ask) {
	pass := func(resource, service string) {
		asks = append(asks, Ask{Action: passRole, Resource: resource, Context: map[string][]string{"iam:passedtoservice": {service}}})
	}
	switch {
	case operation == "AddRoleToInstanceProfile":
		pass(a.Region.GlobalARN("iam", "role/"+member(input, "RoleName")), "ec2.amazonaws.com")
		return asks
	case serviceName == "iam" || serviceName == "sts":
		return nil
	case serviceName == "ec2" && (operation == "RunInstances" || strings.Contains(operation, "IamInstanceProfile")):
		if profile := nested(input, "IamInstanceProfile"); member(profile, "Arn") != "" {
			pass(member(profile, "Arn"), "ec2.amazonaws.com")
		} else if name := member(profile, "Name"); name != "" {
			pass(a.Region.GlobalARN("iam", "instance-profile/"+name), "ec2.amazonaws.com")
		}
	}
	role := a.Region.GlobalARN("iam", "role/")
	walk(reflect.ValueOf(input), "", 0, func(_ int, name, value string) {
		passes := strings.HasSuffix(name, "RoleArn") || strings.HasSuffix(name, "RoleARN") || name == "Role" || name == "DeliverLogsPermissionArn"
		if passes && strings.HasPrefix(value, role) && !strings.Contains(value, ":role/aws-service-role/") {
			pass(value, receiver(serviceName, name))
		}
	})
	return asks
}

// receiver is the service that gets a role.
func receiver(serviceName, member string) string {
	switch {
	case member == "DeliverLogsPermissionArn":
		return "vpc-flow-logs.amazonaws.com"
	case member == "MonitoringRoleArn":
		return "monitoring.rds.amazonaws.com"
	}
	return serviceName + ".amazonaws.com"
}

// nested is a structure that is a member of an input, nil when it has none.
func nested(input any, name string) any {
	v := reflect.Indirect(reflect.ValueOf(input))
	if v.Kind() != reflect.Struct {
		return nil
	}
	f := reflect.Indirect(v.FieldByName(name))
	if f.Kind() != reflect.Struct {
		return nil
	}
	return f.Interface()
}
