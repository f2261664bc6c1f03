package cloudtrail_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"storefront/lab/wire/wiretest"
)

// ec2Events are requests with the parameters that AWS writes for such, as published events show them. Whether EC2 refuses does not change them.
var ec2Events = []struct {
	name, want string
	call       func(context.Context, *ec2.Client) error
}{
	{"DescribeSecurityGroups", `{"securityGroupSet":{},"securityGroupIdSet":{"items":[{"groupId":"sg-14d57ebc77858ce2e"}]},"filterSet":{}}`, func(ctx context.Context, c *ec2.Client) error {
		_, err := c.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: []string{"sg-14d57ebc77858ce2e"}})
		return err
	}},
	{"DescribeInstances", `{"instancesSet":{},"filterSet":{"items":[{"name":"instance-state-name","valueSet":{"items":[{"value":"pending"},{"value":"running"}]}}]},"maxResults":100}`, func(ctx context.Context, c *ec2.Client) error {
		_, err := c.DescribeInstances(ctx, &ec2.DescribeInstancesInput{MaxResults: new(int32(100)), Filters: []types.Filter{{Name: new("instance-state-name"), Values: []string{"pending", "running"}}}})
		return err
	}},
	{"DescribeImages", `{"executableBySet":{},"filterSet":{},"imagesSet":{"items":[{"imageId":"ami-01234567890abcdef"}]},"ownersSet":{"items":[{"owner":"self"}]}}`, func(ctx context.Context, c *ec2.Client) error {
		_, err := c.DescribeImages(ctx, &ec2.DescribeImagesInput{ImageIds: []string{"ami-01234567890abcdef"}, Owners: []string{"self"}})
		return err
	}},
	{"DescribeNetworkInterfaces", `{"networkInterfaceIdSet":{"items":[{"networkInterfaceId":"eni-01234567890abcdef"}]},"filterSet":{}}`, func(ctx context.Context, c *ec2.Client) error {
		_, err := c.DescribeNetworkInterfaces(ctx, &ec2.DescribeNetworkInterfacesInput{NetworkInterfaceIds: []string{"eni-01234567890abcdef"}})
		return err
	}},
	{"DescribeAvailabilityZones", `{"availabilityZoneSet":{},"availabilityZoneIdSet":{}}`, func(ctx context.Context, c *ec2.Client) error {
		_, err := c.DescribeAvailabilityZones(ctx, &ec2.DescribeAvailabilityZonesInput{})
		return err
	}},
	{"AuthorizeSecurityGroupIngress", `{"groupId":"sg-01234567890abcdef","ipPermissions":{"items":[{"ipProtocol":"tcp","fromPort":22,"toPort":22,"groups":{},"ipRanges":{"items":[{"cidrIp":"0.0.0.0/0"}]},"ipv6Ranges":{},"prefixListIds":{}}]}}`, func(ctx context.Context, c *ec2.Client) error {
		_, err := c.AuthorizeSecurityGroupIngress(ctx, &ec2.AuthorizeSecurityGroupIngressInput{GroupId: new("sg-01234567890abcdef"), IpPermissions: []types.IpPermission{
			{IpProtocol: new("tcp"), FromPort: new(int32(22)), ToPort: new(int32(22)), IpRanges: []types.IpRange{{CidrIp: new("0.0.0.0/0")}}}}})
		return err
	}},
	{"CreateTags", `{"resourcesSet":{"items":[{"resourceId":"sg-01234567890abcdef"}]},"tagSet":{"items":[{"key":"Name","value":"web"}]}}`, func(ctx context.Context, c *ec2.Client) error {
		_, err := c.CreateTags(ctx, &ec2.CreateTagsInput{Resources: []string{"sg-01234567890abcdef"}, Tags: []types.Tag{{Key: new("Name"), Value: new("web")}}})
		return err
	}},
	{"TerminateInstances", `{"instancesSet":{"items":[{"instanceId":"i-01234567890abcdef"}]}}`, func(ctx context.Context, c *ec2.Client) error {
		_, err := c.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: []string{"i-01234567890abcdef"}})
		return err
	}},
	{"ModifyInstanceAttribute", `{"instanceId":"i-01234567890abcdef","attribute":"disableApiTermination","value":"<sensitiveDataRemoved>"}`, func(ctx context.Context, c *ec2.Client) error {
		_, err := c.ModifyInstanceAttribute(ctx, &ec2.ModifyInstanceAttributeInput{InstanceId: new("i-01234567890abcdef"), Attribute: types.InstanceAttributeNameDisableApiTermination, Value: new("true")})
		return err
	}},
	{"RunInstances", `{"instancesSet":{"items":[{"imageId":"ami-01234567890abcdef","minCount":1,"maxCount":1}]},"instanceType":"t3.micro","clientToken":"token","ebsOptimized":true,"userData":"<sensitiveDataRemoved>",
		"blockDeviceMapping":{"items":[{"deviceName":"/dev/sda1","ebs":{"volumeSize":10,"encrypted":false}}]},
		"networkInterfaceSet":{"items":[{"deviceIndex":0,"subnetId":"subnet-01234567890abcdef","groupSet":{"items":[{"groupId":"sg-01234567890abcdef"}]}}]},
		"tagSpecificationSet":{"items":[{"resourceType":"instance","tags":[{"key":"Name","value":"test"}]}]}}`, func(ctx context.Context, c *ec2.Client) error {
		_, err := c.RunInstances(ctx, &ec2.RunInstancesInput{ImageId: new("ami-01234567890abcdef"), MinCount: new(int32(1)), MaxCount: new(int32(1)), InstanceType: "t3.micro", ClientToken: new("token"), EbsOptimized: new(true),
			UserData: new("IyEvYmluL3No"), BlockDeviceMappings: []types.BlockDeviceMapping{{DeviceName: new("/dev/sda1"), Ebs: &types.EbsBlockDevice{VolumeSize: new(int32(10)), Encrypted: new(false)}}},
			NetworkInterfaces: []types.InstanceNetworkInterfaceSpecification{{DeviceIndex: new(int32(0)), SubnetId: new("subnet-01234567890abcdef"), Groups: []string{"sg-01234567890abcdef"}}},
			TagSpecifications: []types.TagSpecification{{ResourceType: "instance", Tags: []types.Tag{{Key: new("Name"), Value: new("test")}}}}})
		return err
	}},
	{"DescribeVpcEndpointServices", `{"DescribeVpcEndpointServicesRequest":""}`, func(ctx context.Context, c *ec2.Client) error {
		_, err := c.DescribeVpcEndpointServices(ctx, &ec2.DescribeVpcEndpointServicesInput{})
		return err
	}},
	{"DescribeSecurityGroupRules", `{"DescribeSecurityGroupRulesRequest":{"Filter":{"tag":1,"Value":{"tag":1,"content":"sg-01234567890abcdef"},"Name":"group-id"},"MaxResults":1000}}`, func(ctx context.Context, c *ec2.Client) error {
		_, err := c.DescribeSecurityGroupRules(ctx, &ec2.DescribeSecurityGroupRulesInput{MaxResults: new(int32(1000)), Filters: []types.Filter{{Name: new("group-id"), Values: []string{"sg-01234567890abcdef"}}}})
		return err
	}},
	{"CreateLaunchTemplate", `{"CreateLaunchTemplateRequest":{"LaunchTemplateName":"workers","ClientToken":"token","LaunchTemplateData":{"UserData":"<sensitiveDataRemoved>","ImageId":"ami-01234567890abcdef",
		"SecurityGroupId":[{"tag":1,"content":"sg-01234567890abcdef"},{"tag":2,"content":"sg-01234567890abcde2"}],"BlockDeviceMapping":{"Ebs":{"VolumeSize":100},"tag":1,"DeviceName":"/dev/sda1"},"IamInstanceProfile":{"Name":"worker"}}}}`,
		func(ctx context.Context, c *ec2.Client) error {
			_, err := c.CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{LaunchTemplateName: new("workers"), ClientToken: new("token"), LaunchTemplateData: &types.RequestLaunchTemplateData{UserData: new("IyEvYmluL3No"),
				ImageId: new("ami-01234567890abcdef"), SecurityGroupIds: []string{"sg-01234567890abcdef", "sg-01234567890abcde2"}, IamInstanceProfile: &types.LaunchTemplateIamInstanceProfileSpecificationRequest{Name: new("worker")},
				BlockDeviceMappings: []types.LaunchTemplateBlockDeviceMappingRequest{{DeviceName: new("/dev/sda1"), Ebs: &types.LaunchTemplateEbsBlockDeviceRequest{VolumeSize: new(int32(100))}}}}})
			return err
		}},
}

// Requests to Amazon EC2 look in events as they do in those of AWS.
func TestEC2Requests(t *testing.T) {
	h := start(t)
	for _, e := range ec2Events {
		t.Run(e.name, func(t *testing.T) {
			_ = e.call(t.Context(), h.ec2)
			var want any
			if err := json.Unmarshal([]byte(e.want), &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, h.last(e.name)["requestParameters"]); diff != "" {
				t.Errorf("requestParameters (-want +got):\n%s", diff)
			}
		})
	}
}

// Answers of operations that came after the SOAP API are their XML below its root; of all others, their members.
func TestEC2Responses(t *testing.T) {
	h := start(t)
	vpc := wiretest.Must(h.ec2.CreateVpc(t.Context(), &ec2.CreateVpcInput{CidrBlock: new("10.0.0.0/16")})).Vpc.VpcId
	logs := wiretest.Must(h.ec2.CreateFlowLogs(t.Context(), &ec2.CreateFlowLogsInput{ResourceIds: []string{*vpc}, ResourceType: "VPC", TrafficType: "ALL", LogDestinationType: "s3", LogDestination: new("arn:aws:s3:::logs")})).FlowLogIds
	e := h.last("CreateFlowLogs")
	want := map[string]any{"CreateFlowLogsResponse": map[string]any{"xmlns": "http://ec2.amazonaws.com/doc/2016-11-15", "requestId": e["requestID"], "flowLogIdSet": map[string]any{"item": logs[0]}}}
	if diff := cmp.Diff(any(want), e["responseElements"]); diff != "" {
		t.Errorf("CreateFlowLogs (-want +got):\n%s", diff)
	}
	wiretest.Must(h.ec2.CreateTags(t.Context(), &ec2.CreateTagsInput{Resources: []string{*vpc}, Tags: []types.Tag{{Key: new("Name"), Value: new("shop")}}}))
	e = h.last("CreateTags")
	if diff := cmp.Diff(any(map[string]any{"_return": true, "requestId": e["requestID"]}), e["responseElements"]); diff != "" {
		t.Errorf("CreateTags (-want +got):\n%s", diff)
	}
}
