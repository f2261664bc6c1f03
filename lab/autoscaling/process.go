package autoscaling

import (
	"context"
	"maps"
	"slices"

	api "storefront/lab/api/autoscaling"
	"storefront/lab/state"
)

// granularity is the only one that group metrics have.
const granularity = "1Minute"

// The processes that can be suspended, from "Suspend and resume Amazon EC2 Auto Scaling processes".
const (
	processLaunch      = "Launch"
	processTerminate   = "Terminate"
	processAddToLB     = "AddToLoadBalancer"
	processAlarm       = "AlarmNotification"
	processRebalance   = "AZRebalance"
	processHealthCheck = "HealthCheck"
	processRefresh     = "InstanceRefresh"
	processReplace     = "ReplaceUnhealthy"
	processScheduled   = "ScheduledActions"
)

func processes() []string {
	return []string{processRebalance, processAddToLB, processAlarm, processHealthCheck, processRefresh, processLaunch, processReplace, processScheduled, processTerminate}
}

func groupMetrics() []string {
	return []string{
		"GroupAndWarmPoolDesiredCapacity", "GroupAndWarmPoolTotalCapacity", "GroupDesiredCapacity", "GroupInServiceCapacity", "GroupInServiceInstances", "GroupMaxSize",
		"GroupMinSize", "GroupPendingCapacity", "GroupPendingInstances", "GroupStandbyCapacity", "GroupStandbyInstances", "GroupTerminatingCapacity",
		"GroupTerminatingInstances", "GroupTotalCapacity", "GroupTotalInstances", "WarmPoolDesiredCapacity", "WarmPoolMinSize", "WarmPoolPendingCapacity",
		"WarmPoolTerminatingCapacity", "WarmPoolTotalCapacity", "WarmPoolWarmedCapacity",
	}
}

func (g group) suspended(process string) bool {
	_, ok := g.Suspended[process]
	return ok
}

func (g group) describeSuspended() []api.SuspendedProcess {
	out := []api.SuspendedProcess{}
	for _, name := range slices.Sorted(maps.Keys(g.Suspended)) {
		out = append(out, api.SuspendedProcess{ProcessName: new(name), SuspensionReason: new(g.Suspended[name])})
	}
	return out
}

// selection is the given names, or all of them, when each is known.
func selection(given, known []string, what string) ([]string, error) {
	for _, name := range given {
		if !slices.Contains(known, name) {
			return nil, invalid("%s '%s' is not valid. Valid values are: %v", what, name, known)
		}
	}
	if len(given) == 0 {
		return known, nil
	}
	return given, nil
}

// SuspendProcesses implements the operation of that name.
func (s *Service) SuspendProcesses(_ context.Context, in *api.SuspendProcessesInput) (*api.SuspendProcessesOutput, error) {
	return edit(s, in.AutoScalingGroupName, func(_ *state.Tx, g *group, _ *api.SuspendProcessesOutput) error {
		names, err := selection(in.ScalingProcesses, processes(), "Scaling process")
		for _, name := range names {
			if !g.suspended(name) {
				g.Suspended[name] = "User suspended at " + stamp(s.now())
			}
		}
		return err
	})
}

// ResumeProcesses implements the operation of that name.
func (s *Service) ResumeProcesses(_ context.Context, in *api.ResumeProcessesInput) (*api.ResumeProcessesOutput, error) {
	return edit(s, in.AutoScalingGroupName, func(_ *state.Tx, g *group, _ *api.ResumeProcessesOutput) error {
		names, err := selection(in.ScalingProcesses, processes(), "Scaling process")
		for _, name := range names {
			delete(g.Suspended, name)
		}
		return err
	})
}

// EnableMetricsCollection implements the operation of that name.
func (s *Service) EnableMetricsCollection(_ context.Context, in *api.EnableMetricsCollectionInput) (*api.EnableMetricsCollectionOutput, error) {
	return edit(s, in.AutoScalingGroupName, func(_ *state.Tx, g *group, _ *api.EnableMetricsCollectionOutput) error {
		if *in.Granularity != granularity {
			return invalid("Granularity '%s' is not valid. Valid values are: [%s]", *in.Granularity, granularity)
		}
		names, err := selection(in.Metrics, groupMetrics(), "Metric")
		for _, name := range names {
			if !slices.Contains(g.Metrics, name) {
				g.Metrics = append(g.Metrics, name)
			}
		}
		return err
	})
}

// DisableMetricsCollection implements the operation of that name.
func (s *Service) DisableMetricsCollection(_ context.Context, in *api.DisableMetricsCollectionInput) (*api.DisableMetricsCollectionOutput, error) {
	return edit(s, in.AutoScalingGroupName, func(_ *state.Tx, g *group, _ *api.DisableMetricsCollectionOutput) error {
		names, err := selection(in.Metrics, groupMetrics(), "Metric")
		g.Metrics = slices.DeleteFunc(g.Metrics, func(name string) bool { return slices.Contains(names, name) })
		return err
	})
}
