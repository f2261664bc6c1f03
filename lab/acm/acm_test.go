package acm_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/acm/types"

	"storefront/lab/acm"
	api "storefront/lab/api/acm"
	"storefront/lab/kms"
	"storefront/lab/region"
	"storefront/lab/state"
	"storefront/lab/wire/wiretest"
)

// harness is ACM behind a wire server, on a clock of the test.
type harness struct {
	*sdk.Client
	t       *testing.T
	dir     string
	now     time.Time
	store   *state.Store
	service *acm.Service
	users   []string // of every certificate
	server  *wiretest.Server
}

func start(t *testing.T) *harness {
	h := &harness{t: t, dir: t.TempDir(), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	h.store = wiretest.Must(state.Open(filepath.Join(h.dir, "state")))
	t.Cleanup(func() { _ = h.store.Close() })
	clock := func() time.Time { return h.now }
	h.service = acm.New(acm.Config{Store: h.store, Region: region.Default(), Now: clock, Keys: kms.New(h.store, region.Default(), clock), Users: func(*state.Tx, string) []string { return h.users }})
	h.server = wiretest.New(t, api.New(h.service))
	h.Client = sdk.NewFromConfig(h.server.Config())
	return h
}

// issuer signs certificates; the zero issuer has them sign themselves.
type issuer struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

// issue makes a certificate, valid for the test's year, and returns it with its key, both in PEM.
func (i issuer) issue(t *testing.T, key crypto.Signer, edit func(*x509.Certificate), names ...string) (certificate, private []byte, parsed *x509.Certificate) {
	t.Helper()
	c := &x509.Certificate{SerialNumber: big.NewInt(0x0a1b2c), NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), DNSNames: names,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	if len(names) > 0 {
		c.Subject = pkix.Name{CommonName: names[0], Organization: []string{"Shop"}}
	}
	if edit != nil {
		edit(c)
	}
	parent, signer := i.certificate, i.key
	if parent == nil {
		parent, signer = c, key
	}
	der := wiretest.Must(x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer))
	private = wiretest.Must(x509.MarshalPKCS8PrivateKey(key))
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), wiretest.Must(x509.ParseCertificate(der))
}

func authority(c *x509.Certificate) {
	c.IsCA, c.BasicConstraintsValid, c.KeyUsage, c.ExtKeyUsage = true, true, x509.KeyUsageCertSign, nil
}

func p256() crypto.Signer {
	return wiretest.Must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
}

func rsa2048() crypto.Signer { return wiretest.Must(rsa.GenerateKey(rand.Reader, 2048)) }

func TestImport(t *testing.T) {
	h := start(t)
	rootKey := p256()
	rootPEM, _, root := issuer{}.issue(t, rootKey, authority, "Shop Root")
	middleKey := p256()
	middlePEM, _, middle := issuer{root, rootKey}.issue(t, middleKey, authority, "Shop CA")
	body, private, leaf := issuer{middle, middleKey}.issue(t, rsa2048(), nil, "shop.example.com", "*.shop.example.com")
	chain := append(bytes.Clone(middlePEM), rootPEM...)
	made := wiretest.Must(h.ImportCertificate(t.Context(), &sdk.ImportCertificateInput{Certificate: body, PrivateKey: private, CertificateChain: chain, Tags: []types.Tag{{Key: new("env"), Value: new("test")}}}))
	if !regexp.MustCompile(`^arn:aws:acm:us-east-1:000000000000:certificate/[0-9a-f-]{36}$`).MatchString(*made.CertificateArn) {
		t.Fatalf("ARN %s", *made.CertificateArn)
	}
	d := wiretest.Must(h.DescribeCertificate(t.Context(), &sdk.DescribeCertificateInput{CertificateArn: made.CertificateArn})).Certificate
	if *d.DomainName != "shop.example.com" || len(d.SubjectAlternativeNames) != 2 || d.Type != types.CertificateTypeImported || d.Status != types.CertificateStatusIssued || d.KeyAlgorithm != types.KeyAlgorithmRsa2048 ||
		*d.Serial != "0a:1b:2c" || *d.Subject != "CN=shop.example.com,O=Shop" || *d.SignatureAlgorithm != "SHA256WITHECDSA" || !d.NotAfter.Equal(leaf.NotAfter) || !d.ImportedAt.Equal(h.now) ||
		len(d.KeyUsages) != 1 || d.KeyUsages[0].Name != types.KeyUsageNameDigitalSignature || d.ExtendedKeyUsages[0].Name != types.ExtendedKeyUsageNameTlsWebServerAuthentication || d.RenewalEligibility != types.RenewalEligibilityIneligible {
		t.Errorf("described as %+v", d)
	}
	got := wiretest.Must(h.GetCertificate(t.Context(), &sdk.GetCertificateInput{CertificateArn: made.CertificateArn}))
	if *got.Certificate != string(body) || *got.CertificateChain != string(chain) {
		t.Error("the certificate and its chain do not come back as they were imported")
	}
	if tags := wiretest.Must(h.ListTagsForCertificate(t.Context(), &sdk.ListTagsForCertificateInput{CertificateArn: made.CertificateArn})).Tags; len(tags) != 1 || *tags[0].Value != "test" {
		t.Errorf("tags %+v", tags)
	}
	h.view(func(tx *state.Tx) {
		c, ok, err := h.service.Certificate(tx, *made.CertificateArn)
		if err != nil || !ok || len(c.Certificate) != 3 || !c.Leaf.Equal(leaf) {
			t.Errorf("load balancers get %v, %v, %v", c, ok, err)
		}
	})
}

func (h *harness) view(f func(*state.Tx)) {
	h.t.Helper()
	if err := h.store.View(func(tx *state.Tx) error { f(tx); return nil }); err != nil {
		h.t.Fatal(err)
	}
}

func TestImportRefusals(t *testing.T) {
	h := start(t)
	key := p256()
	rootPEM, _, root := issuer{}.issue(t, key, authority, "Root")
	body, private, _ := issuer{root, key}.issue(t, p256(), nil, "a.example.com")
	_, otherPrivate, _ := issuer{}.issue(t, p256(), nil, "b.example.com")
	strangerPEM, _, _ := issuer{}.issue(t, p256(), authority, "Root")
	expired, expiredKey, _ := issuer{}.issue(t, p256(), func(c *x509.Certificate) { c.NotAfter = h.now.Add(-time.Hour) }, "a.example.com")
	early, earlyKey, _ := issuer{}.issue(t, p256(), func(c *x509.Certificate) { c.NotBefore = h.now.Add(time.Hour) }, "a.example.com")
	nameless, namelessKey, _ := issuer{}.issue(t, p256(), nil)
	odd, oddKey, _ := issuer{}.issue(t, wiretest.Must(ecdsa.GenerateKey(elliptic.P224(), rand.Reader)), nil, "a.example.com")
	for name, c := range map[string]struct {
		in   sdk.ImportCertificateInput
		part string
	}{
		"no PEM":            {sdk.ImportCertificateInput{Certificate: []byte("hello"), PrivateKey: private}, "PEM format"},
		"text around it":    {sdk.ImportCertificateInput{Certificate: append([]byte("Bag Attributes\n"), body...), PrivateKey: private}, "PEM format"},
		"a key for a body":  {sdk.ImportCertificateInput{Certificate: private, PrivateKey: private}, "PEM format"},
		"two certificates":  {sdk.ImportCertificateInput{Certificate: append(bytes.Clone(body), rootPEM...), PrivateKey: private}, "more than one certificate"},
		"another's key":     {sdk.ImportCertificateInput{Certificate: body, PrivateKey: otherPrivate}, "does not match"},
		"no key":            {sdk.ImportCertificateInput{Certificate: body, PrivateKey: []byte("hello")}, "private key"},
		"encrypted key":     {sdk.ImportCertificateInput{Certificate: body, PrivateKey: bytes.ReplaceAll(private, []byte("PRIVATE"), []byte("ENCRYPTED PRIVATE"))}, "not supported"},
		"another's chain":   {sdk.ImportCertificateInput{Certificate: body, PrivateKey: private, CertificateChain: strangerPEM}, "with the certificate chain"},
		"itself as a chain": {sdk.ImportCertificateInput{Certificate: body, PrivateKey: private, CertificateChain: body}, "with the certificate chain"},
		"expired":           {sdk.ImportCertificateInput{Certificate: expired, PrivateKey: expiredKey}, "not valid at this time"},
		"not yet valid":     {sdk.ImportCertificateInput{Certificate: early, PrivateKey: earlyKey}, "not valid at this time"},
		"no name":           {sdk.ImportCertificateInput{Certificate: nameless, PrivateKey: namelessKey}, "fully qualified domain name"},
		"an odd curve":      {sdk.ImportCertificateInput{Certificate: odd, PrivateKey: oddKey}, "key algorithm"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.ImportCertificate(t.Context(), &c.in)
			wiretest.Refused(t, err, "ValidationException", c.part)
			if err != nil && strings.Contains(err.Error(), "PRIVATE KEY-----") {
				t.Error("the error has the private key in it")
			}
		})
	}
	every := &types.Filters{KeyTypes: types.KeyAlgorithm("").Values()}
	if list := wiretest.Must(h.ListCertificates(t.Context(), &sdk.ListCertificatesInput{Includes: every})); len(list.CertificateSummaryList) != 0 {
		t.Errorf("refused imports left %+v", list.CertificateSummaryList)
	}
}

func TestReimport(t *testing.T) {
	h := start(t)
	body, private, _ := issuer{}.issue(t, p256(), nil, "a.example.com")
	arn := wiretest.Must(h.ImportCertificate(t.Context(), &sdk.ImportCertificateInput{Certificate: body, PrivateKey: private})).CertificateArn
	h.view(func(tx *state.Tx) { _, _, _ = h.service.Certificate(tx, *arn) }) // it is kept from here on
	h.now = h.now.Add(time.Hour)
	next, nextKey, leaf := issuer{}.issue(t, p256(), nil, "a.example.com", "b.example.com")
	again := wiretest.Must(h.ImportCertificate(t.Context(), &sdk.ImportCertificateInput{CertificateArn: arn, Certificate: next, PrivateKey: nextKey}))
	d := wiretest.Must(h.DescribeCertificate(t.Context(), &sdk.DescribeCertificateInput{CertificateArn: arn})).Certificate
	if *again.CertificateArn != *arn || len(d.SubjectAlternativeNames) != 2 || !d.ImportedAt.Equal(h.now) || d.CreatedAt.Equal(h.now) {
		t.Errorf("after the second import: %+v", d)
	}
	h.view(func(tx *state.Tx) {
		if c, _, err := h.service.Certificate(tx, *arn); err != nil || !c.Leaf.Equal(leaf) {
			t.Errorf("load balancers still get the first certificate, %v", err)
		}
	})
	larger, largerKey, _ := issuer{}.issue(t, wiretest.Must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader)), nil, "a.example.com")
	_, err := h.ImportCertificate(t.Context(), &sdk.ImportCertificateInput{CertificateArn: arn, Certificate: larger, PrivateKey: largerKey})
	wiretest.Refused(t, err, "ValidationException", "cannot change on re-import")
	less, lessKey, _ := issuer{}.issue(t, p256(), func(c *x509.Certificate) { c.ExtKeyUsage = nil }, "a.example.com")
	_, err = h.ImportCertificate(t.Context(), &sdk.ImportCertificateInput{CertificateArn: arn, Certificate: less, PrivateKey: lessKey})
	wiretest.Refused(t, err, "ValidationException", "cannot be removed")
	_, err = h.ImportCertificate(t.Context(), &sdk.ImportCertificateInput{CertificateArn: arn, Certificate: next, PrivateKey: nextKey, Tags: []types.Tag{{Key: new("a")}}})
	wiretest.Refused(t, err, "ValidationException", "Tagging is not permitted")
	_, err = h.ImportCertificate(t.Context(), &sdk.ImportCertificateInput{CertificateArn: new(*arn + "0"), Certificate: next, PrivateKey: nextKey})
	wiretest.Refused(t, err, "ResourceNotFoundException", "Could not find certificate")
}

// The private key is in no answer, and on the disk only sealed.
func TestPrivateKeyIsKept(t *testing.T) {
	h := start(t)
	body, private, _ := issuer{}.issue(t, rsa2048(), nil, "a.example.com")
	wiretest.Must(h.ImportCertificate(t.Context(), &sdk.ImportCertificateInput{Certificate: body, PrivateKey: private}))
	block, _ := pem.Decode(private)
	disk := wiretest.Must(os.ReadFile(filepath.Join(h.dir, "state")))
	if bytes.Contains(disk, block.Bytes[40:80]) || bytes.Contains(disk, []byte("PRIVATE KEY")) || bytes.Contains(disk, bytes.Split(private, []byte("\n"))[3]) {
		t.Error("the private key is on the disk")
	}
}

func TestExpiryAndUse(t *testing.T) {
	h := start(t)
	body, private, leaf := issuer{}.issue(t, rsa2048(), nil, "a.example.com")
	arn := wiretest.Must(h.ImportCertificate(t.Context(), &sdk.ImportCertificateInput{Certificate: body, PrivateKey: private})).CertificateArn
	h.users = []string{"arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/shop/1"}
	_, err := h.DeleteCertificate(t.Context(), &sdk.DeleteCertificateInput{CertificateArn: arn})
	wiretest.Refused(t, err, "ResourceInUseException", "in use")
	h.now = leaf.NotAfter.Add(time.Second)
	d := wiretest.Must(h.DescribeCertificate(t.Context(), &sdk.DescribeCertificateInput{CertificateArn: arn})).Certificate
	if d.Status != types.CertificateStatusExpired || len(d.InUseBy) != 1 {
		t.Errorf("got %+v", d)
	}
	h.users = nil
	wiretest.Must(h.DeleteCertificate(t.Context(), &sdk.DeleteCertificateInput{CertificateArn: arn}))
	_, err = h.DescribeCertificate(t.Context(), &sdk.DescribeCertificateInput{CertificateArn: arn})
	wiretest.Refused(t, err, "ResourceNotFoundException", *arn)
	_, err = h.DescribeCertificate(t.Context(), &sdk.DescribeCertificateInput{CertificateArn: new("arn:aws:iam::000000000000:server-certificate/a")})
	wiretest.Refused(t, err, "InvalidArnException", "server-certificate")
}
