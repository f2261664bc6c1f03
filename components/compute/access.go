package compute

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/vpc"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/naming"
	"storefront/components/internal/policy"
	"storefront/components/internal/securitygroup"
)

// RoleType is the type token of a role made by NewRole.
const RoleType = "storefront:compute:Role"

// Role is the role of a fleet that is made before the fleet, because what the fleet cannot start without must name it: a search
// domain admits roles, and servers must know the domain.
type Role struct {
	pulumi.ResourceState

	ARN pulumi.StringOutput `pulumi:"arn"`

	role *iam.Role
}

// NewRole makes a role that may do nothing yet: the fleet grants.
func NewRole(ctx *pulumi.Context, name string, opts ...pulumi.ResourceOption) (*Role, error) {
	r := &Role{}
	if err := ctx.RegisterComponentResource(RoleType, name, r, opts...); err != nil {
		return nil, err
	}
	var err error
	if r.role, err = newRole(ctx, name, pulumi.Parent(r)); err != nil {
		return nil, err
	}
	r.ARN = r.role.Arn
	return r, ctx.RegisterResourceOutputs(r, pulumi.Map{"arn": r.ARN})
}

func newRole(ctx *pulumi.Context, name string, child pulumi.ResourceOption) (*iam.Role, error) {
	trust, err := policy.Trust("ec2.amazonaws.com", nil).JSON()
	if err != nil {
		return nil, err
	}
	role, err := iam.NewRole(ctx, naming.Logical(naming.RoleLimit, name), &iam.RoleArgs{
		Description:      pulumi.String("Instances of " + name),
		AssumeRolePolicy: pulumi.String(trust),
	}, child)
	if err != nil {
		return nil, fmt.Errorf("creating the role: %w", err)
	}
	return role, nil
}

// makeRole makes the instances' role, unless it is there, and grants: what an instance itself needs, and what was asked for.
// Instances start after all of them.
func (f *Fleet) makeRole(ctx *pulumi.Context, child pulumi.ResourceOption) (err error) {
	if f.args.Role != nil {
		f.Role = f.args.Role.role
	} else if f.Role, err = newRole(ctx, f.name, child); err != nil {
		return err
	}
	grants := maps.Clone(f.args.Grants)
	if grants == nil {
		grants = map[string]pulumi.StringInput{}
	}
	grants["instance"] = f.ownGrant()
	for _, key := range slices.Sorted(maps.Keys(grants)) {
		p, err := iam.NewRolePolicy(ctx, f.name+"-"+key, &iam.RolePolicyArgs{Role: f.Role.ID(), Policy: grants[key]}, child)
		if err != nil {
			return fmt.Errorf("granting %s: %w", key, err)
		}
		f.before = append(f.before, p)
	}
	f.profile, err = iam.NewInstanceProfile(ctx, f.name, &iam.InstanceProfileArgs{Role: f.Role.Name}, child)
	if err != nil {
		return fmt.Errorf("creating the instance profile: %w", err)
	}
	return nil
}

// ownGrant is what the boot script and Session Manager need.
func (f *Fleet) ownGrant() pulumi.StringOutput {
	return pulumi.All(f.args.AccountID, f.targetGroups()).ApplyT(func(v []any) (string, error) {
		group := "arn:" + policy.Partition(f.args.Region) + ":autoscaling:" + f.args.Region + ":" + v[0].(string) +
			":autoScalingGroup:*:autoScalingGroupName/" + f.args.GroupName
		d := policy.Document{
			{Action: policy.Strings{"autoscaling:CompleteLifecycleAction"}, Resource: policy.Strings{group}},
			{
				Action: policy.Strings{ // what Session Manager needs; these actions know no resources
					"ssm:UpdateInstanceInformation", "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
					"ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
				},
				Resource: policy.Strings{"*"},
			},
		}
		if targets := v[1].([]string); len(targets) > 0 {
			d = append(d, policy.Statement{Action: policy.Strings{"elasticloadbalancing:DeregisterTargets"}, Resource: targets})
		}
		return d.JSON()
	}).(pulumi.StringOutput)
}

func (f *Fleet) targetGroups() pulumi.StringArrayInput {
	if f.args.TargetGroupARNs == nil {
		return pulumi.StringArray{}
	}
	return f.args.TargetGroupARNs
}

func (f *Fleet) makeSecurityGroup(ctx *pulumi.Context, child pulumi.ResourceOption) error {
	var err error
	if f.group, err = securitygroup.New(ctx, f.name, "Servers of "+f.name, f.args.VpcID, child); err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(f.args.Ingress)) {
		p := f.args.Ingress[key]
		cidr, group := p.inputs()
		r, err := vpc.NewSecurityGroupIngressRule(ctx, f.name+"-from-"+key, &vpc.SecurityGroupIngressRuleArgs{
			SecurityGroupId: f.group.ID(), Description: pulumi.String("From " + key), IpProtocol: pulumi.String("tcp"),
			FromPort: pulumi.Int(p.Port), ToPort: pulumi.Int(p.Port), CidrIpv4: cidr, ReferencedSecurityGroupId: group,
		}, child)
		if err != nil {
			return fmt.Errorf("allowing %s in: %w", key, err)
		}
		f.before = append(f.before, r)
	}
	for _, key := range slices.Sorted(maps.Keys(f.args.Egress)) {
		p := f.args.Egress[key]
		cidr, group := p.inputs()
		r, err := vpc.NewSecurityGroupEgressRule(ctx, f.name+"-to-"+key, &vpc.SecurityGroupEgressRuleArgs{
			SecurityGroupId: f.group.ID(), Description: pulumi.String("To " + key), IpProtocol: pulumi.String("tcp"),
			FromPort: pulumi.Int(p.Port), ToPort: pulumi.Int(p.Port), CidrIpv4: cidr, ReferencedSecurityGroupId: group,
		}, child)
		if err != nil {
			return fmt.Errorf("allowing out to %s: %w", key, err)
		}
		f.before = append(f.before, r)
	}
	return nil
}

// inputs returns the block or the group of a peer; the other one is nil.
func (p Peer) inputs() (cidr, group pulumi.StringPtrInput) {
	if p.CIDR != "" {
		return pulumi.String(p.CIDR), nil
	}
	return nil, p.SecurityGroupID.ToStringOutput().ToStringPtrOutput()
}
