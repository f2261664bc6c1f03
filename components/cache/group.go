package cache

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/elasticache"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/naming"
	"storefront/components/internal/tags"
)

// makeGroup makes the replication group. Its subnet and parameter groups have no fixed names: one that must be replaced is made
// before the old one, which is in use, is deleted.
func (c *Cache) makeGroup(ctx *pulumi.Context, child pulumi.ResourceOption) error {
	a := &c.args
	subnets, err := elasticache.NewSubnetGroup(ctx, c.name, &elasticache.SubnetGroupArgs{
		Description: pulumi.String("Subnets of " + c.name),
		SubnetIds:   a.SubnetIDs,
	}, child)
	if err != nil {
		return fmt.Errorf("creating the subnet group: %w", err)
	}
	major, _, _ := strings.Cut(a.Version, ".")
	parameters, err := elasticache.NewParameterGroup(ctx, c.name, &elasticache.ParameterGroupArgs{
		Description: pulumi.String("Parameters of " + c.name),
		Family:      pulumi.String(string(a.Engine) + major),
		Parameters: elasticache.ParameterGroupParameterArray{
			&elasticache.ParameterGroupParameterArgs{Name: pulumi.String("maxmemory-policy"), Value: pulumi.String(a.Eviction)},
		},
	}, child)
	if err != nil {
		return fmt.Errorf("creating the parameter group: %w", err)
	}
	logs, err := c.makeLogs(ctx, child)
	if err != nil {
		return err
	}
	args := &elasticache.ReplicationGroupArgs{
		ReplicationGroupId:        pulumi.String(a.Identifier),
		Description:               pulumi.String("Cache " + c.name),
		Engine:                    pulumi.String(string(a.Engine)),
		EngineVersion:             pulumi.String(a.Version),
		AutoMinorVersionUpgrade:   pulumi.Bool(c.patchesOnly()),
		NodeType:                  pulumi.String(a.NodeType),
		NumCacheClusters:          pulumi.Int(1 + a.Replicas),
		AutomaticFailoverEnabled:  pulumi.Bool(!a.NoFailover),
		MultiAzEnabled:            pulumi.Bool(!a.NoFailover),
		Port:                      pulumi.Int(Port),
		ParameterGroupName:        parameters.Name,
		SubnetGroupName:           subnets.Name,
		SecurityGroupIds:          pulumi.StringArray{c.group.ID()},
		TransitEncryptionEnabled:  pulumi.Bool(true),
		TransitEncryptionMode:     pulumi.String("required"),
		AtRestEncryptionEnabled:   pulumi.Bool(true),
		KmsKeyId:                  a.KeyARN.ToStringOutput().ToStringPtrOutput(),
		AuthToken:                 c.token.Value.ToStringPtrOutput(),
		LogDeliveryConfigurations: logs,
		SnapshotRetentionLimit:    pulumi.Int(a.SnapshotDays),
		SnapshotWindow:            pulumi.String(a.SnapshotWindow),
		MaintenanceWindow:         pulumi.String(a.MaintenanceWindow),
		ApplyImmediately:          pulumi.Bool(a.ApplyImmediately),
		Tags:                      tags.Named(c.name),
	}
	if a.FinalSnapshot {
		args.FinalSnapshotIdentifier = pulumi.String(naming.Identifier(a.Identifier, "final"))
	}
	if c.cache, err = elasticache.NewReplicationGroup(ctx, c.name, args, child); err != nil {
		return fmt.Errorf("creating the replication group: %w", err)
	}
	return nil
}

// patchesOnly says that no minor version follows the engine's: then AWS may upgrade, and no preview proposes a way back.
func (c *Cache) patchesOnly() bool { return c.args.Engine == Redis && c.args.Version == "7.1" }

// makeLogs makes the groups of the two logs. Under /aws/vendedlogs/ AWS needs no resource policy for each of them, of which a
// region has ten ("Enabling logging from AWS services").
func (c *Cache) makeLogs(ctx *pulumi.Context, child pulumi.ResourceOption) (elasticache.ReplicationGroupLogDeliveryConfigurationArray, error) {
	var list elasticache.ReplicationGroupLogDeliveryConfigurationArray
	for _, kind := range []string{"engine-log", "slow-log"} {
		group, err := cloudwatch.NewLogGroup(ctx, c.name+"-"+kind, &cloudwatch.LogGroupArgs{
			Name:            pulumi.String("/aws/vendedlogs/elasticache/" + c.args.Identifier + "/" + kind),
			RetentionInDays: pulumi.Int(c.args.LogDays),
			KmsKeyId:        c.args.LogKeyARN.ToStringOutput().ToStringPtrOutput(),
		}, child)
		if err != nil {
			return nil, fmt.Errorf("creating the log group: %w", err)
		}
		list = append(list, &elasticache.ReplicationGroupLogDeliveryConfigurationArgs{
			Destination: group.Name, DestinationType: pulumi.String("cloudwatch-logs"), LogFormat: pulumi.String("json"), LogType: pulumi.String(kind),
		})
	}
	return list, nil
}
