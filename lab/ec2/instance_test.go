package ec2_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"storefront/lab/ec2"
	"storefront/lab/region"
	"storefront/lab/state"
)

// place makes a VPC with one public subnet and returns them.
func (f *fixture) place() (vpc, subnet string) {
	f.t.Helper()
	vpc = f.vpc("10.0.0.0/16")
	subnet = f.subnet(vpc, "10.0.0.0/24", "us-east-1a")
	f.gateway(vpc)
	return vpc, subnet
}

func (f *fixture) run(in *sdk.RunInstancesInput) types.Instance {
	f.t.Helper()
	return must[*sdk.RunInstancesOutput](f.t)(f.RunInstances(f.t.Context(), launch(in))).Instances[0]
}

// launch fills in what every launch needs.
func launch(in *sdk.RunInstancesInput) *sdk.RunInstancesInput {
	in.MinCount, in.MaxCount = new(int32(1)), new(int32(1))
	if in.LaunchTemplate == nil && in.ImageId == nil {
		in.ImageId = new(region.AmazonLinux2023)
	}
	if in.LaunchTemplate == nil && in.InstanceType == "" {
		in.InstanceType = types.InstanceTypeT3Micro
	}
	return in
}

func (f *fixture) describe(id string) types.Instance {
	f.t.Helper()
	return must[*sdk.DescribeInstancesOutput](f.t)(f.DescribeInstances(f.t.Context(), &sdk.DescribeInstancesInput{InstanceIds: []string{id}})).Reservations[0].Instances[0]
}

func TestInstanceLife(t *testing.T) {
	f, ctx := start(t), t.Context()
	vpc, subnet := f.place()
	must[*sdk.ModifyVpcAttributeOutput](t)(f.ModifyVpcAttribute(ctx, &sdk.ModifyVpcAttributeInput{VpcId: &vpc, EnableDnsHostnames: &types.AttributeBooleanValue{Value: new(true)}}))
	must[*sdk.ModifySubnetAttributeOutput](t)(f.ModifySubnetAttribute(ctx, &sdk.ModifySubnetAttributeInput{SubnetId: &subnet, MapPublicIpOnLaunch: &types.AttributeBooleanValue{Value: new(true)}}))
	made := f.run(&sdk.RunInstancesInput{SubnetId: &subnet, Placement: &types.Placement{AvailabilityZone: new(""), GroupName: new("")}, TagSpecifications: tags(types.ResourceTypeInstance, "Name", "one")})
	id := *made.InstanceId
	if made.State.Name != types.InstanceStateNamePending || *made.PrivateIpAddress != "10.0.0.4" || *made.PrivateDnsName != "ip-10-0-0-4.ec2.internal" {
		t.Errorf("got %s %s %s", made.State.Name, *made.PrivateIpAddress, *made.PrivateDnsName)
	}
	if *made.PublicIpAddress != "198.18.0.1" || *made.PublicDnsName != "ec2-198-18-0-1.compute-1.amazonaws.com" {
		t.Errorf("got public %s %s", *made.PublicIpAddress, *made.PublicDnsName)
	}
	f.set(id, ec2.Running)
	status := must[*sdk.DescribeInstanceStatusOutput](t)(f.DescribeInstanceStatus(ctx, &sdk.DescribeInstanceStatusInput{InstanceIds: []string{id}})).InstanceStatuses
	if len(status) != 1 || status[0].InstanceStatus.Status != types.SummaryStatusOk {
		t.Errorf("got status %+v", status)
	}
	must[*sdk.StopInstancesOutput](t)(f.StopInstances(ctx, &sdk.StopInstancesInput{InstanceIds: []string{id}}))
	f.set(id, ec2.Stopped)
	if got := f.describe(id); got.PublicIpAddress != nil || got.State.Name != types.InstanceStateNameStopped {
		t.Errorf("a stopped instance has %+v %+v", got.PublicIpAddress, got.State)
	}
	refused[*sdk.RebootInstancesOutput](t, "IncorrectInstanceState")(f.RebootInstances(ctx, &sdk.RebootInstancesInput{InstanceIds: []string{id}}))
	must[*sdk.StartInstancesOutput](t)(f.StartInstances(ctx, &sdk.StartInstancesInput{InstanceIds: []string{id}}))
	f.set(id, ec2.Running)
	if got := f.describe(id); got.PublicIpAddress == nil {
		t.Error("a started instance has no public address")
	}
	refused[*sdk.DeleteSubnetOutput](t, "DependencyViolation")(f.DeleteSubnet(ctx, &sdk.DeleteSubnetInput{SubnetId: &subnet}))
	must[*sdk.TerminateInstancesOutput](t)(f.TerminateInstances(ctx, &sdk.TerminateInstancesInput{InstanceIds: []string{id}}))
	f.set(id, ec2.Terminated)
	if got := f.describe(id); got.State.Name != types.InstanceStateNameTerminated || got.VpcId != nil || *got.Tags[0].Value != "one" {
		t.Errorf("a terminated instance is %+v", got)
	}
	if left := must[*sdk.DescribeVolumesOutput](t)(f.DescribeVolumes(ctx, &sdk.DescribeVolumesInput{})).Volumes; len(left) != 0 {
		t.Errorf("volumes outlived their instance: %+v", left)
	}
	must[*sdk.DeleteSubnetOutput](t)(f.DeleteSubnet(ctx, &sdk.DeleteSubnetInput{SubnetId: &subnet}))
	f.now = f.now.Add(time.Hour)
	refused[*sdk.DescribeInstancesOutput](t, "InvalidInstanceID.NotFound")(f.DescribeInstances(ctx, &sdk.DescribeInstancesInput{InstanceIds: []string{id}}))
}

func TestLaunchRefusals(t *testing.T) {
	f, ctx := start(t), t.Context()
	_, subnet := f.place()
	for name, c := range map[string]struct {
		in   sdk.RunInstancesInput
		code string
	}{
		"no subnet":       {sdk.RunInstancesInput{}, "VPCIdNotSpecified"},
		"absent subnet":   {sdk.RunInstancesInput{SubnetId: new("subnet-0000000000000ffff")}, "InvalidSubnetID.NotFound"},
		"absent image":    {sdk.RunInstancesInput{SubnetId: &subnet, ImageId: new("ami-0000000000000ffff")}, "InvalidAMIID.NotFound"},
		"absent type":     {sdk.RunInstancesInput{SubnetId: &subnet, InstanceType: "t3.colossal"}, "InvalidParameterValue"},
		"other processor": {sdk.RunInstancesInput{SubnetId: &subnet, InstanceType: types.InstanceTypeT4gMicro}, "InvalidParameterValue"},
		"absent group":    {sdk.RunInstancesInput{SubnetId: &subnet, SecurityGroupIds: []string{"sg-0000000000000ffff"}}, "InvalidGroup.NotFound"},
		"absent profile":  {sdk.RunInstancesInput{SubnetId: &subnet, IamInstanceProfile: &types.IamInstanceProfileSpecification{Name: new("nobody")}}, "InvalidParameterValue"},
		"absent key":      {sdk.RunInstancesInput{SubnetId: &subnet, KeyName: new("lost")}, "InvalidKeyPair.NotFound"},
		"plain user-data": {sdk.RunInstancesInput{SubnetId: &subnet, UserData: new("#!/bin/sh")}, "InvalidUserData.Malformed"},
		"long user-data":  {sdk.RunInstancesInput{SubnetId: &subnet, UserData: new(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", 16385))))}, "InvalidParameterValue"},
		"reserved":        {sdk.RunInstancesInput{SubnetId: &subnet, PrivateIpAddress: new("10.0.0.2")}, "InvalidParameterValue"},
		"small root": {sdk.RunInstancesInput{SubnetId: &subnet, BlockDeviceMappings: []types.BlockDeviceMapping{{DeviceName: new("/dev/xvda"), Ebs: &types.EbsBlockDevice{VolumeSize: new(int32(4))}}}},
			"InvalidBlockDeviceMapping"},
		"hops": {sdk.RunInstancesInput{SubnetId: &subnet, MetadataOptions: &types.InstanceMetadataOptionsRequest{HttpPutResponseHopLimit: new(int32(65))}}, "InvalidParameterValue"},
		"no template": {sdk.RunInstancesInput{SubnetId: &subnet, LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateId: new("lt-0000000000000ffff")}},
			"InvalidLaunchTemplateId.NotFound"},
	} {
		t.Run(name, func(t *testing.T) {
			refused[*sdk.RunInstancesOutput](t, c.code)(f.RunInstances(ctx, launch(&c.in)))
		})
	}
	if left := must[*sdk.DescribeInstancesOutput](t)(f.DescribeInstances(ctx, &sdk.DescribeInstancesInput{})).Reservations; len(left) != 0 {
		t.Errorf("a refused launch made %+v", left)
	}
	refused[*sdk.TerminateInstancesOutput](t, "InvalidInstanceID.Malformed")(f.TerminateInstances(ctx, &sdk.TerminateInstancesInput{InstanceIds: []string{"vm-1"}}))
}

func TestLaunchFromTemplate(t *testing.T) {
	f, ctx := start(t), t.Context()
	vpc, subnet := f.place()
	group := f.group(vpc, "web")
	script := base64.StdEncoding.EncodeToString([]byte("#!/bin/sh\ntrue"))
	made := must[*sdk.CreateLaunchTemplateOutput](t)(f.CreateLaunchTemplate(ctx, &sdk.CreateLaunchTemplateInput{
		LaunchTemplateName: new("web"),
		LaunchTemplateData: &types.RequestLaunchTemplateData{
			ImageId: new(region.AmazonLinux2023), InstanceType: types.InstanceTypeT3Small, UserData: &script, SecurityGroupIds: []string{group},
			IamInstanceProfile:    &types.LaunchTemplateIamInstanceProfileSpecificationRequest{Arn: new("web")},
			MetadataOptions:       &types.LaunchTemplateInstanceMetadataOptionsRequest{HttpTokens: types.LaunchTemplateHttpTokensStateRequired, HttpPutResponseHopLimit: new(int32(1)), InstanceMetadataTags: "enabled"},
			InstanceMarketOptions: &types.LaunchTemplateInstanceMarketOptionsRequest{MarketType: types.MarketTypeSpot},
			TagSpecifications:     []types.LaunchTemplateTagSpecificationRequest{{ResourceType: types.ResourceTypeInstance, Tags: []types.Tag{{Key: new("Name"), Value: new("web")}}}},
			BlockDeviceMappings: []types.LaunchTemplateBlockDeviceMappingRequest{{DeviceName: new("/dev/xvda"), Ebs: &types.LaunchTemplateEbsBlockDeviceRequest{
				Encrypted: new(true), VolumeSize: new(int32(20)), VolumeType: types.VolumeTypeGp3,
			}}},
		},
	})).LaunchTemplate
	i := f.run(&sdk.RunInstancesInput{SubnetId: &subnet, InstanceType: types.InstanceTypeM5Large, LaunchTemplate: &types.LaunchTemplateSpecification{LaunchTemplateName: new("web"), Version: new("$Latest")}})
	if i.InstanceType != types.InstanceTypeM5Large || i.InstanceLifecycle != types.InstanceLifecycleTypeSpot || *i.SecurityGroups[0].GroupId != group || *i.IamInstanceProfile.Id != "AIPATEST" {
		t.Errorf("got %+v", i)
	}
	if *i.MetadataOptions.HttpPutResponseHopLimit != 1 || i.MetadataOptions.InstanceMetadataTags != "enabled" {
		t.Errorf("got metadata options %+v", i.MetadataOptions)
	}
	got := map[string]string{}
	for _, tag := range i.Tags {
		got[*tag.Key] = *tag.Value
	}
	if got["Name"] != "web" || got["aws:ec2launchtemplate:id"] != *made.LaunchTemplateId || got["aws:ec2launchtemplate:version"] != "1" {
		t.Errorf("got tags %v", got)
	}
	volumes := must[*sdk.DescribeVolumesOutput](t)(f.DescribeVolumes(ctx, &sdk.DescribeVolumesInput{Filters: filter("attachment.instance-id", *i.InstanceId)})).Volumes
	if len(volumes) != 1 || *volumes[0].Size != 20 || !*volumes[0].Encrypted || *volumes[0].Iops != 3000 {
		t.Errorf("got volumes %+v", volumes)
	}
	refused[*sdk.StopInstancesOutput](t, "UnsupportedOperation")(f.StopInstances(ctx, &sdk.StopInstancesInput{InstanceIds: []string{*i.InstanceId}}))
	if err := f.store.View(func(tx *state.Tx) error {
		m := f.service.Machines(tx)
		if len(m) != 1 || m[0].UserData != script || m[0].Profile.ID != "AIPATEST" || len(m[0].Interfaces) != 1 {
			t.Errorf("the data plane gets %+v", m)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestTemplateVersions(t *testing.T) {
	f, ctx := start(t), t.Context()
	data := &types.RequestLaunchTemplateData{ImageId: new(region.AmazonLinux2023), InstanceType: types.InstanceTypeT3Micro, KeyName: new("ops")}
	id := must[*sdk.CreateLaunchTemplateOutput](t)(f.CreateLaunchTemplate(ctx, &sdk.CreateLaunchTemplateInput{LaunchTemplateName: new("web"), LaunchTemplateData: data})).LaunchTemplate.LaunchTemplateId
	refused[*sdk.CreateLaunchTemplateOutput](t, "InvalidLaunchTemplateName.AlreadyExistsException")(f.CreateLaunchTemplate(ctx, &sdk.CreateLaunchTemplateInput{LaunchTemplateName: new("web"), LaunchTemplateData: data}))
	refused[*sdk.CreateLaunchTemplateOutput](t, "InvalidLaunchTemplateName.MalformedException")(f.CreateLaunchTemplate(ctx, &sdk.CreateLaunchTemplateInput{LaunchTemplateName: new("a b"), LaunchTemplateData: data}))
	must[*sdk.CreateLaunchTemplateVersionOutput](t)(f.CreateLaunchTemplateVersion(ctx, &sdk.CreateLaunchTemplateVersionInput{
		LaunchTemplateId: id, SourceVersion: new("1"), VersionDescription: new("bigger"), LaunchTemplateData: &types.RequestLaunchTemplateData{InstanceType: types.InstanceTypeT3Large},
	}))
	got := must[*sdk.DescribeLaunchTemplateVersionsOutput](t)(f.DescribeLaunchTemplateVersions(ctx, &sdk.DescribeLaunchTemplateVersionsInput{LaunchTemplateId: id, Versions: []string{"$Latest", "$Default"}})).LaunchTemplateVersions
	if len(got) != 2 || *got[0].VersionNumber != 2 || got[0].LaunchTemplateData.InstanceType != types.InstanceTypeT3Large || *got[0].LaunchTemplateData.KeyName != "ops" || !*got[1].DefaultVersion {
		t.Errorf("got %+v", got)
	}
	must[*sdk.ModifyLaunchTemplateOutput](t)(f.ModifyLaunchTemplate(ctx, &sdk.ModifyLaunchTemplateInput{LaunchTemplateId: id, DefaultVersion: new("2")}))
	refused[*sdk.ModifyLaunchTemplateOutput](t, "InvalidLaunchTemplateId.VersionNotFound")(f.ModifyLaunchTemplate(ctx, &sdk.ModifyLaunchTemplateInput{LaunchTemplateId: id, DefaultVersion: new("3")}))
	gone := must[*sdk.DeleteLaunchTemplateVersionsOutput](t)(f.DeleteLaunchTemplateVersions(ctx, &sdk.DeleteLaunchTemplateVersionsInput{LaunchTemplateId: id, Versions: []string{"1", "2"}}))
	if len(gone.SuccessfullyDeletedLaunchTemplateVersions) != 1 || len(gone.UnsuccessfullyDeletedLaunchTemplateVersions) != 1 {
		t.Errorf("got %+v, want the default version to stay", gone)
	}
	must[*sdk.DeleteLaunchTemplateOutput](t)(f.DeleteLaunchTemplate(ctx, &sdk.DeleteLaunchTemplateInput{LaunchTemplateName: new("web")}))
	refused[*sdk.DescribeLaunchTemplatesOutput](t, "InvalidLaunchTemplateId.NotFound")(f.DescribeLaunchTemplates(ctx, &sdk.DescribeLaunchTemplatesInput{LaunchTemplateIds: []string{*id}}))
}

func TestProtectionAndAttributes(t *testing.T) {
	f, ctx := start(t), t.Context()
	vpc, subnet := f.place()
	id := *f.run(&sdk.RunInstancesInput{SubnetId: &subnet, DisableApiTermination: new(true)}).InstanceId
	f.set(id, ec2.Running)
	refused[*sdk.TerminateInstancesOutput](t, "OperationNotPermitted")(f.TerminateInstances(ctx, &sdk.TerminateInstancesInput{InstanceIds: []string{id}}))
	refused[*sdk.ModifyInstanceAttributeOutput](t, "IncorrectInstanceState")(f.ModifyInstanceAttribute(ctx, &sdk.ModifyInstanceAttributeInput{InstanceId: &id, InstanceType: &types.AttributeValue{Value: new("t3.large")}}))
	group := f.group(vpc, "other")
	must[*sdk.ModifyInstanceAttributeOutput](t)(f.ModifyInstanceAttribute(ctx, &sdk.ModifyInstanceAttributeInput{
		InstanceId: &id, Groups: []string{group}, DisableApiTermination: &types.AttributeBooleanValue{Value: new(false)},
	}))
	must[*sdk.ModifyInstanceMetadataOptionsOutput](t)(f.ModifyInstanceMetadataOptions(ctx, &sdk.ModifyInstanceMetadataOptionsInput{InstanceId: &id, HttpTokens: types.HttpTokensStateOptional}))
	got := f.describe(id)
	if *got.SecurityGroups[0].GroupName != "other" || got.MetadataOptions.HttpTokens != types.HttpTokensStateOptional {
		t.Errorf("got %+v", got)
	}
	attribute := must[*sdk.DescribeInstanceAttributeOutput](t)(f.DescribeInstanceAttribute(ctx, &sdk.DescribeInstanceAttributeInput{InstanceId: &id, Attribute: types.InstanceAttributeNameDisableApiTermination}))
	if *attribute.DisableApiTermination.Value {
		t.Error("termination protection is still on")
	}
	bound := must[*sdk.AssociateIamInstanceProfileOutput](t)(f.AssociateIamInstanceProfile(ctx, &sdk.AssociateIamInstanceProfileInput{InstanceId: &id, IamInstanceProfile: &types.IamInstanceProfileSpecification{Name: new("web")}}))
	must[*sdk.DisassociateIamInstanceProfileOutput](t)(f.DisassociateIamInstanceProfile(ctx, &sdk.DisassociateIamInstanceProfileInput{AssociationId: bound.IamInstanceProfileAssociation.AssociationId}))
	refused[*sdk.DisassociateIamInstanceProfileOutput](t, "NoSuchAssociation")(f.DisassociateIamInstanceProfile(ctx, &sdk.DisassociateIamInstanceProfileInput{AssociationId: bound.IamInstanceProfileAssociation.AssociationId}))
	credits := must[*sdk.DescribeInstanceCreditSpecificationsOutput](t)(f.DescribeInstanceCreditSpecifications(ctx, &sdk.DescribeInstanceCreditSpecificationsInput{InstanceIds: []string{id}})).InstanceCreditSpecifications
	if len(credits) != 1 || *credits[0].CpuCredits != "unlimited" {
		t.Errorf("got %+v", credits)
	}
}

func TestStateOnlyMovesForward(t *testing.T) {
	f := start(t)
	_, subnet := f.place()
	id := *f.run(&sdk.RunInstancesInput{SubnetId: &subnet}).InstanceId
	f.set(id, ec2.Running, ec2.ShuttingDown, ec2.Terminated)
	err := f.store.Update(func(tx *state.Tx) error { return f.service.SetInstanceState(tx, id, ec2.Running, ec2.Reason{}) })
	if !errors.Is(err, ec2.ErrInstanceState) {
		t.Errorf("got %v, want ErrInstanceState", err)
	}
}

func TestLaunchIsIdempotent(t *testing.T) {
	f, ctx := start(t), t.Context()
	_, subnet := f.place()
	in := launch(&sdk.RunInstancesInput{SubnetId: &subnet, ClientToken: new("once")})
	in.MaxCount = new(int32(3))
	first := must[*sdk.RunInstancesOutput](t)(f.RunInstances(ctx, in))
	again := must[*sdk.RunInstancesOutput](t)(f.RunInstances(ctx, in))
	if len(first.Instances) != 3 || len(again.Instances) != 3 || *first.ReservationId != *again.ReservationId {
		t.Errorf("got %d then %d instances", len(first.Instances), len(again.Instances))
	}
	pages := sdk.NewDescribeInstancesPaginator(f, &sdk.DescribeInstancesInput{MaxResults: new(int32(2)), Filters: filter("instance-state-name", "pending")})
	n := 0
	for pages.HasMorePages() {
		for _, r := range must[*sdk.DescribeInstancesOutput](t)(pages.NextPage(ctx)).Reservations {
			n += len(r.Instances)
		}
	}
	if n != 3 {
		t.Errorf("got %d instances in pages, want 3", n)
	}
}
