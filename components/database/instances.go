package database

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/appautoscaling"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/rds"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/naming"
	"storefront/components/internal/policy"
	"storefront/components/internal/tags"
)

// makeInstances makes the writer first: the first instance of a cluster is the one that writes. After a failover another one
// does; the names say where each began.
func (d *Database) makeInstances(ctx *pulumi.Context, child pulumi.ResourceOption) (made []pulumi.Resource, err error) {
	role, err := d.monitoringRole(ctx, child)
	if err != nil {
		return nil, err
	}
	writer, err := d.instance(ctx, "writer", d.args.Writer, 0, role, child)
	if err != nil {
		return nil, err
	}
	made = append(made, writer)
	for _, key := range slices.Sorted(maps.Keys(d.args.Readers)) {
		reader, err := d.instance(ctx, "reader-"+key, d.args.Readers[key], 1, role, child, pulumi.DependsOn([]pulumi.Resource{writer}))
		if err != nil {
			return nil, err
		}
		made = append(made, reader)
	}
	return made, nil
}

func (d *Database) instance(ctx *pulumi.Context, key string, i Instance, tier int, role *iam.Role, opts ...pulumi.ResourceOption) (*rds.ClusterInstance, error) {
	a := &d.args
	args := &rds.ClusterInstanceArgs{
		ClusterIdentifier:          d.cluster.ClusterIdentifier,
		Identifier:                 pulumi.String(naming.Identifier(a.Identifier, key)),
		Engine:                     pulumi.String(engine),
		InstanceClass:              pulumi.String(i.Class),
		DbSubnetGroupName:          a.SubnetGroup.ToStringOutput().ToStringPtrOutput(),
		PromotionTier:              pulumi.Int(tier),
		PubliclyAccessible:         pulumi.Bool(false),
		AutoMinorVersionUpgrade:    pulumi.Bool(!strings.Contains(a.Version, ".")),
		CopyTagsToSnapshot:         pulumi.Bool(true),
		ApplyImmediately:           pulumi.Bool(a.ApplyImmediately),
		PerformanceInsightsEnabled: pulumi.Bool(a.PerformanceInsights),
		Tags:                       tags.Named(d.name + "-" + key),
	}
	if i.Zone != "" {
		args.AvailabilityZone = pulumi.String(i.Zone)
	}
	if a.PerformanceInsights {
		args.PerformanceInsightsKmsKeyId = a.KeyARN.ToStringOutput().ToStringPtrOutput()
		args.PerformanceInsightsRetentionPeriod = pulumi.Int(7) // free of charge
	}
	if role != nil {
		args.MonitoringInterval, args.MonitoringRoleArn = pulumi.Int(a.MonitoringSeconds), role.Arn
	}
	made, err := rds.NewClusterInstance(ctx, d.name+"-"+key, args, append(opts, pulumi.IgnoreChanges([]string{"availabilityZone"}))...)
	if err != nil {
		return nil, fmt.Errorf("creating instance %s: %w", key, err)
	}
	return made, nil
}

// monitoringRole makes the role of enhanced monitoring, nil when that is off ("Setting up Enhanced Monitoring").
func (d *Database) monitoringRole(ctx *pulumi.Context, child pulumi.ResourceOption) (*iam.Role, error) {
	if d.args.MonitoringSeconds == 0 {
		return nil, nil
	}
	trust, err := policy.Trust("monitoring.rds.amazonaws.com", nil).JSON()
	if err != nil {
		return nil, err
	}
	name := d.name + "-monitoring"
	role, err := iam.NewRole(ctx, naming.Logical(naming.RoleLimit, name), &iam.RoleArgs{
		Description:      pulumi.String("Enhanced monitoring of " + d.name),
		AssumeRolePolicy: pulumi.String(trust),
	}, child)
	if err != nil {
		return nil, fmt.Errorf("creating the monitoring role: %w", err)
	}
	write, err := policy.Document{
		{Action: policy.Strings{"logs:CreateLogGroup", "logs:PutRetentionPolicy"}, Resource: policy.Strings{"arn:*:logs:*:*:log-group:RDS*"}},
		{
			Action:   policy.Strings{"logs:CreateLogStream", "logs:DescribeLogStreams", "logs:GetLogEvents", "logs:PutLogEvents"},
			Resource: policy.Strings{"arn:*:logs:*:*:log-group:RDS*:log-stream:*"},
		},
	}.JSON()
	if err != nil {
		return nil, err
	}
	if _, err := iam.NewRolePolicy(ctx, name, &iam.RolePolicyArgs{Role: role.ID(), Policy: pulumi.String(write)}, child); err != nil {
		return nil, fmt.Errorf("letting the monitoring role write: %w", err)
	}
	return role, nil
}

// makeScaling lets Application Auto Scaling add readers and take away those it added. It comes after the named ones, or it would make as many of its own to keep the minimum.
func (d *Database) makeScaling(ctx *pulumi.Context, named []pulumi.Resource, child pulumi.ResourceOption) error {
	s := d.args.Scaling
	if s == nil {
		return nil
	}
	name := d.name + "-readers"
	target, err := appautoscaling.NewTarget(ctx, name, &appautoscaling.TargetArgs{
		ServiceNamespace:  pulumi.String("rds"),
		ScalableDimension: pulumi.String("rds:cluster:ReadReplicaCount"),
		ResourceId:        pulumi.Sprintf("cluster:%s", d.cluster.ClusterIdentifier),
		MinCapacity:       pulumi.Int(s.Min),
		MaxCapacity:       pulumi.Int(s.Max),
	}, child, pulumi.DependsOn(named))
	if err != nil {
		return fmt.Errorf("registering the readers for scaling: %w", err)
	}
	_, err = appautoscaling.NewPolicy(ctx, name, &appautoscaling.PolicyArgs{
		PolicyType:        pulumi.String("TargetTrackingScaling"),
		ServiceNamespace:  target.ServiceNamespace,
		ScalableDimension: target.ScalableDimension,
		ResourceId:        target.ResourceId,
		TargetTrackingScalingPolicyConfiguration: &appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationArgs{
			TargetValue:      pulumi.Float64(s.TargetCPU),
			ScaleInCooldown:  pulumi.Int(300),
			ScaleOutCooldown: pulumi.Int(300),
			PredefinedMetricSpecification: &appautoscaling.PolicyTargetTrackingScalingPolicyConfigurationPredefinedMetricSpecificationArgs{
				PredefinedMetricType: pulumi.String("RDSReaderAverageCPUUtilization"),
			},
		},
	}, child)
	if err != nil {
		return fmt.Errorf("creating the scaling policy of the readers: %w", err)
	}
	return nil
}
