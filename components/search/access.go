package search

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/alarm"
	"storefront/components/internal/policy"
	"storefront/components/internal/securitygroup"
)

// AllowFrom lets what has the security group given reach the domain; key names the rule.
func (d *Domain) AllowFrom(ctx *pulumi.Context, key string, securityGroupID pulumi.StringInput) error {
	return securitygroup.Allow(ctx, d.name, d.group, securitygroup.Clients{Key: key, SecurityGroupID: securityGroupID, Port: Port}, pulumi.Parent(d))
}

// GrantRead returns the policy document that lets a role read and search. Searches are sent by POST as well, so a few paths of
// that are open.
func (d *Domain) GrantRead() pulumi.StringOutput {
	return policy.Output(func(v []string) policy.Document {
		return policy.Document{
			{Action: policy.Strings{"es:ESHttpGet", "es:ESHttpHead"}, Resource: policy.Strings{v[0] + "/*"}},
			{Action: policy.Strings{"es:ESHttpPost"}, Resource: policy.Strings{v[0] + "/*/_count", v[0] + "/*/_mget", v[0] + "/*/_msearch", v[0] + "/*/_search"}},
		}
	}, d.ARN)
}

// GrantReadWrite returns the policy document that lets a role send any request to the domain's data.
func (d *Domain) GrantReadWrite() pulumi.StringOutput {
	return policy.Output(func(v []string) policy.Document {
		return policy.Document{{
			Action: policy.Strings{
				"es:ESHttpDelete", "es:ESHttpGet", "es:ESHttpHead", "es:ESHttpPatch", "es:ESHttpPost", "es:ESHttpPut",
			},
			Resource: policy.Strings{v[0] + "/*"},
		}}
	}, d.ARN)
}

// makeAlarms watches what "Recommended CloudWatch alarms" of the service's guide does.
func (d *Domain) makeAlarms(ctx *pulumi.Context, child pulumi.ResourceOption) error {
	of := pulumi.StringMap{"DomainName": pulumi.String(d.args.Name), "ClientId": d.args.AccountID}
	quarter := float64(d.args.VolumeGiB) * 1024 / 4 // MiB
	list := []alarm.Named{
		{Name: "red", Args: alarm.Args{
			Description: "A primary shard is nowhere: part of the data cannot be read or written", Metric: "ClusterStatus.red", Statistic: "Maximum", Threshold: 1,
		}},
		{Name: "yellow", Args: alarm.Args{
			Description: "A replica is nowhere: one more loss may lose data", Metric: "ClusterStatus.yellow", Statistic: "Maximum", Threshold: 1, Periods: 5,
		}},
		{Name: "storage", Args: alarm.Args{
			Description: "A node has a quarter of its disk left", Metric: "FreeStorageSpace", Statistic: "Minimum", Below: true, Threshold: quarter,
		}},
		{Name: "writes-blocked", Args: alarm.Args{
			Description: "The domain refuses writes: disk or memory are used up", Metric: "ClusterIndexWritesBlocked", Statistic: "Maximum",
			Threshold: 1, Seconds: 300,
		}},
		{Name: "cpu", Args: alarm.Args{
			Description: "The data nodes are busy", Metric: "CPUUtilization", Statistic: "Maximum", Threshold: 80, Seconds: 900, Periods: 3,
		}},
		{Name: "memory", Args: alarm.Args{
			Description: "The engine's memory is almost full", Metric: "JVMMemoryPressure", Statistic: "Maximum", Threshold: 95, Periods: 3,
		}},
	}
	if d.args.MasterType != "" {
		list = append(list, alarm.Named{Name: "masters", Args: alarm.Args{
			Description: "The dedicated masters are busy", Metric: "MasterCPUUtilization", Statistic: "Maximum", Threshold: 50, Seconds: 900, Periods: 3,
		}})
	}
	for i := range list {
		list[i].Namespace, list[i].Dimensions = "AWS/ES", of
	}
	return alarm.Each(ctx, d.name, d.args.AlarmActions, list, child)
}
