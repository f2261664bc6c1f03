package cache

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/alarm"
	"storefront/components/internal/policy"
	"storefront/components/internal/securitygroup"
)

// AllowFrom lets what has the security group given reach the cache's port; key names the rule.
func (c *Cache) AllowFrom(ctx *pulumi.Context, key string, securityGroupID pulumi.StringInput) error {
	return securitygroup.Allow(ctx, c.name, c.group, securitygroup.Clients{Key: key, SecurityGroupID: securityGroupID, Port: Port}, pulumi.Parent(c))
}

// GrantSecretRead returns the policy document that lets a role read the token, and use the key for that only.
func (c *Cache) GrantSecretRead() pulumi.StringOutput {
	return policy.Output(func(v []string) policy.Document { return policy.ReadSecret(v[0], v[1]) }, c.SecretARN, c.args.SecretKeyARN)
}

// makeAlarms watches each node: ElastiCache reports by node, and names the nodes of a group "<group>-001" and so on.
func (c *Cache) makeAlarms(ctx *pulumi.Context, child pulumi.ResourceOption) error {
	for i := range 1 + c.args.Replicas {
		number := fmt.Sprintf("%03d", i+1)
		of := pulumi.StringMap{"CacheClusterId": pulumi.Sprintf("%s-%s", c.cache.ReplicationGroupId, number)}
		list := []alarm.Named{
			{Name: "cpu", Args: alarm.Args{
				Description: "The engine's thread is busy: a larger node, or fewer and cheaper commands", Metric: "EngineCPUUtilization",
				Statistic: "Average", Threshold: 80, Periods: 5,
			}},
			{Name: "memory", Args: alarm.Args{
				Description: "The node is almost full: what follows is eviction", Metric: "DatabaseMemoryUsagePercentage",
				Statistic: "Average", Threshold: 90, Periods: 5,
			}},
			{Name: "evictions", Args: alarm.Args{
				Description: "Keys are evicted before their time: the cache is too small", Metric: "Evictions",
				Statistic: "Sum", Threshold: 1000, Periods: 5,
			}},
		}
		if c.args.Replicas > 0 {
			list = append(list, alarm.Named{Name: "lag", Args: alarm.Args{
				Description: "A replica is behind: what it lacks is lost when it takes over", Metric: "ReplicationLag",
				Statistic: "Maximum", Threshold: 10, Periods: 3,
			}})
		}
		for j := range list {
			list[j].Namespace, list[j].Dimensions = "AWS/ElastiCache", of
		}
		if err := alarm.Each(ctx, c.name+"-"+number, c.args.AlarmActions, list, child); err != nil {
			return err
		}
	}
	return nil
}
