package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticache"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticsearchservice"
	"github.com/aws/aws-sdk-go-v2/service/fms"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"

	"storefront/lab/authority"
	"storefront/test/load"
	"storefront/test/small"
)

// TestProfiles deploys the committed profiles dev and prod side by side into one lab, as they are but for the endpoint and what is the user's to set: prod's certificate, and
// that the account's role for search domains exists when dev comes.
// What is done to one of them must not touch the other: no customer of it notices, and nothing of it has drifted.
func TestProfiles(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	clone := filepath.Join(s.dir, "clone")
	if err := small.CloneWith(t.Context(), s.root, clone, "./stacks/storefront"); err != nil {
		t.Fatal(err)
	}
	s.root = clone // Pulumi writes into the settings of a stack that it makes
	dev, prod := newStack(t, s, "dev"), newStack(t, s, "prod")
	administers(t, dev)
	dev.set(t, "searchRole", "exists")
	var alone map[string]int // what is there before dev, and after it
	for _, step := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"ProdUp", func(t *testing.T) { deployCertified(t, prod) }},
		{"ProdPreviewIsEmpty", func(t *testing.T) { previewIsEmpty(t, prod) }},
		{"ProdServesOverTLSAlone", func(t *testing.T) { servesOverTLS(t, prod) }},
		{"ProdTakesAnOrder", func(t *testing.T) { takesAnOrder(t, prod) }},
		{"ProdCertificateIsRenewedUnderTraffic", func(t *testing.T) { renewed(t, prod) }},
		{"ProdIsSpreadOverThreeZones", func(t *testing.T) { isSpread(t, prod) }},
		{"ProdReadersScale", func(t *testing.T) { readersScale(t, prod) }},
		{"DevUpBesideProd", func(t *testing.T) {
			alone = prod.status(t).Resources
			prod.undisturbed(t, func() { deploy(t, dev) })
		}},
		{"DevPreviewIsEmpty", func(t *testing.T) { previewIsEmpty(t, dev) }},
		{"DevServesTheCatalogue", func(t *testing.T) { servesTheCatalogue(t, dev) }},
		{"DevTakesAnOrder", func(t *testing.T) { takesAnOrder(t, dev) }},
		{"NeitherHasDrifted", func(t *testing.T) { refreshIsEmpty(t, dev); refreshIsEmpty(t, prod) }},
		{"NothingWasRefused", func(t *testing.T) { nothingWasRefused(t, prod) }},
		{"DevDestroyedBesideProd", func(t *testing.T) { prod.undisturbed(t, func() { dev.destroyTo(t, alone) }) }},
		{"ProdHasNotDrifted", func(t *testing.T) { refreshIsEmpty(t, prod) }},
		{"ProdProtectionHolds", func(t *testing.T) { protectionHolds(t, prod) }},
		{"ProdUnprotectedDestroyLeavesTheLabEmpty", func(t *testing.T) { unprotectedDestroy(t, prod) }},
	} {
		if !t.Run(step.name, step.run) {
			t.Fatal("the steps that follow need this one")
		}
	}
}

// administers makes the account the administrator of Firewall Manager, so that both stacks have policies about the whole account.
func administers(t *testing.T, d *deployment) {
	t.Helper()
	who, err := sts.NewFromConfig(d.aws).GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fms.NewFromConfig(d.aws).AssociateAdminAccount(t.Context(), &fms.AssociateAdminAccountInput{AdminAccount: who.Account}); err != nil {
		t.Fatal(err)
	}
}

// undisturbed asks the shop for pages while something happens to another one. Every answer must be good.
func (d *deployment) undisturbed(t *testing.T, happens func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var pages int
	var failed []error
	var wg sync.WaitGroup
	c := d.browser()
	c.Transport.(*http.Transport).DisableKeepAlives = true
	wg.Go(func() {
		for tick := time.NewTicker(100 * time.Millisecond); ; {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
			if _, err := d.browse(ctx, c, "/products"); err != nil && ctx.Err() == nil {
				failed = append(failed, err)
			}
			pages++
		}
	})
	happens()
	cancel()
	wg.Wait()
	t.Logf("%s: %d pages", d.name, pages)
	if len(failed) > 0 || pages < 10 {
		t.Errorf("%s: %d of %d pages failed: %v", d.name, len(failed), pages, errors.Join(failed[:min(3, len(failed))]...))
	}
}

// takesAnOrder orders one piece of the first product, and follows the order until it is carried out.
func takesAnOrder(t *testing.T, d *deployment) {
	shop := &load.Shop{URL: d.url, Client: d.browser()}
	var page struct{ Items []struct{ ID string } }
	if err := shop.Get(t.Context(), "/products", &page); err != nil || len(page.Items) == 0 {
		t.Fatalf("the catalogue: %+v, %v", page, err)
	}
	var id string
	eventually(t, "an order is taken", time.Minute, func() (err error) {
		id, err = shop.Order(t.Context(), "one-"+d.name, map[string]int64{page.Items[0].ID: 1})
		return err
	})
	eventually(t, "it is carried out", time.Minute, func() error {
		var order struct{ Status string }
		if err := shop.Get(t.Context(), "/orders/"+id, &order); err != nil || order.Status != "accepted" {
			return fmt.Errorf("the order is %q, %w", order.Status, err)
		}
		return nil
	})
}

// destroyTo destroys the stack. What is left are the resources that were there before it, by the lab's own count.
func (d *deployment) destroyTo(t *testing.T, before map[string]int) {
	t.Helper()
	if _, err := d.stack.Destroy(t.Context(), optdestroy.ConfigFile(d.config)); err != nil {
		t.Fatalf("destroy: %v", err)
	}
	eventually(t, "what was there before is left", 2*time.Minute, func() error {
		if now := d.status(t).Resources; !maps.Equal(now, before) {
			return fmt.Errorf("left: %v, want %v", now, before)
		}
		return nil
	})
	d.mustRun(t, "pulumi", "stack", "rm", "--yes", "--preserve-config", d.name)
}

const shopName = "shop.example.com"

// certify imports a certificate of an authority that is made for it, under an ARN that is there when one is given.
func (d *deployment) certify(t *testing.T, arn *string) (imported *string, pool *x509.CertPool) {
	t.Helper()
	a, err := authority.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	pair, err := a.Issue([]string{shopName}, []netip.Addr{netip.MustParseAddr("127.0.0.1")})
	if err != nil {
		t.Fatal(err)
	}
	leaf, chain, _ := strings.Cut(string(pair.Certificate), "-----END CERTIFICATE-----\n")
	out, err := acm.NewFromConfig(d.aws).ImportCertificate(t.Context(), &acm.ImportCertificateInput{CertificateArn: arn, Certificate: []byte(leaf + "-----END CERTIFICATE-----\n"), CertificateChain: []byte(chain), PrivateKey: pair.Key})
	if err != nil {
		t.Fatal(err)
	}
	return out.CertificateArn, a.Pool()
}

func deployCertified(t *testing.T, d *deployment) {
	arn, pool := d.certify(t, nil)
	d.set(t, "certificateArn", *arn)
	d.certificate, d.trusted = arn, pool
	deploy(t, d)
}

// browse asks for a page over TLS, by the shop's name, and returns the protocol that the answer came in.
func (d *deployment) browse(ctx context.Context, c *http.Client, path string) (protocol string, err error) {
	resp, err := page(ctx, c, d.url+path)
	if err != nil {
		return "", err
	}
	return resp.Proto, nil
}

// browser trusts the authority of the shop's certificate and nothing else.
func (d *deployment) browser() *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: d.trusted, ServerName: shopName}}}
}

func servesOverTLS(t *testing.T, d *deployment) {
	if !strings.HasPrefix(d.url, "https://") {
		t.Fatalf("the shop is at %s", d.url)
	}
	eventually(t, "the shop answers over TLS", time.Minute, func() error {
		protocol, err := d.browse(t.Context(), d.browser(), "/products")
		if err == nil && protocol != "HTTP/2.0" {
			err = fmt.Errorf("it answers in %s", protocol)
		}
		return err
	})
	old := d.browser()
	old.Transport.(*http.Transport).TLSClientConfig.MinVersion, old.Transport.(*http.Transport).TLSClientConfig.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	if _, err := d.browse(t.Context(), old, "/products"); err == nil || !strings.Contains(err.Error(), "protocol version") {
		t.Errorf("a client of TLS 1.1 got %v", err)
	}
	var plain string
	for _, b := range d.status(t).LoadBalancers {
		for _, u := range b.URLs {
			if strings.HasPrefix(u, "http:") {
				plain = u
			}
		}
	}
	c := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, plain+"/products?limit=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = shopName
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if at := resp.Header.Get("Location"); resp.StatusCode != http.StatusMovedPermanently || at != "https://"+shopName+":443/products?limit=1" {
		t.Errorf("plain HTTP is answered %s to %s", resp.Status, at)
	}
}

// renewed imports the next certificate under the ARN of the first while clients ask: none of them may fail, and new connections see the new one.
func renewed(t *testing.T, d *deployment) {
	kept := d.browser()
	ask := func(c *http.Client) {
		t.Helper()
		if _, err := d.browse(t.Context(), c, "/products"); err != nil {
			t.Error(err)
		}
	}
	ask(kept)
	_, pool := d.certify(t, d.certificate)
	d.trusted = pool
	eventually(t, "new connections see the new certificate", 10*time.Second, func() error {
		_, err := d.browse(t.Context(), d.browser(), "/products")
		return err
	})
	ask(kept) // over its first connection: it does not trust the new certificate
	previewIsEmpty(t, d)
}

// isSpread looks at what lets prod lose a zone: a part of each layer is in each of three. That they go on without one is for TestFaults.
func isSpread(t *testing.T, d *deployment) {
	s := d.status(t)
	for kind, want := range map[string]int{"NAT gateways": 3, "subnets": 9} { // nothing else is there yet
		if s.Resources[kind] != want {
			t.Errorf("%d %s, want %d", s.Resources[kind], kind, want)
		}
	}
	balancers, err := elasticloadbalancingv2.NewFromConfig(d.aws).DescribeLoadBalancers(t.Context(), nil)
	if err != nil || len(balancers.LoadBalancers) != 1 || len(balancers.LoadBalancers[0].AvailabilityZones) != 3 {
		t.Errorf("load balancers %+v, %v", balancers, err)
	}
	instances, err := rds.NewFromConfig(d.aws).DescribeDBInstances(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	zones := map[string]bool{}
	for _, i := range instances.DBInstances {
		zones[*i.AvailabilityZone] = true
	}
	if len(instances.DBInstances) != 3 || len(zones) != 3 {
		t.Errorf("%d database instances in the zones %v, want a writer and two readers in three", len(instances.DBInstances), zones)
	}
	domain, err := elasticsearchservice.NewFromConfig(d.aws).DescribeElasticsearchDomain(t.Context(), &elasticsearchservice.DescribeElasticsearchDomainInput{DomainName: &d.out.SearchDomain})
	if err != nil {
		t.Fatal(err)
	}
	if c := domain.DomainStatus.ElasticsearchClusterConfig; *c.InstanceCount != 3 || *c.ZoneAwarenessConfig.AvailabilityZoneCount != 3 || !*c.DedicatedMasterEnabled || *c.DedicatedMasterCount != 3 {
		t.Errorf("the search domain has %d nodes, %t masters of their own, want three of each in three zones", *c.InstanceCount, *c.DedicatedMasterEnabled)
	}
	nodes, err := elasticache.NewFromConfig(d.aws).DescribeCacheClusters(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	clear(zones)
	for _, n := range nodes.CacheClusters {
		zones[*n.PreferredAvailabilityZone] = true
	}
	if len(nodes.CacheClusters) != 3 || len(zones) != 3 {
		t.Errorf("%d cache nodes in the zones %v, want three in three", len(nodes.CacheClusters), zones)
	}
}

// readersScale asks for one reader more than the named ones, and takes it away again, which the service itself does only after a quarter of an hour.
func readersScale(t *testing.T, d *deployment) {
	scaling, resource := applicationautoscaling.NewFromConfig(d.aws), "cluster:"+d.out.DatabaseCluster
	register := func(minimum int32) {
		t.Helper()
		if _, err := scaling.RegisterScalableTarget(t.Context(), &applicationautoscaling.RegisterScalableTargetInput{ServiceNamespace: types.ServiceNamespaceRds,
			ScalableDimension: types.ScalableDimensionRDSClusterReadReplicaCount, ResourceId: &resource, MinCapacity: &minimum}); err != nil {
			t.Fatal(err)
		}
	}
	register(3)
	var made string
	eventually(t, "a reader is added", time.Minute, func() error {
		out, err := scaling.DescribeScalingActivities(t.Context(), &applicationautoscaling.DescribeScalingActivitiesInput{ServiceNamespace: types.ServiceNamespaceRds, ResourceId: &resource})
		if err != nil || len(out.ScalingActivities) != 1 || out.ScalingActivities[0].StatusCode != types.ScalingActivityStatusCodeSuccessful {
			return fmt.Errorf("activities %+v, %w", out, err)
		}
		return nil
	})
	for _, i := range d.status(t).Databases {
		if strings.HasPrefix(i.ID, "application-autoscaling-") && i.Role == "reader" {
			made = i.ID
		}
	}
	if made == "" {
		t.Fatalf("the databases are %+v", d.status(t).Databases)
	}
	previewIsEmpty(t, d)
	register(2)
	if _, err := rds.NewFromConfig(d.aws).DeleteDBInstance(t.Context(), &rds.DeleteDBInstanceInput{DBInstanceIdentifier: &made}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is gone", time.Minute, func() error {
		if n := len(d.status(t).Databases); n != 3 {
			return fmt.Errorf("%d databases", n)
		}
		return nil
	})
}

// protectionHolds wants to destroy carelessly, and is told what to do before anything is gone. AWS would refuse it too, one by one.
func protectionHolds(t *testing.T, d *deployment) {
	before := d.status(t).Resources
	out, status, err := d.run(t.Context(), "", "stack", "-stack", d.name, "down")
	if err != nil || status != 1 || strings.Count(strings.TrimSpace(out), "\n") > 0 || !strings.Contains(out, "nothing was destroyed: set `storefront:protect: false`") {
		t.Fatalf("down of a protected stack: status %d, %v, want one line that says what to do:\n%s", status, err, out)
	}
	if now := d.status(t).Resources; !maps.Equal(now, before) {
		t.Errorf("there are %v, before %v", now, before)
	}
	if _, err := rds.NewFromConfig(d.aws).DeleteDBCluster(t.Context(), &rds.DeleteDBClusterInput{DBClusterIdentifier: &d.out.DatabaseCluster, SkipFinalSnapshot: new(true)}); err == nil || !strings.Contains(err.Error(), "deletion protection") {
		t.Errorf("deleting the database cluster: %v", err)
	}
	_, err = elasticloadbalancingv2.NewFromConfig(d.aws).DeleteLoadBalancer(t.Context(), &elasticloadbalancingv2.DeleteLoadBalancerInput{LoadBalancerArn: &d.out.LoadBalancerARN})
	if err == nil || !strings.Contains(err.Error(), "deletion protection") {
		t.Errorf("deleting the load balancer: %v", err)
	}
}

// unprotectedDestroy is the documented way of taking prod down.
func unprotectedDestroy(t *testing.T, d *deployment) {
	d.set(t, "protect", "false")
	if _, err := d.stack.Up(t.Context(), optup.ConfigFile(d.config)); err != nil {
		t.Fatalf("taking the protection off: %v", err)
	}
	d.leftovers = map[string]int{"certificates": 1}
	destroyLeavesNothing(t, d)
}
