//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/autoscaling"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"storefront/stacks/storefront/outputs"
	"storefront/test/load"
)

const (
	orderRate    = 300 // a second
	orderTime    = 30 * time.Second
	orderLatency = 250 * time.Millisecond // the most at the 99th percentile
	stepTime     = 10 * time.Second
	users        = 1_000
	userTime     = time.Minute
	userPause    = 2 * time.Second // between two pages of a user, on average
	readers      = 32
	searches     = 100
	fillTime     = 8 * time.Second
	patienceTime = 2 * time.Minute // for a backlog or a search
)

const (
	steadyFigure = "orders, 300/s for 30 s"                                      // orderRate and orderTime
	limitFigure  = "the most orders of this machine, in steps of 100/s for 10 s" // of stepTime
)

// orders measures the order path of a deployed stack, from outside as customers see it.
func (b *bench) orders(ctx context.Context) error {
	return b.withSite(ctx, func(ctx context.Context, s *site) error {
		out, _, err := s.make(ctx, "up")
		if err != nil {
			return err
		}
		c, err := s.chain(ctx, out)
		if err != nil {
			return err
		}
		for _, step := range []func(context.Context) error{c.hold, c.stockUp, c.steady, c.limit, c.searchable, c.reads, c.crowd, c.backlog} {
			if err := step(ctx); err != nil {
				return err
			}
			if err := c.drained(ctx); err != nil {
				return err
			}
		}
		return nil
	}, "STOREFRONT_WAIT_SCALE=0.01", "PULUMI_CONFIG_PASSPHRASE=lab")
}

// chain is a deployed stack under load.
type chain struct {
	*site
	out    outputs.Outputs
	shop   *load.Shop
	queues *sqs.Client
	groups *autoscaling.Client
	keys   atomic.Int64
}

func (s *site) chain(ctx context.Context, up string) (*chain, error) {
	_, url, ok := strings.Cut(up, "shop: ")
	if !ok {
		return nil, fmt.Errorf("`make up` does not tell the shop's URL:\n%s", up)
	}
	url, _, _ = strings.Cut(url, "\n")
	object, err := s.b.command(ctx, s.b.root, s.env, filepath.Join("bin", "pulumi"), "stack", "output", "--json", "--stack", "lab")
	if err != nil {
		return nil, err
	}
	c := &chain{site: s, shop: load.NewShop(url, 10*time.Second, users)}
	if c.out, err = outputs.Decode([]byte(object)); err != nil {
		return nil, err
	}
	text, err := s.b.command(ctx, s.b.root, s.env, filepath.Join("bin", "lab"), "env")
	if err != nil {
		return nil, err
	}
	env := exports(text)
	config := aws.Config{Region: env["AWS_REGION"], BaseEndpoint: aws.String(env["AWS_ENDPOINT_URL"]), Credentials: credentials.NewStaticCredentialsProvider(env["AWS_ACCESS_KEY_ID"], env["AWS_SECRET_ACCESS_KEY"], "")}
	c.queues, c.groups = sqs.NewFromConfig(config), autoscaling.NewFromConfig(config)
	return c, nil
}

// hold keeps the fleets as they are, so that the figures are of two servers each on any run: nothing is started because of the load, or replaced for being stopped.
func (c *chain) hold(ctx context.Context) error {
	for _, name := range []string{c.out.AutoScalingGroup, c.out.SummaryAutoScalingGroup} {
		if _, err := c.groups.SuspendProcesses(ctx, &autoscaling.SuspendProcessesInput{
			AutoScalingGroupName: &name, ScalingProcesses: []string{"AlarmNotification", "ReplaceUnhealthy"}}); err != nil {
			return fmt.Errorf("holding the fleets: %w", err)
		}
	}
	return nil
}

// product is one of those that the load orders and looks at.
func product(n int) string { return fmt.Sprintf("bench-%d", n%20) }

func (c *chain) stockUp(ctx context.Context) error {
	for n := range 20 {
		if err := c.shop.Put(ctx, product(n), "Bench "+strconv.Itoa(n), 1_000_000_000); err != nil {
			return fmt.Errorf("putting a product: %w", err)
		}
	}
	return c.within(ctx, "the reader has the products", func() error { return c.shop.Get(ctx, "/products/"+product(19), nil) })
}

// order posts an order of its own.
func (c *chain) order(ctx context.Context) (id string, err error) {
	n := int(c.keys.Add(1))
	return c.shop.Order(ctx, fmt.Sprintf("bench-%d", n), map[string]int64{product(n): 1, product(n + 7): 2})
}

func (c *chain) orders(ctx context.Context, rate int, d time.Duration) load.Result {
	return load.At(ctx, rate, d, func(ctx context.Context, _ int) error {
		_, err := c.order(ctx)
		return err
	})
}

// keepsUp reports whether orders at a rate were all taken, and in time.
func keepsUp(r load.Result, rate int) bool {
	return r.Failed == 0 && r.Quantile(0.99) <= orderLatency && r.PerSecond() >= 0.95*float64(rate)
}

func (c *chain) steady(ctx context.Context) error {
	c.orders(ctx, orderRate/3, 3*time.Second) // connections and caches warm up
	r := c.orders(ctx, orderRate, orderTime)
	c.tell(r)
	c.report(steadyFigure, loaded(r, "orders"), "no error, p99 ≤ "+seconds(orderLatency), keepsUp(r, orderRate))
	return ctx.Err()
}

// limit raises the rate until the chain does not keep up.
func (c *chain) limit(ctx context.Context) error {
	best, first := "none", "none"
	for rate := 200; ctx.Err() == nil; rate += 100 {
		if err := c.drained(ctx); err != nil {
			return err
		}
		r := c.orders(ctx, rate, stepTime)
		if !keepsUp(r, rate) {
			c.tell(r)
			first = loaded(r, fmt.Sprintf("of %d orders", rate))
			break
		}
		best = loaded(r, "orders")
	}
	c.report(limitFigure, best+" (then "+first+")", "", false)
	return ctx.Err()
}

// searchable measures how long after its acceptance an order is found.
func (c *chain) searchable(ctx context.Context) error {
	r := load.Result{}
	for range searches {
		id, err := c.order(ctx)
		if err != nil {
			return fmt.Errorf("an order: %w", err)
		}
		begin := time.Now()
		err = c.within(ctx, "a search finds order "+id, func() error {
			var page struct{ Items []struct{ ID string } }
			if err := c.shop.Get(ctx, "/summaries?q="+id, &page); err != nil || len(page.Items) != 1 {
				return fmt.Errorf("found %v, %w", page.Items, err)
			}
			return nil
		})
		if err != nil {
			return err
		}
		r.Latencies = append(r.Latencies, time.Since(begin))
	}
	slices.Sort(r.Latencies)
	c.report("from accepted to searchable", quantiles(r), "", false)
	return nil
}

func (c *chain) reads(ctx context.Context) error {
	r := load.From(ctx, readers, stepTime, 0, func(ctx context.Context, _, n int) error { return c.shop.Get(ctx, "/products/"+product(n), nil) })
	c.report(fmt.Sprintf("product pages, warm cache, %d connections", readers), loaded(r, "pages"), "no error", r.Failed == 0)
	return ctx.Err()
}

// crowd holds users who mostly look at products, now and then search, and order every twentieth time.
func (c *chain) crowd(ctx context.Context) error {
	r := load.From(ctx, users, userTime, userPause, func(ctx context.Context, _, n int) error {
		switch n % 20 {
		case 0:
			_, err := c.order(ctx)
			return err
		case 10:
			return c.shop.Get(ctx, "/summaries?q="+product(n), nil)
		}
		return c.shop.Get(ctx, "/products/"+product(n), nil)
	})
	c.tell(r)
	c.report(fmt.Sprintf("%d users at once for %s", users, seconds(userTime)), loaded(r, "requests"), "no error", r.Failed == 0)
	return ctx.Err()
}

// backlog lets orders pile up while the programs of the summary fleet are stopped, and measures how fast they are carried out then.
func (c *chain) backlog(ctx context.Context) error {
	workers, err := c.workers(ctx)
	if err != nil {
		return err
	}
	if err := c.systemctl(ctx, "stop", workers); err != nil {
		return err
	}
	r := c.orders(ctx, orderRate, fillTime)
	waiting, err := c.waiting(ctx)
	if err != nil {
		return err
	}
	begin := time.Now()
	if err := c.systemctl(ctx, "start", workers); err != nil {
		return err
	}
	if err := c.drained(ctx); err != nil {
		return err
	}
	rate := float64(waiting) / time.Since(begin).Seconds()
	c.report(fmt.Sprintf("a backlog of %d orders, carried out by %d servers", waiting, len(workers)), fmt.Sprintf("%.0f orders/s", rate),
		fmt.Sprintf("≥ the %.0f/s that came in", r.PerSecond()), r.Failed == 0 && rate >= r.PerSecond())
	return nil
}

// workers are the servers of the summary fleet.
func (c *chain) workers(ctx context.Context) (ids []string, err error) {
	out, err := c.groups.DescribeAutoScalingGroups(ctx, &autoscaling.DescribeAutoScalingGroupsInput{AutoScalingGroupNames: []string{c.out.SummaryAutoScalingGroup}})
	if err != nil || len(out.AutoScalingGroups) != 1 {
		return nil, fmt.Errorf("describing the summary fleet: %w", err)
	}
	for _, i := range out.AutoScalingGroups[0].Instances {
		if i.LifecycleState == "InService" {
			ids = append(ids, *i.InstanceId)
		}
	}
	return ids, nil
}

// systemctl does something to the program of every instance, also when it fails on one.
func (c *chain) systemctl(ctx context.Context, verb string, instances []string) error {
	var problems []error
	for _, id := range instances {
		_, err := c.b.command(ctx, c.b.root, c.env, filepath.Join("bin", "lab"), "exec", id, "--", "systemctl", verb, "shop")
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// waiting counts the orders that are not carried out.
func (c *chain) waiting(ctx context.Context) (n int, err error) {
	out, err := c.queues.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{QueueUrl: &c.out.QueueURL, AttributeNames: []types.QueueAttributeName{
		types.QueueAttributeNameApproximateNumberOfMessages, types.QueueAttributeNameApproximateNumberOfMessagesNotVisible}})
	if err != nil {
		return 0, err
	}
	for _, text := range out.Attributes {
		some, err := strconv.Atoi(text)
		if err != nil {
			return 0, err
		}
		n += some
	}
	return n, nil
}

func (c *chain) drained(ctx context.Context) error {
	return c.within(ctx, "the queue is empty", func() error {
		n, err := c.waiting(ctx)
		if err == nil && n > 0 {
			err = fmt.Errorf("%d orders wait", n)
		}
		return err
	})
}

// within tries until it works.
func (c *chain) within(ctx context.Context, what string, try func() error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patienceTime); ; {
		err := try()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("waiting until %s: %w", what, err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		}
	}
}

// tell shows one of a load's failures.
func (c *chain) tell(r load.Result) {
	if r.Example != nil {
		c.b.say("one of %d failures: %v", r.Failed, r.Example)
	}
}

func (c *chain) report(what, measured, target string, met bool) {
	f := figure{What: what, Measured: measured, Target: target, Met: met}
	c.b.say("%s: %s", f.What, f.Measured)
	c.b.add(f)
}

// loaded tells the throughput, the latencies and the failures of a load.
func loaded(r load.Result, what string) string {
	text := fmt.Sprintf("%.0f %s/s; %s", r.PerSecond(), what, quantiles(r))
	if r.Failed > 0 {
		text += fmt.Sprintf("; %d of %d failed", r.Failed, r.Failed+r.Good)
	}
	return text
}

func quantiles(r load.Result) string {
	return fmt.Sprintf("p50 %s, p99 %s", seconds(r.Quantile(0.5)), seconds(r.Quantile(0.99)))
}
