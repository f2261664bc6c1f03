package dataplane

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"storefront/lab/autoscaling"
	"storefront/lab/elbv2"
	"storefront/lab/metrics"
	"storefront/lab/sqs"
	"storefront/lab/state"
)

// measureEvery is how often Measure looks; the last look of a minute counts.
const measureEvery = 5 * time.Second

// Measure publishes what AWS samples once a minute: the depth of queues, the size of Auto Scaling groups, the health of targets.
type Measure struct {
	Metrics *metrics.Store
	Queues  *sqs.Service
	Groups  *autoscaling.Service
	ELB     *elbv2.Service
	Health  func(group, target string, port int) (elbv2.Health, bool) // see Balancers.Health
	Log     *slog.Logger
}

// Run measures until ctx ends.
func (m *Measure) Run(ctx context.Context) error {
	return loop(ctx, ticks(ctx, measureEvery), m.Log, func(context.Context) error {
		m.queues()
		return errors.Join(m.groups(), m.targets())
	})
}

// queues follows the page "Available CloudWatch metrics for Amazon SQS".
func (m *Measure) queues() {
	for _, name := range m.Queues.Names() {
		d, ok := m.Queues.Depth(name)
		if !ok {
			continue
		}
		for metric, v := range map[string]float64{"ApproximateNumberOfMessagesVisible": float64(d.Visible), "ApproximateNumberOfMessagesNotVisible": float64(d.InFlight),
			"ApproximateNumberOfMessagesDelayed": float64(d.Delayed)} {
			m.set("AWS/SQS", metric, "Count", v, "QueueName", name)
		}
		m.set("AWS/SQS", "ApproximateAgeOfOldestMessage", "Seconds", d.OldestAge.Truncate(time.Second).Seconds(), "QueueName", name)
	}
}

func (m *Measure) groups() error {
	all, err := m.Groups.GroupMetrics()
	for group, values := range all {
		for metric, v := range values {
			m.set("AWS/AutoScaling", metric, "None", v, "AutoScalingGroupName", group)
		}
	}
	return err
}

// targets counts the healthy and the unhealthy ones of every target group in use.
func (m *Measure) targets() error {
	return m.ELB.Store.View(func(tx *state.Tx) error {
		for _, lb := range m.ELB.LoadBalancers(tx) {
			for _, g := range m.ELB.TargetGroups(tx, lb.ARN) {
				var healthy, unhealthy float64
				for _, t := range m.ELB.Targets(tx, g.ARN) {
					switch h, _ := m.Health(g.ARN, t.ID, t.Port); h.State {
					case "healthy":
						healthy++
					case "unhealthy":
						unhealthy++
					}
				}
				by := []string{"LoadBalancer", "app/" + lb.Name + "/" + lb.ID, "TargetGroup", resourceOf(g.ARN)}
				m.set("AWS/ApplicationELB", "HealthyHostCount", "Count", healthy, by...)
				m.set("AWS/ApplicationELB", "UnHealthyHostCount", "Count", unhealthy, by...)
			}
		}
		return nil
	})
}

func (m *Measure) set(namespace, metric, unit string, value float64, by ...string) {
	m.Metrics.Set(metrics.Name{Namespace: namespace, Metric: metric, Unit: unit, Dimensions: metrics.By(by...)}, value)
}

// ObserveQueues returns what counts the work of queues as it happens; it fits sqs.Config.Observe.
func ObserveQueues(store *metrics.Store) func(queue, metric string, value float64) {
	return func(queue, metric string, value float64) {
		unit := "Count"
		if metric == "SentMessageSize" {
			unit = "Bytes"
		}
		store.Add(metrics.Name{Namespace: "AWS/SQS", Metric: metric, Unit: unit, Dimensions: metrics.By("QueueName", queue)}, value)
	}
}
