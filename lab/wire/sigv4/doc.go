// Package sigv4 signs and verifies requests by AWS Signature Version 4: in the Authorization header, in the query string (presigned), and
// for bodies sent in signed chunks. See "AWS Signature Version 4 for API requests" in the IAM User Guide and "Authenticating Requests
// (AWS Signature Version 4)" in the Amazon S3 API Reference.
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"
)

const (
	algorithm  = "AWS4-HMAC-SHA256"
	timeFormat = "20060102T150405Z"
	dateFormat = "20060102"
	terminator = "aws4_request"
)

// Values of X-Amz-Content-Sha256 that are not the digest of the body.
const (
	UnsignedPayload          = "UNSIGNED-PAYLOAD"
	StreamingPayload         = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	StreamingPayloadTrailer  = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	StreamingUnsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
)

// EmptyPayload is the SHA-256 of no bytes, in hexadecimal.
const EmptyPayload = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// Errors of Parse, Verify and the chunk reader. The first tells that a request has no signature at all.
var (
	ErrUnsigned   = errors.New("the request is not signed")
	ErrMethod     = errors.New("the authorization mechanism you have provided is not supported, please use " + algorithm)
	ErrIncomplete = errors.New("incomplete signature")
	ErrMismatch   = errors.New("the signature does not match")
	ErrChunk      = errors.New("malformed aws-chunked body")
)

// Credentials sign requests. SessionToken is empty for long-term keys.
type Credentials struct{ AccessKeyID, SecretAccessKey, SessionToken string }

// Scope is the credential scope of a signature.
type Scope struct{ Date, Region, Service string }

func (s Scope) String() string { return s.Date + "/" + s.Region + "/" + s.Service + "/" + terminator }

// key derives the signing key of the scope.
func (s Scope) key(secret string) []byte {
	k := sum([]byte("AWS4"+secret), s.Date)
	for _, part := range []string{s.Region, s.Service, terminator} {
		k = sum(k, part)
	}
	return k
}

func sum(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// Hash is the SHA-256 of data in hexadecimal, the form of X-Amz-Content-Sha256.
func Hash(data []byte) string {
	digest := sha256.Sum256(data)
	return hex.EncodeToString(digest[:])
}

func stringToSign(at time.Time, scope Scope, canonicalRequest string) string {
	return algorithm + "\n" + at.UTC().Format(timeFormat) + "\n" + scope.String() + "\n" + Hash([]byte(canonicalRequest))
}
