package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	awsbase "github.com/hashicorp/aws-sdk-go-base/v2"
)

const callerIdentity = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>
<Arn>arn:aws:iam::123456789012:user/test</Arn><UserId>AIDATEST</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`

// closing answers a first request, whose connection is closed before all of the answer is read, and then others in full.
type closing struct{ requests int }

func (c *closing) RoundTrip(r *http.Request) (*http.Response, error) {
	body := io.Reader(strings.NewReader(callerIdentity))
	if c.requests++; c.requests == 1 {
		body = io.MultiReader(io.LimitReader(body, 100), c)
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {"text/xml"}}, Body: io.NopCloser(body), Request: r}, nil
}

func (c *closing) Read([]byte) (int, error) {
	return 0, &net.OpError{Op: "read", Net: "tcp", Err: net.ErrClosed}
}

// A call whose connection is closed under its answer is repeated, with the retryer that the provider gives all its clients. The Go SDK's core does so from 1.32.8 on; with the 1.32.6
// that the provider asks for, one such moment failed a whole deployment.
func TestClosedConnectionsAreRetried(t *testing.T) {
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	t.Setenv("HOME", t.TempDir()) // and no configuration file
	var calls closing
	_, _, problems := awsbase.GetAwsConfig(t.Context(), &awsbase.Config{
		AccessKey: "AKIATEST", SecretKey: "secret", Region: "us-east-1", MaxRetries: 3, SuppressDebugLog: true, HTTPClient: &http.Client{Transport: &calls},
	})
	for _, p := range problems {
		t.Errorf("%s: %s", p.Summary(), p.Detail())
	}
	if calls.requests != 2 {
		t.Errorf("the call was sent %d times, want one that failed and one that was answered", calls.requests)
	}
}
