package dataplane_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	autoscalingapi "storefront/lab/api/autoscaling"
	elbapi "storefront/lab/api/elbv2"
	api "storefront/lab/api/sqs"
	"storefront/lab/autoscaling"
	"storefront/lab/dataplane"
	"storefront/lab/elbv2"
	"storefront/lab/metrics"
	"storefront/lab/region"
	"storefront/lab/sqs"
	"storefront/lab/state"
)

func TestQueuesAndGroupsAreMeasured(t *testing.T) {
	store, err := state.Open(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		series := metrics.New(time.Now, time.Hour)
		queues, err := sqs.New(sqs.Config{Store: store, Region: region.Default(), Endpoint: func() string { return "http://lab" }, Now: time.Now, Observe: dataplane.ObserveQueues(series)})
		if err != nil {
			t.Fatal(err)
		}
		groups := autoscaling.New(autoscaling.Config{Store: store, Region: region.Default(), Now: time.Now, EC2: &launches{}, IAM: roles{}})
		elb := elbv2.New(elbv2.Config{Store: store, Region: region.Default(), Now: time.Now})
		measure := &dataplane.Measure{Metrics: series, Queues: queues, Groups: groups, ELB: elb, Log: slog.New(slog.DiscardHandler),
			Health: func(string, string, int) (elbv2.Health, bool) {
				return elbv2.Health{State: elbapi.TargetHealthStateEnumHealthy}, true
			}}
		made, err := queues.CreateQueue(ctx, &api.CreateQueueInput{QueueName: new("orders")})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := groups.CreateAutoScalingGroup(ctx, &autoscalingapi.CreateAutoScalingGroupInput{AutoScalingGroupName: new("shop"), MinSize: new(int64(2)), MaxSize: new(int64(5)),
			VPCZoneIdentifier: new("subnet-a"), LaunchTemplate: &autoscalingapi.LaunchTemplateSpecification{LaunchTemplateId: new("lt-1")}}); err != nil {
			t.Fatal(err)
		}
		if _, err := groups.EnableMetricsCollection(ctx, &autoscalingapi.EnableMetricsCollectionInput{AutoScalingGroupName: new("shop"), Granularity: new("1Minute"),
			Metrics: []string{"GroupDesiredCapacity", "GroupInServiceInstances"}}); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error)
		go func() { ended <- measure.Run(ctx) }()
		time.Sleep(time.Minute)
		for range 3 {
			if _, err := queues.SendMessage(ctx, &api.SendMessageInput{QueueUrl: made.QueueUrl, MessageBody: new("12345")}); err != nil {
				t.Fatal(err)
			}
		}
		minute := time.Now().Truncate(time.Minute)
		time.Sleep(time.Minute)
		synctest.Wait()
		one := func(namespace, metric string, by ...string) metrics.Point {
			points := series.Between(metrics.Name{Namespace: namespace, Metric: metric, Dimensions: metrics.By(by...)}, minute, minute.Add(time.Minute), time.Minute)
			if len(points) != 1 {
				t.Errorf("%s: %d points", metric, len(points))
				return metrics.Point{}
			}
			return points[0]
		}
		if p := one("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", "orders"); p.Sum != 3 || p.Count != 1 {
			t.Errorf("visible messages: %+v, want one sample of 3", p)
		}
		if p := one("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", "orders"); p.Max < 50 || p.Max > 60 {
			t.Errorf("age of the oldest message: %+v", p)
		}
		if p := one("AWS/SQS", "NumberOfMessagesSent", "QueueName", "orders"); p.Sum != 3 {
			t.Errorf("sent messages: %+v, want 3", p)
		}
		if p := one("AWS/SQS", "SentMessageSize", "QueueName", "orders"); p.Average() != 5 {
			t.Errorf("size of messages: %+v, want 5", p)
		}
		if p := one("AWS/AutoScaling", "GroupDesiredCapacity", "AutoScalingGroupName", "shop"); p.Sum != 2 || p.Count != 1 {
			t.Errorf("desired capacity: %+v, want one sample of 2", p)
		}
		if names := series.Names(minute); len(names) > 8 {
			t.Errorf("metrics that were not asked for: %v", names)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
