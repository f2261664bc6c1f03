package wire

import (
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
)

// This file is where Amazon S3 differs from the other services: bucket names in the host, subresources, root elements, errors.

func (s *Service) isS3() bool { return s.Name == "s3" }

// s3Roots are the root elements of answers that are not named after the operation's output, from the Amazon S3 API Reference.
func s3Roots(operation string) string {
	switch operation {
	case "ListBuckets":
		return "ListAllMyBucketsResult"
	case "ListObjects", "ListObjectsV2":
		return "ListBucketResult"
	case "ListObjectVersions":
		return "ListVersionsResult"
	case "ListMultipartUploads":
		return "ListMultipartUploadsResult"
	case "ListParts":
		return "ListPartsResult"
	case "CreateMultipartUpload":
		return "InitiateMultipartUploadResult"
	case "CompleteMultipartUpload":
		return "CompleteMultipartUploadResult"
	case "DeleteObjects":
		return "DeleteResult"
	case "GetBucketAcl", "GetObjectAcl":
		return "AccessControlPolicy"
	case "GetBucketTagging", "GetObjectTagging":
		return "Tagging"
	case "GetBucketVersioning":
		return "VersioningConfiguration"
	case "GetBucketLifecycleConfiguration":
		return "LifecycleConfiguration"
	case "GetBucketLogging":
		return "BucketLoggingStatus"
	case "GetBucketCors":
		return "CORSConfiguration"
	case "GetBucketWebsite":
		return "WebsiteConfiguration"
	case "GetBucketRequestPayment":
		return "RequestPaymentConfiguration"
	case "GetBucketAccelerateConfiguration":
		return "AccelerateConfiguration"
	case "GetBucketNotificationConfiguration":
		return "NotificationConfiguration"
	case "GetObjectAttributes":
		return "GetObjectAttributesResponse"
	}
	if kind, ok := strings.CutPrefix(operation, "List"); ok { // ListBucketMetricsConfigurationsResult
		return "List" + kind + "Result"
	}
	return operation + "Result"
}

// rootName is the name of an answer's root element.
func rootName(c *call, root member) string {
	if c.service.isS3() && root.StructTag == "" && root.name == c.operation.Name+"Output" {
		return s3Roots(c.operation.Name)
	}
	return root.wireName()
}

// encodeS3Body writes the one body that is not a structure: the location of a bucket is text in the root element.
func encodeS3Body(x xmlEncoder, c *call, v reflect.Value) bool {
	if c.operation.Name != "GetBucketLocation" {
		return false
	}
	text := ""
	for m := range members(v) {
		if m.isSet() {
			text = formatScalar(m.value, "")
		}
	}
	x.open("LocationConstraint", namespace(c.service.XMLNamespace)...)
	x.escape(text)
	x.close("LocationConstraint")
	return true
}

// s3Error writes S3's form of an error. Fields whose names start with x-amz- are headers, which a HEAD request can see too.
func s3Error(c *call, e *Error) *answer {
	a := newAnswer(e.Status, "application/xml")
	fields := maps.Clone(e.Fields)
	for name, value := range e.Fields {
		if strings.HasPrefix(name, "x-amz-") {
			a.header.Set(name, value)
			delete(fields, name)
		}
	}
	if e.Status == http.StatusNotModified {
		a.header.Del("Content-Type")
		a.header.Set("ETag", e.Fields["ETag"])
		return a
	}
	a.body.WriteString(xmlHeader)
	x := xmlEncoder{&a.body}
	x.open("Error")
	x.element("Code", e.Code)
	x.element("Message", e.Message)
	x.fields(fields)
	x.element("RequestId", c.requestID)
	x.element("HostId", hostID(c.requestID))
	x.close("Error")
	return a
}

// hostID is the second request ID that S3 gives, x-amz-id-2.
func hostID(requestID string) string { return "lab/" + requestID }

// bucketFromHost splits the bucket off a virtual-hosted name such as bucket.s3.us-east-1.amazonaws.com, or returns "".
func bucketFromHost(host string) string {
	for _, mark := range []string{".s3.", ".s3-"} {
		if i := strings.LastIndex(host, mark); i > 0 && (strings.HasSuffix(host, ".amazonaws.com") || strings.HasSuffix(host, ".localhost")) {
			return host[:i]
		}
	}
	return ""
}

// s3Subresources are query parameters that select another operation than the plain one of the same method and path. One that no served
// operation takes is refused: a GET of ?torrent must not answer the object.
func s3Subresources() []string {
	return []string{"accelerate", "acl", "analytics", "attributes", "cors", "delete", "encryption", "intelligent-tiering", "inventory", "legal-hold",
		"lifecycle", "location", "logging", "metadataConfiguration", "metadataTable", "metrics", "notification", "object-lock", "ownershipControls",
		"policy", "policyStatus", "publicAccessBlock", "renameObject", "replication", "requestPayment", "restore", "retention", "select", "session", "tagging", "torrent",
		"uploads", "versioning", "versions", "website"}
}

// strayS3Subresource returns a subresource in the query that the operation's path does not name.
func strayS3Subresource(op *Operation, query url.Values) (string, bool) {
	_, constants, _ := strings.Cut(op.Path, "?")
	taken, _ := url.ParseQuery(constants)
	for name := range query {
		if !taken.Has(name) && slices.Contains(s3Subresources(), name) {
			return name, true
		}
	}
	return "", false
}
