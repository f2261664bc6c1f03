package dataplane_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"storefront/lab/acm"
	acmapi "storefront/lab/api/acm"
	api "storefront/lab/api/elbv2"
	"storefront/lab/authority"
	"storefront/lab/kms"
	"storefront/lab/region"
	"storefront/lab/state"
)

// A certificate that is imported under the ARN of a listener's is what the listener shows from then on, over restarts of the lab too.
func TestListenerShowsTheImportedCertificate(t *testing.T) {
	s := newShopRegion(t)
	certificates := acm.New(acm.Config{Store: s.store, Region: region.Default(), Now: time.Now, Keys: kms.New(s.store, region.Default(), time.Now), Users: func(tx *state.Tx, arn string) []string { return s.elb.CertificateUsers(tx, arn) }})
	s.elb.Certificate = certificates.Certificate
	load := func(arn *string) (*string, *x509.CertPool) {
		a := must(authority.Open(t.TempDir()))(t)
		pair := must(a.Issue([]string{"shop.example.com"}, nil))(t)
		leaf, chain, _ := strings.Cut(string(pair.Certificate), "-----END CERTIFICATE-----\n")
		out := must(certificates.ImportCertificate(t.Context(), &acmapi.ImportCertificateInput{CertificateArn: arn, Certificate: []byte(leaf + "-----END CERTIFICATE-----\n"), CertificateChain: []byte(chain), PrivateKey: pair.Key}))(t)
		return out.CertificateArn, a.Pool()
	}
	arn, pool := load(nil)
	must(s.elb.CreateListener(t.Context(), &api.CreateListenerInput{LoadBalancerArn: &s.arn, Port: new(int64(443)), Protocol: new("HTTPS"), Certificates: []api.Certificate{{CertificateArn: arn}},
		SslPolicy: new("ELBSecurityPolicy-TLS13-1-2-2021-06"), DefaultActions: []api.Action{{Type: new("forward"), TargetGroupArn: &s.group}}}))(t)
	for _, n := range s.balancer(t).Nodes {
		s.net.private[n.Public.String()+":443"] = n.Address.String() + ":443"
	}
	stop := s.start(t)
	s.register(t, "10.0.0.100", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, r.Header.Get("X-Forwarded-Proto"))
	})
	ask := func(trusted *x509.CertPool) (string, error) {
		var port int
		_ = s.store.View(func(tx *state.Tx) error { port, _ = s.elb.HostPort(tx, s.arn, 443); return nil })
		c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: trusted, ServerName: "shop.example.com"}}}
		r, err := c.Get(fmt.Sprintf("https://127.0.0.1:%d", port))
		if err != nil {
			return "", err
		}
		defer func() { _ = r.Body.Close() }()
		body, err := io.ReadAll(r.Body)
		return string(body), err
	}
	served := func(trusted *x509.CertPool) func() bool {
		return func() bool { body, err := ask(trusted); return err == nil && body == "https" }
	}
	eventually(t, "the listener serves", served(pool))
	if _, err := certificates.DeleteCertificate(t.Context(), &acmapi.DeleteCertificateInput{CertificateArn: arn}); err == nil {
		t.Error("a certificate that a listener uses was deleted")
	}
	_, next := load(arn)
	eventually(t, "the listener shows the next certificate", served(next))
	if _, err := ask(pool); err == nil {
		t.Error("the listener still shows the first certificate")
	}
	stop()
	s.elb.Certificate = acm.New(certificates.Config).Certificate
	s.start(t)
	eventually(t, "it does after a restart", served(next))
}
