//go:build linux

package daemon_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	astypes "github.com/aws/aws-sdk-go-v2/service/autoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"storefront/lab/region"
	"storefront/lab/wire/wiretest"
)

// disks launches instances whose root volumes are under a key.
type disks struct {
	*guarded
	subnet *string
}

func newDisks(t *testing.T) *disks {
	t.Helper()
	d := &disks{guarded: guard(t)}
	c := ec2.NewFromConfig(d.Config)
	vpc := wiretest.Must(c.CreateVpc(t.Context(), &ec2.CreateVpcInput{CidrBlock: aws.String("10.0.0.0/16")})).Vpc.VpcId
	d.subnet = wiretest.Must(c.CreateSubnet(t.Context(), &ec2.CreateSubnetInput{VpcId: vpc, CidrBlock: aws.String("10.0.0.0/24"), AvailabilityZone: aws.String("us-east-1a")})).Subnet.SubnetId
	return d
}

// key makes a key that the operator administers; what else its policy says is in statements.
func (d *disks) key(statements ...string) string {
	d.t.Helper()
	all := append([]string{`"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:root"},"Action":["kms:Describe*","kms:Put*","kms:Disable*"],"Resource":"*"`}, statements...)
	return *wiretest.Must(kms.NewFromConfig(d.Config).CreateKey(d.t.Context(), &kms.CreateKeyInput{Policy: statement(strings.Join(all, "},{"))})).KeyMetadata.Arn
}

// launch launches an instance, and returns its ID.
func (d *disks) launch(key string) string {
	d.t.Helper()
	i := wiretest.Must(ec2.NewFromConfig(d.Config).RunInstances(d.t.Context(), &ec2.RunInstancesInput{
		ImageId: aws.String(region.AmazonLinux2023), InstanceType: "t3.micro", SubnetId: d.subnet, MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		BlockDeviceMappings: []ec2types.BlockDeviceMapping{{DeviceName: aws.String("/dev/xvda"), Ebs: &ec2types.EbsBlockDevice{Encrypted: aws.Bool(true), KmsKeyId: &key}}},
	})).Instances[0]
	if i.State.Name != ec2types.InstanceStateNamePending { // KMS is asked after the answer
		d.t.Errorf("a launch is answered %s", i.State.Name)
	}
	return *i.InstanceId
}

// eventually looks until it sees what it wants.
func (d *disks) eventually(what string, seen func() bool) {
	d.t.Helper()
	deadline, look := time.After(30*time.Second), time.NewTicker(20*time.Millisecond)
	defer look.Stop()
	for !seen() {
		select {
		case <-deadline:
			d.t.Fatalf("not within 30 s: %s", what)
		case <-look.C:
		}
	}
}

// becomes waits until an instance is in a state, and checks the code of the reason.
func (d *disks) becomes(id string, want ec2types.InstanceStateName, reason string) {
	d.t.Helper()
	var i ec2types.Instance
	d.eventually(id+" is "+string(want), func() bool {
		i = wiretest.Must(ec2.NewFromConfig(d.Config).DescribeInstances(d.t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{id}})).Reservations[0].Instances[0]
		return i.State.Name == want
	})
	got := ""
	if i.StateReason != nil {
		got = *i.StateReason.Code
	}
	if got != reason {
		d.t.Errorf("%s is %s for the reason %q, want %q", id, want, got, reason)
	}
}

const useThroughEC2 = `"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::000000000000:root"},"Action":["kms:CreateGrant","kms:GenerateDataKeyWithoutPlaintext"],"Resource":"*",` +
	`"Condition":{"StringEquals":{"kms:ViaService":"ec2.us-east-1.amazonaws.com"}}`

// An instance starts when who launches or starts it may use the keys of its volumes through EC2, and ends by itself otherwise.
func TestVolumesNeedTheirKeys(t *testing.T) {
	d := newDisks(t)
	keys, compute := kms.NewFromConfig(d.Config), ec2.NewFromConfig(d.Config)
	d.becomes(d.launch("11111111-2222-3333-4444-555555555555"), ec2types.InstanceStateNameTerminated, "Client.InvalidKMSKey.InvalidState")
	d.becomes(d.launch(d.key()), ec2types.InstanceStateNameTerminated, "Client.InternalError")
	d.becomes(d.launch("alias/aws/ebs"), ec2types.InstanceStateNameRunning, "")

	key := d.key(useThroughEC2)
	id := d.launch(key)
	d.becomes(id, ec2types.InstanceStateNameRunning, "")
	volume := wiretest.Must(compute.DescribeVolumes(t.Context(), &ec2.DescribeVolumesInput{Filters: []ec2types.Filter{{Name: aws.String("attachment.instance-id"), Values: []string{id}}}})).Volumes[0]
	if !*volume.Encrypted || *volume.KmsKeyId != key {
		t.Errorf("the volume's key is %s, want %s", *volume.KmsKeyId, key)
	}
	wiretest.Must(keys.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &key}))
	d.becomes(d.launch(key), ec2types.InstanceStateNameTerminated, "Client.InvalidKMSKey.InvalidState")
	d.becomes(id, ec2types.InstanceStateNameRunning, "") // it has its data key
	wiretest.Must(compute.StopInstances(t.Context(), &ec2.StopInstancesInput{InstanceIds: []string{id}}))
	d.becomes(id, ec2types.InstanceStateNameStopped, "Client.UserInitiatedShutdown")
	wiretest.Must(compute.StartInstances(t.Context(), &ec2.StartInstancesInput{InstanceIds: []string{id}}))
	d.becomes(id, ec2types.InstanceStateNameStopped, "Client.InvalidKMSKey.InvalidState")
}

// Auto Scaling uses the key as its service-linked role, whose name a condition can know before there is such a role: the account's other principals may launch with the key, and
// the group may not, until the key's policy says so.
func TestAutoScalingNeedsTheKeysOfItsVolumes(t *testing.T) {
	d := newDisks(t)
	ctx, groups := t.Context(), autoscaling.NewFromConfig(d.Config)
	key := d.key(useThroughEC2)
	const linked = "arn:aws:iam::000000000000:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
	_, err := kms.NewFromConfig(d.Config).PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: &key, Policy: statement(`"Effect":"Allow","Principal":{"AWS":"` + linked + `"},"Action":"kms:*","Resource":"*"`)})
	check(t, "a policy that names the role before there is one", "MalformedPolicyDocumentException: invalid principals", err)
	wiretest.Must(ec2.NewFromConfig(d.Config).CreateLaunchTemplate(ctx, &ec2.CreateLaunchTemplateInput{LaunchTemplateName: aws.String("web"), LaunchTemplateData: &ec2types.RequestLaunchTemplateData{
		ImageId: aws.String(region.AmazonLinux2023), InstanceType: "t3.micro",
		BlockDeviceMappings: []ec2types.LaunchTemplateBlockDeviceMappingRequest{{DeviceName: aws.String("/dev/xvda"), Ebs: &ec2types.LaunchTemplateEbsBlockDeviceRequest{Encrypted: aws.Bool(true), KmsKeyId: &key}}},
	}}))
	wiretest.Must(groups.CreateAutoScalingGroup(ctx, &autoscaling.CreateAutoScalingGroupInput{
		AutoScalingGroupName: aws.String("web"), MinSize: aws.Int32(1), MaxSize: aws.Int32(1), VPCZoneIdentifier: d.subnet,
		LaunchTemplate: &astypes.LaunchTemplateSpecification{LaunchTemplateName: aws.String("web"), Version: aws.String("$Latest")},
	}))
	d.eventually("the launch has failed, since the key is not for Auto Scaling", func() bool {
		return slices.ContainsFunc(wiretest.Must(groups.DescribeScalingActivities(ctx, &autoscaling.DescribeScalingActivitiesInput{})).Activities, func(a astypes.Activity) bool {
			return a.StatusCode == astypes.ScalingActivityStatusCodeFailed && strings.HasSuffix(aws.ToString(a.StatusMessage), "Client.InternalError: Client error on launch")
		})
	})
	const role = `"Effect":"Allow","Principal":{"AWS":"*"},"Resource":"*","Condition":{"StringEquals":{"kms:CallerAccount":"000000000000"},` +
		`"ArnEquals":{"aws:PrincipalArn":"` + linked + `"}`
	wiretest.Must(kms.NewFromConfig(d.Config).PutKeyPolicy(ctx, &kms.PutKeyPolicyInput{KeyId: &key, BypassPolicyLockoutSafetyCheck: true, Policy: statement(
		role + `},"Action":["kms:DescribeKey","kms:GenerateDataKey*"]},{` + role + `,"Bool":{"kms:GrantIsForAWSResource":"true"}},"Action":"kms:CreateGrant"`,
	)}))
	d.eventually("the group has its instance", func() bool {
		g := wiretest.Must(groups.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{})).AutoScalingGroups[0]
		return slices.ContainsFunc(g.Instances, func(i astypes.Instance) bool { return i.LifecycleState == astypes.LifecycleStateInService })
	})
	d.becomes(d.launch(key), ec2types.InstanceStateNameTerminated, "Client.InternalError")
}
