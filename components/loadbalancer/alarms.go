package loadbalancer

import (
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/internal/alarm"
)

// makeAlarms watches what users see: errors, slow answers, servers that are gone. Errors of the load balancer itself (no server to
// ask) and of the servers are told apart.
func (l *LoadBalancer) makeAlarms(ctx *pulumi.Context, child pulumi.ResourceOption) error {
	list := []alarm.Named{{Name: "errors", Args: alarm.Args{
		Description: "Requests end in the load balancer: no healthy server, or none that answers", Metric: "HTTPCode_ELB_5XX_Count",
		Dimensions: pulumi.StringMap{"LoadBalancer": l.balancer.ArnSuffix}, Statistic: "Sum", Threshold: 10, Periods: 2,
	}}}
	for _, key := range slices.Sorted(maps.Keys(l.args.TargetGroups)) {
		of := pulumi.StringMap{"LoadBalancer": l.balancer.ArnSuffix, "TargetGroup": l.groups[key].ArnSuffix}
		list = append(list,
			alarm.Named{Name: key + "-errors", Args: alarm.Args{
				Description: "Servers of " + key + " answer with errors", Metric: "HTTPCode_Target_5XX_Count", Dimensions: of,
				Statistic: "Sum", Threshold: 10, Periods: 2,
			}},
			alarm.Named{Name: key + "-unhealthy", Args: alarm.Args{
				Description: "Servers of " + key + " fail their health checks for minutes: the group does not replace them", Metric: "UnHealthyHostCount", Dimensions: of,
				Statistic: "Maximum", Threshold: 1, Periods: 5,
			}},
			alarm.Named{Name: key + "-slow", Args: alarm.Args{
				Description: "Servers of " + key + " take more than a second for an answer on average", Metric: "TargetResponseTime", Dimensions: of,
				Statistic: "Average", Threshold: 1, Periods: 5,
			}})
	}
	for i := range list {
		list[i].Namespace = "AWS/ApplicationELB"
	}
	return alarm.Each(ctx, l.name+"-balancer", l.args.AlarmActions, list, child)
}
