package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"storefront/lab/wire/sigv4"
)

type usageError string

func (e usageError) Error() string { return string(e) }

// answerError is an error that AWS answered with.
type answerError struct {
	status int
	text   string
}

func (e *answerError) Error() string {
	return fmt.Sprintf("An error occurred (HTTP %d): %s", e.status, strings.TrimSpace(e.text))
}

var errNoCredentials = errors.New("Unable to locate credentials: the instance has no role, or its metadata service does not answer")

// exitStatus maps an error to the AWS CLI's exit status.
func exitStatus(err error) int {
	var usage usageError
	var answer *answerError
	switch {
	case errors.As(err, &usage):
		return 252
	case errors.Is(err, errNoCredentials):
		return 253
	case errors.As(err, &answer):
		return 254
	}
	return 1
}

// attempts is how often a request is tried; the pause before a repetition begins at firstPause and doubles. Instances boot while the region still converges
// (routes, endpoints, roles), as they do on AWS.
const (
	attempts   = 6
	firstPause = 200 * time.Millisecond
)

// client sends signed requests as the instance's role.
type client struct {
	http        *http.Client
	region      string
	endpoint    string // instead of AWS's own; may be empty
	credentials sigv4.Credentials
}

// newClient finds region and credentials: options, environment, metadata service.
func (in invocation) newClient() (*client, error) {
	transport := &http.Transport{DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext, Proxy: nil, ResponseHeaderTimeout: 30 * time.Second}
	c := &client{http: &http.Client{Transport: transport}, region: firstOf(in.options["region"], os.Getenv("AWS_REGION"), os.Getenv("AWS_DEFAULT_REGION")),
		endpoint: strings.TrimSuffix(firstOf(in.options["endpoint-url"], os.Getenv("AWS_ENDPOINT_URL")), "/")}
	c.credentials = sigv4.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: os.Getenv("AWS_SESSION_TOKEN")}
	if c.region != "" && c.credentials.AccessKeyID != "" {
		return c, nil
	}
	var m metadata
	if c.region == "" {
		region, err := m.get("placement/region")
		if err != nil {
			return nil, fmt.Errorf("You must specify a region: %w", err)
		}
		c.region = region
	}
	if c.credentials.AccessKeyID == "" {
		credentials, err := m.credentials()
		if err != nil {
			return nil, err
		}
		c.credentials = credentials
	}
	return c, nil
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// do sends a request that make builds for each attempt, and returns the answer when its status is 2xx. The payload hash is that of the body.
func (c *client) do(service, payloadHash string, build func() (*http.Request, error)) (*http.Response, error) {
	var last error
	pause := firstPause
	for attempt := range attempts {
		if attempt > 0 {
			time.Sleep(pause)
			pause *= 2
		}
		request, err := build()
		if err != nil {
			return nil, err
		}
		sigv4.Sign(request, payloadHash, c.credentials, c.region, service, time.Now())
		response, err := c.http.Do(request)
		if err != nil {
			last = err
			continue
		}
		if response.StatusCode/100 == 2 {
			return response, nil
		}
		text, _ := io.ReadAll(io.LimitReader(response.Body, 64<<10))
		response.Body.Close()
		last = &answerError{response.StatusCode, string(text)}
		if response.StatusCode < 500 && response.StatusCode != http.StatusTooManyRequests {
			break
		}
	}
	return nil, last
}

// metadata is a client of the instance metadata service, version 2. The zero value is ready.
type metadata struct{ token string }

var metadataClient = http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{Proxy: nil}}

// get returns a value below /latest/meta-data/.
func (m *metadata) get(path string) (string, error) {
	base := firstOf(os.Getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT"), "http://169.254.169.254")
	base = strings.TrimSuffix(base, "/")
	if m.token == "" {
		token, err := m.send(http.MethodPut, base+"/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds", "300")
		if err != nil {
			return "", err
		}
		m.token = token
	}
	return m.send(http.MethodGet, base+"/latest/meta-data/"+path, "X-aws-ec2-metadata-token", m.token)
}

// send tries a few times: the service appears with the network interface, which may be a moment after the machine.
func (m *metadata) send(method, url, header, value string) (string, error) {
	var last error
	for attempt := range 4 {
		if attempt > 0 {
			time.Sleep(firstPause)
		}
		request, err := http.NewRequest(method, url, nil)
		if err != nil {
			return "", err
		}
		request.Header.Set(header, value)
		response, err := metadataClient.Do(request)
		if err != nil {
			last = err
			continue
		}
		text, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
		response.Body.Close()
		switch {
		case err != nil:
			last = err
		case response.StatusCode == http.StatusOK:
			return string(text), nil
		default:
			last = &answerError{response.StatusCode, url}
			if response.StatusCode < 500 {
				return "", last
			}
		}
	}
	return "", fmt.Errorf("asking the metadata service: %w", last)
}

// credentials returns those of the instance's role.
func (m *metadata) credentials() (sigv4.Credentials, error) {
	role, err := m.get("iam/security-credentials/")
	if err != nil {
		return sigv4.Credentials{}, fmt.Errorf("%w (%v)", errNoCredentials, err)
	}
	text, err := m.get("iam/security-credentials/" + strings.TrimSpace(role))
	if err != nil {
		return sigv4.Credentials{}, fmt.Errorf("%w (%v)", errNoCredentials, err)
	}
	var document struct{ AccessKeyId, SecretAccessKey, Token string }
	if err := json.NewDecoder(bytes.NewBufferString(text)).Decode(&document); err != nil {
		return sigv4.Credentials{}, fmt.Errorf("reading the role's credentials: %w", err)
	}
	return sigv4.Credentials{AccessKeyID: document.AccessKeyId, SecretAccessKey: document.SecretAccessKey, SessionToken: document.Token}, nil
}
