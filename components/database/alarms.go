package database

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/alarm"
)

// makeAlarms watches the writer and the readers by their roles, which stay when the instances behind them change.
func (d *Database) makeAlarms(ctx *pulumi.Context, child pulumi.ResourceOption) error {
	of := func(role string) pulumi.StringMap {
		return pulumi.StringMap{"DBClusterIdentifier": d.cluster.ClusterIdentifier, "Role": pulumi.String(role)}
	}
	list := []alarm.Named{
		{Name: "writer-cpu", Args: alarm.Args{
			Description: "The writer is busy: look at its slowest statements", Metric: "CPUUtilization", Dimensions: of("WRITER"),
			Statistic: "Average", Threshold: 80, Periods: 5,
		}},
		{Name: "writer-memory", Args: alarm.Args{
			Description: "The writer has less than 256 MiB of free memory", Metric: "FreeableMemory", Dimensions: of("WRITER"),
			Statistic: "Minimum", Below: true, Threshold: 256 << 20, Periods: 5,
		}},
	}
	if len(d.args.Readers) > 0 {
		list = append(list,
			alarm.Named{Name: "reader-cpu", Args: alarm.Args{
				Description: "The readers are busy: one more, or a larger class", Metric: "CPUUtilization", Dimensions: of("READER"),
				Statistic: "Average", Threshold: 80, Periods: 5,
			}},
			alarm.Named{Name: "lag", Args: alarm.Args{
				Description: "A reader is more than a second behind: pages show old stock and prices", Metric: "AuroraReplicaLag", Dimensions: of("READER"),
				Statistic: "Maximum", Threshold: 1000, Periods: 3, // milliseconds
			}})
	}
	for i := range list {
		list[i].Namespace = "AWS/RDS"
	}
	return alarm.Each(ctx, d.name+"-database", d.args.AlarmActions, list, child)
}
