package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// healthCheckWindow is how long the load balancer may take to see that an instance is gone: the profile's interval of 5 s twice, and its timeout.
const healthCheckWindow = 15 * time.Second

// fleet returns the product servers that are in service.
func (d *deployment) fleet(t *testing.T) []string {
	t.Helper()
	return d.inService(t, d.out.AutoScalingGroup)
}

// inService returns the instances of an auto scaling group that are in service.
func (d *deployment) inService(t *testing.T, group string) []string {
	t.Helper()
	out, err := autoscaling.NewFromConfig(d.aws).DescribeAutoScalingGroups(t.Context(), &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{group}})
	if err != nil || len(out.AutoScalingGroups) != 1 {
		t.Fatalf("describing the group %s: %v, %v", group, out, err)
	}
	var ids []string
	for _, i := range out.AutoScalingGroups[0].Instances {
		if i.LifecycleState == "InService" {
			ids = append(ids, *i.InstanceId)
		}
	}
	slices.Sort(ids)
	return ids
}

// healthy returns the targets that the load balancer sends traffic to.
func (d *deployment) healthy(t *testing.T) []string {
	t.Helper()
	out, err := elb.NewFromConfig(d.aws).DescribeTargetHealth(t.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: &d.out.TargetGroupARN})
	if err != nil {
		t.Fatalf("describing the targets: %v", err)
	}
	var ids []string
	for _, h := range out.TargetHealthDescriptions {
		if h.TargetHealth.State == elbtypes.TargetHealthStateEnumHealthy {
			ids = append(ids, *h.Target.Id)
		}
	}
	slices.Sort(ids)
	return ids
}

// awaitFleet waits until every instance in service is healthy, and there are at least two.
func (d *deployment) awaitFleet(t *testing.T) []string {
	t.Helper()
	var ids []string
	eventually(t, "wait for a healthy fleet", 2*time.Minute, func() error {
		ids = d.fleet(t)
		if healthy := d.healthy(t); len(ids) < 2 || !slices.Equal(ids, healthy) {
			return fmt.Errorf("in service %v, healthy %v", ids, healthy)
		}
		return nil
	})
	return ids
}

func reachesEveryInstance(t *testing.T, d *deployment) {
	ids := d.awaitFleet(t)
	counts := spread(t, d.url+"/products", 20*len(ids))
	for _, id := range ids {
		if counts[id] == 0 {
			t.Errorf("instance %s got no request of %d", id, 20*len(ids))
		}
	}
	if len(counts) != len(ids) {
		t.Errorf("answers came from %v, the healthy fleet is %v", counts, ids)
	}
	// Two instances in two zones: one zone's loss leaves the shop up.
	out, err := ec2.NewFromConfig(d.aws).DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: ids})
	if err != nil {
		t.Fatal(err)
	}
	zones := map[string]bool{}
	for _, r := range out.Reservations {
		for _, i := range r.Instances {
			zones[*i.Placement.AvailabilityZone] = true
			if i.InstanceLifecycle != "spot" {
				t.Errorf("instance %s is no spot instance: %q", *i.InstanceId, i.InstanceLifecycle)
			}
		}
	}
	if len(zones) < 2 {
		t.Errorf("the fleet is in one zone: %v", zones)
	}
}

// unhealthyInstanceGetsNothing stops the shop on one instance. The load balancer leaves it out, and the fleet replaces it.
func unhealthyInstanceGetsNothing(t *testing.T, d *deployment) {
	before := d.awaitFleet(t)
	sick := before[0]
	if out, status, err := d.exec(t.Context(), sick, "", "systemctl stop shop"); err != nil || status != 0 {
		t.Fatalf("stopping the shop: status %d, %v\n%s", status, err, out)
	}
	eventually(t, "wait until the load balancer sees it", 2*healthCheckWindow, func() error {
		if healthy := d.healthy(t); slices.Contains(healthy, sick) {
			return fmt.Errorf("healthy: %v", healthy)
		}
		return nil
	})
	if counts := spread(t, d.url+"/products", 10*len(before)); counts[sick] > 0 {
		t.Errorf("the unhealthy instance answered: %v", counts)
	}
	eventually(t, "wait for the replacement", 3*time.Minute, func() error {
		if ids := d.fleet(t); slices.Contains(ids, sick) || len(ids) < len(before) {
			return fmt.Errorf("fleet %v", ids)
		}
		return nil
	})
	d.awaitFleet(t)
}

// killedInstanceIsReplaced takes an instance away as a failed host would, under traffic.
func killedInstanceIsReplaced(t *testing.T, d *deployment) {
	before := d.awaitFleet(t)
	stop := probe(d.url + "/products")
	d.mustRun(t, "lab", "fault", "instance-loss", before[0])
	var after []string
	eventually(t, "wait for the replacement", 3*time.Minute, func() error {
		after = d.fleet(t)
		if slices.Contains(after, before[0]) || len(after) < len(before) || !slices.Equal(after, d.healthy(t)) {
			return fmt.Errorf("fleet %v, healthy %v", after, d.healthy(t))
		}
		return nil
	})
	requests, longest := stop()
	t.Logf("%d requests, longest time without a good answer %s", requests, longest.Round(time.Millisecond))
	if longest > healthCheckWindow {
		t.Errorf("the shop was away for %s, the health checks see a loss within %s", longest, healthCheckWindow)
	}
	// The load balancer prefers who has least to do, and the first pages of a new server take longer.
	eventually(t, "wait until all of the fleet answers", 30*time.Second, func() error {
		if counts := spread(t, d.url+"/products", 10*len(after)); counts[before[0]] > 0 || len(counts) != len(after) {
			return fmt.Errorf("answers came from %v, the fleet is %v", counts, after)
		}
		return nil
	})
	if console := d.mustRun(t, "lab", "logs", before[0]); !strings.Contains(console, before[0]) {
		t.Errorf("the console of the lost instance is gone, too: %q", console)
	}
}

// survivesKill ends the daemon without warning. The next start brings everything back from the state.
func survivesKill(t *testing.T, d *deployment) {
	kill(t, d.status(t).PID)
	d.mustRun(t, "lab", "up")
	d.url = mustURL(t, d)
	awaitProducts(t, d.url)
	d.awaitFleet(t)
	previewIsEmpty(t, d)
	refreshIsEmpty(t, d)
}

func mustURL(t *testing.T, d *deployment) string {
	t.Helper()
	var url string
	eventually(t, "wait for the load balancer's port", time.Minute, func() error {
		out, status, err := d.run(context.WithoutCancel(t.Context()), "", "lab", "url", d.out.LoadBalancerDNSName)
		if err != nil || status != 0 {
			return fmt.Errorf("status %d, %v: %s", status, err, out)
		}
		url = out[:len(out)-1]
		return nil
	})
	return url
}
