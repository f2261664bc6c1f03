package e2e

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/rds"
)

// change is something that is done to a running stack, and must neither lose what it holds nor be noticed by its customers.
type change struct {
	name string // of the step, of its plan in testdata/changes, and of its row in docs/changes.md
	what string // an engineer does, in the words of that row
	edit func(*testing.T, *changing)
	// gives names the types of resources that may be replaced or deleted, each with the reason why nothing is lost. Nothing else may.
	gives map[string]string
	// refused says that new servers do not pass their health checks, and the deployment has to end with the former ones.
	refused bool
	check   func(*testing.T, *changing) error // of what must be true once it is deployed
}

// Types of resources that some changes replace or delete.
const (
	listenerRule = "aws:lb/listenerRule:ListenerRule"
	s3Object     = "aws:s3/bucketObjectv2:BucketObjectv2"
	dbInstance   = "aws:rds/clusterInstance:ClusterInstance"
)

// changes returns what must be safe, in the order in which one deployment undergoes it.
func changes() []change {
	moved := map[string]string{s3Object: "each program has a key of its own, and the former one stays in the bucket"}
	return []change{
		{name: "one-more-zone", what: "`zones: 2` -> `3`", edit: set("zones", "3"), check: spreads},
		{name: "one-more-queue", what: "the program declares another queue", edit: addQueue, check: has("queues", 4)},
		{name: "more-readers", what: "`readers: 1` -> `3`", edit: set("readers", "3"), check: databases(4)},
		{name: "fewer-readers", what: "`readers: 3` -> `1`", edit: set("readers", "1"), check: databases(2),
			gives: map[string]string{dbInstance: "the readers that are taken away; what they hold is the cluster's"}},
		{name: "nat-per-zone", what: "`nat: single` -> `per-zone`", edit: set("nat", "per-zone"), check: has("NAT gateways", 3)},
		{name: "engine-minor-upgrade", what: "`databaseVersion: 15.10` -> `15.12`, `cacheVersion: 7.0` -> `7.1`", edit: all(set("databaseVersion", "15.12"), set("cacheVersion", "7.1")), check: upgraded},
		{name: "other-instance-types", what: "`instanceTypes: t3.small, t3a.small` -> `t3.medium, t3a.medium`", edit: set("instanceTypes", `["t3.medium","t3a.medium"]`), check: runsOn("t3.medium", "t3a.medium")},
		{name: "new-version", what: "the shop is built anew", edit: all(release("1.1")), gives: moved, check: serves("1.1")},
		{name: "bad-version", what: "the shop is built anew, and fails its health check", edit: all(set("graceSeconds", "10"), badRelease), gives: moved, refused: true, check: serves("1.1")},
		{name: "version-after-it", what: "the shop is mended", edit: all(set("graceSeconds", "60"), release("1.2")), gives: moved, check: serves("1.2")},
		{name: "certificate", what: "`certificateArn` is set", edit: certified, check: redirects,
			gives: map[string]string{listenerRule: "the rule moves to the listener that serves; the former goes when the new one is there"}},
		{name: "renamed-component", what: "the component of the orders' queue has another name, and the former one as an alias", edit: rename, check: has("queues", 4)},
	}
}

// TestChanges changes a running stack as its engineers do: by settings, by its program, and by the shop that is deployed. It plans each change and compares the plan with
// testdata/changes, deploys it with `stack up` while customers order and look around, and holds that no request failed, that nothing was replaced, and that all orders were carried out once.
func TestChanges(t *testing.T) {
	begin := time.Now()
	c := newChanging(t)
	c.up(t)
	c.readOutputs(t)
	awaitProducts(t, c.url)
	c.awaitFleet(t)
	c.awaitSummaries(t)
	c.stockUp(t, "Changes")
	c.traffic(t)
	for _, ch := range changes() {
		if !t.Run(ch.name, func(t *testing.T) { c.undergo(t, ch) }) && !*update {
			t.Fatal("the changes that follow need this one")
		}
	}
	c.customers.end()
	c.visitors.end()
	var index []summary
	t.Run("Settle", func(t *testing.T) { index = c.settle(t) })
	t.Run("Verdict", func(t *testing.T) { c.judge(t, &trial{scenario{name: "Changes"}, c.customers}, index) })
	t.Run("NothingLeftToDo", func(t *testing.T) {
		if !c.nothingToDo(t) {
			t.Error("after all changes a preview wants more")
		}
	})
	t.Logf("%d changes took %s; %d orders, %d pages", len(changes()), time.Since(begin).Round(time.Second), len(c.customers.recorder.Operations()), c.visitors.requests())
}

// undergo plans and deploys a change.
func (c *changing) undergo(t *testing.T, ch change) {
	ch.edit(t, c)
	c.plan(t, ch)
	before, begin := c.deployed(t), time.Now()
	out, status, err := c.run(t.Context(), "", "stack", "up")
	if err != nil {
		t.Fatal(err)
	}
	switch want := "was rolled back and its servers run the former version"; {
	case ch.refused && (status != 3 || !strings.Contains(out, want)):
		t.Fatalf("deployed with status %d, want 3 and that it %s\n%s", status, want, out)
	case !ch.refused && status != 0:
		t.Fatalf("deployed with status %d\n%s", status, out)
	}
	c.keeps(t, before, ch)
	eventually(t, "see what the change has brought", time.Minute, func() error { return ch.check(t, c) })
	orders, pages := c.failures()
	t.Logf("deployed in %s; %d orders and %d pages failed", time.Since(begin).Round(time.Second), len(orders), len(pages))
	for what, failed := range map[string][]string{"order": orders, "page": pages} {
		if len(failed) > 0 {
			t.Errorf("%d requests failed, the first %s: %s", len(failed), what, failed[0])
		}
	}
}

// keeps holds that every resource which was there is there, but for those that the change may take: of the same type, under the same ID.
func (c *changing) keeps(t *testing.T, before map[string]string, ch change) {
	t.Helper()
	after := c.deployed(t)
	for id, kind := range before {
		if _, may := ch.gives[kind]; !may && after[id] != kind {
			t.Errorf("%s is gone", id)
		}
	}
}

// all makes one edit of several.
func all(edits ...func(*testing.T, *changing)) func(*testing.T, *changing) {
	return func(t *testing.T, c *changing) {
		for _, edit := range edits {
			edit(t, c)
		}
	}
}

// has checks how many resources of a kind the lab has.
func has(kind string, want int) func(*testing.T, *changing) error {
	return func(t *testing.T, c *changing) error {
		if n := c.status(t).Resources[kind]; n != want {
			return fmt.Errorf("%d %s, want %d", n, kind, want)
		}
		return nil
	}
}

// databases checks how many database servers there are.
func databases(want int) func(*testing.T, *changing) error {
	return func(t *testing.T, c *changing) error {
		if n := len(c.status(t).Databases); n != want {
			return fmt.Errorf("%d database servers, want %d", n, want)
		}
		return nil
	}
}

func spreads(t *testing.T, c *changing) error {
	out, err := elb.NewFromConfig(c.aws).DescribeLoadBalancers(t.Context(), nil)
	if err != nil {
		return err
	}
	if n := len(out.LoadBalancers[0].AvailabilityZones); n != 3 || c.status(t).Resources["subnets"] != 9 {
		return fmt.Errorf("the load balancer is in %d zones, and there are %d subnets", n, c.status(t).Resources["subnets"])
	}
	return nil
}

func upgraded(t *testing.T, c *changing) error {
	database, err := rds.NewFromConfig(c.aws).DescribeDBClusters(t.Context(), &rds.DescribeDBClustersInput{DBClusterIdentifier: &c.out.DatabaseCluster})
	if err != nil {
		return err
	}
	cache, err := elasticache.NewFromConfig(c.aws).DescribeCacheClusters(t.Context(), nil)
	if err != nil {
		return err
	}
	if v := *database.DBClusters[0].EngineVersion; v != "15.12" {
		return fmt.Errorf("the database has version %s", v)
	}
	for _, node := range cache.CacheClusters {
		if v := *node.EngineVersion; v != "7.1.0" {
			return fmt.Errorf("the cache node %s has version %s", *node.CacheClusterId, v)
		}
	}
	return nil
}

// runsOn checks that all servers of both fleets are of some instance types.
func runsOn(kinds ...types.InstanceType) func(*testing.T, *changing) error {
	return func(t *testing.T, c *changing) error {
		out, err := ec2.NewFromConfig(c.aws).DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: append(c.fleet(t), c.summaries(t)...)})
		if err != nil {
			return err
		}
		for _, r := range out.Reservations {
			for _, i := range r.Instances {
				if !slices.Contains(kinds, i.InstanceType) {
					return fmt.Errorf("%s is a %s", *i.InstanceId, i.InstanceType)
				}
			}
		}
		return nil
	}
}

// serves checks that all answers are of one version of the shop, from both fleets.
func serves(version string) func(*testing.T, *changing) error {
	return func(t *testing.T, c *changing) error {
		var problems []error
		for path, group := range map[string][]string{"/products": c.fleet(t), "/summaries?limit=1": c.summaries(t)} {
			for range 10 * len(group) {
				server, err := c.server(t, path)
				if err == nil && !strings.HasSuffix(server, " "+version) {
					err = fmt.Errorf("%s is answered by %s, want version %s", path, server, version)
				}
				problems = append(problems, err)
			}
		}
		return errors.Join(problems...)
	}
}

// redirects checks that who still comes over HTTP is sent on, and served.
func redirects(t *testing.T, c *changing) error {
	if c.way.redirected.Load() == 0 {
		return errors.New("nobody was redirected")
	}
	_, err := c.server(t, "/products")
	return err
}

// certified imports a certificate and has the shop use it. Clients trust its authority from the beginning.
func certified(t *testing.T, c *changing) { set("certificateArn", *c.certificate)(t, c) }

func addQueue(t *testing.T, c *changing) {
	c.rewrite(t, "stack.go", "st.makeQueue, ", "st.makeQueue, st.makeReturns, ")
	c.write(t, "returns.go", `package main

import (
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"storefront/components/queue"
)

func (st *stack) makeReturns(ctx *pulumi.Context) error {
	_, err := queue.New(ctx, st.name+"-returns", &queue.Args{KeyARN: st.keys.Messages.ARN, AlarmActions: st.alarms}, st.provider)
	return err
}
`)
	c.buildProgram(t)
}

func rename(t *testing.T, c *changing) {
	c.rewrite(t, "queue.go", `queue.New(ctx, st.name+"-orders", `, `queue.New(ctx, st.name+"-purchases", `)
	c.rewrite(t, "queue.go", "\t}, st.provider)\n", "\t}, st.provider, pulumi.Aliases([]pulumi.Alias{{Name: pulumi.String(st.name + \"-orders\")}}))\n")
	c.buildProgram(t)
}

// release builds the shop with another version and has it deployed.
func release(version string) func(*testing.T, *changing) {
	return func(t *testing.T, c *changing) {
		c.buildShop(t, "./services/shop/cmd/shopd", "-X main.version="+version)
	}
}

// badRelease is a shop that answers every request with an error, that of its health check among them.
func badRelease(t *testing.T, c *changing) {
	dir := t.TempDir()
	const source = `package main

import (
	"net/http"
	"os"
)

func main() {
	panic(http.ListenAndServe(os.Getenv("SHOP_LISTEN"), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "broken", http.StatusInternalServerError)
	})))
}
`
	if err := os.WriteFile(dir+"/main.go", []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	c.buildShop(t, dir+"/main.go", "")
}
