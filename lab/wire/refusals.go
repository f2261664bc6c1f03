package wire

import (
	"fmt"
	"net/http"
	"time"
)

// refusal is why a request is turned away before it reaches its operation. Each protocol family has its own code for it.
type refusal int

const (
	unsigned refusal = iota
	incomplete
	unknownKey
	wrongToken
	expiredToken
	wrongSignature
	wrongRegion
	tooSkewed
	expiredURL
	unknownOperation
	malformedRequest
	tooLarge
	throttled
	internal
)

type status struct {
	status int
	code   string
}

// family is how the errors of a service are named: S3, EC2, the JSON protocols, and the rest. REST-JSON has the names of JSON, under the status that says what is wrong.
type family int

const (
	queryFamily family = iota
	jsonFamily
	restFamily
	ec2Family
	s3Family
	families
)

func familyOf(s *Service) family {
	switch {
	case s.isS3():
		return s3Family
	case s.Protocol == EC2:
		return ec2Family
	case s.Protocol == RESTJSON:
		return restFamily
	case s.Protocol == JSON || s.Protocol == CBOR:
		return jsonFamily
	}
	return queryFamily
}

// refuse returns the error for a reason, with the service's own code.
func refuse(s *Service, why refusal, message string) *Error {
	code := refusalCodes(why)[familyOf(s)]
	return &Error{Status: code.status, Code: code.code, Message: message}
}

// refusalCodes gives status and code of a reason by family, from the pages "Common Errors" of the services' API references.
func refusalCodes(why refusal) [families]status {
	switch why {
	case unsigned:
		return [families]status{{403, "MissingAuthenticationToken"}, {403, "MissingAuthenticationTokenException"}, {403, "MissingAuthenticationTokenException"}, {403, "MissingAuthenticationToken"}, {403, "AccessDenied"}}
	case incomplete:
		return [families]status{{400, "IncompleteSignature"}, {400, "IncompleteSignatureException"}, {403, "IncompleteSignatureException"}, {400, "IncompleteSignature"}, {400, "AuthorizationHeaderMalformed"}}
	case unknownKey:
		return [families]status{{403, "InvalidClientTokenId"}, {400, "UnrecognizedClientException"}, {403, "UnrecognizedClientException"}, {401, "AuthFailure"}, {403, "InvalidAccessKeyId"}}
	case wrongToken:
		return [families]status{{403, "InvalidClientTokenId"}, {400, "UnrecognizedClientException"}, {403, "UnrecognizedClientException"}, {401, "AuthFailure"}, {400, "InvalidToken"}}
	case expiredToken:
		return [families]status{{403, "ExpiredToken"}, {400, "ExpiredTokenException"}, {403, "ExpiredTokenException"}, {400, "RequestExpired"}, {400, "ExpiredToken"}}
	case wrongSignature:
		return [families]status{{403, "SignatureDoesNotMatch"}, {400, "InvalidSignatureException"}, {403, "InvalidSignatureException"}, {403, "SignatureDoesNotMatch"}, {403, "SignatureDoesNotMatch"}}
	case wrongRegion:
		return [families]status{{403, "SignatureDoesNotMatch"}, {400, "InvalidSignatureException"}, {403, "InvalidSignatureException"}, {401, "AuthFailure"}, {400, "AuthorizationHeaderMalformed"}}
	case tooSkewed:
		return [families]status{{403, "SignatureDoesNotMatch"}, {400, "InvalidSignatureException"}, {403, "InvalidSignatureException"}, {400, "RequestExpired"}, {403, "RequestTimeTooSkewed"}}
	case expiredURL:
		return [families]status{{403, "SignatureDoesNotMatch"}, {400, "InvalidSignatureException"}, {403, "InvalidSignatureException"}, {400, "RequestExpired"}, {403, "AccessDenied"}}
	case unknownOperation:
		return [families]status{{400, "InvalidAction"}, {400, "UnknownOperationException"}, {404, "UnknownOperationException"}, {400, "InvalidAction"}, {501, "NotImplemented"}}
	case malformedRequest:
		return [families]status{{400, "MalformedInput"}, {400, "SerializationException"}, {400, "SerializationException"}, {400, "InvalidRequest"}, {400, "InvalidRequest"}}
	case tooLarge:
		return [families]status{{413, "RequestEntityTooLarge"}, {413, "RequestEntityTooLargeException"}, {413, "RequestEntityTooLargeException"}, {413, "RequestEntityTooLarge"}, {400, "MaxMessageLengthExceeded"}}
	case throttled:
		return [families]status{{400, "Throttling"}, {400, "ThrottlingException"}, {400, "ThrottlingException"}, {503, "RequestLimitExceeded"}, {503, "SlowDown"}}
	}
	return [families]status{{500, "InternalFailure"}, {500, "InternalFailure"}, {500, "InternalFailure"}, {500, "InternalError"}, {500, "InternalError"}}
}

const (
	messageUnsigned     = "Request is missing Authentication Token"
	messageUnknownKey   = "The security token included in the request is invalid."
	messageExpiredToken = "The security token included in the request is expired"
	messageMismatch     = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	messageEC2Key       = "AWS was not able to validate the provided access credentials"
	messageS3Key        = "The AWS Access Key Id you provided does not exist in our records."
	messageS3Token      = "The provided token is malformed or otherwise invalid."
)

// invalidKey is the message for credentials that are not there. S3 tells its reasons apart.
func invalidKey(f family, onS3 string) string {
	switch f {
	case ec2Family:
		return messageEC2Key
	case s3Family:
		return onS3
	}
	return messageUnknownKey
}

func skewMessage(s *Service, signed, now time.Time) string {
	const form = "20060102T150405Z"
	switch familyOf(s) {
	case s3Family:
		return "The difference between the request time and the current time is too large."
	case ec2Family:
		return "Request has expired."
	}
	if signed.After(now) {
		return fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + 15 min.)", signed.Format(form), now.Add(maxSkew).Format(form), now.Format(form))
	}
	return fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - 15 min.)", signed.Format(form), now.Add(-maxSkew).Format(form), now.Format(form))
}

// tooMany is the refusal of a call of which there are too many.
func tooMany(s *Service) *Error {
	switch familyOf(s) {
	case s3Family:
		return refuse(s, throttled, "Please reduce your request rate.")
	case ec2Family:
		return refuse(s, throttled, "Request limit exceeded.")
	}
	if s.Name == "sqs" { // "Common errors" of the Amazon SQS API reference: it has a name of its own for this
		return Errorf(http.StatusBadRequest, "RequestThrottled", "The request was denied due to request throttling.")
	}
	return refuse(s, throttled, "Rate exceeded")
}

// internalFailure hides what went wrong from the client.
func internalFailure(s *Service) *Error {
	return refuse(s, internal, http.StatusText(http.StatusInternalServerError))
}
