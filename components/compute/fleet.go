// Package compute makes a fleet of servers: an auto scaling group of spot and on-demand instances of several types, behind a
// load balancer, running one program that is fetched from S3 at boot. Root volumes are encrypted, instance metadata needs a
// session token, there is no SSH (Session Manager reaches instances), the role can do what was granted and nothing else.
//
// What leaves does so in peace: the group takes an instance out of the load balancer, waits for its requests, then for the
// drain hook, in which the instance stops the program and answers. Spot instances at risk are replaced before they are lost; one that
// gets its two minutes' notice leaves the load balancer and stops the program by itself.
//
// Left out: attribute-based instance selection, scheduled and predictive scaling, warm pools, refresh checkpoints.
package compute

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/autoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/tags"
)

// Type is the component's type token.
const Type = "storefront:compute:Fleet"

// Errors that callers fix by other arguments; the text tells which and why.
var (
	ErrArgs   = errors.New("fleet arguments")
	ErrSecret = errors.New("a secret must not be in the environment of a fleet: pass the ARN of its secret")
)

// Args describe a fleet.
type Args struct {
	GroupName string // the auto scaling group's name, unique in account and region: instances and their role must know it before it exists
	Region    string
	AccountID pulumi.StringInput
	VpcID     pulumi.StringInput
	SubnetIDs pulumi.StringArrayInput

	Service     Service
	Files       map[string]SourceFile // by name; the program must be among them
	Environment pulumi.StringMap      // no secrets: user data is no place for them
	Grants      map[string]pulumi.StringInput
	Role        *Role // nil: the fleet makes its own

	// ImageID is the AMI. Its changes are ignored unless PinImage is set: AWS publishes a new image about every two weeks, and
	// a fleet is not to be replaced by that, but when its owner says so.
	ImageID  pulumi.StringInput
	PinImage bool

	InstanceTypes      []string // at least one, the better the more; spot picks the pools with most room
	Min, Max           int
	OnDemandBase       int // instances that are never spot
	OnDemandPercentage int // of the rest
	RootGiB            int // 0 means 8, the image's size
	// KeyARN is a KMS key for the root volumes, whose policy lets Auto Scaling use it (encryption.AutoScaling): without, instances end as they start. Nil means the
	// account's default key for EBS.
	KeyARN pulumi.StringInput

	Ingress map[string]Peer // who reaches the fleet
	Egress  map[string]Peer // what it reaches

	TargetGroupARNs pulumi.StringArrayInput
	GraceSeconds    int // after its start, an instance may fail health checks for so long; 0 means 120
	WarmupSeconds   int // a new instance serves for so long before an old one goes, and before its metrics count; 0 means 60
	DrainSeconds    int // how long the drain hook waits, 30 to 7200; 0 means 60
	Scaling         Scaling

	Tags        map[string]string // on instances, volumes and network interfaces
	ForceDelete bool              // let a destroy end instances without waiting for them to drain
}

// SourceFile is a file in S3.
type SourceFile struct {
	URL    pulumi.StringInput // s3://bucket/key
	SHA256 string
}

// Peer is one port of one peer: a security group or an IPv4 block.
type Peer struct {
	Port            int
	SecurityGroupID pulumi.StringInput
	CIDR            string
}

// Scaling holds what target tracking aims at; zero leaves a policy out.
type Scaling struct {
	CPU float64 // average percent
	// Requests is the number of requests per minute and instance, counted by the load balancer under RequestLabel
	// ("app/<name>/<id>/targetgroup/<name>/<id>").
	Requests     float64
	RequestLabel pulumi.StringInput
	// Backlog is the number of messages that wait in the SQS queue BacklogQueue, for each instance in service: how long a message may
	// wait, divided by how long an instance takes for one ("Scaling policy based on Amazon SQS").
	Backlog      float64
	BacklogQueue pulumi.StringInput // name
}

// Fleet is an auto scaling group with all it needs.
type Fleet struct {
	pulumi.ResourceState

	GroupName       pulumi.StringOutput `pulumi:"groupName"`
	SecurityGroupID pulumi.IDOutput     `pulumi:"securityGroupId"`
	RoleARN         pulumi.StringOutput `pulumi:"roleArn"`
	Role            *iam.Role

	name     string
	args     Args
	group    *ec2.SecurityGroup
	profile  *iam.InstanceProfile
	template *ec2.LaunchTemplate
	before   []pulumi.Resource // must be there before the first instance boots
}

// New makes a fleet. Errors of arguments are ErrArgs and, once the values are known, ErrSecret and ErrUserData.
func New(ctx *pulumi.Context, name string, args *Args, opts ...pulumi.ResourceOption) (*Fleet, error) {
	a := *args
	a.RootGiB, a.GraceSeconds, a.DrainSeconds = cmp.Or(a.RootGiB, 8), cmp.Or(a.GraceSeconds, 120), cmp.Or(a.DrainSeconds, 60)
	a.WarmupSeconds, a.Service.StopSeconds = cmp.Or(a.WarmupSeconds, 60), cmp.Or(a.Service.StopSeconds, 30)
	if err := check(&a); err != nil {
		return nil, fmt.Errorf("fleet %s: %w", name, err)
	}
	f := &Fleet{name: name, args: a}
	if err := ctx.RegisterComponentResource(Type, name, f, opts...); err != nil {
		return nil, err
	}
	child := pulumi.Parent(f)
	if err := f.makeRole(ctx, child); err != nil {
		return nil, err
	}
	if err := f.makeSecurityGroup(ctx, child); err != nil {
		return nil, err
	}
	if err := f.makeTemplate(ctx, child); err != nil {
		return nil, err
	}
	group, err := f.makeGroup(ctx, child)
	if err != nil {
		return nil, err
	}
	if err := f.makeScaling(ctx, group, child); err != nil {
		return nil, err
	}
	f.GroupName, f.SecurityGroupID, f.RoleARN = group.Name, f.group.ID(), f.Role.Arn
	return f, ctx.RegisterResourceOutputs(f, pulumi.Map{"groupName": f.GroupName, "securityGroupId": f.SecurityGroupID, "roleArn": f.RoleARN})
}

func check(a *Args) error {
	switch {
	case len(a.InstanceTypes) == 0:
		return fmt.Errorf("%w: no instance types", ErrArgs)
	case a.Min < 0 || a.Max < a.Min || a.Max == 0:
		return fmt.Errorf("%w: from %d to %d instances", ErrArgs, a.Min, a.Max)
	case a.OnDemandBase < 0 || a.OnDemandPercentage < 0 || a.OnDemandPercentage > 100:
		return fmt.Errorf("%w: on-demand base %d and %d percent of the rest", ErrArgs, a.OnDemandBase, a.OnDemandPercentage)
	case a.DrainSeconds < 30 || a.DrainSeconds > 7200:
		return fmt.Errorf("%w: drain for %d seconds: 30 to 7200 are allowed", ErrArgs, a.DrainSeconds)
	case a.Scaling.Requests > 0 && a.Scaling.RequestLabel == nil:
		return fmt.Errorf("%w: scaling by requests needs the label of the metric", ErrArgs)
	case a.Scaling.CPU < 0 || a.Scaling.Requests < 0 || a.Scaling.Backlog < 0:
		return fmt.Errorf("%w: scaling towards less than nothing: %+v", ErrArgs, a.Scaling)
	case a.Scaling.Backlog > 0 && a.Scaling.BacklogQueue == nil:
		return fmt.Errorf("%w: scaling by backlog needs the name of the queue", ErrArgs)
	}
	for direction, peers := range map[string]map[string]Peer{"ingress": a.Ingress, "egress": a.Egress} {
		for name, p := range peers {
			if (p.SecurityGroupID == nil) == (p.CIDR == "") {
				return fmt.Errorf("%w: %s %q: want either a security group or a CIDR", ErrArgs, direction, name)
			}
		}
	}
	return nil
}

func (f *Fleet) hook() string { return f.args.GroupName + "-drain" }

// makeTemplate makes the launch template. Each change makes a new version of it, and the group rolls it out.
func (f *Fleet) makeTemplate(ctx *pulumi.Context, child pulumi.ResourceOption) error {
	opts := []pulumi.ResourceOption{child}
	if !f.args.PinImage {
		opts = append(opts, pulumi.IgnoreChanges([]string{"imageId"}))
	}
	var specifications ec2.LaunchTemplateTagSpecificationArray
	for _, kind := range []string{"instance", "network-interface", "volume"} {
		specifications = append(specifications, &ec2.LaunchTemplateTagSpecificationArgs{
			ResourceType: pulumi.String(kind), Tags: pulumi.ToStringMap(tags.With(f.args.Tags, f.name)),
		})
	}
	var key pulumi.StringPtrInput
	if f.args.KeyARN != nil {
		key = f.args.KeyARN.ToStringOutput().ToStringPtrOutput()
	}
	var err error
	f.template, err = ec2.NewLaunchTemplate(ctx, f.name, &ec2.LaunchTemplateArgs{
		Description:          pulumi.String("Servers of " + f.name),
		UpdateDefaultVersion: pulumi.Bool(true),
		ImageId:              f.args.ImageID.ToStringOutput().ToStringPtrOutput(),
		InstanceType:         pulumi.String(f.args.InstanceTypes[0]),
		UserData:             f.userData(),
		IamInstanceProfile:   &ec2.LaunchTemplateIamInstanceProfileArgs{Arn: f.profile.Arn},
		Monitoring:           &ec2.LaunchTemplateMonitoringArgs{Enabled: pulumi.Bool(true)}, // scaling needs a value each minute
		EbsOptimized:         pulumi.String("true"),
		MetadataOptions: &ec2.LaunchTemplateMetadataOptionsArgs{
			HttpEndpoint: pulumi.String("enabled"), HttpTokens: pulumi.String("required"), HttpPutResponseHopLimit: pulumi.Int(1),
		},
		BlockDeviceMappings: ec2.LaunchTemplateBlockDeviceMappingArray{&ec2.LaunchTemplateBlockDeviceMappingArgs{
			DeviceName: pulumi.String("/dev/xvda"),
			Ebs: &ec2.LaunchTemplateBlockDeviceMappingEbsArgs{
				VolumeType: pulumi.String("gp3"), VolumeSize: pulumi.Int(f.args.RootGiB),
				Encrypted: pulumi.String("true"), KmsKeyId: key, DeleteOnTermination: pulumi.String("true"),
			},
		}},
		NetworkInterfaces: ec2.LaunchTemplateNetworkInterfaceArray{&ec2.LaunchTemplateNetworkInterfaceArgs{
			DeviceIndex: pulumi.Int(0), AssociatePublicIpAddress: pulumi.String("false"), DeleteOnTermination: pulumi.String("true"),
			SecurityGroups: pulumi.StringArray{f.group.ID()},
		}},
		TagSpecifications: specifications,
		Tags:              tags.Named(f.name),
	}, opts...)
	if err != nil {
		return fmt.Errorf("creating the launch template: %w", err)
	}
	return nil
}

// userData returns the boot script in base64, once the values in it are known.
func (f *Fleet) userData() pulumi.StringOutput {
	names := slices.Sorted(maps.Keys(f.args.Files))
	urls := pulumi.StringArray{}
	for _, name := range names {
		urls = append(urls, f.args.Files[name].URL)
	}
	return pulumi.All(urls, f.args.Environment, f.targetGroups()).ApplyT(func(v []any) (string, error) {
		if err := f.checkSecrets(); err != nil {
			return "", err
		}
		b := &boot{
			Region: f.args.Region, Group: f.args.GroupName, Hook: f.hook(), Service: f.args.Service,
			Environment: v[1].(map[string]string), TargetGroups: v[2].([]string),
		}
		for i, name := range names {
			b.Files = append(b.Files, File{Name: name, URL: v[0].([]string)[i], SHA256: f.args.Files[name].SHA256})
		}
		script, err := b.render()
		return base64.StdEncoding.EncodeToString([]byte(script)), err
	}).(pulumi.StringOutput)
}

// checkSecrets refuses secrets in the environment. Whether a value is one is known when the value is: asked earlier, the whole program would wait for it.
func (f *Fleet) checkSecrets() error {
	for _, name := range slices.Sorted(maps.Keys(f.args.Environment)) {
		if out, ok := f.args.Environment[name].(pulumi.Output); ok && pulumi.IsSecret(out) {
			return fmt.Errorf("%s: %w", name, ErrSecret)
		}
	}
	return nil
}

// makeGroup makes the auto scaling group. DesiredCapacity stays unset: scaling decides, and an update must not reset it.
func (f *Fleet) makeGroup(ctx *pulumi.Context, child pulumi.ResourceOption) (*autoscaling.Group, error) {
	a := &f.args
	spot := a.OnDemandPercentage < 100
	var overrides autoscaling.GroupMixedInstancesPolicyLaunchTemplateOverrideArray
	for _, t := range a.InstanceTypes {
		overrides = append(overrides, &autoscaling.GroupMixedInstancesPolicyLaunchTemplateOverrideArgs{InstanceType: pulumi.String(t)})
	}
	group, err := autoscaling.NewGroup(ctx, f.name, &autoscaling.GroupArgs{
		Name:                   pulumi.String(a.GroupName),
		MinSize:                pulumi.Int(a.Min),
		MaxSize:                pulumi.Int(a.Max),
		VpcZoneIdentifiers:     a.SubnetIDs,
		TargetGroupArns:        a.TargetGroupARNs,
		HealthCheckType:        pulumi.String("ELB"),
		HealthCheckGracePeriod: pulumi.Int(a.GraceSeconds),
		DefaultInstanceWarmup:  pulumi.Int(a.WarmupSeconds),
		MinElbCapacity:         pulumi.Int(a.Min), // the update ends when so many serve
		MetricsGranularity:     pulumi.String("1Minute"),
		EnabledMetrics: pulumi.ToStringArray([]string{
			"GroupDesiredCapacity", "GroupInServiceInstances", "GroupPendingInstances", "GroupTerminatingInstances", "GroupTotalInstances",
		}),
		CapacityRebalance: pulumi.Bool(spot),
		ForceDelete:       pulumi.Bool(a.ForceDelete),
		MixedInstancesPolicy: &autoscaling.GroupMixedInstancesPolicyArgs{
			InstancesDistribution: &autoscaling.GroupMixedInstancesPolicyInstancesDistributionArgs{
				OnDemandBaseCapacity:                pulumi.Int(a.OnDemandBase),
				OnDemandPercentageAboveBaseCapacity: pulumi.Int(a.OnDemandPercentage),
				OnDemandAllocationStrategy:          pulumi.String("prioritized"),
				SpotAllocationStrategy:              pulumi.String("price-capacity-optimized"),
			},
			LaunchTemplate: &autoscaling.GroupMixedInstancesPolicyLaunchTemplateArgs{
				LaunchTemplateSpecification: &autoscaling.GroupMixedInstancesPolicyLaunchTemplateLaunchTemplateSpecificationArgs{
					LaunchTemplateId: f.template.ID(),
					// A number, never $Latest: only a number changes, and only a change starts a refresh.
					Version: pulumi.Sprintf("%d", f.template.LatestVersion),
				},
				Overrides: overrides,
			},
		},
		InstanceRefresh: &autoscaling.GroupInstanceRefreshArgs{
			Strategy: pulumi.String("Rolling"),
			Preferences: &autoscaling.GroupInstanceRefreshPreferencesArgs{
				MinHealthyPercentage: pulumi.Int(100), // a new instance serves before an old one goes
				MaxHealthyPercentage: pulumi.Int(150),
				AutoRollback:         pulumi.Bool(true),
			},
		},
		Tags: f.groupTags(),
	}, child, pulumi.DependsOn(f.before))
	if err != nil {
		return nil, fmt.Errorf("creating the auto scaling group: %w", err)
	}
	_, err = autoscaling.NewLifecycleHook(ctx, f.name+"-drain", &autoscaling.LifecycleHookArgs{
		Name:                 pulumi.String(f.hook()),
		AutoscalingGroupName: group.Name,
		LifecycleTransition:  pulumi.String("autoscaling:EC2_INSTANCE_TERMINATING"),
		HeartbeatTimeout:     pulumi.Int(a.DrainSeconds),
		DefaultResult:        pulumi.String("CONTINUE"),
	}, child)
	if err != nil {
		return nil, fmt.Errorf("creating the drain hook: %w", err)
	}
	return group, nil
}

// groupTags tags the group itself; instances get theirs from the launch template.
func (f *Fleet) groupTags() autoscaling.GroupTagArray {
	var list autoscaling.GroupTagArray
	all := tags.With(f.args.Tags, f.name)
	for _, key := range slices.Sorted(maps.Keys(all)) {
		list = append(list, &autoscaling.GroupTagArgs{
			Key: pulumi.String(key), Value: pulumi.String(all[key]), PropagateAtLaunch: pulumi.Bool(false),
		})
	}
	return list
}
