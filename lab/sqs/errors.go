package sqs

import (
	"net/http"
	"strings"

	"storefront/lab/wire"
)

// fail makes an error of SQS. Its JSON protocol names errors anew; clients written for the query protocol find the old code in a header.
func fail(code, format string, args ...any) *wire.Error {
	e := wire.Errorf(http.StatusBadRequest, code, format, args...)
	e.QueryCode = queryCode(code)
	return e
}

// queryCode is an error's code in the query protocol.
func queryCode(code string) string {
	switch code {
	case "QueueDoesNotExist":
		return "AWS.SimpleQueueService.NonExistentQueue"
	case "KmsNotFound", "KmsDisabled", "KmsInvalidState", "KmsAccessDenied":
		return "KMS." + strings.TrimPrefix(code, "Kms") + "Exception"
	case "QueueNameExists":
		return "QueueAlreadyExists"
	case "QueueDeletedRecently", "MessageNotInflight", "EmptyBatchRequest", "BatchEntryIdsNotDistinct", "TooManyEntriesInBatchRequest", "BatchRequestTooLong",
		"InvalidBatchEntryId", "PurgeQueueInProgress", "UnsupportedOperation":
		return "AWS.SimpleQueueService." + code
	}
	return code
}

func errNoQueue() error { return fail("QueueDoesNotExist", "The specified queue does not exist.") }

func errDenied(p *Post) error {
	e := fail("AccessDeniedException", "User: %s is not authorized to perform: sqs:sendmessage on resource: %s because no resource-based policy allows the sqs:sendmessage action", p.Service, p.Queue)
	e.Status, e.QueryCode = http.StatusForbidden, "AccessDenied"
	return e
}

func invalid(value any, parameter, reason string) *wire.Error {
	return fail("InvalidParameterValue", "Value %v for parameter %s is invalid. Reason: %s", value, parameter, reason)
}

func missing(parameter string) *wire.Error {
	return fail("MissingParameter", "The request must contain the parameter %s.", parameter)
}
