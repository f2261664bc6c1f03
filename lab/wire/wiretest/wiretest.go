// Package wiretest serves generated services to AWS SDK clients in tests. Only tests import it: it is where the lab's rule against the SDK ends.
package wiretest

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"storefront/lab/wire"
)

// The one access key of a test server, and who it belongs to.
const (
	AccessKeyID = "AKIAIOSFODNN7EXAMPLE"
	SecretKey   = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	Account     = "000000000000"
	Region      = "us-east-1"
)

// Caller is the identity behind the test key.
func Caller() wire.Identity {
	return wire.Identity{Account: Account, ARN: "arn:aws:iam::" + Account + ":user/test", UserID: "AIDATEST"}
}

// Keys is a fixed set of access keys by their ID.
type Keys map[string]wire.Credential

// Lookup implements wire.Credentials.
func (k Keys) Lookup(_ context.Context, accessKeyID string) (wire.Credential, error) {
	c, ok := k[accessKeyID]
	if !ok {
		return c, wire.ErrNoCredential
	}
	return c, nil
}

// Server is a wire server on a port of 127.0.0.1.
type Server struct {
	*wire.Server
	URL string // "http://127.0.0.1:PORT"
}

// New serves services until the test ends.
func New(t testing.TB, services ...*wire.Service) *Server {
	t.Helper()
	return Start(t, wire.Options{Services: services})
}

// Start serves with options of the test's own; the test key and a silent logger stand in for what they leave out.
func Start(t testing.TB, o wire.Options) *Server {
	t.Helper()
	if o.Credentials == nil {
		o.Credentials = Keys{AccessKeyID: {Secret: SecretKey, Identity: Caller()}}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := wire.NewServer(o)
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	return &Server{Server: s, URL: h.URL}
}

// Config is the configuration of SDK clients for the server, with the test key.
func (s *Server) Config() aws.Config { return Config(s.URL, AccessKeyID, SecretKey, "") }

// Config is the configuration of SDK clients for the endpoint at a URL, with a key and the token of its session, if it has one. Failed calls are not tried
// again, so that a test sees the first answer. S3 clients need UsePathStyle besides.
func Config(url, id, secret, token string) aws.Config {
	return aws.Config{
		Region:       Region,
		BaseEndpoint: &url,
		Credentials:  credentials.NewStaticCredentialsProvider(id, secret, token),
		Retryer:      func() aws.Retryer { return aws.NopRetryer{} },
		// As config.LoadDefaultConfig sets them.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenSupported,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenSupported,
		HTTPClient:                 Client(http.DefaultTransport),
	}
}

// Client is what an SDK client that does not try again must send with, over a transport of the test's choice.
func Client(t http.RoundTripper) *http.Client { return &http.Client{Transport: readOnly{t}} }

// readOnly sends request bodies through their Read method alone. The SDK closes its body as soon as the answer's header is there, and its WriteTo
// then fails with io.EOF, which makes net/http cut the connection that the answer is still read from: a server as near as this one provokes it.
type readOnly struct{ http.RoundTripper }

func (t readOnly) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		body := r.Body
		r = r.Clone(r.Context())
		r.Body = struct{ io.ReadCloser }{body}
	}
	return t.RoundTripper.RoundTrip(r)
}
