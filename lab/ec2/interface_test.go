package ec2_test

import (
	"testing"

	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	api "storefront/lab/api/ec2"
	"storefront/lab/ec2"
	"storefront/lab/region"
	"storefront/lab/wire"
)

func TestSecondInterface(t *testing.T) {
	f, ctx := start(t), t.Context()
	vpc, subnet := f.place()
	far := f.subnet(vpc, "10.0.9.0/24", "us-east-1b")
	id := *f.run(&sdk.RunInstancesInput{SubnetId: &subnet}).InstanceId
	create := func(subnet string) *string {
		return must[*sdk.CreateNetworkInterfaceOutput](t)(f.CreateNetworkInterface(ctx, &sdk.CreateNetworkInterfaceInput{SubnetId: &subnet})).NetworkInterface.NetworkInterfaceId
	}
	near := create(subnet)
	attach := func(eni *string, device int32) (*sdk.AttachNetworkInterfaceOutput, error) {
		return f.AttachNetworkInterface(ctx, &sdk.AttachNetworkInterfaceInput{NetworkInterfaceId: eni, InstanceId: &id, DeviceIndex: &device})
	}
	refused[*sdk.AttachNetworkInterfaceOutput](t, "IncorrectInstanceState")(attach(near, 1))
	f.set(id, ec2.Running)
	refused[*sdk.AttachNetworkInterfaceOutput](t, "InvalidParameterCombination")(attach(create(far), 1))
	refused[*sdk.AttachNetworkInterfaceOutput](t, "InvalidParameterValue")(attach(near, 0))
	bound := must[*sdk.AttachNetworkInterfaceOutput](t)(attach(near, 1))
	refused[*sdk.AttachNetworkInterfaceOutput](t, "InvalidNetworkInterface.InUse")(attach(near, 2))
	refused[*sdk.DeleteNetworkInterfaceOutput](t, "InvalidNetworkInterface.InUse")(f.DeleteNetworkInterface(ctx, &sdk.DeleteNetworkInterfaceInput{NetworkInterfaceId: near}))
	if got := f.topology().VPCs[0].Interfaces; len(got) != 2 {
		t.Errorf("the data plane gets %d interfaces, want the two that are attached", len(got))
	}
	got := f.describe(id).NetworkInterfaces
	if len(got) != 2 {
		t.Fatalf("got %d interfaces, want 2", len(got))
	}
	refused[*sdk.DetachNetworkInterfaceOutput](t, "OperationNotPermitted")(f.DetachNetworkInterface(ctx, &sdk.DetachNetworkInterfaceInput{AttachmentId: got[0].Attachment.AttachmentId}))
	must[*sdk.ModifyNetworkInterfaceAttributeOutput](t)(f.ModifyNetworkInterfaceAttribute(ctx, &sdk.ModifyNetworkInterfaceAttributeInput{
		NetworkInterfaceId: near, SourceDestCheck: &types.AttributeBooleanValue{Value: new(false)},
	}))
	for _, i := range f.topology().VPCs[0].Interfaces {
		if i.NoSourceDestCheck != (i.ID == *near) {
			t.Errorf("interface %s has no source check: %v", i.ID, i.NoSourceDestCheck)
		}
	}
	must[*sdk.DetachNetworkInterfaceOutput](t)(f.DetachNetworkInterface(ctx, &sdk.DetachNetworkInterfaceInput{AttachmentId: bound.AttachmentId}))
	must[*sdk.DeleteNetworkInterfaceOutput](t)(f.DeleteNetworkInterface(ctx, &sdk.DeleteNetworkInterfaceInput{NetworkInterfaceId: near}))
}

func TestAutoScalingPlacesTemplateInterfaces(t *testing.T) {
	f, ctx := start(t), t.Context()
	vpc, subnet := f.place()
	group := f.group(vpc, "web")
	must[*sdk.CreateLaunchTemplateOutput](t)(f.CreateLaunchTemplate(ctx, &sdk.CreateLaunchTemplateInput{
		LaunchTemplateName: new("web"),
		LaunchTemplateData: &types.RequestLaunchTemplateData{
			ImageId: new(region.AmazonLinux2023), InstanceType: types.InstanceTypeT3Micro,
			NetworkInterfaces: []types.LaunchTemplateInstanceNetworkInterfaceSpecificationRequest{{DeviceIndex: new(int32(0)), Groups: []string{group}, AssociatePublicIpAddress: new(true)}},
		},
	}))
	refused[*sdk.RunInstancesOutput](t, "InvalidParameterCombination")(f.RunInstances(ctx, launch(&sdk.RunInstancesInput{
		SubnetId: &subnet, LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateName: new("web")},
	})))
	service := wire.WithCaller(ctx, wire.Identity{Service: "autoscaling.amazonaws.com"})
	made, err := f.service.RunInstances(service, &api.RunInstancesInput{
		MinCount: new(int64(1)), MaxCount: new(int64(1)), SubnetId: &subnet, LaunchTemplate: &api.LaunchTemplateSpecification{LaunchTemplateName: new("web")},
		TagSpecifications: []api.TagSpecification{{ResourceType: new("instance"), Tags: []api.Tag{{Key: new("aws:autoscaling:groupName"), Value: new("web")}}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	i := f.describe(*made.Instances[0].InstanceId)
	if *i.SubnetId != subnet || *i.SecurityGroups[0].GroupId != group || i.PublicIpAddress == nil {
		t.Errorf("got %+v", i)
	}
}
