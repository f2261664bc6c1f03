package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling"
	"github.com/aws/aws-sdk-go-v2/service/applicationautoscaling/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/rds"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"

	"storefront/lab/authority"
)

// TestProfiles deploys the committed profiles dev and prod into a lab, as they are but for the endpoint and prod's certificate, which is the user's to set.
func TestProfiles(t *testing.T) {
	for profile, steps := range map[string][]step{
		"dev": {{"Up", deploy}, {"SecondPreviewIsEmpty", previewIsEmpty}, {"RefreshIsEmpty", refreshIsEmpty}, {"ServesTheCatalogue", servesTheCatalogue}, {"NothingWasRefused", nothingWasRefused},
			{"DestroyLeavesTheLabEmpty", destroyLeavesNothing}},
		"prod": {{"Up", deployCertified}, {"SecondPreviewIsEmpty", previewIsEmpty}, {"RefreshIsEmpty", refreshIsEmpty}, {"ServesOverTLSAlone", servesOverTLS}, {"CertificateIsRenewedUnderTraffic", renewed},
			{"SurvivesTheLossOfAZone", isSpread}, {"ReadersScale", readersScale}, {"NothingWasRefused", nothingWasRefused}, {"ProtectionHolds", protectionHolds}, {"DestroyLeavesTheLabEmpty", unprotectedDestroy}},
	} {
		t.Run(profile, func(t *testing.T) {
			s := newSite(t)
			d := newStack(t, s, profile)
			for _, step := range steps {
				if !t.Run(step.name, func(t *testing.T) { step.run(t, d) }) {
					t.Fatal("the steps that follow need this one")
				}
			}
		})
	}
}

// step is one of a walk.
type step struct {
	name string
	run  func(*testing.T, *deployment)
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
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url+path, nil)
	if err != nil {
		return "", err
	}
	resp, err := c.Do(r)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return "", err
	}
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("status %s", resp.Status)
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

// isSpread looks at what makes prod survive the loss of a zone.
func isSpread(t *testing.T, d *deployment) {
	s := d.status(t)
	for kind, want := range map[string]int{"NAT gateways": 3, "subnets": 9} {
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

// protectionHolds destroys carelessly: what holds data stays.
func protectionHolds(t *testing.T, d *deployment) {
	if _, err := d.stack.Destroy(t.Context(), optdestroy.ConfigFile(d.config)); err == nil {
		t.Fatal("a stack with protection was destroyed")
	}
	s := d.status(t)
	for _, kind := range []string{"database clusters", "buckets", "KMS keys", "load balancers"} {
		if s.Resources[kind] == 0 {
			t.Errorf("no %s are left", kind)
		}
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
