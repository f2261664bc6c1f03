package dataplane_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	apiec2 "storefront/lab/api/ec2"
	apios "storefront/lab/api/opensearch"
	"storefront/lab/metrics"
	"storefront/lab/region"
)

func (l *searchLab) resize(n int64) {
	l.Helper()
	must(l.search.UpdateDomainConfig(l.Context(), &apios.UpdateDomainConfigInput{DomainName: new("orders"), ClusterConfig: &apios.ClusterConfig{InstanceCount: &n}}))(l.T)
	l.active()
}

// interfaces counts the interfaces of the domain's nodes.
func (l *searchLab) interfaces() (n int) {
	l.Helper()
	for _, i := range must(l.ec2.DescribeNetworkInterfaces(l.Context(), &apiec2.DescribeNetworkInterfacesInput{}))(l.T).NetworkInterfaces {
		if *i.Description == "ES orders" {
			n++
		}
	}
	return n
}

func TestADomainsNodesComeAndGo(t *testing.T) {
	l := newSearchLab(t)
	host := l.create(l.declare())
	for i := range 20 {
		l.must("master", "PUT", host, fmt.Sprintf("/orders/_doc/%d", i), `{"n":1}`).is(t, 201, "")
	}
	for _, n := range []int64{4, 2} {
		l.resize(n)
		if got := l.count(host, "orders"); got != 20 || l.interfaces() != int(n) {
			t.Errorf("with %d nodes: %d documents and %d interfaces", n, got, l.interfaces())
		}
	}
	l.must("master", "GET", host, "/_cluster/health", "").is(t, 200, `"status":"green"`)
	must(l.search.DeleteDomain(t.Context(), &apios.DeleteDomainInput{DomainName: new("orders")}))(t)
	eventually(t, "the domain is gone", func() bool { return l.interfaces() == 0 })
	if left, _ := filepath.Glob(filepath.Join(l.dir, "search/*")); len(left) > 0 {
		t.Errorf("data left: %v", left)
	}
}

// Dedicated masters serve nobody, a lost zone takes its data nodes with it, and CloudWatch sees both.
func TestADomainWithDedicatedMastersLosesAZone(t *testing.T) {
	l := newSearchLab(t)
	in := l.declare()
	in.ClusterConfig.DedicatedMasterEnabled, in.ClusterConfig.DedicatedMasterCount, in.ClusterConfig.DedicatedMasterType = new(true), new(int64(3)), new("t3.small.search")
	host := l.create(in)
	l.must("master", "PUT", host, "/orders/_doc/1", `{}`).is(t, 201, "")
	of := metrics.By("DomainName", "orders", "ClientId", region.Default().Account)
	eventually(t, "the metrics tell the nodes", func() bool {
		points := l.domains.Metrics.Between(metrics.Name{Namespace: "AWS/ES", Metric: "Nodes", Dimensions: of}, time.Now().Add(-time.Minute), time.Now().Add(time.Minute), time.Minute)
		return slices.ContainsFunc(points, func(p metrics.Point) bool { return p.Max == 5 })
	})
	if l.interfaces() != 5 {
		t.Errorf("got %d interfaces, want those of two data nodes and three masters", l.interfaces())
	}
	if n, err := l.domains.LoseZone("us-east-1c"); n != 0 || err != nil {
		t.Errorf("a zone without nodes: lost %d, %v", n, err)
	}
	if n, err := l.domains.LoseZone("us-east-1a"); n != 1 || err != nil {
		t.Errorf("lost %d data nodes, %v, want 1", n, err)
	}
	l.must("master", "GET", host, "/orders/_doc/1", "").is(t, 200, `"found":true`)
	eventually(t, "the node is replaced", func() bool { return l.must("master", "GET", host, "/_cluster/health", "").has(`"status":"green"`) })
}

// writer writes documents one after the other until stop is called, which returns the numbers of those that were acknowledged.
func (l *searchLab) writer(host string) (stop func() []int) {
	end, acknowledged := make(chan struct{}), []int{}
	var running sync.WaitGroup
	running.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-end:
				return
			default:
			}
			if a, err := l.send("master", "PUT", host, fmt.Sprintf("/orders/_doc/%d", i), `{"n":1}`); err == nil && a.status < 300 {
				acknowledged = append(acknowledged, i)
			}
		}
	})
	return func() []int { close(end); running.Wait(); return acknowledged }
}

// No acknowledged document is lost with a node, and the domain goes on without it.
func TestANodeIsLostUnderWrites(t *testing.T) {
	l := newSearchLab(t)
	host := l.create(l.declare())
	l.must("master", "PUT", host, "/orders", `{"settings":{"number_of_shards":2,"number_of_replicas":1}}`).is(t, 200, "")
	stop := l.writer(host)
	eventually(t, "there are documents", func() bool { return l.count(host, "orders") > 20 })
	if err := l.domains.LoseNode("orders"); err != nil {
		t.Fatal(err)
	}
	before := l.count(host, "orders")
	eventually(t, "writing goes on", func() bool { return l.count(host, "orders") > before+20 })
	eventually(t, "the node is replaced", func() bool { return l.must("master", "GET", host, "/_cluster/health", "").has(`"status":"green"`) })
	acknowledged := stop()
	if n := l.count(host, "orders"); n < len(acknowledged) {
		t.Errorf("%d of %d acknowledged documents are there", n, len(acknowledged))
	}
	for _, i := range acknowledged {
		if a := l.must("master", "GET", host, fmt.Sprintf("/orders/_doc/%d", i), ""); a.status != 200 {
			t.Errorf("document %d, which was acknowledged: %d %s", i, a.status, a.text)
		}
	}
}

// A domain that is down refuses connections, and has everything when it is up again.
func TestADomainIsDownAndUp(t *testing.T) {
	l := newSearchLab(t)
	host := l.create(l.declare())
	l.must("master", "PUT", host, "/orders/_doc/1", `{}`).is(t, 201, "")
	if err := l.domains.Down("orders"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.send("master", "GET", host, "/", ""); err == nil {
		t.Error("a domain that is down answers")
	}
	if err := l.domains.Up("orders"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the domain answers", func() bool { _, err := l.send("master", "GET", host, "/", ""); return err == nil })
	if n := l.count(host, "orders"); n != 1 {
		t.Errorf("got %d documents, want 1", n)
	}
	if err := l.domains.Down("nothing"); err == nil {
		t.Error("a domain that there is not went down")
	}
}

// What was acknowledged survives a power cut: a copy of the data, taken while the cluster is open, has it.
func TestADomainAfterAPowerCut(t *testing.T) {
	l := newSearchLab(t)
	stopped := l.run("first")
	host := l.create(l.declare())
	l.must("master", "PUT", host, "/orders", `{}`).is(t, 200, "")
	write := l.writer(host)
	eventually(t, "there are documents", func() bool { return l.count(host, "orders") > 20 })
	acknowledged := write()
	if err := os.CopyFS(filepath.Join(l.dir, "second"), os.DirFS(filepath.Join(l.dir, "first"))); err != nil {
		t.Fatal(err)
	}
	stopped()
	l.run("second")
	eventually(t, "the domain answers", func() bool {
		a, err := l.send("master", "GET", host, "/_cluster/health", "")
		return err == nil && a.has(`"status":"green"`)
	})
	for _, i := range acknowledged {
		if a := l.must("master", "GET", host, fmt.Sprintf("/orders/_doc/%d", i), ""); a.status != 200 {
			t.Errorf("document %d, which was acknowledged: %d %s", i, a.status, a.text)
		}
	}
}
