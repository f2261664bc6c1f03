package sigv4

import (
	"crypto/hmac"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Authorization is what a request says about its signature.
type Authorization struct {
	AccessKeyID   string
	SessionToken  string
	Scope         Scope
	SignedHeaders []string // lower case, as the client sorted them
	Signature     string   // hexadecimal
	Time          time.Time
	Presigned     bool
	Expires       time.Duration // of a presigned request
	PayloadHash   string        // X-Amz-Content-Sha256, or "" where the client did not send it
}

// Parse reads the signature of a request from its Authorization header or its query string.
// It returns ErrUnsigned for a request with neither, ErrMethod for one signed in another way, such as Signature Version 2, and an error
// that wraps ErrIncomplete for one that lacks a part.
func Parse(r *http.Request) (*Authorization, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		query, err := url.ParseQuery(r.URL.RawQuery)
		switch {
		case err == nil && query.Has("AWSAccessKeyId"): // Signature Version 2
			return nil, ErrMethod
		case err != nil || !query.Has("X-Amz-Algorithm"):
			return nil, ErrUnsigned
		}
		return parseQuery(r, query)
	}
	fields, ok := strings.CutPrefix(header, algorithm)
	if !ok {
		return nil, ErrMethod
	}
	parts := map[string]string{}
	for field := range strings.SplitSeq(fields, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		parts[name] = value
	}
	date := r.Header.Get("X-Amz-Date")
	if date == "" {
		if t, err := http.ParseTime(r.Header.Get("Date")); err == nil {
			date = t.UTC().Format(timeFormat)
		}
	}
	a := &Authorization{SessionToken: r.Header.Get("X-Amz-Security-Token"), PayloadHash: r.Header.Get("X-Amz-Content-Sha256")}
	return a, a.fill(parts["Credential"], parts["SignedHeaders"], parts["Signature"], date)
}

func parseQuery(r *http.Request, query url.Values) (*Authorization, error) {
	if got := query.Get("X-Amz-Algorithm"); got != algorithm {
		return nil, fmt.Errorf("%w: X-Amz-Algorithm is %q, not %s", ErrIncomplete, got, algorithm)
	}
	seconds, err := strconv.Atoi(query.Get("X-Amz-Expires"))
	if err != nil && query.Has("X-Amz-Expires") || seconds < 0 || seconds > 7*24*3600 {
		return nil, fmt.Errorf("%w: X-Amz-Expires must be between 0 and 604800 seconds", ErrIncomplete)
	}
	a := &Authorization{
		SessionToken: query.Get("X-Amz-Security-Token"), Presigned: true,
		Expires: time.Duration(seconds) * time.Second, PayloadHash: r.Header.Get("X-Amz-Content-Sha256"),
	}
	return a, a.fill(query.Get("X-Amz-Credential"), query.Get("X-Amz-SignedHeaders"), query.Get("X-Amz-Signature"), query.Get("X-Amz-Date"))
}

// fill parses the parts that both forms share.
func (a *Authorization) fill(credential, signedHeaders, signature, date string) error {
	for name, value := range map[string]string{"Credential": credential, "SignedHeaders": signedHeaders, "Signature": signature, "X-Amz-Date": date} {
		if value == "" {
			return fmt.Errorf("%w: the authorization requires '%s'", ErrIncomplete, name)
		}
	}
	parts := strings.Split(credential, "/")
	n := len(parts)
	if n < 5 || parts[n-1] != terminator {
		return fmt.Errorf("%w: the credential must have the form KEY/DATE/REGION/SERVICE/%s, got %q", ErrIncomplete, terminator, credential)
	}
	a.AccessKeyID = strings.Join(parts[:n-4], "/")
	a.Scope = Scope{Date: parts[n-4], Region: parts[n-3], Service: parts[n-2]}
	at, err := time.Parse(timeFormat, date)
	if err != nil {
		return fmt.Errorf("%w: the date %q is not of the form %s", ErrIncomplete, date, timeFormat)
	}
	if at.Format(dateFormat) != a.Scope.Date {
		return fmt.Errorf("%w: the date %s of the credential is not that of X-Amz-Date, %s", ErrIncomplete, a.Scope.Date, date)
	}
	a.Time, a.Signature, a.SignedHeaders = at, signature, strings.Split(signedHeaders, ";")
	if !slices.Contains(a.SignedHeaders, "host") {
		return fmt.Errorf("%w: 'host' must be a signed header", ErrIncomplete)
	}
	return nil
}

// Mismatch is the error of Verify: it carries what S3 tells a client whose signature is wrong.
type Mismatch struct{ CanonicalRequest, StringToSign string }

// Error implements error.
func (*Mismatch) Error() string { return ErrMismatch.Error() }

// Unwrap makes errors.Is(err, ErrMismatch) true.
func (*Mismatch) Unwrap() error { return ErrMismatch }

// Verify compares the signature with the one that secret makes of the request. payloadHash is the body's digest in hexadecimal, or the
// word that stands for it. It fails with a *Mismatch.
func (a *Authorization) Verify(r *http.Request, secret, payloadHash string) error {
	canonical := canonicalRequest(r, a.Scope.Service, a.SignedHeaders, payloadHash)
	toSign := stringToSign(a.Time, a.Scope, canonical)
	want := sum(a.Scope.key(secret), toSign)
	got, err := hex.DecodeString(a.Signature)
	if err != nil || !hmac.Equal(got, want) {
		return &Mismatch{CanonicalRequest: canonical, StringToSign: toSign}
	}
	return nil
}
