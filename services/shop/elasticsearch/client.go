package elasticsearch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"storefront/services/shop"
	"storefront/services/shop/internal/backoff"
)

const (
	signingName = "es" // of domains of either engine, as "Signing HTTP requests to Amazon OpenSearch Service" has it
	attempts    = 3
	attemptFor  = 3 * time.Second
	pause       = 150 * time.Millisecond // before the second attempt, at the most; it doubles
	maxPause    = 2 * pause
	maxAnswer   = 32 << 20 // bytes of an answer: a full page with the longest names is far below
)

// Config says where the domain is and who asks.
type Config struct {
	Endpoint    string                  // https://host of the domain
	Region      string                  // of the domain
	Credentials aws.CredentialsProvider // sign the requests; nil sends them unsigned
	HTTP        *http.Client            // nil means one of its own, with the system's authorities
}

// Index is a shop.Index in a domain. It is safe for concurrent use.
type Index struct {
	config Config
	signer *v4.Signer

	creating sync.Mutex
	created  bool
}

// Open prepares the index. It does not connect: the domain may come later than the service.
func Open(c Config) (*Index, error) {
	u, err := url.Parse(c.Endpoint)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.User != nil || u.RawQuery != "" {
		return nil, fmt.Errorf("search endpoint %q: want https://host", c.Endpoint)
	}
	c.Endpoint = u.Scheme + "://" + u.Host
	if c.HTTP == nil {
		t := http.DefaultTransport.(*http.Transport).Clone()
		t.MaxConnsPerHost = 32
		t.MaxIdleConnsPerHost = t.MaxConnsPerHost // a connection costs more than a request
		c.HTTP = &http.Client{Transport: t}
	}
	return &Index{config: c, signer: v4.NewSigner()}, nil
}

// answer is what the domain said.
type answer struct {
	status int
	body   []byte
}

// failure is the error in an answer.
type failure struct{ Type, Reason string }

// call sends a request that may run more than once, and again after a pause when the domain does not answer or says that it is busy.
func (x *Index) call(ctx context.Context, method, path, contentType string, body []byte) (a answer, err error) {
	again := backoff.Backoff{Min: pause, Max: maxPause}
	for i := range attempts {
		if i > 0 && !again.Wait(ctx) {
			break
		}
		attempt, cancel := context.WithTimeout(ctx, attemptFor)
		a, err = x.send(attempt, method, path, contentType, body, time.Now())
		cancel()
		if ctx.Err() != nil || err == nil && !busy(a.status) {
			break
		}
	}
	if err != nil {
		return answer{}, &shop.Error{Code: shop.Unavailable, Message: "the search does not answer", Err: err}
	}
	return a, nil
}

func (x *Index) send(ctx context.Context, method, path, contentType string, body []byte, now time.Time) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, x.config.Endpoint+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	if x.config.Credentials != nil {
		credentials, err := x.config.Credentials.Retrieve(ctx)
		if err != nil {
			return answer{}, fmt.Errorf("credentials to sign with: %w", err)
		}
		sum := sha256.Sum256(body)
		if err := x.signer.SignHTTP(ctx, credentials, r, hex.EncodeToString(sum[:]), signingName, x.config.Region, now); err != nil {
			return answer{}, fmt.Errorf("signing: %w", err)
		}
	}
	resp, err := x.config.HTTP.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode}
	a.body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	return a, err
}

func busy(status int) bool {
	return status == http.StatusTooManyRequests || status >= http.StatusBadGateway && status <= http.StatusGatewayTimeout
}

func (a answer) decode(into any) error {
	if err := json.Unmarshal(a.body, into); err != nil {
		return &shop.Error{Code: shop.Internal, Message: "the search answered with something else than its JSON", Err: err}
	}
	return nil
}

// failure returns the error that the answer tells. What refuses a request in front of the engine, such as the domain's access policy, tells it in another
// form: that is the reason then, as it came.
func (a answer) failure() failure {
	var body struct{ Error failure }
	if json.Unmarshal(a.body, &body) != nil || body.Error.Type == "" {
		return failure{Reason: string(a.body[:min(len(a.body), 300)])}
	}
	return body.Error
}

// err turns an answer that is not the wanted one into an error.
func (a answer) err(doing string) error { return refusal(doing, a.status, a.failure()) }

func refusal(doing string, status int, f failure) error {
	cause := fmt.Errorf("%s: status %d: %s: %s", doing, status, f.Type, f.Reason)
	if busy(status) {
		return &shop.Error{Code: shop.Unavailable, Message: "the search does not answer", Err: cause}
	}
	return &shop.Error{Code: shop.Internal, Message: "the search refused a request", Err: cause}
}
