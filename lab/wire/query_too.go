package wire

import (
	"net/http"
	"strings"
)

// queryVariant is a service that came from the query protocol to JSON, as its older clients know it. Amazon SQS is the one that the lab serves.
func queryVariant(svc *Service) *Service {
	old := *svc
	old.Protocol = Query
	return &old
}

// newerVariants are a service that went on from the query protocol, as its newer clients know it: SDKs speak CBOR, and the AWS CLI JSON. Amazon
// CloudWatch is the one that the lab serves.
func newerVariants(svc *Service) []*Service {
	overJSON, overCBOR := *svc, *svc
	overJSON.Protocol, overJSON.JSONVersion, overCBOR.Protocol = JSON, "1.0", CBOR
	return []*Service{&overJSON, &overCBOR}
}

// spoken tells in which protocol of such a service a request is written.
func spoken(r *http.Request) Protocol {
	if r.Header.Get("Smithy-Protocol") == cborProtocol {
		return CBOR
	}
	if r.Header.Get("X-Amz-Target") == "" && isForm(r) {
		return Query
	}
	return JSON
}

// implyQueue fills in the queue of a request that is sent to the queue's own URL, as the page "Making Query API requests" of the SQS developer guide shows it.
func implyQueue(r *request) {
	if path := r.http.URL.Path; !r.form.Has("QueueUrl") && strings.Trim(path, "/") != "" {
		r.form.Set("QueueUrl", originOf(r.http).URL("")+path)
	}
}
