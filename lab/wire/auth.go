package wire

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"storefront/lab/wire/sigv4"
)

// maxSkew is how far a client's clock may be off.
const maxSkew = 15 * time.Minute

// ErrNoCredential is what Credentials.Lookup returns for an access key that does not exist, or is not active.
var ErrNoCredential = errors.New("no such access key")

// Credential is an access key as the server knows it.
type Credential struct {
	Secret       string
	SessionToken string // of temporary credentials: requests must carry it
	Identity     Identity
	Expires      time.Time // zero for long-term keys
}

// Credentials finds access keys. Lookup returns ErrNoCredential for a key that there is not.
type Credentials interface {
	Lookup(ctx context.Context, accessKeyID string) (Credential, error)
}

// authenticated is the outcome of authentication: who calls, and the body with its checks applied.
type authenticated struct {
	identity Identity
	secret   string
	auth     *sigv4.Authorization // nil for an anonymous request
}

// authenticate checks the signature of a request. body is all of it, or nil when it streams, which S3 allows.
// Anonymous says that an unsigned request is let through with the zero Identity.
func (s *Server) authenticate(r *http.Request, svc *Service, body []byte, anonymous bool) (authenticated, error) {
	auth, err := sigv4.Parse(r)
	switch {
	case errors.Is(err, sigv4.ErrUnsigned) && anonymous:
		return authenticated{}, nil
	case errors.Is(err, sigv4.ErrUnsigned):
		return authenticated{}, refuse(svc, unsigned, messageUnsigned)
	case errors.Is(err, sigv4.ErrMethod) && svc.isS3():
		return authenticated{}, Errorf(http.StatusBadRequest, "InvalidRequest", "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.")
	case err != nil:
		return authenticated{}, refuse(svc, incomplete, err.Error())
	}
	credential, err := s.credential(r.Context(), svc, auth)
	if err != nil {
		return authenticated{}, err
	}
	if err := s.checkTime(svc, auth); err != nil {
		return authenticated{}, err
	}
	if region := s.options.Region; region != "" && auth.Scope.Region != region && !(svc.isGlobal() && auth.Scope.Region == "us-east-1") {
		return authenticated{}, refuse(svc, wrongRegion, fmt.Sprintf("Credential should be scoped to a valid region: %s, not %s.", region, auth.Scope.Region))
	}
	hash, err := payloadHash(r, svc, auth, body)
	if err != nil {
		return authenticated{}, err
	}
	if err := auth.Verify(r, credential.Secret, hash); err != nil {
		return authenticated{}, mismatch(svc, auth, err)
	}
	identity := credential.Identity
	identity.AccessKeyID = auth.AccessKeyID
	return authenticated{identity: identity, secret: credential.Secret, auth: auth}, nil
}

// Authenticate checks the signature of a request that is for no operation, such as one to a search domain, whose clients sign with the name of the service
// too. It returns the zero Identity for a request without a signature, and an *Error for one whose signature is not right. Body is all of the request's body.
func (s *Server) Authenticate(r *http.Request, service string, body []byte) (Identity, error) {
	svc := &Service{Name: service, Protocol: RESTJSON}
	who, err := s.authenticate(r, svc, body, true)
	if err == nil && who.auth != nil && who.auth.Scope.Service != service {
		err = refuse(svc, wrongSignature, fmt.Sprintf("Credential should be scoped to correct service: '%s'.", service))
	}
	if err != nil {
		return Identity{}, err
	}
	return who.identity, nil
}

// credential finds the key and checks its session token and life.
func (s *Server) credential(ctx context.Context, svc *Service, auth *sigv4.Authorization) (Credential, error) {
	c, err := s.options.Credentials.Lookup(ctx, auth.AccessKeyID)
	family := familyOf(svc)
	switch {
	case errors.Is(err, ErrNoCredential):
		e := refuse(svc, unknownKey, invalidKey(family, messageS3Key))
		if family == s3Family {
			e.Fields = map[string]string{"AWSAccessKeyId": auth.AccessKeyID}
		}
		return c, e
	case err != nil:
		return c, fmt.Errorf("looking up access key %s: %w", auth.AccessKeyID, err)
	case subtle.ConstantTimeCompare([]byte(c.SessionToken), []byte(auth.SessionToken)) != 1:
		return c, refuse(svc, wrongToken, invalidKey(family, messageS3Token))
	case !c.Expires.IsZero() && !s.options.Clock().Before(c.Expires):
		return c, refuse(svc, expiredToken, messageExpiredToken)
	}
	return c, nil
}

// checkTime compares the time of the signature with the clock.
func (s *Server) checkTime(svc *Service, auth *sigv4.Authorization) error {
	now := s.options.Clock().UTC()
	switch {
	case auth.Time.Sub(now) > maxSkew || !auth.Presigned && now.Sub(auth.Time) > maxSkew:
		return refuse(svc, tooSkewed, skewMessage(svc, auth.Time, now))
	case auth.Presigned && auth.Expires > 0 && now.After(auth.Time.Add(auth.Expires)):
		return refuse(svc, expiredURL, "Request has expired")
	case auth.Presigned && auth.Expires == 0 && now.Sub(auth.Time) > maxSkew:
		return refuse(svc, expiredURL, "Request has expired")
	}
	return nil
}

// payloadHash is the hash that the signature covers. Services other than S3 always sign the body itself.
func payloadHash(r *http.Request, svc *Service, auth *sigv4.Authorization, body []byte) (string, error) {
	claimed := auth.PayloadHash
	if svc.isS3() {
		switch {
		case claimed != "":
		case auth.Presigned:
			return sigv4.UnsignedPayload, nil
		default:
			return "", Errorf(http.StatusBadRequest, "InvalidRequest", "Missing required header for this request: x-amz-content-sha256")
		}
		if body != nil && len(claimed) == len(sigv4.EmptyPayload) && claimed != sigv4.Hash(body) {
			return "", contentMismatch(claimed, sigv4.Hash(body))
		}
		return claimed, nil
	}
	return sigv4.Hash(body), nil
}

func contentMismatch(claimed, got string) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "XAmzContentSHA256Mismatch", Message: "The provided 'x-amz-content-sha256' header does not match what was computed.",
		Fields: map[string]string{"ClientComputedContentSHA256": claimed, "S3ComputedContentSHA256": got}}
}

// mismatch is the answer to a wrong signature. S3 tells what it signed, which finds a client's mistake.
func mismatch(svc *Service, auth *sigv4.Authorization, err error) error {
	e := refuse(svc, wrongSignature, messageMismatch)
	if m, ok := errors.AsType[*sigv4.Mismatch](err); ok && svc.isS3() {
		e.Fields = map[string]string{"AWSAccessKeyId": auth.AccessKeyID, "SignatureProvided": auth.Signature, "StringToSign": m.StringToSign, "CanonicalRequest": m.CanonicalRequest}
	}
	return e
}

// stream returns the body of a request that streams, decoded and checked while it is read.
func (a authenticated) stream(r *http.Request) *Body {
	if a.auth == nil {
		return &Body{Reader: r.Body, length: r.ContentLength}
	}
	switch hash := a.auth.PayloadHash; hash {
	case sigv4.StreamingPayload, sigv4.StreamingPayloadTrailer, sigv4.StreamingUnsignedTrailer:
		chunks := sigv4.NewChunkedReader(r.Body, a.auth, a.secret)
		return &Body{Reader: chunks, chunks: chunks, length: decodedLength(r), announced: strings.ToLower(r.Header.Get("X-Amz-Trailer"))}
	case "", sigv4.UnsignedPayload:
		return &Body{Reader: r.Body, length: r.ContentLength}
	default:
		return &Body{Reader: newHashReader(r.Body, hash), length: r.ContentLength}
	}
}
