package sigv4

import (
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Sign adds the headers that sign r for a service of a region. payloadHash is Hash of the body or UnsignedPayload (S3 only).
// It signs the host, the content type and every X-Amz- header.
func Sign(r *http.Request, payloadHash string, c Credentials, region, service string, at time.Time) {
	at = at.UTC()
	r.Header.Set("X-Amz-Date", at.Format(timeFormat))
	if c.SessionToken != "" {
		r.Header.Set("X-Amz-Security-Token", c.SessionToken)
	}
	if service == "s3" {
		r.Header.Set("X-Amz-Content-Sha256", payloadHash)
	}
	scope := Scope{Date: at.Format(dateFormat), Region: region, Service: service}
	signed := headersToSign(r.Header)
	toSign := stringToSign(at, scope, canonicalRequest(r, service, signed, payloadHash))
	r.Header.Set("Authorization", algorithm+" Credential="+c.AccessKeyID+"/"+scope.String()+
		", SignedHeaders="+strings.Join(signed, ";")+", Signature="+hex.EncodeToString(sum(scope.key(c.SecretAccessKey), toSign)))
}

// Presign adds the signature to the query string of r, valid for expires (at most seven days). The body is not signed.
func Presign(r *http.Request, c Credentials, region, service string, at time.Time, expires time.Duration) {
	at = at.UTC()
	scope := Scope{Date: at.Format(dateFormat), Region: region, Service: service}
	query := r.URL.Query()
	query.Set("X-Amz-Algorithm", algorithm)
	query.Set("X-Amz-Credential", c.AccessKeyID+"/"+scope.String())
	query.Set("X-Amz-Date", at.Format(timeFormat))
	query.Set("X-Amz-Expires", strconv.Itoa(int(expires/time.Second)))
	query.Set("X-Amz-SignedHeaders", "host")
	if c.SessionToken != "" {
		query.Set("X-Amz-Security-Token", c.SessionToken)
	}
	r.URL.RawQuery = canonicalQuery(query.Encode())
	hash := UnsignedPayload
	if service != "s3" {
		hash = EmptyPayload
	}
	toSign := stringToSign(at, scope, canonicalRequest(r, service, []string{"host"}, hash))
	r.URL.RawQuery += "&X-Amz-Signature=" + hex.EncodeToString(sum(scope.key(c.SecretAccessKey), toSign))
}

func headersToSign(h http.Header) []string {
	names := []string{"host"}
	for name := range h {
		if name = strings.ToLower(name); name == "content-type" || strings.HasPrefix(name, "x-amz-") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
